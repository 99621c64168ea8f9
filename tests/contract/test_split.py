"""--split: the same change as one commit, or one proposal, a service."""

import os
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json
from tests.support.git_server import serve

SERVICES = ["a", "b", "c"]
PROPOSING = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n")
BUMP = ("bump", *SERVICES, "-e", "dev", "--tag", "v1.1.0", "--split")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git", SERVICES, PROPOSING)


def file(service: str, env: str) -> str:
    return f"services/{service}/envs/{env}.yaml"


def log(where: Path, *revisions: str) -> list[str]:
    return repo.git(where, "log", "--reverse", "--format=%s", "--name-only", *revisions).split("\n")


def test_each_service_gets_a_commit_of_its_own_in_one_push(remote: Path, tmp_path: Path) -> None:
    pushes = []
    with serve(remote.parent, before_push=pushes.append) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], len(pushes)) == (0, "changed", 1)
    assert log(remote, "main~3..main") == [
        *("bump: a v1.1.0 in dev", "", file("a", "dev")),
        *("bump: b v1.1.0 in dev", "", file("b", "dev")),
        *("bump: c v1.1.0 in dev", "", file("c", "dev")),
    ]
    commits = repo.git(remote, "log", "--reverse", "--format=%H", "main~3..main").split()
    assert [one["commit"] for one in ran.json["commits"]] == commits
    assert ran.json["commit"] == commits[-1]
    assert repo.git(remote, "log", "-1", "--format=%B", commits[1]).splitlines() == [
        *("bump: b v1.1.0 in dev", ""),
        "Gitops-Tk-Command: bump",
        "Gitops-Tk-Change: dev/b image.tag v1.0.0 -> v1.1.0",
    ]
    assert run_json(*BUMP, "--repo", f"file://{remote}", cwd=tmp_path).json["outcome"] == "unchanged"


def test_what_is_done_already_gets_no_commit(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {file("b", "dev"): repo.values("b", "dev", "v1.1.0")})
    ran = run("bump", "a", "b", "-e", "dev", "--tag", "v1.1.0", "--split", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.out.splitlines()[-1] == f"pushed {repo.git(remote, 'rev-parse', '--short=10', 'main')} to main"
    assert log(remote, "main~1..main") == ["bump: a v1.1.0 in dev", "", file("a", "dev")]


def test_a_lost_race_is_planned_again_for_all_of_them(remote: Path, tmp_path: Path) -> None:
    def race(pushes: int) -> None:
        if not pushes:
            repo.commit(remote, {file("b", "dev"): repo.values("b", "dev", "v1.1.0")})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.json["outcome"], ran.json["attempts"]) == ("changed", 2)
    subjects = repo.git(remote, "log", "--reverse", "--format=%s", "main~3..main").splitlines()
    assert subjects == ["by hand", "bump: a v1.1.0 in dev", "bump: c v1.1.0 in dev"]


def test_each_service_gets_a_proposal_of_its_own(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {file(name, "staging"): repo.values(name, "staging", "v1.1.0") for name in SERVICES})
    command = ("promote", "staging", "prod", "--split", "--repo", f"file://{remote}")
    before = repo.git(remote, "rev-parse", "main")
    ran = run_json(*command, cwd=tmp_path)
    branches = [f"gitops-tk/prod/{name}" for name in SERVICES]
    assert (ran.status, ran.json["outcome"]) == (0, "proposed")
    assert [one["branch"] for one in ran.json["pull_requests"]] == branches
    for name, branch in zip(SERVICES, branches, strict=True):
        assert repo.git(remote, "rev-parse", f"{branch}~1") == before
        assert log(remote, f"main..{branch}") == [
            *(f"promote: {name} v1.1.0 from staging to prod", ""),
            file(name, "prod"),
        ]
    assert repo.git(remote, "rev-parse", "main") == before
    tips = repo.state(remote)
    again = run_json(*command, cwd=tmp_path)
    assert (again.json["outcome"], repo.state(remote)) == ("unchanged", tips)


def test_a_proposal_that_is_out_of_date_is_replaced_and_the_others_stay(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {file(name, "staging"): repo.values(name, "staging", "v1.1.0") for name in SERVICES})
    command = ("promote", "staging", "prod", "--split", "--repo", f"file://{remote}")
    assert run_json(*command, cwd=tmp_path).status == 0
    kept = repo.git(remote, "rev-parse", "gitops-tk/prod/b")
    repo.commit(remote, {file("a", "staging"): repo.values("a", "staging", "v1.2.0")})
    assert run_json(*command, cwd=tmp_path).json["outcome"] == "proposed"
    assert repo.git(remote, "log", "-1", "--format=%s", "gitops-tk/prod/a").startswith("promote: a v1.2.0")
    assert repo.git(remote, "rev-parse", "gitops-tk/prod/b") == kept


def test_one_proposal_that_somebody_worked_on_stops_all_of_them(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {file(name, "staging"): repo.values(name, "staging", "v1.1.0") for name in SERVICES})
    repo.git(remote, "branch", "gitops-tk/prod/b", "main")
    repo.commit(remote, {"README.md": b"by a person"}, branch="gitops-tk/prod/b")
    before = repo.state(remote)
    ran = run_json("promote", "staging", "prod", "--split", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "proposal-edited")
    assert repo.state(remote) == before


def test_a_checkout_gets_a_commit_a_service_or_none_at_all(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "checkout")
    (checkout / "README.md").write_text("mine, not committed")
    hook = checkout / ".git/hooks/commit-msg"
    hook.write_text('#!/bin/sh\n! grep -q "bump: c" "$1"\n')
    hook.chmod(0o755)
    before = repo.git(checkout, "rev-parse", "HEAD")
    assert run_json(*BUMP, "--local", cwd=checkout).status == 1
    assert repo.git(checkout, "rev-parse", "HEAD") == before
    assert repo.git(checkout, "status", "--porcelain") == "?? README.md"
    hook.unlink()
    ran = run(*BUMP, "--local", cwd=checkout)
    assert ran.out.splitlines()[-1].startswith("committed 3 commits, the last is ")
    assert len(log(checkout, f"{before}..HEAD")) == 9


def test_a_dry_run_shows_every_message_and_writes_nothing(remote: Path, tmp_path: Path) -> None:
    before = repo.state(remote)
    ran = run_json(*BUMP, "--dry-run", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.json["outcome"], repo.state(remote)) == ("planned", before)
    assert [line for line in ran.json["message"].splitlines() if line.startswith("bump:")] == [
        f"bump: {name} v1.1.0 in dev" for name in SERVICES
    ]


def test_each_commit_is_signed_when_git_is_told_to(remote: Path, tmp_path: Path, isolated_home: Path) -> None:
    key = tmp_path / "key"
    os.system(f"ssh-keygen -q -t ed25519 -N '' -f {key}")
    (tmp_path / "signers").write_text(f"author@example.com {Path(f'{key}.pub').read_text()}")
    with (isolated_home / ".gitconfig").open("a") as config:
        config.write(f"[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = {key}\n[commit]\n\tgpgsign = true\n")
    assert run_json(*BUMP, "--repo", f"file://{remote}", cwd=tmp_path).status == 0
    for commit in ("main", "main~1", "main~2"):
        repo.git(remote, "-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}", "verify-commit", commit)
    assert log(remote, "main~3..main")[2::3] == [file(name, "dev") for name in SERVICES]
