"""What differs between two Snapshots, whatever they are Snapshots of."""

import os
from pathlib import Path

import pytest
from tests.support import repositories as repo

from gitops_tk.errors import RepositoryError
from gitops_tk.model.changes import ChangeSet, Delete, Write
from gitops_tk.model.snapshot import EXECUTABLE, FILE, Snapshot
from gitops_tk.repository.changed import changed_entries, changed_paths
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.repository.remote import Remote

_BEFORE = {"a/b/same.txt": b"s", "a/b/other.txt": b"1", "a/gone.txt": b"g", "run.sh": b"#!", "turned": b"a file"}
_CHANGE = ChangeSet(
    (
        Write("a/b/other.txt", b"2"),
        Write("a/b/same.txt", b"s"),
        Delete("a/gone.txt"),
        Write("new/file.txt", b"n"),
        Write("run.sh", b"#!", EXECUTABLE),
        Delete("turned"),
        Write("turned/into/a/folder.txt", b"x"),
    )
)
_CHANGED = ["a/b/other.txt", "a/gone.txt", "new/file.txt", "run.sh", "turned", "turned/into/a/folder.txt"]


def _says(before: Snapshot, after: Snapshot) -> list[str]:
    assert changed_paths(before, before) == []
    assert changed_paths(after, before) == changed_paths(before, after)
    return changed_paths(before, after)


def test_folders_without_end_are_refused() -> None:
    with pytest.raises(RepositoryError) as caught:
        changed_paths(MemorySnapshot({}), MemorySnapshot({"a/" * 300 + "x": b""}))
    assert caught.value.code == "too-deep"


def test_changes_are_found_between_all_kinds_of_snapshots(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "r.git", _BEFORE)
    first = repo.git(remote, "rev-parse", "main")
    memory = MemorySnapshot(_BEFORE)
    assert _says(memory, Overlay(memory, _CHANGE)) == _CHANGED
    checkout = Checkout(repo.checkout(remote, tmp_path / "c"))
    with Remote(RemoteLocation(f"file://{remote}"), None, os.environ) as there:
        snapshot = there.snapshot()
        assert _says(snapshot, Overlay(snapshot, _CHANGE)) == _CHANGED
        # A tree of git has ids, and the files of a checkout have none.
        assert _says(snapshot, checkout.snapshot()) == []
    (checkout.root / "turned").unlink()
    checkout.apply(ChangeSet(tuple(one for one in _CHANGE.operations if one.path != "turned")))
    assert _says(checkout.at(first), checkout.snapshot()) == _CHANGED


def test_what_was_and_what_is_there_is_told_and_a_folder_is_nothing() -> None:
    memory = MemorySnapshot(_BEFORE)
    found = changed_entries(memory, Overlay(memory, _CHANGE))
    modes = {path: tuple(one.mode if one else None for one in pair) for path, pair in found.items()}
    assert modes["run.sh"] == (FILE, EXECUTABLE)
    assert modes["turned"] == (FILE, None)
    assert modes["turned/into/a/folder.txt"] == (None, FILE)
    assert modes["a/gone.txt"] == (FILE, None)
