"""Authoring writes files into the checkout and leaves the commit to people; given a URL it publishes."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from tests.support import repositories as repo
from tests.support.cli import run, run_json

NEW = ("new-service", "user-service", "--image", "registry.example.com/shop/user-service")


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A checkout of a new GitOps repository, its first files committed and pushed."""
    remote = repo.bare(tmp_path / "remote.git")
    checkout = repo.checkout(remote, tmp_path / "gitops")
    assert run("init", "--commit", cwd=checkout).status == 0
    repo.git(checkout, "push", "--quiet", "origin", "main")
    return checkout


def test_init_starts_a_repository_in_a_new_folder(tmp_path: Path) -> None:
    ran = run_json("init", "gitops", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.json["commit"]) == (0, "written", None)
    assert (tmp_path / "gitops/gitops-tk.yaml").read_text().splitlines() == [
        "apiVersion: gitops-tk/v1",
        "environments:                    # in promotion order",
        "  - name: dev",
        "  - name: staging",
        "  - name: prod",
        "    publish: pull-request        # changes are proposed, not pushed",
        "layout:",
        "  chart: services/{service}/chart",
        "  values: services/{service}/envs/{env}.yaml",
        "  shared: envs/{env}.yaml",
        "forge: {}                        # told from the remote",
        "argocd:",
        "  repository: https://git.example.com/FILL-IN/gitops.git   # fill in the URL by which Argo CD reads it",
    ]
    assert (tmp_path / "gitops/envs/prod.yaml").is_file()
    again = run_json("init", "gitops", cwd=tmp_path)
    assert (again.status, again.json["outcome"]) == (0, "unchanged")
    other = run_json("init", "gitops", "--env", "live", cwd=tmp_path)
    assert (other.status, other.code) == (1, "config-exists")


@pytest.mark.parametrize("name", ["on", "null", "1e3"])
def test_an_environments_name_is_a_text_in_its_values(tmp_path: Path, name: str) -> None:
    assert run("init", "--env", name, cwd=tmp_path).status == 0
    assert yaml.safe_load((tmp_path / f"envs/{name}.yaml").read_text())["config"]["data"] == {"ENV": name}
    assert [one["name"] for one in run_json("env", "list", cwd=tmp_path).json["environments"]] == [name]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://github.com/shop/gitops.git", "github"),
        ("git@gitlab.example.com:shop/gitops.git", "gitlab"),
        ("../gitops.git", "git"),
        ("https://git.example.com/shop/gitops.git", None),
    ],
)
def test_init_writes_the_forge_that_the_remote_tells(tmp_path: Path, url: str, kind: str | None) -> None:
    (tmp_path / "gitops").mkdir()
    repo.git(tmp_path / "gitops", "init", "--quiet")
    repo.git(tmp_path / "gitops", "remote", "add", "origin", url)
    assert run("init", cwd=tmp_path / "gitops").status == 0
    text = (tmp_path / "gitops/gitops-tk.yaml").read_text()
    assert (f"forge:\n  kind: {kind}\n" if kind else "forge: {} ") in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--env", "Bad"], "bad-environment-name"),
        (["--env", "dev", "--env", "dev"], "duplicate-environment"),
        (["--propose", "production"], "unknown-environment"),
        (["--forge", "sourceforge"], "bad-forge"),
    ],
)
def test_what_cannot_be_started_leaves_no_folder(tmp_path: Path, arguments: list[str], code: str) -> None:
    ran = run_json("init", "gitops", *arguments, cwd=tmp_path)
    assert (ran.status, ran.code) == (2, code)
    assert not (tmp_path / "gitops").exists()


def test_a_folder_may_be_named_as_the_repository(tmp_path: Path) -> None:
    ran = run_json("init", cwd=tmp_path, GITOPS_TK_REPO="gitops")
    assert (ran.status, ran.json["outcome"]) == (0, "written")
    assert (tmp_path / "gitops/gitops-tk.yaml").is_file()


def test_init_publishes_to_an_empty_remote(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "remote.git")
    ran = run_json("init", "--env", "dev", "--env", "live", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert b"name: live" in repo.show(remote, "gitops-tk.yaml")


def test_new_service_scaffolds_a_chart_and_values_for_every_environment(started: Path) -> None:
    ran = run_json(*NEW, "--port", "9000", "--host", "users.example.com", "--owner", "shop", cwd=started)
    assert (ran.status, ran.json["outcome"]) == (0, "written")
    folder = started / "services/user-service"
    assert sorted(path.name for path in (folder / "envs").iterdir()) == ["dev.yaml", "prod.yaml", "staging.yaml"]
    about = yaml.safe_load((folder / "chart/Chart.yaml").read_text())
    assert json.loads(about["annotations"]["gitops-tk/answers"])["port"] == 9000
    assert run_json("validate", cwd=started).status == 0
    assert "?? services/" in repo.git(started, "status", "--porcelain")


def test_new_service_twice_is_unchanged_and_never_overwrites(started: Path) -> None:
    assert run(*NEW, "--commit", cwd=started).status == 0
    assert run_json(*NEW, cwd=started).json["outcome"] == "unchanged"
    other = run_json(*NEW[:2], "--image", "registry.example.com/other", cwd=started)
    assert (other.status, other.code) == (1, "service-exists")
    assert repo.git(started, "status", "--porcelain") == ""


def test_a_dry_run_writes_nothing(tmp_path: Path, started: Path) -> None:
    for arguments in (NEW, ("env", "add", "qa"), ("env", "remove", "staging"), ("init", "elsewhere")):
        ran = run_json(*arguments, "--dry-run", cwd=started)
        assert ran.json["outcome"] in ("planned", "failed", "refused"), arguments
        assert repo.git(started, "status", "--porcelain") == ""
    assert not (started / "elsewhere").exists()


def test_commit_makes_the_commit_with_those_files_alone(started: Path) -> None:
    (started / "notes.txt").write_text("mine")
    repo.git(started, "add", "notes.txt")
    ran = run_json(*NEW, "--commit", cwd=started)
    assert (ran.json["outcome"], ran.json["commit"]) == ("committed", repo.git(started, "rev-parse", "HEAD"))
    assert repo.git(started, "status", "--porcelain") == "A  notes.txt"
    assert repo.git(started, "log", "-1", "--format=%s") == "new-service: user-service"


def test_given_a_url_authoring_publishes_as_delivery_does(started: Path, tmp_path: Path) -> None:
    url = f"file://{tmp_path / 'remote.git'}"
    ran = run_json(*NEW, "--repo", url, cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "proposed")
    assert ran.json["pull_requests"][0]["branch"] == "gitops-tk/_/new-service-user-service"
    again = run_json(*NEW, "--repo", url, cwd=tmp_path)
    assert again.json["outcome"] == "unchanged"


@pytest.mark.parametrize("tag", ["1.10", "1e3", "0o17", "1234e56", "on", "null", "~", "2024-01-01"])
def test_a_tag_that_is_set_is_a_text(started: Path, tag: str) -> None:
    run(*NEW, "--commit", cwd=started)
    ran = run_json("values", "set", "user-service", "-e", "dev", f"image.tag={tag}", cwd=started)
    assert ran.json["changes"][0]["to"] == tag
    assert f'  tag: "{tag}"\n' in (started / "services/user-service/envs/dev.yaml").read_text()


def test_values_set_unset_get_and_diff(started: Path) -> None:
    run(*NEW, "--commit", cwd=started)
    where = ("user-service", "-e", "dev")
    ran = run_json(
        "values", "set", *where, "replicaCount=2", "config.data.A=b c", "image.tag=1.10", "--commit", cwd=started
    )
    assert [(change["key"], change["from"], change["to"]) for change in ran.json["changes"]] == [
        ("replicaCount", None, 2),
        ("config.data.A", None, "b c"),
        ("image.tag", "", "1.10"),
    ]
    assert run("values", "get", *where, "image.tag", cwd=started).out == "1.10\n"
    assert 'tag: "1.10"\n' in run("values", "get", *where, "image", cwd=started).out
    origin = run("values", "get", *where, "replicaCount", "--origin", cwd=started).out
    assert origin.startswith("services/user-service/envs/dev.yaml:")
    assert run("values", "get", *where, "config.data.LOG_LEVEL", "--origin", cwd=started).out == (
        'envs/dev.yaml:6  config.data.LOG_LEVEL: "debug"\n'
    )
    assert run_json("values", "get", *where, "ports.http.servicePort", cwd=started).json["value"] == 80
    assert run_json("values", "set", *where, "replicaCount=2", cwd=started).json["outcome"] == "unchanged"
    difference = run("values", "diff", "user-service", "-e", "dev", "-e", "staging", cwd=started).out
    assert "config.data.ENV: dev in dev, staging in staging\n" in difference
    ran = run_json("values", "unset", *where, "replicaCount", "config.data", cwd=started)
    assert ran.json["outcome"] == "written"
    assert run("values", "get", *where, "replicaCount", cwd=started).out == "1\n"
    missing = run_json("values", "get", *where, "no.such", cwd=started)
    assert (missing.status, missing.code) == (1, "missing-key")


def test_what_is_true_is_set_where_one_was_and_the_order_of_keys_is_no_change(started: Path) -> None:
    run(*NEW, "--commit", cwd=started)
    where = ("user-service", "-e", "dev")
    run("values", "set", *where, "limits={debug: 1, list: [0]}", "--commit", cwd=started)
    assert run_json("values", "set", *where, "limits={list: [0], debug: 1}", cwd=started).json["outcome"] == "unchanged"
    ran = run_json("values", "set", *where, "limits={debug: true, list: [false]}", cwd=started)
    assert [change["to"] for change in ran.json["changes"]] == [{"debug": True, "list": [False]}]


def test_a_deployed_service_keeps_an_image(started: Path) -> None:
    run(*NEW, "--commit", cwd=started)
    where = ("user-service", "-e", "dev")
    assert run_json("values", "set", *where, 'image.tag=""', cwd=started).json["outcome"] == "unchanged"
    run("values", "set", *where, "image.tag=v1", "--commit", cwd=started)
    for arguments in (("set", *where, 'image.tag=""'), ("unset", *where, "image.tag"), ("unset", *where, "image")):
        ran = run_json("values", *arguments, cwd=started)
        assert (ran.status, ran.code) == (3, "image-emptied"), arguments
    digest = f"image.digest=sha256:{'a' * 64}"
    assert run_json("values", "set", *where, 'image.tag=""', digest, cwd=started).json["outcome"] == "written"


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("a", "bad-assignment"),
        ("=1", "bad-key"),
        ("a..b=1", "bad-key"),
        ("a=[1", "bad-assignment"),
        (os.fsdecode(b"a=\xff"), "bad-assignment"),
        ("a={b: 1, b: 2}", "bad-assignment"),
    ],
)
def test_a_wrong_assignment_is_told(started: Path, argument: str, code: str) -> None:
    ran = run_json("values", "set", "user-service", "-e", "dev", argument, cwd=started)
    assert (ran.status, ran.code) == (2, code)


@pytest.mark.parametrize("both", [("replicaCount=2", "replicaCount=3"), ("a.b=2", "a=3"), ('"a".b=2', "a.b=2")])
def test_two_assignments_of_one_value_are_told(started: Path, both: tuple[str, str]) -> None:
    ran = run_json("values", "set", "user-service", "-e", "dev", *both, cwd=started)
    assert (ran.status, ran.code) == (2, "set-twice")


def test_a_file_with_uncommitted_changes_is_refused_and_others_stay(started: Path) -> None:
    run(*NEW, "--commit", cwd=started)
    file = started / "services/user-service/envs/dev.yaml"
    file.write_text(file.read_text() + "# mine\n")
    (started / "envs/dev.yaml").write_text("# mine too\n")
    ran = run_json("values", "set", "user-service", "-e", "dev", "replicaCount=2", cwd=started)
    assert (ran.status, ran.code) == (1, "uncommitted-changes")
    told = run("values", "set", "user-service", "-e", "dev", "replicaCount=2", cwd=started).err
    assert told.startswith("error: services/user-service/envs/dev.yaml has uncommitted changes")
    assert file.read_text().endswith("# mine\n")
    other = run_json("values", "set", "user-service", "-e", "prod", "replicaCount=2", cwd=started)
    assert other.json["outcome"] == "written"
    assert (started / "envs/dev.yaml").read_text() == "# mine too\n"


@pytest.mark.parametrize(
    "command",
    [
        ("bump", "user-service", "-e", "dev", "--tag", "v2", "--local"),
        ("values", "set", "user-service", "-e", "dev", "replicaCount=9"),
        ("values", "set", "user-service", "-e", "dev", "replicaCount=9", "--commit"),
    ],
)
def test_a_dry_run_ends_as_the_real_run_would(started: Path, command: tuple[str, ...]) -> None:
    run(*NEW, "--commit", cwd=started)
    with (started / "services/user-service/envs/dev.yaml").open("a") as file:
        file.write("mine: true\n")
    ran, dry = (run_json(*command, *more, cwd=started) for more in ((), ("--dry-run",)))
    assert (ran.status, ran.code) == (dry.status, dry.code) == (1, "uncommitted-changes")
    repo.git(started, "checkout", "--quiet", "--force", "--detach")
    ran, dry = (run_json(*command, *more, cwd=started) for more in (("--dry-run",), ()))
    assert (ran.status, ran.json["problems"]) == (dry.status, dry.json["problems"])


def test_nobody_commits_under_a_name_that_git_makes_up(started: Path, isolated_home: Path) -> None:
    (isolated_home / ".gitconfig").unlink()
    ran = run_json(*NEW, "--commit", cwd=started, EMAIL="")
    assert (ran.status, ran.code) == (1, "no-identity")
    assert "GIT_AUTHOR_EMAIL" in ran.json["problems"][0]["hint"]
    assert repo.git(started, "status", "--porcelain") == ""


def test_a_symbolic_link_is_not_written_through(started: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (started / "services").symlink_to(outside)
    ran = run_json(*NEW, cwd=started)
    assert (ran.status, ran.code) == (1, "symlink")
    assert list(outside.iterdir()) == []


def test_a_folder_in_the_place_of_a_file_is_told(started: Path) -> None:
    (started / "services/user-service/envs/dev.yaml").mkdir(parents=True)
    ran = run_json(*NEW, cwd=started)
    assert ran.status == 1
    assert not (started / "services/user-service/chart").exists()


def test_a_detached_head_takes_no_commit(started: Path) -> None:
    repo.git(started, "checkout", "--quiet", "--detach")
    ran = run_json(*NEW, "--commit", cwd=started)
    assert (ran.status, ran.code) == (1, "detached-head")
    assert repo.git(started, "status", "--porcelain") == ""


def test_a_git_that_is_too_old_makes_no_commit(started: Path, tmp_path: Path) -> None:
    script = tmp_path / "bin/git"
    script.parent.mkdir()
    script.write_text(
        '#!/bin/sh\ncase "$*" in *--version) echo "git version 2.30.2"; exit 0;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    script.chmod(0o755)
    ran = run_json(*NEW, "--commit", cwd=started, PATH=f"{script.parent}:/bin")
    assert (ran.status, ran.code) == (1, "git-too-old")
    assert repo.git(started, "status", "--porcelain") == ""


def test_a_refused_commit_puts_the_files_back(started: Path) -> None:
    hook = started / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = run_json(*NEW, "--commit", cwd=started)
    assert ran.status == 1
    assert repo.git(started, "status", "--porcelain") == ""
    assert not (started / "services").exists()


def test_a_disk_that_cannot_be_written_is_told_and_nothing_stays(started: Path) -> None:
    # A limit on the size of files is a full disk for everybody, the superuser included.
    import resource
    import subprocess
    import sys

    limit = 2000

    def limited() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.run(
        [sys.executable, "-m", "gitops_tk", *NEW, "-o", "json"], cwd=started, preexec_fn=limited, capture_output=True
    )
    assert process.returncode == 1
    assert json.loads(process.stdout)["problems"][0]["code"] == "disk"
    assert repo.git(started, "status", "--porcelain") == ""


def test_environments_are_added_and_removed_in_place(started: Path) -> None:
    run(*NEW, "--commit", cwd=started)
    before = (started / "gitops-tk.yaml").read_text()
    ran = run_json("env", "add", "qa", "--after", "dev", "--copy", "dev", "--commit", cwd=started)
    assert (ran.status, ran.json["outcome"]) == (0, "committed")
    after = (started / "gitops-tk.yaml").read_text()
    assert after == before.replace("  - name: dev\n", "  - name: dev\n  - name: qa\n")
    assert (started / "services/user-service/envs/qa.yaml").is_file()
    listed = run_json("env", "list", cwd=started).json["environments"]
    assert [(env["name"], env["from"]) for env in listed] == [
        ("dev", []),
        ("qa", ["dev"]),
        ("staging", ["qa"]),
        ("prod", ["staging"]),
    ]
    assert run_json("env", "add", "qa", "--after", "dev", cwd=started).json["outcome"] == "unchanged"
    for otherwise in (("--after", "staging"), ("--publish", "pull-request")):
        assert run_json("env", "add", "qa", *otherwise, cwd=started).code == "environment-exists"
    assert run("env", "remove", "qa", "--commit", cwd=started).status == 0
    assert (started / "gitops-tk.yaml").read_text() == before
    assert not (started / "services/user-service/envs/qa.yaml").exists()
    assert not (started / "envs/qa.yaml").exists()


def test_a_copied_environment_gets_no_shared_values_where_there_are_none(tmp_path: Path) -> None:
    checkout = repo.checkout(repo.gitops(tmp_path / "r.git"), tmp_path / "c")
    assert run("env", "add", "qa", "--copy", "dev", cwd=checkout).status == 0
    assert not (checkout / "envs").exists()
    assert b'tag: "" # set by CI' in (checkout / "services/user-service/envs/qa.yaml").read_bytes()


def test_an_environment_takes_its_holds_along(started: Path) -> None:
    run(*NEW, "--commit", cwd=started)
    for env in ("staging", "prod"):
        assert run("hold", "user-service", "-e", env, "--reason", "not yet", "--local", cwd=started).status == 0
    ran = run_json("env", "remove", "prod", "--commit", cwd=started)
    assert {"file": ".gitops-tk/holds/prod/user-service.yaml", "from": "removed"}.items() <= {
        key: value for change in ran.json["changes"] if "holds" in change["file"] for key, value in change.items()
    }.items()
    assert repo.git(started, "ls-files", ".gitops-tk") == ".gitops-tk/holds/staging/user-service.yaml"


@pytest.mark.parametrize("written", ["", " ~"])
def test_an_environment_that_says_nothing_of_its_sources_is_removed(started: Path, written: str) -> None:
    file = started / "gitops-tk.yaml"
    file.write_text(file.read_text().replace("- name: prod\n", f"- name: prod\n    from:{written}\n"))
    repo.git(started, "commit", "--quiet", "--all", "--message", "said")
    assert run_json("env", "remove", "dev", cwd=started).json["outcome"] == "written"


def test_the_last_environment_stays(tmp_path: Path) -> None:
    assert run("init", "--env", "live", "--commit", cwd=tmp_path).status == 0
    ran = run_json("env", "remove", "live", cwd=tmp_path)
    assert (ran.status, ran.code) == (2, "config-value")
    assert repo.git(tmp_path, "status", "--porcelain") == ""


def test_an_environment_that_another_is_promoted_from_stays(started: Path) -> None:
    assert (
        run("env", "add", "eu", "--from", "staging", "--publish", "pull-request", "--commit", cwd=started).status == 0
    )
    ran = run_json("env", "remove", "staging", cwd=started)
    assert (ran.status, ran.code) == (3, "environment-in-use")
