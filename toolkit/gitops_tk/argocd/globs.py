"""The two pattern languages of the git files generator.

Sources: Argo CD, "Git File Generator Globbing"; gitglossary(7), "pathspec", which `git ls-files` reads patterns by:
`*` crosses `/`, and a pattern without wildcards means what is below it, too; doublestar's documentation.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal, get_args

Globbing = Literal["greedy", "doublestar"]
MODES: tuple[Globbing, ...] = get_args(Globbing)
_PARTS = re.compile(r"\*+|\?|\[[!^]?\]?[^\]]*\]|\\.|.", re.DOTALL)


def fixed_folder(pattern: str) -> str:
    """The folder that everything which a pattern takes is in; empty for the root."""
    fixed = re.split(r"[*?\[{\\]", pattern, maxsplit=1)[0]
    return fixed.rpartition("/")[0]


@cache
def compiled(pattern: str, globbing: Globbing) -> re.Pattern[str]:
    """A pattern as a regular expression for whole paths.

    Raises:
        ValueError: it holds something that this has no translation for.
    """
    try:
        return re.compile(_greedy(pattern) if globbing == "greedy" else _doublestar(pattern), re.DOTALL)
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} cannot be read: {error}") from error


def _greedy(pattern: str) -> str:
    if pattern.startswith(":"):
        raise ValueError(f"the pathspec {pattern!r} begins with magic")
    if not re.search(r"[*?\[\\]", pattern):
        return re.escape(pattern) + r"(?:/.*)?"
    return _starred(pattern, any_text=".*", any_one=".")


def _doublestar(pattern: str) -> str:
    if "{" in pattern:
        raise ValueError(f"the pattern {pattern!r} has alternatives")
    # What is between `**`: segments that follow each other.
    chunks: list[list[str]] = [[]]
    for segment in pattern.split("/"):
        if segment == "**":
            chunks.append([])
        else:
            chunks[-1].append(_starred(segment, any_text="[^/]*", any_one="[^/]"))
    if len(chunks) == 1:
        return "/".join(chunks[0])
    first, *between = ("".join(f"{one}/" for one in chunk) for chunk in chunks[:-1])
    last = "/".join(chunks[-1]) if chunks[-1] else ".*"
    return _stretched(first, filter(None, between), "(?:[^/]+/)*") + last


def _starred(text: str, *, any_text: str, any_one: str) -> str:
    chunks = [""]
    for part in _PARTS.findall(text):
        if part.startswith("*"):
            chunks.append("")
        else:
            chunks[-1] += _part(part, any_one)
    first, *rest = chunks
    return _stretched(first, rest[:-1], any_text) + rest[-1] if rest else first


def _stretched(first: str, between: Iterable[str], stretch: str) -> str:
    """What leads up to the last part; only the last stretch is ever tried again.

    What follows the others is found where it comes first: whatever matches from a later place on matches from there,
    too, and to try them all would take longer than anybody waits.
    """
    return first + "".join(f"(?>{stretch}?{one})" for one in between) + stretch


def _part(part: str, any_one: str) -> str:
    if part == "?":
        return any_one
    if len(part) > 1 and part.startswith("["):
        negated = part[1] in "!^"
        inside = re.sub(r"([\[\]\\^&~|])", r"\\\1", part[2 if negated else 1 : -1])
        # A class is one character of the same kind as `?` is.
        return f"(?={any_one})[{'^' if negated else ''}{inside}]"
    return re.escape(part[-1])
