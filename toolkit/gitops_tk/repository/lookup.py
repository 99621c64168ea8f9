"""Files looked up below many trees at once; what several trees share is looked up once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from gitops_tk.model.snapshot import EXECUTABLE, FILE, FOLDER
from gitops_tk.repository.objects import TreeEntry

# Gives the entries of trees under some names, tree by tree; trees that are not here are left out.
Find = Callable[[Mapping[str, Collection[str]]], Iterable[tuple[str, Mapping[str, TreeEntry]]]]
# Fetches trees, so many levels deep.
Bring = Callable[[Collection[str], int], None]


class Found(Struct):
    """What is at a path that was asked for, or on the way to one.

    Attributes:
        oid: its id, where it was asked for.
        below: by their names, what leads to more.
    """

    oid: str | None = None
    below: "dict[str, Found]" = field(default_factory=dict)


# What is below a root. States that have the same folder have the same object, so that they are soon compared.
State = Mapping[str, Found]


class NotHandedOut(Exception):
    """What was asked for by its id is not to be had."""


class _Wanted(Struct):
    """What is asked for at a path and below it, and what was found there, by its id."""

    asked: bool = False
    below: "dict[str, _Wanted]" = field(default_factory=dict)
    known: dict[str, Found] = field(default_factory=dict)


_Open = list[tuple[_Wanted, Found]]


def lookup(
    roots: Iterable[str],
    paths: Iterable[str],
    find: Find,
    bring: Bring,
    modes: Collection[int] = (FILE, EXECUTABLE),
) -> dict[str, State]:
    """The files, or what has other modes, at some paths below some roots.

    Raises:
        NotHandedOut: a tree is not here, and cannot be fetched by itself.
    """
    wanted = _tree_of(paths)
    tops = {root: Found() for root in roots}
    level: dict[str, _Open] = {root: [(wanted, found)] for root, found in tops.items()}
    levels: list[Mapping[str, _Open]] = []
    while level:
        levels.append(level)
        # The first level of folders comes with the roots; below, only what the paths go through.
        depth = 2 if len(levels) == 1 else 1
        level = _next_level(level, modes, find, bring, depth)
    for done in reversed(levels):
        for _, found in (one for opened in done.values() for one in opened):
            for name in [name for name, below in found.below.items() if below.oid is None and not below.below]:
                del found.below[name]
    return {root: found.below for root, found in tops.items()}


def differences(newer: State, older: State, folder: str = "") -> Iterator[tuple[str, str | None]]:
    """The paths at which two states differ, with what is there in the newer one; None where nothing is."""
    for name in newer.keys() | older.keys():
        ours, theirs = newer.get(name, _NOTHING), older.get(name, _NOTHING)
        if ours is theirs:
            continue
        if ours.oid != theirs.oid:
            yield folder + name, ours.oid
        yield from differences(ours.below, theirs.below, f"{folder}{name}/")


def flat(state: State) -> dict[str, str]:
    """The ids of a state by their paths."""
    return {path: oid for path, oid in differences(state, {}) if oid is not None}


_NOTHING = Found()


def _tree_of(paths: Iterable[str]) -> _Wanted:
    top = _Wanted()
    for path in paths:
        one = top
        for segment in path.split("/"):
            one = one.below.setdefault(segment, _Wanted())
        one.asked = True
    return top


def _next_level(
    level: Mapping[str, _Open], modes: Collection[int], find: Find, bring: Bring, depth: int
) -> dict[str, _Open]:
    """Notes what the trees of a level have; returns those below, by their ids, with what is asked for in each."""
    following: dict[str, _Open] = {}
    names = {oid: _names(opened) for oid, opened in level.items()}
    for attempt in (1, 2):
        for oid, entries in find(names):
            del names[oid]
            for wanted, found in level[oid]:
                _note(wanted, found, entries, modes, following)
        if not names:
            return following
        if attempt == 1:
            bring(names.keys(), depth)
    raise NotHandedOut


def _names(opened: _Open) -> Collection[str]:
    return opened[0][0].below if len(opened) == 1 else {name for wanted, _ in opened for name in wanted.below}


def _note(
    wanted: _Wanted,
    found: Found,
    entries: Mapping[str, TreeEntry],
    modes: Collection[int],
    following: dict[str, _Open],
) -> None:
    for name in entries.keys() & wanted.below.keys():
        entry, below = entries[name], wanted.below[name]
        asked = below.asked and entry.mode in modes
        leads_on = bool(below.below) and entry.mode == FOLDER
        if not asked and not leads_on:
            continue
        known = below.known.get(entry.oid)
        if known is None:
            known = below.known[entry.oid] = Found(entry.oid if asked else None)
            if leads_on:
                following.setdefault(entry.oid, []).append((below, known))
        found.below[name] = known
