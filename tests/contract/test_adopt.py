"""adopt writes gitops-tk.yaml for a repository that exists already; every command works right after."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json
from tests.support.layouts import laid_out, values

FILES = {**laid_out("apps/{env}/{service}/values.yaml"), "apps/dev/web/values.yaml": values("web", "v2")}
# How people keep their values: what is written, and where the image of the service `web` in dev is then.
LAYOUTS = {
    "apps/{env}/{service}/values.yaml": values("web", "v2"),
    "services/{service}/values-{env}.yaml": b"web:\n  image: {repository: r.example.com/web, tag: v2} # by CI\n",
    "{service}/{env}.yaml": b"image: r.example.com/shop/web:v2\n",
    "k8s/{service}/overlays/{env}/kustomization.yaml": b"images:\n- name: r.example.com/web\n  newTag: v2\n",
    "envs/{env}/{service}.yaml": b"imageTag: v2\n",
}


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """The remote of a repository that nobody has set up for gitops-tk."""
    return repo.bare(tmp_path / "remote.git", FILES)


@pytest.fixture
def checkout(remote: Path, tmp_path: Path) -> Path:
    """A checkout of it."""
    return repo.checkout(remote, tmp_path / "gitops")


def test_it_writes_what_the_repository_says(checkout: Path) -> None:
    ran = run_json("adopt", cwd=checkout / "apps" / "dev")
    assert (ran.status, ran.json["outcome"], ran.json["commit"]) == (0, "written", None)
    assert repo.git(checkout, "status", "--porcelain") == "?? gitops-tk.yaml"
    assert (checkout / "gitops-tk.yaml").read_text().splitlines() == [
        "# Written by gitops-tk adopt from what the repository held; docs/configuration.md says what else it may say.",
        "apiVersion: gitops-tk/v1",
        "environments:                    # in promotion order",
        "  - name: dev",
        "  - name: staging",
        "  - name: prod",
        "    publish: pull-request        # changes are proposed, not pushed",
        "layout:",
        "  chart: services/{service}/chart   # no chart is there yet",
        "  values: apps/{env}/{service}/values.yaml   # 9 files",
        "  shared: null                   # no values that services share",
        "images:",
        "  default:",
        "    tag: image.tag",
        "    digest: null                 # no values hold one; name the key if the chart reads one",
        "    build: image.build",
        "    revision: image.revision",
        "forge:",
        "  kind: git",
    ]
    assert [one["what"] for one in ran.json["found"]] == [
        *("environments", "values", "shared", "chart", "image", "forge"),
    ]
    assert ran.json["unsure"] == []
    told = {key: ran.json[key] for key in ("environments", "services")}
    after = run_json("status", cwd=checkout)
    assert (after.status, {key: after.json[key] for key in told}) == (0, told)


def test_people_are_told_why(checkout: Path) -> None:
    (checkout / "apps/dev/web/local.yaml").write_text("image: {tag: v1}\n")
    ran = run("adopt", "--values", "apps/{env}/{service}/values.yaml", cwd=checkout)
    assert ran.out.splitlines() == [
        "FOUND         IS                                BECAUSE",
        "environments  dev, staging, prod                in the order that their names tell",
        "values        apps/{env}/{service}/values.yaml  as --values says",
        "shared        none                              none were found",
        "chart         services/{service}/chart          no chart is there yet",
        "image         image.tag                         the key of the tag, of 3 services",
        "forge         git                               told from the remote",
        "",
        "SERVICE       DEV  STAGING  PROD",
        "billing       v1   v1       v1",
        "user-service  v1   v1       v1",
        "web           v2   v1 *     v1",
        "",
        "* differs from the environment it is promoted from",
        "",
        "add  gitops-tk.yaml",
        "written; commit it when you are ready",
    ]
    assert ran.err == "next: gitops-tk status; gitops-tk bump billing -e dev --tag TAG\n"


def test_what_comes_next_stays_local_where_there_is_no_remote(checkout: Path) -> None:
    repo.git(checkout, "remote", "remove", "origin")
    ran = run("adopt", cwd=checkout)
    assert ran.err == "next: gitops-tk status; gitops-tk bump billing -e dev --tag TAG --local\n"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_commands_work_right_after(tmp_path: Path, layout: str) -> None:
    text = LAYOUTS[layout]
    files = {
        path: text.replace(b"web", service.encode()).replace(b"v2", b"v2" if env == "dev" else b"v1")
        for env in ("dev", "staging", "prod")
        for service in ("web", "billing")
        for path in [layout.replace("{service}", service).replace("{env}", env)]
    }
    remote = repo.bare(tmp_path / "remote.git", files)
    checkout = repo.checkout(remote, tmp_path / "gitops")
    assert run_json("adopt", "--commit", cwd=checkout).json["outcome"] == "committed"
    repo.git(checkout, "push", "--quiet", "origin", "main")
    services = run_json("status", cwd=checkout).json["services"]
    assert {name: one["dev"]["images"]["default"]["tag"] for name, one in services.items()} == {
        "web": "v2",
        "billing": "v2",
    }
    bumped = run_json("bump", "web", "-e", "dev", "--tag", "v3", "--dry-run", cwd=checkout)
    assert (bumped.status, [str(one["to"]).rpartition(":")[2] for one in bumped.json["changes"]]) == (0, ["v3"])
    promoted = run_json("promote", "dev", "staging", "web", "--dry-run", cwd=checkout)
    assert (promoted.status, promoted.json["outcome"], len(promoted.json["changes"])) == (0, "planned", 1)
    added = [one for one in promoted.json["diff"].splitlines() if one.startswith("+") and not one.startswith("+++")]
    assert len(added) == 1
    assert "v2" in added[0]


def test_a_dry_run_writes_nothing_and_shows_the_file(checkout: Path) -> None:
    ran = run_json("adopt", "--dry-run", cwd=checkout)
    assert (ran.status, ran.json["outcome"]) == (0, "planned")
    assert "+  values: apps/{env}/{service}/values.yaml" in ran.json["diff"]
    assert repo.git(checkout, "status", "--porcelain") == ""


def test_it_commits_that_file_alone(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("mine")
    ran = run_json("adopt", "--commit", "--message", "Use gitops-tk", cwd=checkout)
    assert (ran.json["outcome"], ran.json["commit"]) == ("committed", repo.git(checkout, "rev-parse", "HEAD"))
    assert repo.git(checkout, "show", "--format=%s", "--name-only", "HEAD") == "Use gitops-tk\n\ngitops-tk.yaml"
    assert repo.git(checkout, "status", "--porcelain") == "?? notes.txt"


def test_given_a_url_it_publishes_as_delivery_does(remote: Path, tmp_path: Path) -> None:
    before = repo.show(remote, "apps/dev/web/values.yaml")
    ran = run_json("adopt", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "proposed")
    assert ran.json["pull_requests"][0]["branch"] == "gitops-tk/_/adopt"
    assert b"apps/{env}/{service}" in repo.show(remote, "gitops-tk.yaml", "gitops-tk/_/adopt")
    assert repo.show(remote, "apps/dev/web/values.yaml", "gitops-tk/_/adopt") == before
    assert set(ran.json["services"]) == {"billing", "user-service", "web"}
    again = run_json("adopt", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (again.status, again.json["outcome"]) == (0, "unchanged")


def test_a_folder_may_be_named_that_is_no_git_repository(tmp_path: Path) -> None:
    for path, data in laid_out("{service}/{env}.yaml").items():
        (tmp_path / "deploy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "deploy" / path).write_bytes(data)
    ran = run_json("adopt", "--repo", "deploy", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "written")
    assert 'values: "{service}/{env}.yaml"' in (tmp_path / "deploy/gitops-tk.yaml").read_text()
    assert run_json("status", "--repo", "deploy", cwd=tmp_path).status == 0
    assert run_json("adopt", "--repo", "nowhere", cwd=tmp_path).code == "no-repository"


def test_twice_is_the_same_as_once(checkout: Path) -> None:
    assert run_json("adopt", "--commit", cwd=checkout).json["outcome"] == "committed"
    for more in ((), ("--commit",), ("--dry-run",)):
        again = run_json("adopt", *more, cwd=checkout)
        assert (again.status, again.json["outcome"], again.json["changes"]) == (0, "unchanged", [])
    assert run_json("adopt", "--env", "dev", cwd=checkout).code == "config-exists"


def test_what_is_there_is_never_overwritten(checkout: Path) -> None:
    (checkout / "gitops-tk.yaml").write_text("mine: true\n")
    for arguments in ((), ("--dry-run",), ("--repo", ".")):
        ran = run_json("adopt", *arguments, cwd=checkout)
        assert (ran.status, ran.code) == (1, "config-exists")
        assert ran.json["problems"][0]["hint"]
    assert (checkout / "gitops-tk.yaml").read_text() == "mine: true\n"


def test_a_symbolic_link_is_neither_followed_nor_written_through(checkout: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "values.yaml").write_bytes(values("secret"))
    (checkout / "apps/dev/secret").symlink_to(outside)
    (checkout / "apps/dev/loop").symlink_to(checkout)
    planned = run_json("adopt", "--dry-run", cwd=checkout)
    assert "secret" not in planned.json["services"]
    assert planned.json["unsure"] == ["2 symbolic links not followed, such as apps/dev/loop"]
    (checkout / "gitops-tk.yaml").symlink_to(outside / "gitops-tk.yaml")
    assert run_json("adopt", cwd=checkout).status == 1
    assert [path.name for path in outside.iterdir()] == ["values.yaml"]


def test_what_is_not_clear_is_asked_for(checkout: Path) -> None:
    for path, data in laid_out("old/{env}/{service}/values.yaml").items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes(data)
    ran = run_json("adopt", cwd=checkout)
    assert (ran.status, ran.code) == (1, "ambiguous-layout")
    assert "--values 'old/{env}/{service}/values.yaml'" in ran.json["problems"][0]["hint"]
    assert not (checkout / "gitops-tk.yaml").exists()
    decided = ("--values", "apps/{env}/{service}/values.yaml", "-e", "staging", "-e", "live=prod")
    ran = run_json("adopt", *decided, cwd=checkout)
    assert (ran.status, ran.json["environments"]) == (0, ["staging", "live"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--env", "..=dev"], "bad-environment-name"),
        (["--env", "dev=../x"], "bad-environment-name"),
        (["--env", "dev", "--env", "dev"], "duplicate-environment"),
        (["--env", "dev=a", "--env", "dev=b"], "duplicate-environment"),
        (["--values", "../{service}/{env}.yaml"], "bad-template"),
        (["--values", "apps/{service}.yaml"], "bad-template"),
        (["--image-key", "a..b"], "bad-key"),
    ],
)
def test_a_wrong_command_line_is_told(checkout: Path, arguments: list[str], code: str) -> None:
    ran = run_json("adopt", *arguments, cwd=checkout)
    assert (ran.status, ran.code) == (2, code)
