"""Lines of a values file that change and hold nothing that does: what a reviewer would read for nothing."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import takewhile

from yaml.nodes import Node

from gitops_tk.values.compare import differences
from gitops_tk.values.document import Document
from gitops_tk.values.keys import KeyPath, parse_key

# A line with its number.
_Line = tuple[int, bytes]
# More pairs of lines than this are not told apart: that takes more than their square, and one refuses already.
_MOST = 40_000


def stray_lines(before: bytes, after: bytes, file: str) -> tuple[int, ...]:
    """The 1-based lines of the new text, or of the old one where they are gone, that need not have changed.

    Raises:
        EditRefused: one of the two cannot be read.
    """
    old, new = Document.parse(before, file), Document.parse(after, file)
    changed = [parse_key(one.key) for one in differences(old.data, new.data)]
    ours, theirs = _lines(before), _lines(after)
    mine = _accounted(old, changed, other=new, lines=ours)
    yours = _accounted(new, changed, other=old, lines=theirs)
    gone, come = _unmatched(
        [(at, line) for at, line in enumerate(ours, 1) if at not in mine],
        [(at, line) for at, line in enumerate(theirs, 1) if at not in yours],
    )
    # A line that is gone is told where it would be.
    return tuple(sorted({*come, *(min(at, len(theirs)) for at in gone)}))


def only_white(before: bytes, after: bytes) -> bool:
    """Whether two texts differ in nothing but white space."""
    return before != after and before.split() == after.split()


def _unmatched(ours: list[_Line], theirs: list[_Line]) -> tuple[list[int], list[int]]:
    """Where the lines of ours that go would be among theirs, and which of theirs come."""
    begun = _alike(ours, theirs)
    ended = _alike(ours[begun:][::-1], theirs[begun:][::-1])
    places = [at for at, _ in theirs[begun:]] + [theirs[-1][0] + 1 if theirs else 1]
    ours, theirs = ours[begun : len(ours) - ended], theirs[begun : len(theirs) - ended]
    if len(ours) * len(theirs) > _MOST:
        return places[:1], [at for at, _ in theirs]
    gone: list[int] = []
    come: list[int] = []
    sides = [line for _, line in ours], [line for _, line in theirs]
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, *sides, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += [places[j1]] * (i2 - i1)
            come += [at for at, _ in theirs[j1:j2]]
    return gone, come


def _alike(ours: Iterable[_Line], theirs: Iterable[_Line]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0][1] == pair[1][1], pairs))


def _lines(data: bytes) -> list[bytes]:
    # With the carriage return, if there is one: line ends that change are a change.
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _accounted(document: Document, paths: Iterable[KeyPath], other: Document, lines: list[bytes]) -> set[int]:
    """The lines that hold changed values, and keys above them that the other text does not have."""
    found: set[int] = set()
    for path in paths:
        for length in range(1, len(path) + 1):
            nodes = _nodes(document, path[:length])
            if nodes is None:
                break
            key, value = nodes
            first = (key or value).start_mark.line + 1
            if length == len(path):
                found |= set(range(first, _last(value, first, lines) + 1))
            elif other.find(path[:length]) is None:
                found.add(first)
    return found


def _nodes(document: Document, path: KeyPath) -> tuple[Node | None, Node] | None:
    found: tuple[Node | None, Node] | None = None
    node = document.root
    for step in path:
        found = document.child(node, step) if node is not None else None
        if found is None:
            return None
        node = found[1]
    return found


def _last(value: Node, first: int, lines: list[bytes]) -> int:
    # A block's end is where the next key begins: blank lines and comments before that are not its own.
    end = value.end_mark.line + (1 if value.end_mark.column else 0)
    while end > first and _is_empty(lines[end - 1 : end]):
        end -= 1
    return max(end, first)


def _is_empty(line: Iterable[bytes]) -> bool:
    return all(not text.strip() or text.lstrip().startswith(b"#") for text in line)
