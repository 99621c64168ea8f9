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
        for path in paths:
            if is_plain(path) and not path.startswith(".git/") and not linked_parent(self._root, path):
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
            inside = (_entry(prefix + name, self._root / folder / name) for name in names if prefix + name != ".git")
            listed[folder] = [entry for entry in inside if entry]
        return listed

    def tree(self, folder: str) -> list[Entry]:
        """Every file and symbolic link under the folder, by path."""
        found: list[Entry] = []
        for entries in self.children([folder]).values():
            for entry in entries:
                found += self.tree(entry.path) if entry.mode == FOLDER else [entry]
        return sorted(found, key=lambda entry: entry.path)

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


def write(root: Path, changeset: ChangeSet) -> None:
    """Writes a ChangeSet below a folder: each file whole or not at all, and all of them or none.

    Raises:
        RepositoryError: a symbolic link is in the way, or the disk is full or cannot be written.
    """
    for operation in changeset.operations:
        check_target(root, operation)
    done: list[tuple[Path, bytes | None, int]] = []
    made: list[Path] = []
    try:
        for operation in changeset.operations:
            path = root / operation.path
            before = path.read_bytes() if path.is_file() else None
            mode = stat.S_IMODE(path.stat().st_mode) if before is not None else 0o644
            made += _missing_parents(root, path)
            done.append((path, before, mode))
            _carry_out(root, path, operation, mode)
    except OSError as error:
        _restore(done, made)
        raise RepositoryError(
            f"{operation.path} cannot be written: {error.strerror}",
            code="disk",
            hint="nothing was changed",
            file=operation.path,
        ) from error
    except BaseException:
        _restore(done, made)
        raise


def check_target(root: Path, operation: Operation) -> None:
    """Refuses to write through symbolic links, over folders, or outside.

    Raises:
        RepositoryError: codes `symlink`, `not-a-file`, `outside`.
    """
    path = operation.path
    if not is_plain(path) or path.split("/")[0].lower() == ".git":
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


def _missing_parents(root: Path, path: Path) -> list[Path]:
    missing = [folder for folder in path.parents if folder.is_relative_to(root) and not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _restore(done: list[tuple[Path, bytes | None, int]], made: list[Path]) -> None:
    for path, before, mode in reversed(done):
        with contextlib.suppress(OSError):
            if before is None:
                path.unlink(missing_ok=True)
            elif not path.is_file() or path.read_bytes() != before:
                path.parent.mkdir(parents=True, exist_ok=True)
                _replace(path, before, mode)
    for folder in sorted(made, key=lambda one: len(one.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()


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
