"""The starter's programs, which several tests run."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.support import starters


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A profile's program, built when it is first asked for."""
    return cache(lambda profile: starters.build(tmp_path_factory.mktemp(profile), profile))
