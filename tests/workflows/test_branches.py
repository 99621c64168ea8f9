"""Proposals without an API: branches, GitLab's push options, and the link that a person needs."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run_json
from tests.support.git_server import serve

CONFIG = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n")
HOOK = """#!/bin/sh
env | grep '^GIT_PUSH_OPTION_[0-9]' | sort >>options
while read old new ref; do
  case $new in *[1-9a-f]*) echo; echo "View merge request for it:"; echo "  $URL/-/merge_requests/7";; esac
done
"""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = repo.gitops(tmp_path / "shop" / "gitops.git", ["a"], CONFIG + b"forge:\n  kind: gitlab\n  labels: [x]\n")
    return staged(folder, "v1.1.0")


def staged(folder: Path, tag: str) -> Path:
    repo.commit(folder, {"services/a/envs/staging.yaml": repo.values("a", "staging", tag)})
    return folder


def promote(url: str, cwd: Path) -> Ran:
    return run_json("promote", "staging", "prod", "a", "--repo", url, cwd=cwd)


def test_gitlab_opens_the_merge_request_by_itself(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        url = server.url("shop/gitops")
        hook = remote / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK.replace("$URL", url))
        hook.chmod(0o755)
        repo.git(remote, "config", "receive.advertisePushOptions", "true")
        ran = promote(server.url("shop/gitops.git"), tmp_path)
    assert ran.json["pull_requests"] == [
        {"branch": "gitops-tk/prod/a", "number": 7, "url": f"{url}/-/merge_requests/7", "action": "opened"}
    ]
    assert ran.json["problems"] == []
    assert [line.partition("=")[2] for line in (remote / "options").read_text().splitlines()] == [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.label=x",
    ]


def test_without_push_options_a_person_gets_the_link(remote: Path, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        url = server.url("shop/gitops.git")
        ran = promote(url, tmp_path)
        assert (ran.json["outcome"], ran.json["problems"][0]["code"]) == ("proposed", "forge-unmet")
        assert "labels" in ran.json["problems"][0]["message"]
        staged(remote, "v1.2.0")
        # Somebody may have approved what was opened by hand: its content does not change.
        again = promote(url, tmp_path)
    assert [one["branch"] for one in again.json["pull_requests"]] == ["gitops-tk/prod/a.2"]
    assert [one["branch"] for one in again.json["closed"]] == ["gitops-tk/prod/a"]
    assert repo.git(remote, "branch", "--list", "gitops-tk/*").split() == ["gitops-tk/prod/a.2"]
