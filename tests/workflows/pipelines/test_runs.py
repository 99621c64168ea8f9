"""The generated pipelines run: an image is built and brought to dev, promoted to staging, and proposed for prod."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.support import repositories as repo
from tests.support.argocd_server import App, ArgoCD, state
from tests.support.cli import run_json
from tests.support.forges.server import TOKEN, serve
from tests.support.pipeline_runs import DIGEST, Command, Facts, commands, component, execute, programs
from tests.support.pipelines import ROOT
from tests.support.proposing import Shop, shop

from gitops_tk.workflows.pipelines import SYSTEMS

SOURCE = "9f" * 20
FILES = {
    "github": tuple(f".github/workflows/{name}.yml" for name in ("delivery", "promote", "verify", "wait")),
    "gitlab": (".gitlab-ci.yml",) * 4,
    "jenkins": ("Jenkinsfile",) * 4,
    "tekton": tuple(f".tekton/{name}.yaml" for name in ("delivery", "promote", "verify", "wait")),
}


class Place:
    """A shop with the pipelines of a system, and what runs them."""

    def __init__(self, system: str, shop: Shop, folder: Path) -> None:
        self.system, self.shop, self.folder = system, shop, folder
        self.notes = programs(folder / "bin")
        self.checkout = self.clone("checkout")
        for more in ([], ["--app-dir", str(folder / "app"), "--service", "a"]):
            assert run_json("pipeline", "add", system, *more, cwd=self.checkout).json["outcome"] == "written"

    def clone(self, name: str, revision: str = "main") -> Path:
        """The repository as a system checks it out."""
        folder = repo.checkout(self.shop.folder, self.folder / name)
        repo.git(folder, "remote", "set-url", "origin", self.shop.url)
        repo.git(folder, "checkout", "--quiet", "--detach", revision)
        return folder

    def commands(self, side: Path, name: str, facts: Facts, wanted: str = "") -> Iterator[Command]:
        """The commands of a file, those with a text alone."""
        return (one for one in commands(self.system, side / name, facts) if wanted in one.text)

    def run(self, command: Command, folder: Path) -> str:
        """Runs a command, which has to succeed."""
        done = execute(command, folder, self.folder / "bin")
        assert done.returncode == 0, (command.text, done.stdout + done.stderr)
        assert TOKEN not in done.stdout + done.stderr
        return done.stdout


@pytest.fixture(params=SYSTEMS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    kind = "gitlab" if request.param == "gitlab" else "github"
    with shop(tmp_path, kind, services=("a",)) as running:
        yield Place(request.param, running, tmp_path)


def image(place: Place, env: str, branch: str = "main") -> dict[str, object]:
    return dict(yaml.safe_load(repo.show(place.shop.folder, f"services/a/envs/{env}.yaml", branch))["image"])


def test_a_build_gets_to_staging_and_is_proposed_for_prod(place: Place) -> None:
    delivery, promote, verify, _ = FILES[place.system]
    workspace = place.folder / "workspace"
    workspace.mkdir()
    for command in place.commands(place.folder / "app", delivery, Facts(SOURCE, TOKEN, place.shop.url)):
        if "git clone" not in command.text:
            place.run(command, workspace)
    built = image(place, "dev")
    assert (built["tag"], built["digest"], built["revision"]) == (SOURCE, DIGEST, SOURCE)
    assert place.system == "tekton" or built["build"] == 57
    assert _notes(place) == [
        "go test",
        "go run",
        *(["docker login"] if place.system != "tekton" else []),
        "docker buildx",
        "trivy image",
        *(["cosign login"] if place.system == "gitlab" else []),
        "cosign sign",
    ]
    assert f"--yes registry.example.com/a@{DIGEST}" in place.notes.read_text()
    assert TOKEN not in place.notes.read_text()

    promotions = place.clone("promotions")
    facts = Facts(repo.git(place.shop.folder, "rev-parse", "main"), TOKEN, place.shop.url)
    for command in place.commands(place.checkout, promote, facts, "gitops-tk promote"):
        place.run(command, promotions)
    assert image(place, "staging") == image(place, "dev")
    assert image(place, "prod")["tag"] == "v1.0.0"
    (pull,) = place.shop.opened()
    assert image(place, "prod", pull.branch) == image(place, "dev")

    head = repo.git(place.shop.folder, "rev-parse", pull.branch)
    reviewed = place.clone("reviewed", head)
    facts = Facts(head, TOKEN, place.shop.url, pull.number)
    (command,) = place.commands(place.checkout, verify, facts, "gitops-tk verify-pr")
    place.run(command, reviewed)
    assert any("gitops-tk: verify-pr" in str(one) for one in place.shop.pull(pull.number).comments)


def test_gitlabs_components_bring_a_build_to_dev_and_propose_it_for_prod(tmp_path: Path) -> None:
    with shop(tmp_path, "gitlab", services=("a",)) as running:
        place = Place("gitlab", running, tmp_path)
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        (workspace / "digest.txt").write_text(DIGEST + "\n")
        facts = Facts(SOURCE, TOKEN, running.url)
        bump = {"service": "a", "repository": running.url, "tag": "v2.0.0"}
        for command in component(ROOT / "templates/bump.yml", bump, facts):
            place.run(command, workspace)
        assert (image(place, "dev")["tag"], image(place, "dev")["digest"]) == ("v2.0.0", DIGEST)

        promotions = place.clone("promotions")
        for source, target in (("dev", "staging"), ("staging", "prod")):
            for command in component(ROOT / "templates/promote.yml", {"source": source, "target": target}, facts):
                place.run(command, promotions)
        assert image(place, "staging") == image(place, "dev")
        (pull,) = running.opened()

        head = repo.git(running.folder, "rev-parse", pull.branch)
        reviewed = place.clone("reviewed", head)
        facts = Facts(head, TOKEN, running.url, pull.number)
        for command in component(ROOT / "templates/verify-pr.yml", {}, facts):
            place.run(command, reviewed)
        assert any("gitops-tk: verify-pr" in str(one) for one in running.pull(pull.number).comments)


def test_a_pull_request_that_changes_what_it_may_not_fails_its_check(place: Place) -> None:
    repo.git(place.shop.folder, "branch", "sneaky", "main")
    values = {"services/a/envs/prod.yaml": repo.values("a", "prod", "v9.9.9")}
    head = repo.commit(place.shop.folder, values, branch="sneaky")
    reviewed = place.clone("reviewed", head)
    verify = FILES[place.system][2]
    facts = Facts(head, TOKEN, place.shop.url, 7)
    (command,) = place.commands(place.checkout, verify, facts, "gitops-tk verify-pr")
    done = execute(command, reviewed, place.folder / "bin")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "v9.9.9" in done.stdout + done.stderr
    assert ("::error file=services/a/envs/prod.yaml" in done.stdout) == (place.system == "github")


def test_after_a_merge_argo_cd_is_waited_for_in_every_environment(place: Place) -> None:
    config = (
        repo.show(place.shop.folder, "gitops-tk.yaml") + b"argocd:\n  repository: https://git.example.com/gitops.git\n"
    )
    head = repo.commit(place.shop.folder, {"gitops-tk.yaml": config})
    root = place.folder / "argocd"
    root.mkdir()
    with serve(root, ArgoCD) as server:
        assert isinstance(server.dialect, ArgoCD)
        server.dialect.apps.update({f"a-{env}": App([state(head)]) for env in ("dev", "staging", "prod")})
        facts = Facts(head, TOKEN, place.shop.url, argocd=server.api)
        waits = list(place.commands(place.checkout, FILES[place.system][3], facts, "gitops-tk wait"))
        assert [one.environ["ENVIRONMENT"] for one in waits] == ["dev", "staging", "prod"]
        merged = place.clone("merged")
        if place.system == "gitlab":
            waits += component(ROOT / "templates/wait.yml", {"environment": "dev"}, facts)
        spoken = [place.run(one, merged) for one in waits if "gitops-tk wait" in one.text]
        assert all("synced and healthy" in one for one in spoken)


def test_validate_looks_at_what_is_checked_out(place: Place) -> None:
    facts = Facts(repo.git(place.shop.folder, "rev-parse", "main"), TOKEN, place.shop.url)
    (command,) = place.commands(place.checkout, FILES[place.system][2], facts, "gitops-tk validate")
    good = place.clone("good")
    place.run(command, good)
    (good / "services/a/envs/dev.yaml").write_text("image: [\n")
    assert execute(command, good, place.folder / "bin").returncode == 5


def _notes(place: Place) -> list[str]:
    lines = [" ".join(line.split()[:2]) for line in place.notes.read_text().splitlines()]
    return [line for line in dict.fromkeys(lines) if not line.startswith("python")]
