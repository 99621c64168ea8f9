"""A token is where it has to be and nowhere else, in everything that servers, processes and people see of a command."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import http_server
from tests.support import repositories as repo
from tests.support.cli import Ran, run
from tests.support.forges.github import GitHub
from tests.support.forges.server import TOKEN, ForgeServer, serve
from tests.support.witness import Witness

BASIC = base64.b64encode(f"gitops-tk:{TOKEN}".encode()).decode()
PROPOSED = repo.CONFIG + b"    publish: pull-request\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgeServer]:
    folder = repo.gitops(tmp_path / "root" / "shop" / "gitops.git", config=PROPOSED + b"forge:\n  kind: github\n")
    repo.commit(folder, {"services/user-service/envs/staging.yaml": repo.values("user-service", "staging", "v2.0.0")})
    with serve(tmp_path / "root", GitHub) as running:
        running.add("shop/gitops", folder)
        running.behaviour.password = TOKEN
        yield running


def promote(server: ForgeServer, cwd: Path, *arguments: str, **environment: str) -> Ran:
    command = ("promote", "staging", "prod", "--repo", f"{server.root_url}/shop/gitops.git", *arguments)
    return run(*command, cwd=cwd, **{"GITOPS_TK_TOKEN": TOKEN, **environment})


def test_a_proposal_shows_its_token_to_nobody(server: ForgeServer, tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    path = f"{witness.folder}{os.pathsep}{os.environ['PATH']}"
    ran = promote(server, tmp_path, PATH=path)
    assert ran.status == 0, ran.err
    assert TOKEN not in ran.out + ran.err
    assert server.counts.pushes == 1
    assert [pull.state for pull in server.repositories["shop/gitops"].pulls.values()] == ["open"]
    assert f"Basic {BASIC}" in server.counts.authorizations
    for line in "\n".join(server.seen.everything).splitlines():
        assert TOKEN not in line or line.startswith("Authorization: Bearer "), line
    for secret in (TOKEN, BASIC):
        assert secret not in witness.arguments
        assert secret not in str(server.counts.requests)
    # Git is told by its own settings in the environment, which no list of processes shows to others.
    assert not [line for line in witness.environment if TOKEN in line]
    assert all(line.startswith("GIT_CONFIG_VALUE_") for line in witness.environment if BASIC in line)


def test_a_failure_shows_no_token_either(server: ForgeServer, tmp_path: Path) -> None:
    server.users.clear()
    wrong = "wrong-" + TOKEN
    for environment in ({}, {"GITOPS_TK_TOKEN": wrong}):
        for output in ("text", "json"):
            ran = promote(server, tmp_path, "--output", output, **environment)
            assert ran.status == 1
            assert TOKEN not in ran.out + ran.err


@pytest.mark.parametrize(
    "forge",
    [
        "kind: github\n  repository: {evil}/shop/gitops",
        "kind: github\n  repository: https://evil.example/shop/gitops",
        "kind: bitbucket\n  repository: shop/gitops",
        "kind: gitlab\n  repository: '@{evil}/x/y'",
        "kind: azure\n  repository: '{evil}/_git/x'",
    ],
)
def test_a_file_of_the_repository_sends_no_token_elsewhere(server: ForgeServer, tmp_path: Path, forge: str) -> None:
    with http_server.serve() as evil:
        config = PROPOSED + f"forge:\n  {forge.format(evil=evil.url)}\n".encode()
        repo.commit(server.repositories["shop/gitops"].folder, {"gitops-tk.yaml": config})
        ran = promote(server, tmp_path)
        assert evil.asked == []
    assert TOKEN not in ran.out + ran.err
    server.seen.violations.clear()
