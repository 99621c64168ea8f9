"""pipeline add: what it writes where, and what it leaves alone."""

from pathlib import Path

import pytest
import yaml
from tests.support import repositories as repo
from tests.support.cli import run, run_json

CONFIG = repo.CONFIG.replace(
    b"  - name: prod\n", b"  - name: prod-eu\n    from: [staging]\n  - name: prod-us\n    from: [staging]\n"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return repo.checkout(repo.gitops(tmp_path / "gitops.git", config=CONFIG), tmp_path / "checkout")


def test_the_gitops_side_follows_the_environments_of_the_configuration(checkout: Path) -> None:
    ran = run("pipeline", "add", "github", "--commit", cwd=checkout)
    assert ran.status == 0, ran.err
    assert "add  .github/workflows/verify.yml" in ran.out
    written = yaml.safe_load((checkout / ".github/workflows/promote.yml").read_text())
    assert list(written["jobs"]) == [
        "promote-dev-to-staging",
        "promote-staging-to-prod-eu",
        "promote-staging-to-prod-us",
    ]
    assert repo.git(checkout, "log", "-1", "--format=%s") == "pipeline add: github"
    assert repo.git(checkout, "status", "--porcelain") == ""


def test_a_second_time_it_is_unchanged_and_what_differs_is_refused(checkout: Path) -> None:
    assert run_json("pipeline", "add", "gitlab", cwd=checkout).json["outcome"] == "written"
    assert run_json("pipeline", "add", "gitlab", cwd=checkout).json["outcome"] == "unchanged"
    file = checkout / ".gitlab-ci.yml"
    file.write_text(file.read_text() + "# ours\n")
    ran = run_json("pipeline", "add", "gitlab", cwd=checkout)
    assert (ran.status, ran.code) == (1, "pipeline-exists")
    assert file.read_text().endswith("# ours\n")


def test_a_dry_run_writes_nothing_and_shows_all(checkout: Path) -> None:
    ran = run_json("pipeline", "add", "jenkins", "--dry-run", cwd=checkout)
    assert ran.json["outcome"] == "planned"
    assert "+++ b/Jenkinsfile" in ran.json["diff"]
    assert not (checkout / "Jenkinsfile").exists()


def test_the_applications_side_knows_image_environment_and_repository(checkout: Path, tmp_path: Path) -> None:
    repo.git(checkout, "remote", "set-url", "origin", "git@github.com:shop/gitops.git")
    asked = ("pipeline", "add", "github", "--app-dir", "../app", "--service", "user-service")
    ran = run_json(*asked, cwd=checkout)
    assert ran.status == 0, ran.out
    (change,) = ran.json["changes"]
    assert change["kind"] == "pipeline"
    written = yaml.safe_load((tmp_path / "app/.github/workflows/delivery.yml").read_text())
    given = written["jobs"]["bump"]["steps"][-1]["env"]
    assert (given["SERVICE"], given["ENVIRONMENT"]) == ("user-service", "dev")
    assert given["GITOPS_REPO"] == "https://github.com/shop/gitops.git"
    assert "registry.example.com/user-service" in str(written["jobs"]["image"])
    assert run_json(*asked, cwd=checkout).json["outcome"] == "unchanged"
    assert repo.git(checkout, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["circle"], "unknown-system"),
        (["github", "--service", "user-service"], "usage"),
        (["github", "--env", "dev"], "usage"),
        (["github", "--app-dir", "../app"], "usage"),
        (["github", "--app-dir", "../app", "--service", "user-service", "--commit"], "usage"),
        (["github", "--app-dir", "../app", "--service", "nobody"], "unknown-service"),
        (["github", "--app-dir", "../app", "--service", "../x"], "bad-service-name"),
        (["github", "--app-dir", "../app", "--service", "user-service", "--env", "moon"], "unknown-environment"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(checkout: Path, arguments: list[str], code: str) -> None:
    ran = run_json("pipeline", "add", *arguments, cwd=checkout)
    assert ran.status in (1, 2)
    assert ran.code == code
    assert not (checkout.parent / "app").exists()


def test_a_repository_that_is_nowhere_else_is_told(checkout: Path) -> None:
    repo.git(checkout, "remote", "remove", "origin")
    ran = run_json("pipeline", "add", "github", "--app-dir", "../app", "--service", "user-service", cwd=checkout)
    assert (ran.status, ran.code) == (2, "no-remote")


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_nothing_is_written_through_a_link_and_a_dry_run_says_so(checkout: Path, how: tuple[str, ...]) -> None:
    repo.git(checkout, "remote", "set-url", "origin", "git@github.com:shop/gitops.git")
    (checkout.parent / "elsewhere").mkdir()
    (checkout.parent / "app").mkdir()
    (checkout.parent / "app/.github").symlink_to(checkout.parent / "elsewhere")
    asked = ("pipeline", "add", "github", "--app-dir", "../app", "--service", "user-service")
    ran = run_json(*asked, *how, cwd=checkout)
    assert (ran.status, ran.code) == (1, "symlink")
    assert list((checkout.parent / "elsewhere").iterdir()) == []


def test_values_without_a_repository_of_images_are_told(tmp_path: Path) -> None:
    files = {
        "gitops-tk.yaml": repo.CONFIG,
        "services/a/envs/dev.yaml": b"image: {tag: v1, repository: 'x; rm -rf /'}\n",
    }
    checkout = repo.checkout(repo.bare(tmp_path / "r.git", files), tmp_path / "checkout")
    ran = run_json("pipeline", "add", "tekton", "--app-dir", "../app", "--service", "a", cwd=checkout)
    assert (ran.status, ran.code) == (2, "no-image-repository")


def test_the_main_branch_is_the_remotes_and_not_the_one_that_is_worked_on(tmp_path: Path) -> None:
    files = {"gitops-tk.yaml": repo.CONFIG, "services/a/envs/dev.yaml": repo.values("a", "dev")}
    remote = repo.bare(tmp_path / "r.git", files, branch="trunk")
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "switch", "--quiet", "--create", "pipelines")
    run("pipeline", "add", "tekton", cwd=checkout)
    assert 'on-target-branch: "[trunk]"' in (checkout / ".tekton/verify.yaml").read_text()
    there = run_json("pipeline", "add", "tekton", "--repo", f"file://{remote}", cwd=tmp_path)
    assert there.json["outcome"] == "changed"
    assert b'on-target-branch: "[trunk]"' in repo.show(remote, ".tekton/verify.yaml", "trunk")


def test_a_branch_that_is_named_is_the_one_that_is_merged_into(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "gitops.git")
    repo.git(remote, "branch", "release", "main")
    asked = ("pipeline", "add", "tekton", "--branch", "release", "--repo", f"file://{remote}")
    assert run_json(*asked, cwd=tmp_path).json["outcome"] == "changed"
    assert b'on-target-branch: "[release]"' in repo.show(remote, ".tekton/verify.yaml", "release")


def test_the_applications_side_is_for_what_takes_builds_and_for_its_own_main_branch(tmp_path: Path) -> None:
    config = repo.CONFIG.replace(b"- name: dev\n", b"- name: dev\n    accepts: [values]\n")
    config = config.replace(b"- name: staging\n", b"- name: staging\n    accepts: [bump, promotion]\n")
    checkout = repo.checkout(repo.gitops(tmp_path / "gitops.git", config=config), tmp_path / "checkout")
    repo.git(tmp_path, "init", "--quiet", "--initial-branch=trunk", "app")
    asked = ("pipeline", "add", "github", "--app-dir", "../app", "--service", "user-service")
    assert run_json(*asked, cwd=checkout).json["outcome"] == "written"
    written = yaml.safe_load((tmp_path / "app/.github/workflows/delivery.yml").read_text())
    given = written["jobs"]["bump"]["steps"][-1]["env"]
    assert (given["ENVIRONMENT"], given["GITOPS_REPO"]) == ("staging", f"file://{tmp_path}/gitops.git")
    assert written[True]["push"]["branches"] == ["trunk"]


def test_a_folder_in_the_way_is_not_what_would_be_written(checkout: Path) -> None:
    (checkout / ".gitlab-ci.yml").mkdir()
    assert run_json("pipeline", "add", "gitlab", cwd=checkout).code == "pipeline-exists"


def test_an_address_that_a_system_would_read_as_an_expression_is_refused(checkout: Path) -> None:
    repo.git(checkout, "remote", "set-url", "origin", "https://example.com/${{secrets.X}}/gitops.git")
    ran = run_json("pipeline", "add", "github", "--app-dir", "../app", "--service", "user-service", cwd=checkout)
    assert (ran.status, ran.code) == (2, "bad-remote")
