"""A Snapshot with a ChangeSet laid over it: what the repository holds once the change has landed."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from gitops_tk.errors import RepositoryError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Operation, Write
from gitops_tk.model.snapshot import FOLDER, Entry, Snapshot
from gitops_tk.repository.tree import TreeSnapshot, is_plain, require_file

_Listing = dict[str, Entry]


class Overlay:
    """A Snapshot over another one.

    Args:
        base: what the change is made on; where the change copies objects, a Snapshot that can reach them by id.
        changeset: the change; of two operations on a path, or on a folder around it, the later one holds.
    """

    def __init__(self, base: Snapshot, changeset: ChangeSet) -> None:
        self._base = base
        self._operations: dict[str, Operation] = {}
        holders = set[str]()
        for operation in changeset.operations:
            if operation.path in holders:
                for path in [path for path in self._operations if path.startswith(f"{operation.path}/")]:
                    del self._operations[path]
            self._operations[operation.path] = operation
            holders.update(_around(operation.path))
        self._within: dict[str, list[str]] = {}
        for path in self._operations:
            self._within.setdefault(_parent(path), []).append(path)
        # The folders around what changes: what they hold is not what the base says.
        self._touched = {folder for path in self._operations for folder in _around(path)}
        self._folders: dict[str, list[str]] = {}
        for path in filter(None, self._touched):
            self._folders.setdefault(_parent(path), []).append(path)
        self._known: dict[str, _Listing] = {}

    @property
    def revision(self) -> None:
        """It is no commit yet."""
        return

    def entries(self, paths: Iterable[str]) -> dict[str, Entry]:
        """What these paths are; those that do not exist are left out."""
        wanted = [path for path in paths if is_plain(path)]
        found = dict(self._base.entries([path for path in wanted if self._is_base(path)]))
        for path in wanted:
            entry = None if self._is_base(path) else self._listing(_parent(path)).get(path)
            if entry is not None:
                found[path] = entry
        return {path: found[path] for path in wanted if path in found}

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those paths that are regular files."""
        found = self.entries(paths)
        for entry in found.values():
            require_file(entry)
        contents = dict(self._base.read([path for path in found if self._is_base(path)]))
        return {path: contents[path] if path in contents else self._content(entry) for path, entry in found.items()}

    def children(self, folders: Iterable[str]) -> dict[str, list[Entry]]:
        """The direct entries of each folder that exists."""
        wanted = list(folders)
        listed = dict(self._base.children([folder for folder in wanted if self._is_base(folder)]))
        for folder in wanted:
            found = [] if self._is_base(folder) else list(self._listing(folder).values())
            if found or (not folder and folder not in listed):
                listed[folder] = sorted(found, key=lambda entry: entry.path)
        return {folder: list(listed[folder]) for folder in wanted if folder in listed}

    def tree(self, folder: str) -> list[Entry]:
        """Every file, symbolic link and submodule under the folder, by path."""
        if self._is_base(folder):
            return list(self._base.tree(folder))
        found: list[Entry] = []
        for entry in self._listing(folder).values():
            found += self.tree(entry.path) if entry.mode == FOLDER else [entry]
        return sorted(found, key=lambda entry: entry.path)

    def _is_base(self, path: str) -> bool:
        return path not in self._touched and self._over(path) is None

    def _over(self, path: str) -> Operation | None:
        """The operation on a path, or on the nearest folder around it."""
        around = (self._operations.get(one) for one in (path, *_around(path)))
        return next((operation for operation in around if operation), None)

    def _listing(self, folder: str) -> _Listing:
        """What a folder holds, by path."""
        if folder not in self._known:
            found = {entry.path: entry for entry in self._beneath(folder)}
            for path in self._within.get(folder, ()):
                _carry_out(found, self._operations[path])
            for path in self._folders.get(folder, ()):
                # Git knows no empty folders.
                if self._listing(path):
                    found[path] = Entry(path, FOLDER)
                elif path in found and found[path].mode == FOLDER:
                    del found[path]
            self._known[folder] = found
        return self._known[folder]

    def _beneath(self, folder: str) -> Iterator[Entry]:
        operation = self._over(folder)
        if operation is None:
            yield from self._untouched.get(folder, ())
        elif isinstance(operation, Copy) and operation.mode == FOLDER:
            inside = folder[len(operation.path) + 1 :]
            for entry in self._objects.below(operation.oid).children([inside]).get(inside, ()):
                yield Entry(f"{operation.path}/{entry.path}", entry.mode, entry.oid)

    @cached_property
    def _untouched(self) -> Mapping[str, Iterable[Entry]]:
        # Asked for at once: each could be a request to a remote.
        return self._base.children(self._touched)

    @property
    def _objects(self) -> TreeSnapshot:
        if not isinstance(self._base, TreeSnapshot):
            raise RepositoryError("objects are copied by id in commits alone", code="copy")
        return self._base

    def _content(self, entry: Entry) -> bytes:
        operation = self._over(entry.path)
        return operation.data if isinstance(operation, Write) else self._objects.content(entry.oid)


def _carry_out(found: _Listing, operation: Operation) -> None:
    path = operation.path
    match operation:
        case Write():
            there = found.get(path)
            found[path] = Entry(path, operation.mode_over(there.mode if there and there.is_file else None))
        case Copy(oid=oid, mode=mode):
            found[path] = Entry(path, mode, oid)
        case Delete():
            found.pop(path, None)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _around(path: str) -> Iterator[str]:
    """The folders around a path, the nearest first, the root (`""`) last."""
    while path:
        path = _parent(path)
        yield path
