"""The two pattern languages of the git files generator.

Sources: Argo CD, "Git File Generator Globbing"; gitglossary(7), "pathspec", which `git ls-files` reads patterns by:
`*` crosses `/`, and a pattern without wildcards means what is below it, too; doublestar's documentation.
"""

import re
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
    return re.compile(_greedy(pattern) if globbing == "greedy" else _doublestar(pattern), re.DOTALL)


def _greedy(pattern: str) -> str:
    if pattern.startswith(":"):
        raise ValueError(f"the pathspec {pattern!r} begins with magic")
    if not re.search(r"[*?\[\\]", pattern):
        return re.escape(pattern) + r"(?:/.*)?"
    return "".join(_part(part, any_text=".*", any_one=".") for part in _PARTS.findall(pattern))


def _doublestar(pattern: str) -> str:
    if "{" in pattern:
        raise ValueError(f"the pattern {pattern!r} has alternatives")
    source = ""
    segments = pattern.split("/")
    for at, segment in enumerate(segments):
        last = at == len(segments) - 1
        if segment == "**":
            source += ".*" if last else "(?:[^/]+/)*"
        else:
            source += "".join(_part(one, any_text="[^/]*", any_one="[^/]") for one in _PARTS.findall(segment))
            source += "" if last else "/"
    return source


def _part(part: str, *, any_text: str, any_one: str) -> str:
    if part.startswith("*"):
        return any_text
    if part == "?":
        return any_one
    if len(part) > 1 and part.startswith("["):
        negated = part[1] in "!^"
        inside = re.sub(r"([\[\]\\^&~|])", r"\\\1", part[2 if negated else 1 : -1])
        # A class is one character of the same kind as `?` is.
        return f"(?={any_one})[{'^' if negated else ''}{inside}]"
    return re.escape(part[-1])
