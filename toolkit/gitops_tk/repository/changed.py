"""Which paths differ between two Snapshots, found without reading what is the same."""

import hashlib
from collections.abc import Iterable, Mapping

from gitops_tk.model.snapshot import FOLDER, Entry, Snapshot


def changed_paths(before: Snapshot, after: Snapshot) -> list[str]:
    """The files, symbolic links and submodules that are not the same on both sides, by path."""
    found: list[str] = []
    level = [""]
    while level:
        old, new = (
            {folder: list(entries) for folder, entries in side.children(level).items()} for side in (before, after)
        )
        pairs: dict[str, tuple[Entry | None, Entry | None]] = {}
        for folder in level:
            ours, theirs = ({entry.path: entry for entry in side.get(folder, ())} for side in (old, new))
            pairs |= {path: (ours.get(path), theirs.get(path)) for path in dict.fromkeys((*ours, *theirs))}
        differing = {path: pair for path, pair in pairs.items() if not _is_one_object(*pair)}
        level = [path for path, pair in differing.items() if any(one and one.mode == FOLDER for one in pair)]
        candidates = {path: pair for path, pair in differing.items() if any(one and one.mode != FOLDER for one in pair)}
        found += _different_files(before, after, candidates)
    return sorted(found)


def _is_one_object(before: Entry | None, after: Entry | None) -> bool:
    return bool(before and after and before.oid and before.oid == after.oid and before.mode == after.mode)


def _different_files(
    before: Snapshot, after: Snapshot, pairs: Mapping[str, tuple[Entry | None, Entry | None]]
) -> Iterable[str]:
    alike = {path: (one, other) for path, (one, other) in pairs.items() if one and other and one.mode == other.mode}
    # A side without object ids is read; the other one is not, where it has them.
    ids = [
        _ids(side, [pair[at] for pair in alike.values() if pair[0].is_file]) for at, side in enumerate((before, after))
    ]
    return [path for path in pairs if path not in alike or ids[0].get(path, "") != ids[1].get(path, "-")]


def _ids(side: Snapshot, entries: Iterable[Entry]) -> dict[str, str]:
    known = {entry.path: entry.oid for entry in entries}
    read = side.read([path for path, oid in known.items() if not oid])
    return known | {path: _blob_id(data) for path, data in read.items()}


def _blob_id(data: bytes) -> str:
    """The id that git gives a file (gitformat-pack(5) names the form: `blob SIZE NUL` and the content)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
