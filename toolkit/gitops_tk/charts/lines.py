"""Where in a template a key of a rendered object is written, as far as the text alone tells it for certain."""

import re
from collections import Counter
from itertools import pairwise

from gitops_tk.charts.rules.objects import Path

_KEY = re.compile(r"""(?P<quote>["']?)(?P<key>[\w./-]+)(?P=quote):(?:\s|$)""")
_ITEM = "[]"


def line_of(template: str, kind: str, path: Path) -> int | None:
    """The 1-based line of a path, or of the nearest thing above it that is written out; None if nothing is.

    What stands there twice (in the branches of an `if`, in two items of a list, in two objects) is passed over.

    Args:
        template: the text of the template.
        kind: the object's kind, which one document of the text has to be.
        path: the path in the object.
    """
    documents = _documents(template.splitlines(), kind)
    if len(documents) != 1:
        return None
    (written,) = documents
    counts = Counter(place for _, place in written)
    wanted = tuple(_ITEM if isinstance(step, int) else step for step in path)
    for length in range(len(wanted), 0, -1):
        above = [wanted[:at] for at in range(1, length + 1)]
        if counts[above[-1]] == 1 and all(counts[one] == 1 for one in above if one[-1] == _ITEM):
            return next(line for line, place in written if place == above[-1])
    return None


def _documents(lines: list[str], kind: str) -> list[list[tuple[int, tuple[str, ...]]]]:
    """The places of each document that is of a kind, with their lines."""
    cuts = [-1, *(at for at, line in enumerate(lines) if line.startswith("---")), len(lines)]
    parts = [range(before + 1, after) for before, after in pairwise(cuts)]
    return [_places(lines, part) for part in parts if any(lines[at].rstrip() == f"kind: {kind}" for at in part)]


def _places(lines: list[str], part: range) -> list[tuple[int, tuple[str, ...]]]:
    found: list[tuple[int, tuple[str, ...]]] = []
    stack: list[tuple[int, str]] = []
    for at in part:
        text = lines[at].lstrip(" ")
        depth = len(lines[at]) - len(text)
        if not text or text.startswith(("{{", "#")):
            continue
        while text.startswith("- "):
            # An item is deeper than its key, also where both begin in one column.
            stack = [one for one in stack if one[0] < depth or (one[0] == depth and one[1] != _ITEM)]
            stack.append((depth, _ITEM))
            found.append((at + 1, tuple(name for _, name in stack)))
            rest = text[2:].lstrip(" ")
            depth += len(text) - len(rest)
            text = rest
        match = _KEY.match(text)
        if match:
            stack = [*(one for one in stack if one[0] < depth), (depth, match["key"])]
            found.append((at + 1, tuple(name for _, name in stack)))
    return found
