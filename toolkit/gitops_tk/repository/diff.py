"""A ChangeSet as a unified diff, in git's form (git-diff(1), "Generating patch text")."""

import difflib

from gitops_tk.model.changes import ChangeSet, Copy, Write
from gitops_tk.model.snapshot import Snapshot

_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(snapshot: Snapshot, changeset: ChangeSet) -> str:
    """The diff from a snapshot to what the operations make of it; copied trees are named, not shown."""
    paths = [operation.path for operation in changeset.operations if not isinstance(operation, Copy)]
    there = snapshot.entries(paths)
    before = snapshot.read([path for path, entry in there.items() if entry.is_file])
    parts = []
    for operation in changeset.operations:
        if isinstance(operation, Copy):
            parts.append(f"copy {operation.oid} {operation.path}\n")
            continue
        new = operation.data if isinstance(operation, Write) else None
        parts.append(_file(operation.path, before.get(operation.path), new))
    return "".join(parts)


def _file(path: str, before: bytes | None, after: bytes | None) -> str:
    head = f"diff --git a/{path} b/{path}\n"
    if before is None:
        head += "new file mode 100644\n"
    if after is None:
        head += "deleted file mode 100644\n"
    old = "/dev/null" if before is None else f"a/{path}"
    new = "/dev/null" if after is None else f"b/{path}"
    lines = difflib.unified_diff(_lines(before), _lines(after), old, new)
    return head + "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(data: bytes | None) -> list[str]:
    # Split at line feeds alone: a carriage return or a Unicode separator is part of its line, as for git.
    text = (data or b"").decode("utf-8", "replace")
    return [line + "\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])
