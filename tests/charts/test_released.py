"""The skeleton's released versions, which later upgrades merge from."""

import pytest
from tests.support import release

from gitops_tk.charts import released
from gitops_tk.errors import ChartError


def test_the_current_skeleton_is_packed_under_its_version() -> None:
    current = release.current()
    said = "the skeleton changed: give it a new version, then python -m tests.support.release"
    assert released.skeleton(current.about.version).files == current.files, said


def test_every_version_can_be_read_back() -> None:
    for version in released.versions():
        assert released.skeleton(version).about.version == version


@pytest.mark.parametrize("version", ["0.0.1", "../1.0.0", ""])
def test_a_version_that_is_not_there_is_told(version: str) -> None:
    with pytest.raises(ChartError) as refused:
        released.skeleton(version)
    assert refused.value.code == "unknown-skeleton"
