"""GitHub's own ways, which the scenarios of all forges do not show."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.forges.github import GitHub as Dialect
from tests.support.forges.server import TOKEN, ForgeServer, serve

from gitops_tk.forges.github import GitHub
from gitops_tk.forges.port import Merged, NotYet, Wanted
from gitops_tk.http import Patience
from gitops_tk.logins import Login

BRANCH = "gitops-tk/prod/user-service"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgeServer]:
    folder = repo.gitops(tmp_path / "shop" / "gitops.git")
    repo.git(folder, "branch", BRANCH, "main")
    repo.commit(folder, {"a.txt": b"a\n"}, branch=BRANCH)
    with serve(tmp_path, Dialect) as running:
        running.add("shop/gitops", folder)
        yield running


@pytest.fixture
def forge(server: ForgeServer) -> GitHub:
    patience = Patience(sleep=lambda _: None)
    return GitHub.connect(server.api, "shop/gitops", Login("", TOKEN), patience)


def test_what_is_clean_already_is_merged_in_place_of_armed(forge: GitHub, server: ForgeServer) -> None:
    pull, _ = forge.create(Wanted(branch=BRANCH, base="main", title="t", body="b"))
    assert forge.arm(pull, "squash") == Merged(repo.git(server.repositories["shop/gitops"].folder, "rev-parse", "main"))


def test_what_waits_for_checks_is_armed_and_disarmed(forge: GitHub, server: ForgeServer) -> None:
    here = server.repositories["shop/gitops"]
    here.settings.checks = True
    pull, _ = forge.create(Wanted(branch=BRANCH, base="main", title="t", body="b"))
    assert isinstance(forge.merge(pull, "merge"), NotYet)
    assert forge.arm(pull, "merge") is None
    assert forge.get(pull.number).armed
    assert forge.disarm(pull) is None
    assert not forge.get(pull.number).armed
