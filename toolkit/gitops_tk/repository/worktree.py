"""A checkout's files as a Snapshot, and the one way they are written: all or none."""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from gitops_tk.errors import RepositoryError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Operation, Write
from gitops_tk.model.snapshot import EXECUTABLE, FILE, FOLDER, SYMLINK, Entry
from gitops_tk.repository.tree import is_plain, require_file


class WorktreeSnapshot:
    """A Snapshot of the files below a folder, as they lie there; symbolic links are never followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def revision(self) -> None:
        """Files that lie about belong to no commit."""
        return

    def entries(self, paths: Iterable[str]) -> dict[str, Entry]:
        """What these paths are; those behind a symbolic link are not there."""
        found = {}
        linked: dict[str, bool] = {"": False}
        for path in paths:
            if is_plain(path) and not _is_gits(path) and not self._is_linked(path.rpartition("/")[0], linked):
                entry = _entry(path, self._root / path)
                if entry:
                    found[path] = entry
        return found

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those paths that are regular files.

        Raises:
            RepositoryError: a path is something else, or cannot be read.
        """
        found = self.entries(paths)
        for entry in found.values():
            require_file(entry)
        return {path: self._content(path) for path in found}

    def children(self, folders: Iterable[str]) -> dict[str, list[Entry]]:
        """The direct entries of each folder that exists."""
        listed: dict[str, list[Entry]] = {}
        for folder in folders:
            entry = self.entries([folder]).get(folder) if folder else Entry("", FOLDER)
            if entry is None or entry.mode != FOLDER:
                continue
            prefix = f"{folder}/" if folder else ""
            place = self._root / folder
            names = sorted(one.name for one in place.iterdir()) if place.is_dir() else []
            inside = (_entry(prefix + name, place / name) for name in names if not _is_gits(prefix + name))
            listed[folder] = [entry for entry in inside if entry]
        return listed

    def tree(self, folder: str) -> list[Entry]:
        """Every file and symbolic link under the folder, by path."""
        found: list[Entry] = []
        for entries in self.children([folder]).values():
            for entry in entries:
                found += self.tree(entry.path) if entry.mode == FOLDER else [entry]
        return sorted(found, key=lambda entry: entry.path)

    def _is_linked(self, folder: str, known: dict[str, bool]) -> bool:
        # Many files have the same folders above them, each of which is looked at once.
        above = []
        while folder not in known:
            above.append(folder)
            folder = folder.rpartition("/")[0]
        linked = known[folder]
        for one in reversed(above):
            linked = known[one] = linked or (self._root / one).is_symlink()
        return linked

    def _content(self, path: str) -> bytes:
        try:
            return (self._root / path).read_bytes()
        except OSError as error:
            raise RepositoryError(f"{path} cannot be read: {error.strerror}", code="unreadable", file=path) from error


def linked_parent(root: Path, path: str) -> str | None:
    """The first folder on the way to a path that is a symbolic link, or None."""
    folder = root
    for segment in path.split("/")[:-1]:
        folder = folder / segment
        if folder.is_symlink():
            return str(folder.relative_to(root))
    return None


class Undo:
    """Puts the files of a ChangeSet back as they were; on a full disk, too."""

    def __init__(self) -> None:
        self._before: list[tuple[Path, bytes | None, int]] = []
        self._made: list[Path] = []

    def note(self, path: Path) -> int:
        """Remembers a file that is about to change, makes the folders above it, and returns its mode."""
        before = path.read_bytes() if path.is_file() else None
        mode = stat.S_IMODE(path.stat().st_mode) if before is not None else 0o644
        self._made += [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._before.append((path, before, mode))
        return mode

    def __call__(self) -> list[Path]:
        """Puts everything back, and returns the files with which that did not work."""
        left = []
        # What is new goes first: it may hold the space that the others need.
        for path, before, mode in sorted(self._before, key=lambda one: one[1] is not None):
            try:
                _put_back(path, before, mode)
            except OSError:
                left.append(path)
        for folder in sorted(self._made, key=lambda one: len(one.parts), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        return left


def write(root: Path, changeset: ChangeSet) -> Undo:
    """Writes a ChangeSet below a folder: each file whole or not at all, and all of them or none.

    Returns:
        What puts the files back as they were.

    Raises:
        RepositoryError: a symbolic link is in the way, or the disk is full or cannot be written.
    """
    for operation in changeset.operations:
        check_target(root, operation)
    undo = Undo()
    try:
        for operation in changeset.operations:
            path = root / operation.path
            _carry_out(root, path, operation, undo.note(path))
    except OSError as error:
        left = undo()
        raise RepositoryError(
            f"{operation.path} cannot be written: {error.strerror}",
            code="disk",
            hint=f"{left[0]} could not be put back" if left else "nothing was changed",
            file=operation.path,
        ) from error
    except BaseException:
        undo()
        raise
    return undo


def check_target(root: Path, operation: Operation) -> None:
    """Refuses to write through symbolic links, over folders, or outside.

    Raises:
        RepositoryError: codes `symlink`, `not-a-file`, `outside`.
    """
    path = operation.path
    if not is_plain(path) or _is_gits(path):
        raise RepositoryError(f"{path!r} is not a path inside the repository", code="outside", file=path)
    link = linked_parent(root, path) or (path if (root / path).is_symlink() else None)
    if link:
        raise RepositoryError(
            f"{link} is a symbolic link, and gitops-tk does not write through one",
            code="symlink",
            hint="put the folder or file itself there",
            file=path,
        )
    if (root / path).is_dir():
        require_file(Entry(path, FOLDER))


def _is_gits(path: str) -> bool:
    # Whatever the case: on some file systems that is the same folder.
    return path.split("/")[0].lower() == ".git"


def _carry_out(root: Path, path: Path, operation: Operation, mode: int) -> None:
    match operation:
        case Write(data=data):
            if operation.mode is not None:
                mode = 0o755 if operation.mode == EXECUTABLE else 0o644
            _replace(path, data, mode)
        case Delete():
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                # Git knows no empty folders; a folder that still holds something ends this.
                for folder in path.parents:
                    if folder == root:
                        break
                    folder.rmdir()
        case Copy():
            raise RepositoryError("objects are copied by id in commits alone", code="copy", file=operation.path)


def _replace(path: Path, data: bytes, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(mode)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _put_back(path: Path, before: bytes | None, mode: int) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    elif not path.is_file() or path.read_bytes() != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _replace(path, before, mode)
        except OSError:
            # A full disk has no room for a second file, but the one that is there has its own.
            with path.open("r+b") as file:
                file.write(before)
                file.truncate()


def _entry(path: str, place: Path) -> Entry | None:
    try:
        mode = place.lstat().st_mode
    except OSError:
        return None
    if stat.S_ISLNK(mode):
        return Entry(path, SYMLINK)
    if stat.S_ISDIR(mode):
        return Entry(path, FOLDER)
    return Entry(path, EXECUTABLE if mode & stat.S_IXUSR else FILE) if stat.S_ISREG(mode) else Entry(path, SYMLINK)
