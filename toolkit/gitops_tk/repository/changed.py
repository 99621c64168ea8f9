"""What differs between two Snapshots, found without reading what is the same."""

import hashlib
from collections.abc import Iterable, Mapping

from gitops_tk.errors import RepositoryError
from gitops_tk.model.snapshot import FOLDER, Entry, Snapshot

# Folders in one another; nobody checks out more, and looking into them takes the cube of it.
_DEEPEST = 200
Pairs = Mapping[str, tuple[Entry | None, Entry | None]]


def changed_paths(before: Snapshot, after: Snapshot) -> list[str]:
    """The files, symbolic links and submodules that are not the same on both sides, by path."""
    return list(changed_entries(before, after))


def changed_entries(before: Snapshot, after: Snapshot) -> dict[str, tuple[Entry | None, Entry | None]]:
    """What differs, by path: what it was and what it is; None where there is nothing, or a folder.

    Raises:
        RepositoryError: folders are nested too deep (code `too-deep`).
    """
    found: dict[str, tuple[Entry | None, Entry | None]] = {}
    level = [""]
    depth = 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise RepositoryError(f"{level[0][:100]} goes on for more than {_DEEPEST} folders", code="too-deep")
        ours, theirs = before.children(level), after.children(level)
        pairs: dict[str, tuple[Entry | None, Entry | None]] = {}
        for folder in level:
            old, new = ({entry.path: entry for entry in side.get(folder, ())} for side in (ours, theirs))
            pairs |= {path: (old.get(path), new.get(path)) for path in {**old, **new}}
        differing = {path: pair for path, pair in pairs.items() if not _is_one_object(*pair)}
        level = [path for path, pair in differing.items() if any(one and one.mode == FOLDER for one in pair)]
        files = {path: (_file(old), _file(new)) for path, (old, new) in differing.items()}
        found |= _different(before, after, {path: pair for path, pair in files.items() if any(pair)})
    return {path: found[path] for path in sorted(found)}


def folder_ids(snapshot: Snapshot, folders: Iterable[str]) -> dict[str, str]:
    """The ids of the trees of those folders that are there; of files that lie about, as git would name them."""
    wanted = [entry for entry in snapshot.entries(folders).values() if entry.mode == FOLDER]
    return {entry.path: entry.oid or _folder_id(snapshot, entry.path) for entry in wanted}


def _folder_id(snapshot: Snapshot, folder: str) -> str:
    # gitformat-pack(5): `mode SP name NUL` and the id of each entry, folders sorted as if their names ended in `/`.
    entries = list(snapshot.children([folder]).get(folder, ()))
    files = _ids(snapshot, [entry for entry in entries if entry.is_file])
    lines = []
    names = {entry: entry.path.rpartition("/")[2].encode("utf-8", "surrogateescape") for entry in entries}
    for entry in sorted(entries, key=lambda one: names[one] + (b"/" if one.mode == FOLDER else b"")):
        oid = _folder_id(snapshot, entry.path) if entry.mode == FOLDER else files.get(entry.path, "")
        lines.append(b"%o %s\0" % (entry.mode, names[entry]) + bytes.fromhex(oid))
    data = b"".join(lines)
    return hashlib.sha1(b"tree %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _is_one_object(before: Entry | None, after: Entry | None) -> bool:
    return bool(before and after and before.oid and before.oid == after.oid and before.mode == after.mode)


def _file(entry: Entry | None) -> Entry | None:
    return entry if entry and entry.mode != FOLDER else None


def _different(before: Snapshot, after: Snapshot, pairs: Pairs) -> Pairs:
    alike = {path: (one, other) for path, (one, other) in pairs.items() if one and other and one.mode == other.mode}
    # A side without object ids is read; the other one is not, where it has them.
    files = [pair for pair in alike.values() if pair[0].is_file]
    old, new = _ids(before, [one for one, _ in files]), _ids(after, [other for _, other in files])
    same = {path for path in alike if old.get(path) is not None and old[path] == new.get(path)}
    return {path: pair for path, pair in pairs.items() if path not in same}


def _ids(side: Snapshot, entries: Iterable[Entry]) -> dict[str, str]:
    known = {entry.path: entry.oid for entry in entries}
    read = side.read([path for path, oid in known.items() if not oid])
    return known | {path: _blob_id(data) for path, data in read.items()}


def _blob_id(data: bytes) -> str:
    """The id that git gives a file (gitformat-pack(5) names the form: `blob SIZE NUL` and the content)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
