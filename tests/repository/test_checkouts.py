"""Checkouts as they come: of somebody else, inside another one, with settings of their own."""

import base64
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run_json
from tests.support.git_server import serve

FILE = "services/user-service/envs/dev.yaml"
BUMP = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0")
SET = ("values", "set", "user-service", "-e", "dev", "replicas=2")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git")


@pytest.mark.parametrize("command", [BUMP, (*BUMP, "--local"), SET])
def test_a_checkout_that_git_does_not_trust_is_told_and_left_alone(
    remote: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    # What git itself offers to its tests: the files belong to somebody else.
    ran = run_json(*command, cwd=checkout, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert (ran.status, ran.code) == (1, "untrusted")
    assert "safe.directory" in ran.json["problems"][0]["hint"]
    assert repo.git(checkout, "status", "--porcelain") == ""


def test_a_folder_without_git_is_told_before_its_remote_is_missed(tmp_path: Path) -> None:
    (tmp_path / "gitops-tk.yaml").write_bytes(repo.CONFIG)
    assert run_json(*BUMP, cwd=tmp_path).code == "not-git"


def test_content_that_looks_like_a_repository_runs_nothing(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    inner = checkout / "inner"
    repo.git(checkout, "init", "--quiet", "--bare", str(inner))
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key, value in (("core.bare", "false"), ("core.worktree", ".."), ("core.fsmonitor", str(trap))):
        repo.git(inner, "config", "--file", "config", key, value)
    (inner / FILE).parent.mkdir(parents=True)
    (inner / "gitops-tk.yaml").write_bytes(repo.CONFIG)
    (inner / FILE).write_bytes(repo.values("user-service", "dev"))
    for command in (SET, (*BUMP, "--local"), BUMP):
        assert run_json(*command, cwd=inner).status == 1
    assert not (tmp_path / "sprung").exists()
    assert (inner / FILE).read_bytes() == repo.values("user-service", "dev")


def test_a_branch_may_follow_an_address_without_a_name(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "remote", "remove", "origin")
    repo.git(checkout, "push", "--quiet", "--set-upstream", f"file://{remote}", "main")
    assert run_json(*BUMP, cwd=checkout).json["outcome"] == "changed"
    assert b"v1.1.0" in repo.show(remote, FILE)


def test_settings_of_the_environment_hold_beside_the_tools_own(remote: Path, tmp_path: Path) -> None:
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Of The Environment"}
    assert run_json(*BUMP, "--repo", f"file://{remote}", cwd=tmp_path, **settings).status == 0
    assert repo.git(remote, "log", "-1", "--format=%an") == "Of The Environment"


def test_no_setting_makes_an_address_run_a_program(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "remote", "set-url", "origin", "https://git.example.com/gitops.git")
    repo.git(checkout, "config", f"url.ext::touch {tmp_path}/ran .insteadOf", "https://git.example.com/")
    repo.git(checkout, "config", "--global", "protocol.ext.allow", "always")
    assert run_json(*BUMP, cwd=checkout).status == 1
    assert not (tmp_path / "ran").exists()


def test_a_header_that_a_ci_system_left_gives_way_to_the_token(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    left = base64.b64encode(b"x-access-token:expired").decode()
    with serve(tmp_path, password="t0k3n-of-today") as server:
        repo.git(checkout, "remote", "set-url", "origin", server.url("gitops.git"))
        repo.git(checkout, "config", f"http.{server.url('')}.extraheader", f"AUTHORIZATION: basic {left}")
        assert run_json(*BUMP, cwd=checkout, GITOPS_TK_TOKEN="t0k3n-of-today").status == 0
    assert len(server.counts.authorizations) == len(server.counts.requests)


def test_a_user_without_a_password_in_the_address_keeps_no_token_and_no_helper_away(
    remote: Path, tmp_path: Path
) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    with serve(tmp_path, password="t0k3n-of-today") as server:
        url = server.url("gitops.git").replace("http://", "http://company@")
        repo.git(checkout, "remote", "set-url", "origin", url)
        assert run_json(*BUMP, cwd=checkout, GITOPS_TK_TOKEN="t0k3n-of-today").json["outcome"] == "changed"
        helper = "!f() { grep -q username=company && echo password=t0k3n-of-today; }; f"
        repo.git(checkout, "config", "credential.helper", helper)
        assert run_json(*BUMP, cwd=checkout).json["outcome"] == "unchanged"


def test_a_commit_of_thousands_of_services_is_not_too_long_to_be_told(tmp_path: Path) -> None:
    services = [f"a-service-with-quite-a-long-name-{number}" for number in range(1500)]
    checkout = repo.checkout(repo.gitops(tmp_path / "many.git", services), tmp_path / "many")
    ran = run_json("bump", *services, "-e", "dev", "--tag", "v1.1.0", "--local", cwd=checkout)
    assert (ran.status, ran.json["outcome"]) == (0, "committed")
    assert repo.git(checkout, "log", "-1", "--format=%B") == ran.json["message"].rstrip("\n")
    assert repo.git(checkout, "status", "--porcelain") == ""
