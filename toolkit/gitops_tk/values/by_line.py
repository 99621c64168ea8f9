"""Values read line by line, without a parser: most files are made of plain lines, and there may be ten thousand.

What is read here means the same to the parser; every other text is left to it. The tests hold one against the other.
"""

from functools import lru_cache
from typing import Any

from gitops_tk.helm_yaml import resolve_plain

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_IN_KEYS = _LETTERS | frozenset("-./")
# What begins otherwise may be more than a scalar.
_BEGINNINGS = _LETTERS | frozenset("./~+$(")
_EMPTY = {"{}": dict, "[]": list}
# Within these a text never asks for more than the parser's limits allow.
_LONGEST_LINE = 1_000
_LONGEST = 300_000
_DEEPEST = 50

# Where a line begins, where what follows its dash does (0 without one), its key (None without one) and its value: the
# type of a new map or list for an empty one, `_BELOW` for one that is on the lines that follow.
_Line = tuple[int, int, str | None, Any]
_BELOW = object()
_UNUSUAL: _Line = (0, 0, None, None)


def read(text: str) -> dict[str, Any] | None:
    """The values of a text as plain data; None for a text that is not of plain lines alone, or is no map of values."""
    if len(text) > _LONGEST:
        return None
    root: dict[str, Any] = {}
    # The map or list that the last line stands in, its column, and those around it.
    holder: Any = root
    column = 0
    around: list[tuple[int, Any]] = []
    waiting: str | None = None
    for one in text.replace("\r\n", "\n").split("\n"):
        line = _line(one)
        if line is None:
            continue
        if line is _UNUSUAL:
            return None
        at, inner, key, value = line
        # What follows a key alone is its value where it stands deeper; a list may stand in the key's own column.
        if waiting is not None and (at > column or (inner and at == column)):
            below: Any = [] if inner else {}
            holder[waiting] = below
            around.append((column, holder))
            column, holder = at, below
        waiting = None
        while at < column or (at == column and not inner and type(holder) is list):
            column, holder = around.pop()
        if at != column or len(around) > _DEEPEST:
            return None
        if type(value) is type:
            value = value()
        if inner:
            if type(holder) is dict:
                return None
            if key is None:
                holder.append(value)
                continue
            element: dict[str, Any] = {}
            holder.append(element)
            around.append((column, holder))
            column, holder = inner, element
        if key in holder:
            return None
        if value is _BELOW:
            waiting, value = key, None
        holder[key] = value
    return root


# Files of one kind repeat most of their lines.
@lru_cache(maxsize=4096)
def _line(text: str) -> _Line | None:
    """A line read by itself; None for one that says nothing, `_UNUSUAL` for one that only the parser can tell."""
    if len(text) > _LONGEST_LINE or not text.isprintable():
        return _UNUSUAL
    body = text.lstrip(" ")
    if not body or body[0] == "#":
        return None
    column, inner = len(text) - len(body), 0
    if body[:2] == "- ":
        body = body[2:].lstrip(" ")
        inner = len(text) - len(body)
    key, colon, rest = body.partition(":")
    if not colon or (rest and rest[0] != " "):
        value = _value(body) if inner else _UNUSUAL
        return value if value is _UNUSUAL else (column, inner, None, value)
    if key[:1] not in _LETTERS or not _IN_KEYS.issuperset(key) or not isinstance(resolve_plain(key), str):
        return _UNUSUAL
    rest = rest.lstrip(" ")
    value = _value(rest) if rest and rest[0] != "#" else _BELOW
    return value if value is _UNUSUAL else (column, inner, key, value)


def _value(text: str) -> Any:
    """The value that a line ends with, a comment aside."""
    quote = text[:1]
    if quote in ("'", '"'):
        value, end, rest = text[1:].partition(quote)
        is_all = end and (not rest.strip(" ") or (rest[0] == " " and rest.lstrip(" ")[0] == "#"))
        return value if is_all and "\\" not in value else _UNUSUAL
    value = text.partition(" #")[0].rstrip(" ")
    if value in _EMPTY:
        return _EMPTY[value]
    begins = value[1:2] if value[:1] == "-" else value[:1]
    return resolve_plain(value) if begins in _BEGINNINGS and ": " not in value and value[-1] != ":" else _UNUSUAL
