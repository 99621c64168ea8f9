"""A chart brought to another skeleton: what was generated, what the team made of it, and what would be generated now.

Each file by itself. What nobody edited is replaced, what both changed is merged line by line, and what the team took
away stays away.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gitops_tk.model.merging import Merge, Merged

Files = Mapping[str, bytes]


class Step(Struct, frozen=True, kw_only=True):
    """What becomes of a file.

    Attributes:
        path: inside the chart.
        what: `added`, `replaced` and `removed` follow the skeleton; `merged` holds both sides' lines; `left-out` is a
            file of the skeleton that the team removed, and `kept` one that the skeleton dropped and the team edited.
        data: what is written, of a file that is added or replaced.
        merged: what is written, of one that is merged.
    """

    path: str
    what: Literal["added", "replaced", "merged", "removed", "left-out", "kept"]
    data: bytes = b""
    merged: Merged = Merged(())


def steps(base: Files, ours: Files, theirs: Files, merge: Merge) -> list[Step]:
    """What becomes of a chart's files; those that stay as they are, and are no news, are left out.

    Args:
        base: what the chart was made from.
        ours: what it is.
        theirs: what would be made now.
        merge: merges lines.
    """
    paths = sorted(base.keys() | theirs.keys())
    found = (_step(path, base.get(path), ours.get(path), theirs.get(path), merge) for path in paths)
    return [step for step in found if step]


def common(files: Files, chart: Files) -> int:
    """How many of these files a chart has just so."""
    return sum(path in chart and _same(chart[path], data) for path, data in files.items())


def _step(path: str, base: bytes | None, ours: bytes | None, theirs: bytes | None, merge: Merge) -> Step | None:
    if theirs is None:
        return _dropped(path, base, ours)
    if ours is None:
        if base is None:
            return Step(path=path, what="added", data=theirs)
        return Step(path=path, what="left-out")
    if _same(ours, theirs) or (base is not None and base == theirs):
        return None
    new = _as_in(ours, theirs)
    if base is not None and _same(ours, base):
        return Step(path=path, what="replaced", data=new)
    return Step(path=path, what="merged", merged=merge(ours, _as_in(ours, base or b""), new))


def _dropped(path: str, base: bytes | None, ours: bytes | None) -> Step | None:
    if ours is None or base is None:
        return None
    return Step(path=path, what="removed" if _same(ours, base) else "kept")


def _same(ours: bytes, generated: bytes) -> bool:
    return ours == generated or ours == _as_in(ours, generated)


def _as_in(ours: bytes, generated: bytes) -> bytes:
    """What was generated, with the line endings of our file: those that an editor or git changed are no edit."""
    endings = ours.count(b"\n")
    if not endings or ours.count(b"\r\n") < endings or b"\r" in generated:
        return generated
    return generated.replace(b"\n", b"\r\n")
