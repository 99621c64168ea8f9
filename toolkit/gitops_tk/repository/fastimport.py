"""A commit as one `git fast-import` stream (git-fast-import(1)): no index, no work tree, one process."""

from collections.abc import Mapping

from msgspec import Struct

from gitops_tk.model.changes import ChangeSet, Copy, Write

REF = "refs/gitops-tk/new"


class Identity(Struct, frozen=True):
    """Author and committer with their times, as git writes them: `Name <email> seconds zone`."""

    author: str
    committer: str


def stream(
    changeset: ChangeSet, modes: Mapping[str, int], message: str, identity: Identity, parent: str | None
) -> bytes:
    """The stream that makes the commit and prints its id.

    Args:
        modes: the modes of the files that exist, so that an executable stays one.
        parent: the commit it is made on; None for a first one.
    """
    parts = [
        f"feature done\ncommit {REF}\nmark :1\nauthor {identity.author}\ncommitter {identity.committer}\n".encode(),
        _data(message.encode()),
        f"from {parent}\n".encode() if parent else b"",
    ]
    for operation in changeset.operations:
        path = _quoted(operation.path)
        if isinstance(operation, Write):
            mode = operation.mode_over(modes.get(operation.path))
            parts += [f"M {mode:o} inline {path}\n".encode(), _data(operation.data)]
        elif isinstance(operation, Copy):
            parts.append(f"M {operation.mode:06o} {operation.oid} {path}\n".encode())
        else:
            parts.append(f"D {path}\n".encode())
    parts.append(b"\nget-mark :1\ndone\n")
    return b"".join(parts)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
