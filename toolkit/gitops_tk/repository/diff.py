"""A ChangeSet as a unified diff, in git's form (git-diff(1), "Generating patch text")."""

import difflib
from collections.abc import Callable, Mapping, Sequence

from gitops_tk.model.changes import ChangeSet, Copy, Write
from gitops_tk.model.snapshot import FOLDER, Snapshot
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.repository.tree import TreeSnapshot

# A file's text as it is compared, by its path.
View = Callable[[str, str], str]

_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(snapshot: Snapshot, changeset: ChangeSet, view: View | None = None) -> str:
    """The diff from a snapshot to what the operations make of it, with what a copied folder changes.

    Args:
        view: what is compared of the files that are written, in place of their texts.
    """
    paths = [operation.path for operation in changeset.operations if not isinstance(operation, Copy)]
    before = _contents(snapshot, paths)
    parts = []
    for operation in changeset.operations:
        if isinstance(operation, Copy):
            parts.append(_copied(snapshot, operation))
            continue
        new = operation.data if isinstance(operation, Write) else None
        parts.append(_file(operation.path, before.get(operation.path), new, view))
    return "".join(parts)


def _copied(snapshot: Snapshot, copy: Copy) -> str:
    if not isinstance(snapshot, TreeSnapshot) or copy.mode != FOLDER:
        return f"copy {copy.oid} {copy.path}\n"
    there = snapshot.entries([copy.path]).get(copy.path)
    before = snapshot.below(there.oid) if there is not None and there.mode == FOLDER else MemorySnapshot({})
    after = snapshot.below(copy.oid)
    return between(before, after, changed_paths(before, after), copy.path)


def between(before: Snapshot, after: Snapshot, paths: Sequence[str], folder: str) -> str:
    """The diff of some files between two snapshots of a folder.

    Args:
        folder: where the folder is, for the paths that are shown.
    """
    ours, theirs = (_contents(side, paths) for side in (before, after))
    return "".join(_file(f"{folder}/{path}", ours.get(path), theirs.get(path)) for path in paths)


def _contents(snapshot: Snapshot, paths: Sequence[str]) -> Mapping[str, bytes]:
    return snapshot.read([path for path, entry in snapshot.entries(paths).items() if entry.is_file])


def _file(path: str, before: bytes | None, after: bytes | None, view: View | None = None) -> str:
    head = f"diff --git a/{path} b/{path}\n"
    if before is None:
        head += "new file mode 100644\n"
    if after is None:
        head += "deleted file mode 100644\n"
    old = "/dev/null" if before is None else f"a/{path}"
    new = "/dev/null" if after is None else f"b/{path}"
    ours, theirs = (_lines(path, side, view) for side in (before, after))
    lines = difflib.unified_diff(ours, theirs, old, new)
    return head + "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(path: str, data: bytes | None, view: View | None) -> list[str]:
    # Split at line feeds alone: a carriage return or a Unicode separator is part of its line, as for git.
    text = (data or b"").decode("utf-8", "replace")
    text = view(path, text) if view else text
    return [line + "\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])
