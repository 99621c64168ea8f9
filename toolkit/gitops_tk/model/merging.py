"""A file merged from two sides: the lines on which both agree, and those on which they do not."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

Side = Literal["ours", "theirs"]
_MARKER = 7


class Conflict(Struct, frozen=True):
    """Lines that both sides changed, and not in the same way.

    Attributes:
        ours: what our side has there.
        theirs: what the other one has.
        line: the 1-based line in our file.
    """

    ours: bytes
    theirs: bytes
    line: int


class Merged(Struct, frozen=True):
    """A merged file, in order: what is settled, and conflicts.

    Attributes:
        text: whether it is text, of which conflicts may be marked.
    """

    parts: tuple[bytes | Conflict, ...]
    text: bool = True

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What is not settled."""
        return tuple(part for part in self.parts if isinstance(part, Conflict))

    def resolved(self, side: Side) -> bytes:
        """The file with what one side has in every conflict."""
        return b"".join(part if isinstance(part, bytes) else getattr(part, side) for part in self.parts)

    def marked(self, ours: str, theirs: str) -> bytes:
        """The file with both sides of every conflict, between the markers that git uses.

        Args:
            ours: what our side is called.
            theirs: what the other one is called.
        """
        return b"".join(part if isinstance(part, bytes) else _marked(part, ours, theirs) for part in self.parts)

    def marked_lines(self) -> list[int]:
        """Where in the file with markers each conflict begins."""
        found, line = [], 1
        for part in self.parts:
            if isinstance(part, Conflict):
                found.append(line)
                part = _marked(part, "", "")
            line += part.count(b"\n")
        return found


# Merges our lines and theirs: what ours are, what both come from, and what theirs are.
Merge = Callable[[bytes, bytes, bytes], Merged]


def _marked(conflict: Conflict, ours: str, theirs: str) -> bytes:
    end = b"\r\n" if b"\r\n" in conflict.ours + conflict.theirs else b"\n"

    def whole(text: bytes) -> bytes:
        return text if not text or text.endswith(b"\n") else text + end

    head, middle, tail = (mark.encode() * _MARKER for mark in "<=>")
    return b"".join(
        (
            *(head, b" ", ours.encode(), end, whole(conflict.ours)),
            *(middle, end, whole(conflict.theirs), tail, b" ", theirs.encode(), end),
        )
    )
