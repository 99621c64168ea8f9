"""Each test that asks for a stage runs on every kind of forge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.forges.stage import CASES, Stage, staged, template


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to be copied."""
    return template(tmp_path_factory.mktemp("template") / "gitops.git")


@pytest.fixture(params=sorted(CASES))
def stage(request: pytest.FixtureRequest, tmp_path: Path, bare: Path) -> Iterator[Stage]:
    """A forge of every kind, one after the other."""
    with staged(request.param, tmp_path, bare) as running:
        yield running
