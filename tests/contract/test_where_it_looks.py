"""diff, explain, status and history in a checkout say that they read its files, and how to look at the remote."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.changes import repository
from tests.support.cli import run

_NOTE = "note: this is read from the checkout's files; --branch BRANCH reads the remote, as bump and promote do\n"


@pytest.mark.parametrize(
    "asked",
    [
        ("diff", "staging", "prod", "user-service"),
        ("explain", "staging", "prod", "user-service"),
        ("status",),
        ("history", "user-service"),
    ],
    ids=lambda asked: asked[0],
)
def test_a_checkout_is_told_from_its_remote_in_text_alone(tmp_path: Path, asked: tuple[str, ...]) -> None:
    remote = repo.bare(tmp_path / "gitops.git", repository(["user-service"], repo.CONFIG))
    checkout = repo.checkout(remote, tmp_path / "gitops")
    assert run(*asked, cwd=checkout).err == _NOTE
    assert run(*asked, "--branch", "main", cwd=checkout).err == ""
    assert run(*asked, "-o", "json", cwd=checkout).err == ""
    assert run(*asked, "--repo", f"file://{remote}", cwd=tmp_path).err == ""
