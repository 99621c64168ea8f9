"""Which keys travel with a promotion: `promotion.keys` of gitops-tk.yaml."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

Segments = tuple[str, ...]


def travelling(patterns: Sequence[str], keys: Iterable[Segments]) -> list[Segments]:
    """The keys that the patterns take, in the order given.

    A pattern is a dotted key in which `*` stands for anything within one segment; a pattern
    that ends in `*` takes everything below as well. `!pattern` takes keys out again; the last
    pattern that matches a key decides.
    """
    return [key for key in keys if _taken(patterns, key)]


def _taken(patterns: Sequence[str], key: Segments) -> bool:
    taken = False
    for pattern in patterns:
        if _matches(pattern.removeprefix("!").split("."), key):
            taken = not pattern.startswith("!")
    return taken


def _matches(pattern: list[str], key: Segments) -> bool:
    if len(key) < len(pattern) or (len(key) > len(pattern) and pattern[-1] != "*"):
        return False
    return all(fnmatchcase(name, wanted) for name, wanted in zip(key, pattern, strict=False))
