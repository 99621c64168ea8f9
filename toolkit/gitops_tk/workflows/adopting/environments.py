"""Environments by their names: which word in a path is one, and in which order images go through them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from msgspec import Struct

from gitops_tk.model.names import DNS_LABEL

# What people call environments, in the order in which images usually go through them.
_STAGES = (
    ("sandbox", "sbx", "lab", "playground"),
    ("dev", "develop", "development"),
    ("ci", "int", "integration"),
    ("test", "tst", "testing"),
    ("qa",),
    ("sit",),
    ("perf", "load"),
    ("uat", "acc", "acceptance"),
    ("demo",),
    ("stage", "staging", "stg"),
    ("preprod", "preproduction", "preprd", "pre-prod", "pre-production", "pre-prd", "nonprod", "non-prod"),
    ("prod", "production", "prd", "live"),
)
_STAGE = {word: rank for rank, words in enumerate(_STAGES) for word in words}
# What stands beside the word: a number, or a part of the world.
_BESIDE = re.compile(
    r"\d{1,3}|[a-z]|eu|us|uk|de|fr|nl|in|jp|br|ca|au|sg|cn|ap|apac|emea|amer|na|sa|me|af|asia|europe|america"
    r"|east|west|north|south|central|northeast|southeast|northwest|southwest|region\d{0,2}|[a-z]{2}\d{1,2}|blue|green"
    r"|primary|secondary|dr"
)
_PART = re.compile(r"[-_.]")
_NUMBERED = re.compile(r"([a-z-]+?)(\d{0,3})")


class Stage(Struct, frozen=True):
    """An environment's name taken apart.

    Attributes:
        rank: where in the order of promotions its word stands.
        beside: what stands beside the word: a region, a number.
    """

    rank: int
    beside: tuple[str, ...] = ()


class Environment(Struct, frozen=True, kw_only=True):
    """An environment that was found.

    Attributes:
        path: what `{env}` is in paths.
        from_: the names of the environments that promotions come from; None for the one before.
        last: whether no environment comes after it.
    """

    name: str
    path: str
    from_: tuple[str, ...] | None = None
    last: bool = False


@lru_cache(maxsize=65536)
def stage(word: str) -> Stage | None:
    """What an environment's name says; None for a word that is none's."""
    text = word.lower()
    if text in _STAGE:
        return Stage(_STAGE[text])
    parts = _PART.split(text)
    for size in (2, 1):
        for start in range(len(parts) - size + 1):
            match = _NUMBERED.fullmatch("-".join(parts[start : start + size]))
            if match is None or match[1] not in _STAGE:
                continue
            rest = (*parts[:start], *parts[start + size :], *([match[2]] if match[2] else []))
            if all(map(_BESIDE.fullmatch, rest)):
                return Stage(_STAGE[match[1]], rest)
    return None


def is_region(word: str) -> bool:
    """Whether a word beside that of an environment belongs to its name."""
    return all(map(_BESIDE.fullmatch, _PART.split(word.lower())))


def by_name(paths: Iterable[str]) -> list[Environment]:
    """Environments in the order of promotions, by the words in their paths, each one that `stage` knows."""
    known = {path: found for path in paths if (found := stage(path)) is not None}
    order = sorted(known, key=lambda path: (known[path].rank, known[path].beside, path))
    return _tree({path: known[path] for path in order})


def given(listed: Sequence[str]) -> list[Environment]:
    """Environments as a person lists them, in promotion order: `NAME`, or `NAME=PATH`."""
    named = {}
    for one in listed:
        name, _, path = one.rpartition("=")
        named[path] = name or name_of(path)
    return _tree({path: stage(path) for path in named}, named)


def name_of(path: str) -> str:
    """A name for what `{env}` is in paths: itself, if it is a DNS label."""
    return path if re.fullmatch(DNS_LABEL, path) else re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def _tree(listed: Mapping[str, Stage | None], named: Mapping[str, str] | None = None) -> list[Environment]:
    """Environments in their order: those of one stage beside each other, all from the stage before."""
    names = named or {path: name_of(path) for path in listed}
    # A word that nobody knows is a stage of its own.
    stages = [list(one) for _, one in groupby(listed, key=lambda path: getattr(listed[path], "rank", path))]
    found: list[Environment] = []
    before: list[str] = []
    for paths in stages:
        for path in paths:
            sources = tuple(names[one] for one in _sources(path, before, listed))
            usual = (found[-1].name,) if found else ()
            found.append(
                Environment(
                    name=names[path],
                    path=path,
                    from_=None if sources == usual else sources,
                    last=paths is stages[-1],
                )
            )
        before = paths
    return found


def _sources(path: str, before: Sequence[str], listed: Mapping[str, Stage | None]) -> Sequence[str]:
    """Which environments of the stage before: those of the same region, else those of none, else all."""
    for beside in (getattr(listed[path], "beside", ()), ()):
        same = [one for one in before if getattr(listed[one], "beside", ()) == beside]
        if same:
            return same
    return before
