"""Remotes of all kinds: what they refuse is told apart, and what they do not support is done another way."""

import os
import shutil
import stat
import time
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json, start
from tests.support.git_server import serve

FILE = "services/user-service/envs/dev.yaml"
BUMP = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git")


def bump(url: str, cwd: Path, **environment: str) -> Ran:
    return run_json(*BUMP, "--repo", url, cwd=cwd, **environment)


def hook(remote: Path, name: str, script: str) -> None:
    path = remote / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_change_costs_seven_requests_on_three_connections(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        assert bump(server.url("gitops.git"), tmp_path).status == 0
    assert len(server.counts.requests) <= 7, server.counts.requests
    assert server.counts.connections <= 3


def test_a_promotion_of_many_services_costs_no_more_requests(tmp_path: Path) -> None:
    services = [f"service-{number}" for number in range(30)]
    remote = repo.gitops(tmp_path / "gitops.git", services)
    repo.commit(remote, {f"services/{name}/envs/dev.yaml": repo.values(name, "dev", "v2.0.0") for name in services})
    with serve(tmp_path) as server:
        ran = run_json("promote", "dev", "staging", "--repo", server.url("gitops.git"), cwd=tmp_path)
    assert len(ran.json["changes"]) == 30
    assert len(server.counts.requests) <= 7
    assert server.counts.connections <= 3


@pytest.mark.parametrize(
    "settings",
    [
        {"uploadpack.allowFilter": "false", "uploadpack.allowAnySHA1InWant": "false"},
        {"uploadpackfilter.tree.maxDepth": "1"},
        {"uploadpackfilter.tree.allow": "false"},
        {"uploadpackfilter.tree.allow": "false", "uploadpackfilter.blob:none.allow": "false"},
    ],
    ids=["no-filter", "tree-depth", "no-tree-filter", "no-known-filter"],
)
def test_a_server_with_fewer_abilities_works_all_the_same(
    remote: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    for key, value in settings.items():
        repo.git(remote, "config", key, value)
    assert bump(f"file://{remote}", tmp_path).json["outcome"] == "changed"
    assert b"v1.1.0" in repo.show(remote, FILE)
    ran = run_json("promote", "dev", "staging", "--tag", "v1.0.0", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 0


def test_a_server_of_the_old_protocol_that_hands_out_nothing_by_id_works_all_the_same(
    remote: Path, tmp_path: Path
) -> None:
    repo.git(remote, "config", "uploadpack.allowAnySHA1InWant", "false")
    with serve(tmp_path, old_protocol=True) as server:
        assert bump(server.url("gitops.git"), tmp_path).json["outcome"] == "changed"
        assert b"v1.1.0" in repo.show(remote, FILE)
        promote = ("promote", "dev", "staging", "--tag", "v1.0.0", "--repo", server.url("gitops.git"))
        assert run_json(*promote, cwd=tmp_path).status == 0


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'only on Tuesdays' >&2; exit 1", "only on Tuesdays"),
        ("echo 'GH006: Protected branch update failed for refs/heads/main.' >&2; exit 1", "GH006"),
        ("echo 'GL-HOOK-ERR: cannot lock ref' >&2; exit 1", "GL-HOOK-ERR"),
    ],
)
def test_a_refusal_by_a_hook_is_told_and_not_retried(remote: Path, tmp_path: Path, script: str, said: str) -> None:
    hook(remote, "pre-receive", script)
    with serve(tmp_path) as server:
        ran = bump(server.url("gitops.git"), tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (1, "failed", "push-refused")
    assert said in ran.json["problems"][0]["message"]
    assert server.counts.pushes == 1


def test_what_a_hook_writes_does_not_steer_the_terminal(remote: Path, tmp_path: Path) -> None:
    hook(remote, "pre-receive", "printf '\\033[2J\\033]0;title\\007no\\n' >&2; exit 1")
    ran = run(*BUMP, "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 1
    assert "\\x1b[2J" in ran.err
    assert not {"\x1b", "\x07"} & set(ran.err)


def test_a_token_from_the_environment_logs_in_and_is_never_shown(remote: Path, tmp_path: Path) -> None:
    secret = "s3cr3t-t0ken-value"
    with serve(tmp_path, password=secret, request_delay=0.05) as server:
        process = start(*BUMP, "--repo", server.url("gitops.git"), cwd=tmp_path, GITOPS_TK_TOKEN=secret)
        arguments = set()
        while process.poll() is None:
            arguments |= _command_lines()
            time.sleep(0.01)
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert not [line for line in arguments if secret in line]
        assert secret not in (out + err).decode()
        assert len(server.counts.requests) <= 7
        wrong = bump(server.url("gitops.git"), tmp_path, GITOPS_TK_TOKEN="wrong-" + secret)
    assert (wrong.status, wrong.code) == (1, "login-failed")
    assert "wrong-" + secret not in wrong.out + wrong.err


def test_a_login_in_a_checkouts_remote_url_is_used_and_hidden(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path, password="t0k3n-of-ci") as server:
        url = server.url("gitops.git").replace("http://", "http://ci:t0k3n-of-ci@")
        checkout = repo.checkout(remote, tmp_path / "checkout")
        repo.git(checkout, "remote", "set-url", "origin", url)
        ran = run_json(*BUMP, cwd=checkout)
        assert (ran.status, ran.json["outcome"]) == (0, "changed")
        assert "t0k3n-of-ci" not in ran.out + ran.err
        refused = run_json(*BUMP, "--repo", url, cwd=tmp_path)
    assert (refused.status, refused.code) == (2, "secret-in-url")
    assert "t0k3n-of-ci" not in refused.out + refused.err


def test_a_checkouts_own_settings_hold_for_delivery(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "config", "user.name", "Of The Checkout")
    assert run_json(*BUMP, cwd=checkout).status == 0
    assert repo.git(remote, "log", "-1", "--format=%an") == "Of The Checkout"


def test_a_token_is_not_sent_along_with_a_redirect(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path) as other, serve(tmp_path, redirect_to=other.url("")[:-1]) as server:
        ran = bump(server.url("gitops.git"), tmp_path, GITOPS_TK_TOKEN="s3cr3t-t0ken")
    assert (ran.status, ran.code) == (1, "redirected")
    assert other.counts.requests == []


def test_a_remote_without_a_login_says_what_to_set(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path, password="x") as server:
        ran = bump(server.url("gitops.git"), tmp_path)
    assert (ran.status, ran.code) == (1, "login-failed")
    assert "GITOPS_TK_TOKEN" in ran.json["problems"][0]["hint"]


@pytest.mark.parametrize("url", ["file:///nowhere/at/all.git", "http://127.0.0.1:9/x.git"])
def test_a_remote_that_is_gone_is_told_and_not_waited_for(tmp_path: Path, url: str) -> None:
    ran = bump(url, tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (1, "failed", "unreachable")


def test_a_remote_that_fails_is_told(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path, status=503) as server:
        ran = bump(server.url("gitops.git"), tmp_path)
    assert (ran.status, ran.code) == (1, "unreachable")


def test_every_git_process_has_a_time_limit(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path, request_delay=30) as server:
        ran = bump(server.url("gitops.git"), tmp_path, GITOPS_TK_GIT_TIMEOUT="1")
    assert (ran.status, ran.code) == (1, "time-limit")


def test_an_empty_remote_is_told(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "empty.git")
    ran = bump(f"file://{remote}", tmp_path)
    assert (ran.status, ran.code) == (1, "config-missing")
    assert "gitops-tk init" in ran.json["problems"][0]["hint"]


def test_an_unknown_branch_is_told(remote: Path, tmp_path: Path) -> None:
    ran = run_json(*BUMP, "--branch", "nope", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "unknown-branch")


def test_a_tag_is_no_branch(remote: Path, tmp_path: Path) -> None:
    repo.git(remote, "tag", "v9", "main")
    ran = run_json(*BUMP, "--branch", "v9", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "unknown-branch")


def test_a_default_branch_that_is_not_there_is_told_with_one_that_is(remote: Path, tmp_path: Path) -> None:
    repo.git(remote, "branch", "-m", "main", "trunk")
    (remote / "HEAD").write_text("ref: refs/heads/main\n")
    ran = bump(f"file://{remote}", tmp_path)
    assert (ran.status, ran.code) == (1, "unknown-branch")
    assert "trunk" in ran.json["problems"][0]["hint"]


def test_a_repository_of_another_object_format_is_told(tmp_path: Path) -> None:
    remote = tmp_path / "sha256.git"
    repo.git(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", str(remote))
    repo.commit(remote, {"gitops-tk.yaml": repo.CONFIG})
    ran = bump(f"file://{remote}", tmp_path)
    assert (ran.status, ran.code) == (1, "object-format")
    repo.git(remote, "update-ref", "-d", "refs/heads/main")
    ran = run_json("init", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "object-format")


def test_a_remote_without_a_default_branch_is_told(remote: Path, tmp_path: Path) -> None:
    (remote / "HEAD").write_text(repo.git(remote, "rev-parse", "main~0") + "\n")
    repo.commit(remote, {"README.md": b"later"})
    ran = bump(f"file://{remote}", tmp_path)
    assert (ran.status, ran.code) == (1, "unknown-branch")
    assert "--branch" in ran.json["problems"][0]["hint"]


def test_a_path_to_a_bare_repository_is_a_remote(remote: Path, tmp_path: Path) -> None:
    assert bump(str(remote), tmp_path).json["outcome"] == "changed"


def test_an_executable_file_stays_one(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {FILE: repo.values("user-service", "dev")}, modes={FILE: "100755"})
    bump(f"file://{remote}", tmp_path)
    assert repo.git(remote, "ls-tree", "main", FILE).startswith("100755")


def test_symbolic_links_are_not_followed(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {FILE: b"../../../README.md"}, modes={FILE: "120000"})
    before = repo.state(remote)
    ran = bump(f"file://{remote}", tmp_path)
    assert (ran.status, ran.code) == (1, "not-a-file")
    repo.commit(remote, {"services/user-service/envs/dev.yaml": None})
    repo.commit(remote, {"services/user-service/envs/dev.yaml/inside": b"x"})
    assert bump(f"file://{remote}", tmp_path).code == "not-a-file"
    assert repo.state(remote) != before


def test_commits_are_signed_when_git_is_told_to(remote: Path, tmp_path: Path, isolated_home: Path) -> None:
    key = tmp_path / "key"
    os.system(f"ssh-keygen -q -t ed25519 -N '' -f {key}")
    public = Path(f"{key}.pub").read_text()
    (tmp_path / "signers").write_text(f"author@example.com {public}")
    settings = f"[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = {key}\n[commit]\n\tgpgsign = true\n"
    with (isolated_home / ".gitconfig").open("a") as file:
        file.write(settings)
    assert bump(f"file://{remote}", tmp_path).status == 0
    repo.git(remote, "-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}", "verify-commit", "main")
    assert repo.git(remote, "log", "-1", "--format=%s") == "bump: user-service v1.1.0 in dev"
    # What git says of signatures where a person wants to see it is no part of the history that is read.
    repo.git(tmp_path, "config", "--global", "log.showSignature", "true")
    ran = run_json("history", "user-service", "-e", "dev", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.json["events"][0]["commit"]) == (0, repo.git(remote, "rev-parse", "main"))


@pytest.mark.parametrize("local", [(), ("--local",)])
def test_a_commit_that_cannot_be_signed_is_not_made(
    remote: Path, tmp_path: Path, isolated_home: Path, local: tuple[str, ...]
) -> None:
    checkout = tmp_path / "checkout"
    repo.git(tmp_path, "clone", "--quiet", str(remote), str(checkout))
    with (isolated_home / ".gitconfig").open("a") as file:
        file.write("[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = /nowhere.pub\n[commit]\n\tgpgsign = true\n")
    before = repo.state(remote), repo.git(checkout, "rev-parse", "HEAD"), repo.git(checkout, "status", "--porcelain")
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", *local, cwd=checkout)
    assert (ran.status, ran.code) == (1, "signing")
    assert "/nowhere.pub" in ran.json["problems"][0]["message"]
    after = repo.state(remote), repo.git(checkout, "rev-parse", "HEAD"), repo.git(checkout, "status", "--porcelain")
    assert after == before


def test_without_an_identity_the_error_names_what_to_set(remote: Path, tmp_path: Path, isolated_home: Path) -> None:
    (isolated_home / ".gitconfig").unlink()
    before = repo.state(remote)
    ran = bump(f"file://{remote}", tmp_path)
    assert (ran.status, ran.code) == (1, "no-identity")
    assert "GIT_AUTHOR_EMAIL" in ran.json["problems"][0]["hint"]
    assert repo.state(remote) == before
    identity = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    assert bump(f"file://{remote}", tmp_path, **identity).status == 0


def test_a_hooks_environment_does_not_point_git_elsewhere(remote: Path, tmp_path: Path) -> None:
    ran = bump(f"file://{remote}", tmp_path, GIT_DIR=str(tmp_path / "nowhere"), GIT_INDEX_FILE="/dev/null")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")


def test_what_git_starts_sees_no_token_and_asks_nobody(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    environment = {"GIT_SSH_COMMAND": f"env > {seen}; false", "GITOPS_TK_TOKEN": "s3cr3t-t0ken", "CI": "true"}
    ran = bump("ssh://git@127.0.0.1/gitops.git", tmp_path, **environment)
    assert (ran.status, ran.code) == (1, "unreachable")
    assert "s3cr3t-t0ken" not in seen.read_text()
    assert "GIT_TERMINAL_PROMPT=0\n" in seen.read_text()


def test_no_hook_of_a_persons_runs_in_the_temporary_clone(remote: Path, tmp_path: Path, isolated_home: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{name}\n")
        (hooks / name).chmod(0o755)
    with (isolated_home / ".gitconfig").open("a") as file:
        file.write(f"[core]\n\thooksPath = {hooks}\n")
    with serve(tmp_path) as server:
        assert bump(server.url("gitops.git"), tmp_path).json["outcome"] == "changed"
    assert list(tmp_path.glob("ran-*")) == []


@pytest.mark.parametrize(("version", "code"), [("2.30.2", "git-too-old"), (None, "tool-missing")])
def test_git_that_is_missing_or_too_old_is_told(remote: Path, tmp_path: Path, version: str | None, code: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if version:
        script = programs / "git"
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *--version) echo "git version {version}"; exit 0;; esac\n'
            f'exec {shutil.which("git")} "$@"\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    ran = bump(f"file://{remote}", tmp_path, PATH=f"{programs}:/nonexistent" if not version else f"{programs}:/bin")
    assert (ran.status, ran.code) == (1, code)


def test_a_full_disk_is_told_and_nothing_is_pushed(remote: Path, tmp_path: Path) -> None:
    before = repo.state(remote)
    ran = bump(f"file://{remote}", tmp_path, TMPDIR=str(tmp_path / "gone"))
    assert ran.status == 1
    assert repo.state(remote) == before


def test_text_errors_go_to_standard_error_with_a_hint(remote: Path, tmp_path: Path) -> None:
    ran = run("bump", "user-servce", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert "there is no service user-servce" in ran.err
    assert "did you mean user-service?" in ran.err


def _command_lines() -> set[str]:
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.add((entry / "cmdline").read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue
    return found


@pytest.mark.parametrize(("name", "text"), [("GIT_AUTHOR_DATE", "some day"), ("GIT_COMMITTER_NAME", "<>")])
def test_an_identity_that_git_does_not_take_is_told(remote: Path, tmp_path: Path, name: str, text: str) -> None:
    before = repo.state(remote)
    ran = bump(f"file://{remote}", tmp_path, **{name: text})
    assert (ran.status, ran.json["outcome"]) == (1, "failed")
    assert text in ran.json["problems"][0]["message"]
    assert repo.state(remote) == before


def test_settings_of_a_person_do_not_change_what_is_written_and_read(
    remote: Path, tmp_path: Path, isolated_home: Path
) -> None:
    repo.commit(remote, {FILE: repo.values("user-service", "dev", "v1.0.5")})
    with (isolated_home / ".gitconfig").open("a") as file:
        file.write("[i18n]\n\tcommitEncoding = ISO-8859-1\n\tlogOutputEncoding = UTF-16\n")
        file.write("[log]\n\tshowSignature = true\n\tfollow = true\n[submodule]\n\trecurse = true\n")
    checkout = repo.checkout(remote, tmp_path / "checkout")
    ran = run_json(*BUMP, "--message", "größer", "--local", cwd=checkout)
    assert ran.json["outcome"] == "committed"
    assert "encoding" not in repo.git(checkout, "cat-file", "commit", "HEAD")
    promoted = run_json("promote", "dev", "staging", "--tag", "v1.0.0", "--repo", f"file://{remote}", cwd=tmp_path)
    assert promoted.status == 0


def test_a_branch_that_is_called_as_a_checkout_calls_it_is_told_with_the_remotes_name(
    remote: Path, tmp_path: Path
) -> None:
    for branch, hint in (("origin/main", "the remote itself calls it main"), ("man", "check --branch")):
        ran = bump(f"file://{remote}", tmp_path, GITOPS_TK_BRANCH=branch)
        assert (ran.code, hint in ran.json["problems"][0]["hint"]) == ("unknown-branch", True)
