"""What many of these tests begin with."""

import shutil
from functools import cache
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run


@pytest.fixture
def checkout(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of a new GitOps repository with one service, all committed."""
    return shutil.copytree(_scaffolded(tmp_path_factory.getbasetemp()), tmp_path / "gitops")


@cache
def _scaffolded(base: Path) -> Path:
    folder = base / "scaffolded"
    folder.mkdir()
    new = ("new-service", "user-service", "--image", "registry.example.com/u")
    for arguments in (("init", ".", *repo.ARGOCD), new):
        assert run(*arguments, "--commit", cwd=folder).status == 0
    return folder
