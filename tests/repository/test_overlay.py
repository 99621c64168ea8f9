"""A Snapshot with a ChangeSet over it says what the repository says once the change has landed."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support import repositories as repo

from gitops_tk.errors import RepositoryError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Operation, Plan, Write
from gitops_tk.model.snapshot import EXECUTABLE, FILE, FOLDER, Snapshot
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.repository.remote import Remote

FILES = {
    "gitops-tk.yaml": repo.CONFIG,
    "a/b/c.txt": b"c",
    "a/b/d.txt": b"d",
    "a/e.txt": b"e",
    "alone/only.txt": b"o",
    "f.txt": b"f",
    "untouched/g.txt": b"g",
}
PLAIN: dict[str, Sequence[Operation]] = {
    "a file is written over": [Write("a/e.txt", b"new")],
    "a file comes into a folder that is new": [Write("new/deep/x.txt", b"x"), Write("run.sh", b"#!", EXECUTABLE)],
    "a file goes, and the folder that it leaves empty": [Delete("alone/only.txt"), Delete("f.txt")],
    "a folder goes with all below it": [Delete("a/b")],
    "a folder goes, and a file comes back into it": [Delete("a"), Write("a/b/z.txt", b"z")],
    "the later of two operations holds": [
        Write("a/b/z.txt", b"z"),
        Delete("a/b"),
        Write("f.txt", b"1"),
        Delete("f.txt"),
    ],
    "nothing changes": [],
}


def opened(remote: Path) -> Remote:
    return Remote(RemoteLocation(f"file://{remote}"), None, os.environ)


def says(snapshot: Snapshot) -> object:
    folders = ["", "a", "a/b", "alone", "new", "new/deep", "copied", "copied/b", "f.txt", "untouched", "none"]
    files = [entry.path for folder in folders if folder for entry in snapshot.tree(folder)]
    some = ["f.txt", "a/e.txt", "run.sh", "copied.txt", *files]
    asked = [*some, *folders, "../f.txt", "a//b", "f.txt/x", "a/b/z.txt/x", "gone.txt"]
    return (
        {path: entry.mode for path, entry in snapshot.entries(asked).items()},
        snapshot.read(path for path, entry in snapshot.entries(some).items() if entry.is_file),
        {folder: sorted(entry.path for entry in found) for folder, found in snapshot.children(folders).items()},
        files,
    )


@pytest.mark.parametrize("name", PLAIN)
def test_it_says_what_the_commit_of_the_change_says(name: str, tmp_path: Path) -> None:
    changeset = ChangeSet(tuple(PLAIN[name]))
    with opened(repo.bare(tmp_path / "r.git", FILES)) as there:
        snapshot = there.snapshot()
        (oid,) = there.commit(snapshot, [Plan(changeset=changeset, subject="s")])
        expected = says(there.at(oid))
        assert says(Overlay(snapshot, changeset)) == expected
    assert says(Overlay(MemorySnapshot(FILES), changeset)) == expected


def test_copied_objects_are_read_by_their_ids_also_those_of_older_commits(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "r.git", FILES)
    old = repo.git(remote, "rev-parse", "main:a"), repo.git(remote, "rev-parse", "main:f.txt")
    repo.commit(remote, {"a/b/c.txt": b"newer", "a/b/d.txt": None, "f.txt": b"newer"})
    changeset = ChangeSet(
        (Copy("copied", old[0], FOLDER), Copy("copied.txt", old[1], FILE), Write("copied/b/c.txt", b"!"))
    )
    with opened(remote) as there:
        snapshot = there.snapshot()
        over = Overlay(snapshot, changeset)
        assert over.read(["copied/b/d.txt", "copied/b/c.txt", "copied.txt", "f.txt"]) == {
            "copied/b/d.txt": b"d",
            "copied/b/c.txt": b"!",
            "copied.txt": b"f",
            "f.txt": b"newer",
        }
        (oid,) = there.commit(snapshot, [Plan(changeset=changeset, subject="s")])
        assert says(over) == says(there.at(oid))


def test_copies_need_a_snapshot_with_objects() -> None:
    over = Overlay(MemorySnapshot(FILES), ChangeSet((Copy("copied", "1" * 40, FOLDER),)))
    with pytest.raises(RepositoryError):
        over.read(["copied/x.txt"])


def test_what_is_no_file_is_not_read_as_one() -> None:
    over = Overlay(MemorySnapshot(FILES), ChangeSet((Write("a/b/z.txt", b"z"),)))
    with pytest.raises(RepositoryError) as refused:
        over.read(["a/b"])
    assert refused.value.code == "not-a-file"
