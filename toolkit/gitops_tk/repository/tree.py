"""A Snapshot of a commit: its trees and files, fetched together where they are not here yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gitops_tk.errors import RepositoryError
from gitops_tk.model.snapshot import FOLDER, SUBMODULE, SYMLINK, Entry
from gitops_tk.repository.objects import Objects, TreeEntry

# From this many on, and if they are most of a folder, the folder is fetched whole: fewer ids to ask for.
_MANY = 200

Fetch = Callable[[Iterable[str]], None]


class TreeSnapshot:
    """A Snapshot over git objects.

    Args:
        objects: the objects that are here.
        fetch: brings the objects with these ids, and all below them; called with all that a step needs at once.
        revision: the commit's id, or None for an empty repository.
        root: the id of its tree.
    """

    def __init__(self, objects: Objects, fetch: Fetch, revision: str | None, root: str | None) -> None:
        self._objects = objects
        self._fetch = fetch
        self._revision = revision
        self._root = root

    @property
    def revision(self) -> str | None:
        """The commit's id."""
        return self._revision

    def entries(self, paths: Iterable[str]) -> dict[str, Entry]:
        """What these paths are; those that do not exist are left out."""
        return self._resolve(paths, blobs=False)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those paths that are regular files."""
        found = self._resolve(paths, blobs=True)
        for entry in found.values():
            require_file(entry)
        blobs = self._objects.blobs(entry.oid for entry in found.values())
        return {path: blobs[entry.oid] for path, entry in found.items()}

    def children(self, folders: Iterable[str]) -> dict[str, list[Entry]]:
        """The direct entries of each folder that exists."""
        wanted = list(folders)
        found = self._resolve([folder for folder in wanted if folder], blobs=False)
        oids = {path: entry.oid for path, entry in found.items() if entry.mode == FOLDER}
        if "" in wanted and self._root is not None:
            oids[""] = self._root
        trees = self._trees_of(oids.values())
        return {
            folder: [_entry(folder, one) for one in trees[oids[folder]].values()] for folder in wanted if folder in oids
        }

    def tree(self, folder: str) -> Sequence[Entry]:
        """Every file, symbolic link and submodule under the folder, by path."""
        found: list[Entry] = []
        level = [folder]
        while level:
            listed = self.children(level)
            level = []
            for entries in listed.values():
                level += [entry.path for entry in entries if entry.mode == FOLDER]
                found += [entry for entry in entries if entry.mode != FOLDER]
        return sorted(found, key=lambda entry: entry.path)

    def below(self, oid: str) -> "TreeSnapshot":
        """The folder with this id, of whatever commit, as a Snapshot of its own."""
        return TreeSnapshot(self._objects, self._fetch, None, oid)

    def content(self, oid: str) -> bytes:
        """The content of the file with this id, of whatever commit."""
        if not self._objects.blobs([oid]):
            self._fetch([oid])
        return self._objects.blobs([oid])[oid]

    def _resolve(self, paths: Iterable[str], *, blobs: bool) -> dict[str, Entry]:
        if self._root is None:
            return {}
        found: dict[str, Entry] = {}
        active = {path: (path.split("/"), self._root) for path in paths if is_plain(path)}
        while True:
            missing = self._advance(active, found)
            if blobs:
                wanted = {entry.oid for entry in found.values() if entry.is_file}
                missing |= wanted - self._objects.blobs(wanted).keys()
            if not missing:
                return found
            self._fetch(missing)

    def _advance(self, active: dict[str, tuple[list[str], str]], found: dict[str, Entry]) -> set[str]:
        # Goes down as far as the trees that are here lead; returns the ids of those that stopped it.
        while active:
            trees = self._objects.trees(oid for _, oid in active.values())
            moved = False
            for path, (segments, oid) in list(active.items()):
                tree = trees.get(oid)
                if tree is None:
                    continue
                moved = True
                del active[path]
                entry = tree.get(segments[0])
                if entry is None:
                    continue
                if len(segments) == 1:
                    found[path] = Entry(path, entry.mode, entry.oid)
                elif entry.mode == FOLDER:
                    active[path] = (segments[1:], entry.oid)
            if not moved:
                return self._together({oid for _, oid in active.values()})
        return set()

    def _trees_of(self, oids: Iterable[str]) -> Mapping[str, Mapping[str, TreeEntry]]:
        wanted = set(oids)
        missing = wanted - self._objects.trees(wanted).keys()
        if missing:
            self._fetch(self._together(missing))
        return self._objects.trees(wanted)

    def _together(self, oids: set[str]) -> set[str]:
        if len(oids) < _MANY or self._root is None:
            return oids
        for entry in self._objects.trees([self._root])[self._root].values():
            if entry.mode != FOLDER:
                continue
            inside = {one.oid for tree in self._objects.trees([entry.oid]).values() for one in tree.values()}
            if len(oids & inside) * 2 > len(inside):
                oids = (oids - inside) | {entry.oid}
        return oids


def is_plain(path: str) -> bool:
    """Whether a path stays inside: no empty segment, no `.`, no `..`, no NUL or newline."""
    return "\0" not in path and "\n" not in path and not {"", ".", ".."}.intersection(path.split("/"))


def require_file(entry: Entry) -> None:
    """Refuses what is in the place of a file and is none.

    Raises:
        RepositoryError: a folder, a symbolic link or a submodule (code `not-a-file`).
    """
    if entry.is_file:
        return
    kinds = {FOLDER: "a folder", SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}
    raise RepositoryError(
        f"{entry.path} is {kinds.get(entry.mode, 'not a file')}, where a file is expected",
        code="not-a-file",
        hint="symbolic links are not followed: put the file itself there",
        file=entry.path,
    )


def _entry(folder: str, entry: TreeEntry) -> Entry:
    return Entry(f"{folder}/{entry.name}" if folder else entry.name, entry.mode, entry.oid)
