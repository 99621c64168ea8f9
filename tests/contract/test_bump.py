"""bump: one commit on the remote, exact to the byte, said in text and JSON."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git", ["user-service", "order-service"])


def test_a_bump_is_one_commit_that_changes_one_value(remote: Path, tmp_path: Path) -> None:
    before = repo.show(remote, "services/user-service/envs/dev.yaml")
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 0
    assert repo.show(remote, "services/user-service/envs/dev.yaml") == before.replace(b"v1.0.0", b"v1.1.0")
    assert repo.count(remote) == 2
    assert repo.git(remote, "diff", "--name-only", "main~1", "main") == "services/user-service/envs/dev.yaml"
    result = ran.json
    assert result["outcome"] == "changed"
    assert result["commit"] == repo.git(remote, "rev-parse", "main")
    assert (result["branch"], result["attempts"], result["problems"], result["skipped"]) == ("main", 1, [], [])
    assert result["changes"] == [
        {
            "kind": "image",
            "service": "user-service",
            "env": "dev",
            "image": "default",
            "file": "services/user-service/envs/dev.yaml",
            "key": "image.tag",
            "from": "v1.0.0",
            "to": "v1.1.0",
        }
    ]


def test_the_commit_message_is_the_contracts(remote: Path, tmp_path: Path) -> None:
    run("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--repo", f"file://{remote}", cwd=tmp_path)
    assert repo.git(remote, "log", "-1", "--format=%B%an <%ae>").strip().splitlines() == [
        "bump: user-service v1.1.0 in dev",
        "",
        "Gitops-Tk-Command: bump",
        "Gitops-Tk-Change: dev/user-service image.tag v1.0.0 -> v1.1.0",
        "Test Author <author@example.com>",
    ]


def test_the_same_bump_twice_is_the_same_as_once(remote: Path, tmp_path: Path) -> None:
    arguments = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--repo", f"file://{remote}")
    run(*arguments, cwd=tmp_path)
    before = repo.state(remote)
    ran = run_json(*arguments, cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.json["commit"]) == (0, "unchanged", None)
    assert repo.state(remote) == before


def test_a_dry_run_shows_the_diff_and_the_message_and_writes_nothing(remote: Path, tmp_path: Path) -> None:
    before = repo.state(remote)
    arguments = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--repo", f"file://{remote}", "--dry-run")
    ran = run_json(*arguments, cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "planned")
    assert "-  tag: v1.0.0 # set by CI\n+  tag: v1.1.0 # set by CI\n" in ran.json["diff"]
    assert ran.json["message"].startswith("bump: user-service v1.1.0 in dev\n\nGitops-Tk-Command: bump\n")
    text = run(*arguments, cwd=tmp_path)
    assert "+  tag: v1.1.0 # set by CI" in text.out
    assert "Gitops-Tk-Command: bump" in text.out
    assert repo.state(remote) == before


def test_many_services_are_one_commit(remote: Path, tmp_path: Path) -> None:
    ran = run_json(
        "bump",
        "user-service",
        "order-service",
        "-e",
        "dev",
        "--tag",
        "v2.0.0",
        "--repo",
        f"file://{remote}",
        cwd=tmp_path,
    )
    assert ran.status == 0
    assert repo.count(remote) == 2
    assert {change["service"] for change in ran.json["changes"]} == {"user-service", "order-service"}


@pytest.mark.parametrize("tag", ["1.10", "1e3", "0o17", "1234e56", "on", "null", "2024-01-01", "0x1F", "1_000", "_"])
def test_a_tag_is_a_string_to_every_reader(remote: Path, tmp_path: Path, tag: str) -> None:
    ran = run("bump", "user-service", "-e", "dev", "--tag", tag, "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 0
    import helm_python

    written = repo.show(remote, "services/user-service/envs/dev.yaml").decode()
    assert helm_python.values_from_yaml(written)["image"]["tag"] == tag


def test_a_digest_of_the_older_image_is_emptied_and_one_below_is_masked(tmp_path: Path) -> None:
    files = {
        "gitops-tk.yaml": repo.CONFIG,
        "envs/dev.yaml": f"image:\n  digest: {DIGEST}\n  build: 3\n".encode(),
        "services/a/envs/dev.yaml": f"image:\n  tag: v1\n  digest: {DIGEST} # old\n".encode(),
        "services/b/envs/dev.yaml": b"image:\n  tag: v1\n",
    }
    remote = repo.bare(tmp_path / "r.git", files)
    ran = run_json("bump", "a", "b", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 0
    assert repo.show(remote, "services/a/envs/dev.yaml") == b'image:\n  tag: v2\n  digest: "" # old\n  build: ""\n'
    assert repo.show(remote, "services/b/envs/dev.yaml") == b'image:\n  tag: v2\n  digest: ""\n  build: ""\n'
    assert repo.show(remote, "envs/dev.yaml") == files["envs/dev.yaml"]


def test_build_and_revision_are_added_where_the_schema_allows_them(tmp_path: Path) -> None:
    closed = b'{"properties": {"image": {"properties": {"tag": {}}, "additionalProperties": false}}}'
    files = {"gitops-tk.yaml": repo.CONFIG, "services/closed/chart/values.schema.json": closed}
    for service in ("open", "closed"):
        files[f"services/{service}/envs/dev.yaml"] = repo.values(service, "dev")
    remote = repo.bare(tmp_path / "r.git", files)
    arguments = ("-e", "dev", "--tag", "v2", "--build", "57", "--revision", "1234e56", "--repo", f"file://{remote}")
    ran = run_json("bump", "open", "closed", *arguments, cwd=tmp_path)
    assert ran.status == 0
    text = repo.show(remote, "services/open/envs/dev.yaml")
    assert text.endswith(b'  tag: v2 # set by CI\n  build: 57\n  revision: "1234e56"\n')
    assert b"build" not in repo.show(remote, "services/closed/envs/dev.yaml")
    again = run_json("bump", "open", "closed", *arguments, cwd=tmp_path)
    assert again.json["outcome"] == "unchanged"


def test_a_whole_reference_keeps_its_repository(tmp_path: Path) -> None:
    config = repo.CONFIG + b"images:\n  default:\n    reference: app.image\n"
    values = b"app:\n  image: registry.example.com:5000/team/app:v1@" + DIGEST.encode() + b"\n"
    remote = repo.bare(tmp_path / "r.git", {"gitops-tk.yaml": config, "services/a/envs/dev.yaml": values})
    run("bump", "a", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}", cwd=tmp_path)
    assert repo.show(remote, "services/a/envs/dev.yaml") == b"app:\n  image: registry.example.com:5000/team/app:v2\n"


@pytest.mark.parametrize(
    ("before", "arguments", "status"),
    [
        ("tag: v1.3.0", ["--tag", "v1.2.0"], 3),
        ("tag: v1.2.0", ["--tag", "v1.3.0"], 0),
        ("tag: v1.3.0\n  build: 9", ["--tag", "v1.2.0", "--build", "10"], 0),
        ("tag: v1.2.0\n  build: 10", ["--tag", "v1.3.0", "--build", "9"], 3),
        ("tag: v1.3.0", ["--tag", "v1.2.0", "--allow-older"], 0),
        ("tag: v1.3.0-rc.1", ["--tag", "v1.2.0"], 0),
        ("tag: main-9", ["--tag", "main-8"], 0),
    ],
)
def test_an_older_build_does_not_overwrite_a_newer_one(
    tmp_path: Path, before: str, arguments: list[str], status: int
) -> None:
    files = {"gitops-tk.yaml": repo.CONFIG, "services/a/envs/dev.yaml": f"image:\n  {before}\n".encode()}
    remote = repo.bare(tmp_path / "r.git", files)
    kept = repo.state(remote)
    ran = run_json("bump", "a", "-e", "dev", *arguments, "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == status
    if status:
        assert (ran.json["outcome"], ran.code) == ("refused", "older-build")
        assert repo.state(remote) == kept


def test_no_environment_variable_overrides_a_policy(remote: Path, tmp_path: Path) -> None:
    ran = run_json(
        *("bump", "user-service", "-e", "dev", "--tag", "v0.9.0", "--repo", f"file://{remote}"),
        cwd=tmp_path,
        GITOPS_TK_ALLOW_OLDER="1",
    )
    assert (ran.status, ran.code) == (3, "older-build")


def test_options_are_read_from_the_environment(remote: Path, tmp_path: Path) -> None:
    ran = run(
        *("bump", "user-service"),
        cwd=tmp_path,
        GITOPS_TK_REPO=f"file://{remote}",
        GITOPS_TK_ENV="dev",
        GITOPS_TK_TAG="v3",
        GITOPS_TK_OUTPUT="json",
        GITOPS_TK_MESSAGE="release: the big one\n\nWith a reason.",
    )
    assert ran.json["outcome"] == "changed"
    message = repo.git(remote, "log", "-1", "--format=%B")
    assert message.startswith("release: the big one\n\nWith a reason.\n\nGitops-Tk-Command: bump\n")


def test_a_checkout_only_tells_which_remote_and_is_left_as_it_is(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    (checkout / "services/user-service/envs/dev.yaml").write_text("image:\n  tag: mine\n")
    head = repo.git(checkout, "rev-parse", "HEAD")
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", cwd=checkout / "services")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert b"v1.1.0" in repo.show(remote, "services/user-service/envs/dev.yaml")
    assert (checkout / "services/user-service/envs/dev.yaml").read_text() == "image:\n  tag: mine\n"
    assert repo.git(checkout, "rev-parse", "HEAD") == head


def test_the_upstream_of_the_checked_out_branch_is_what_is_changed(remote: Path, tmp_path: Path) -> None:
    repo.git(remote, "branch", "next", "main")
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "switch", "--quiet", "next")
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", cwd=checkout)
    assert ran.json["branch"] == "next"
    assert (repo.count(remote, "next"), repo.count(remote, "main")) == (2, 1)
    other = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.2.0", "--branch", "main", cwd=checkout)
    assert other.json["branch"] == "main"


def test_a_detached_head_delivers_to_the_remotes_default_branch(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "checkout", "--quiet", "--detach")
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", cwd=checkout)
    assert (ran.status, ran.json["branch"]) == (0, "main")


def test_local_commits_in_the_checkout_and_pushes_nothing(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    (checkout / "notes.txt").write_text("mine")
    before = repo.state(remote)
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--local", cwd=checkout)
    assert (ran.status, ran.json["outcome"]) == (0, "committed")
    assert ran.json["commit"] == repo.git(checkout, "rev-parse", "HEAD")
    assert "tag: v1.1.0 # set by CI" in (checkout / "services/user-service/envs/dev.yaml").read_text()
    assert repo.git(checkout, "status", "--porcelain") == "?? notes.txt"
    assert repo.state(remote) == before
