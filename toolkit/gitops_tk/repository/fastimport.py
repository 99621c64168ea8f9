"""Commits as one `git fast-import` stream (git-fast-import(1)): no index, no work tree, one process."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gitops_tk.model.changes import ChangeSet, Copy, Plan, Write

REF = "refs/gitops-tk/new"


class Identity(Struct, frozen=True):
    """Author and committer with their times, as git writes them: `Name <email> seconds zone`."""

    author: str
    committer: str


def stream(
    plans: Sequence[Plan], modes: Mapping[str, int], identity: Identity, parent: str | None, *, chained: bool
) -> bytes:
    """The stream that makes a commit of each plan and prints their ids, one a line.

    Args:
        modes: the modes of the files that exist, so that an executable stays one.
        parent: the commit they are made on; None for a first one.
        chained: each is made on the one before; else all on the parent.
    """
    parts = [b"feature done\n"]
    for mark, plan in enumerate(plans, start=1):
        onto = f":{mark - 1}" if chained and mark > 1 else parent
        parts += [
            f"commit {REF}\nmark :{mark}\nauthor {identity.author}\ncommitter {identity.committer}\n".encode(),
            _data(plan.message.encode()),
            f"from {onto}\n".encode() if onto else b"",
            *_operations(plan.changeset, modes),
            b"\n",
        ]
    parts += [f"get-mark :{mark}\n".encode() for mark in range(1, len(plans) + 1)]
    return b"".join([*parts, b"done\n"])


def _operations(changeset: ChangeSet, modes: Mapping[str, int]) -> list[bytes]:
    parts = []
    for operation in changeset.operations:
        path = _quoted(operation.path)
        if isinstance(operation, Write):
            mode = operation.mode_over(modes.get(operation.path))
            parts += [_line(f"M {mode:o} inline {path}"), _data(operation.data)]
        elif isinstance(operation, Copy):
            parts.append(_line(f"M {operation.mode:06o} {operation.oid} {path}"))
        else:
            parts.append(_line(f"D {path}"))
    return parts


def _line(text: str) -> bytes:
    # To git a name is bytes, and some are no text.
    return f"{text}\n".encode("utf-8", "surrogateescape")


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
