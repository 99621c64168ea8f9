"""Patterns of keys, as `promotion.keys` and `protected` have them.

A pattern is a dotted key in which `*`, `?` and `[...]` stand for what they stand for in file names, within one segment;
a pattern that ends in `*` takes everything below as well. `!pattern` takes keys out again: the last one that matches
decides. A segment that holds a dot is quoted.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from itertools import product

Segments = tuple[str, ...]

_SEGMENT = re.compile(r'"([^"]*)"(?:\.|$)|([^."]*)(?:\.|$)')
# What no key of a repository holds: it matches a wildcard and nothing that was written out.
_FILLER = "\ue000"
_WILD = frozenset("*?[")


def takes(patterns: Sequence[str], key: Segments) -> bool:
    """Whether the patterns take a key."""
    taken = False
    for pattern in patterns:
        if matches(segments(pattern.removeprefix("!")), key):
            taken = not pattern.startswith("!")
    return taken


def matches(pattern: Segments, key: Segments) -> bool:
    """Whether one pattern, by its segments, matches a key."""
    if len(key) < len(pattern) or (len(key) > len(pattern) and not pattern[-1].endswith("*")):
        return False
    return all(fnmatchcase(name, wanted) for name, wanted in zip(key, pattern, strict=False))


# A repository has a handful of patterns, and asks for them with every key.
@lru_cache(maxsize=1024)
def segments(pattern: str) -> Segments:
    """A pattern's segments.

    Raises:
        ValueError: a segment is empty, or its quotes are not closed.
    """
    found: list[str] = []
    at = 0
    while at < len(pattern) or not found or pattern[at - 1] == ".":
        match = _SEGMENT.match(pattern, at)
        text = (match[1] or match[2]) if match else ""
        if not match or not text:
            raise ValueError(f"{pattern!r} goes wrong at character {at + 1}")
        found.append(text)
        at = match.end()
    return tuple(found)


def with_below(patterns: Sequence[str]) -> list[str]:
    """The patterns, each with all that is below what it takes."""
    return [one for pattern in patterns for one in (pattern, f"{pattern}.*")]


def common_key(one: Sequence[str], other: Sequence[str]) -> Segments | None:
    """A key that both lists of patterns take, or None where there is none."""
    ours, theirs = ([segments(each) for each in patterns if not each.startswith("!")] for patterns in (one, other))
    for first, second in product(ours, theirs):
        for key in _meeting(first, second):
            if takes(one, key) and takes(other, key):
                return key
    return None


def meet(one: str, other: str) -> bool:
    """Whether there is a key that two patterns match."""
    return any(True for _ in _meeting(segments(one), segments(other)))


def shown(key: Segments) -> str:
    """A key that `common_key` found, for people."""
    return ".".join(key).replace(_FILLER, "…")


def _meeting(one: Segments, other: Segments) -> Iterator[Segments]:
    # The shorter one goes on, where it ends in a star; once as it is, and once with something below.
    if len(one) > len(other):
        one, other = other, one
    if len(one) < len(other) and not one[-1].endswith("*"):
        return
    padded = one + ("*",) * (len(other) - len(one))
    key: Segments = ()
    for ours, theirs in zip(padded, other, strict=True):
        met = _segment(ours, theirs)
        if met is None:
            return
        key += (met,)
    yield key
    if one[-1].endswith("*") and other[-1].endswith("*"):
        yield (*key, _FILLER)


@lru_cache(maxsize=1024)
def _segment(one: str, other: str) -> str | None:
    """The shortest text that two segments match, with fillers where anything may stand."""
    if not _WILD.intersection(one + other):
        return one if one == other else None
    first, second = _parts(one), _parts(other)
    queue: deque[tuple[int, int, str]] = deque([(0, 0, "")])
    seen = {(0, 0)}
    while queue:
        at, to, text = queue.popleft()
        if at == len(first) and to == len(second):
            # A star alone stands for something, for a key is not empty.
            return text or _FILLER
        for step in _steps(first, at, second, to):
            if step[:2] not in seen:
                seen.add(step[:2])
                queue.append((step[0], step[1], text + step[2]))
    return None


def _steps(first: list[str], at: int, second: list[str], to: int) -> Iterator[tuple[int, int, str]]:
    ours = first[at] if at < len(first) else ""
    theirs = second[to] if to < len(second) else ""
    # A star comes to its end, or takes what the other side has.
    if ours == "*" and theirs == "*":
        yield at + 1, to + 1, _FILLER
    if ours == "*":
        yield at + 1, to, ""
    if theirs == "*":
        yield at, to + 1, ""
    if ours == "*" and theirs and theirs != "*":
        yield at, to + 1, _sample(theirs)
    elif theirs == "*" and ours and ours != "*":
        yield at + 1, to, _sample(ours)
    elif ours and theirs and ours != "*":
        both = _both(ours, theirs)
        if both is not None:
            yield at + 1, to + 1, both


def _both(one: str, other: str) -> str | None:
    candidates = [_FILLER, *(part for part in (one, other) if len(part) == 1 and part != "?")]
    candidates += [chr(code) for code in range(33, 127)] if len(one) > 1 or len(other) > 1 else []
    return next((text for text in candidates if _is(one, text) and _is(other, text)), None)


def _sample(part: str) -> str:
    return _both(part, "?") or _FILLER


def _is(part: str, text: str) -> bool:
    return part == "?" or (re.match(translate(part), text) is not None if len(part) > 1 else part == text)


def _parts(glob: str) -> list[str]:
    return re.findall(r"\[!?\]?[^\]]*\]|.", glob, re.DOTALL)
