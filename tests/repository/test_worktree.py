"""A checkout's files: what is read as one, and written whole or not at all."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_tk.errors import RepositoryError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Operation, Write
from gitops_tk.model.snapshot import EXECUTABLE, FILE
from gitops_tk.repository.worktree import WorktreeSnapshot, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / ".git").mkdir(parents=True)
    (root / ".git/config").write_bytes(b"s3cret")
    (root / "folder").mkdir()
    (root / "a.txt").write_bytes(b"as it was")
    return root


def lies(root: Path) -> dict[str, bytes]:
    """The files below a folder, as they lie there."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can become larger than this, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_is_gits_own_is_no_file_of_the_repository(root: Path) -> None:
    snapshot = WorktreeSnapshot(root)
    assert snapshot.entries([".git", ".git/config"]) == {}
    assert snapshot.read([".git/config"]) == {}
    assert snapshot.children([".git"]) == {}
    assert [entry.path for entry in snapshot.children([""])[""]] == ["a.txt", "folder"]
    assert [entry.path for entry in snapshot.tree("")] == ["a.txt"]


def test_what_is_neither_file_nor_folder_is_not_read(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(RepositoryError) as refused:
        WorktreeSnapshot(root).read(["pipe"])
    assert refused.value.code == "not-a-file"


def test_a_folder_that_is_not_made_yet_has_no_files(tmp_path: Path) -> None:
    assert WorktreeSnapshot(tmp_path / "none").children([""]) == {"": []}
    assert WorktreeSnapshot(tmp_path / "none").tree("") == []


def test_a_file_that_cannot_be_read_is_told() -> None:
    # Linux has such files for everybody, root included.
    with pytest.raises(RepositoryError) as unread:
        WorktreeSnapshot(Path("/proc/self")).read(["mem"])
    assert (unread.value.code, unread.value.file) == ("unreadable", "mem")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("link", "symlink"),
        ("linked/new.txt", "symlink"),
        ("folder", "not-a-file"),
        (".git/hooks/post-checkout", "outside"),
        (".Git", "outside"),
        ("../beside.txt", "outside"),
    ],
)
@pytest.mark.parametrize("last", [lambda path: Write(path, b"x"), Delete])
def test_what_may_not_be_written_is_found_before_anything_is(
    root: Path, path: str, code: str, last: type[Delete]
) -> None:
    (root / "link").symlink_to("a.txt")
    (root / "linked").symlink_to("folder")
    before = lies(root.parent)
    stood = (root / "a.txt").stat().st_ino
    with pytest.raises(RepositoryError) as refused:
        write(root, ChangeSet((Write("a.txt", b"new"), Write("b/c.txt", b"new"), last(path))))
    assert refused.value.code == code
    assert lies(root.parent) == before
    assert (root / "a.txt").stat().st_ino == stood
    assert (root / "link").is_symlink()


def test_what_ends_it_half_way_leaves_all_as_it_was(root: Path) -> None:
    before = lies(root)
    with pytest.raises(RepositoryError) as refused:
        write(root, ChangeSet((Write("a.txt", b"new"), Write("b/c.txt", b"new"), Copy("d", "0" * 40, FILE))))
    assert refused.value.code == "copy"
    assert lies(root) == before
    assert not (root / "b").exists()


def test_folders_that_were_there_stay_and_those_that_were_made_go(root: Path) -> None:
    there = root.with_name("other") / "checkout"
    with pytest.raises(RepositoryError):
        write(there, ChangeSet((Write("new.txt", b"new"), Copy("d", "0" * 40, FILE))))
    assert not there.parent.exists()
    with pytest.raises(RepositoryError):
        write(root, ChangeSet((Write("folder/new.txt", b"new"), Copy("d", "0" * 40, FILE))))
    assert list((root / "folder").iterdir()) == []


def test_a_full_disk_leaves_all_as_it_was(root: Path) -> None:
    before = lies(root)
    with room_for(100), pytest.raises(RepositoryError) as refused:
        write(root, ChangeSet((Write("a.txt", b"new"), Write("b/c.txt", b"x" * 101))))
    assert (refused.value.code, refused.value.file, refused.value.hint) == ("disk", "b/c.txt", "nothing was changed")
    assert lies(root) == before
    assert not (root / "b").exists()


def test_what_a_full_disk_does_not_take_back_is_named(root: Path) -> None:
    with room_for(5), pytest.raises(RepositoryError) as refused:
        write(root, ChangeSet((Write("a.txt", b"new"), Write("b.txt", b"x" * 6))))
    assert refused.value.hint == f"{root / 'a.txt'} could not be put back"


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        (Write("a.txt", b"new"), 0o640),
        (Write("new.txt", b"new"), 0o644),
        (Write("a.txt", b"new", EXECUTABLE), 0o755),
        (Write("a.txt", b"new", FILE), 0o644),
    ],
)
def test_a_file_has_the_mode_that_it_had_or_is_given_whatever_the_umask(
    root: Path, operation: Operation, mode: int
) -> None:
    (root / "a.txt").chmod(0o640)
    mask = os.umask(0o077)
    try:
        write(root, ChangeSet((operation,)))
    finally:
        os.umask(mask)
    assert stat.S_IMODE((root / operation.path).stat().st_mode) == mode


def test_folders_that_a_deletion_leaves_empty_go_with_it(root: Path) -> None:
    write(root, ChangeSet((Write("b/c/d.txt", b"new"), Write("b/e.txt", b"new"))))
    write(root, ChangeSet((Delete("b/c/d.txt"),)))
    assert not (root / "b/c").exists()
    write(root, ChangeSet((Delete("b/e.txt"), Delete("a.txt"), Delete("none.txt"))))
    assert sorted(path.name for path in root.iterdir()) == [".git", "folder"]
