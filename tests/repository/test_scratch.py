"""Temporary folders: they leave with the program, and those of killed ones are swept."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_tk import scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_whose_removal_was_interrupted_is_taken_away_in_the_end(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_path: Path, ignore_errors: bool) -> None:
        raise KeyboardInterrupt

    folder = scratch.create()
    with monkeypatch.context() as held:
        held.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scratch.remove(folder)
    scratch.clean()
    assert list(temporary.iterdir()) == []


def test_the_sweep_takes_what_was_left_and_nothing_that_is_in_use_or_of_others(temporary: Path) -> None:
    mine = scratch.create()
    names = (f"{1:016x}", f"{2:016x}", f"{3:016x}", "notes", f"{4:016x}.txt")
    left, made_again, used, *foreign = (temporary / f"gitops-tk-{name}" for name in names)
    for folder in (left, made_again, used, *foreign):
        folder.mkdir()
    (left / "lock").touch()
    (made_again / "repository").mkdir()
    link = temporary / f"gitops-tk-{5:016x}"
    link.symlink_to(temporary / "elsewhere")
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / "lock").touch()
    held = os.open(used / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    scratch.sweep()
    os.close(held)
    assert {*temporary.iterdir()} == {mine, used, *foreign, link, temporary / "elsewhere"}
    scratch.clean()
    assert not mine.exists()


def test_a_folder_is_safe_from_the_sweep_of_others_as_soon_as_it_is_there(temporary: Path) -> None:
    made = scratch.create()
    sweep = "from gitops_tk import scratch; scratch.sweep()"
    subprocess.run([sys.executable, "-c", sweep], check=True)
    assert list(temporary.iterdir()) == [made]
    scratch.clean()
