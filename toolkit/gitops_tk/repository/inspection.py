"""When some files changed, found without the trees of most commits.

A remote's commits are small and its trees are not: a folder of thousands of services is listed anew by every commit.
So the files are looked up only where they may have changed: at the commits whose messages do not rule it out, and
next to them. Between two such commits they have to be the same; where they are not, a message was wrong, and the
change is searched for between them (docs/decisions/0008-history.md).
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import TypeVar

# Into so many parts the commits between two different states are cut: 2, 4, 8 and 16 were tried.
_PARTS = 8

State = TypeVar("State")


def changes(
    count: int, suspects: Iterable[int], lookup: Callable[[Iterable[int]], Mapping[int, State]]
) -> dict[int, State]:
    """The positions at which files changed, and what they were from there on.

    Args:
        count: how many commits there are; position 0 is the newest.
        suspects: the positions of the commits that may have changed the files.
        lookup: what the files were after the commits at some positions, all asked for at once.

    Returns:
        The states by position, newest first; the oldest commit is among them if it had any of the files.
    """
    if not count:
        return {}
    points = {0, count - 1}
    for at in suspects:
        points |= {at, min(at + 1, count - 1)}
    states: dict[int, State] = {}
    while points:
        states |= lookup(points)
        points = _between(states)
    order = sorted(states)
    found = {at: states[at] for at, older in pairwise(order) if states[at] != states[older]}
    if states[count - 1]:
        found[count - 1] = states[count - 1]
    return found


def spread(count: int) -> list[int]:
    """Positions to look at where messages say nothing: close to each other at the newest, ever further apart."""
    found, step = [], 1
    while step < count:
        found.append(step)
        step *= 2
    return found


def _between(states: Mapping[int, State]) -> set[int]:
    # Several places a round: one more tree is cheaper than one more request.
    found: set[int] = set()
    for newer, older in pairwise(sorted(states)):
        if states[newer] != states[older]:
            found |= {newer + (older - newer) * part // _PARTS for part in range(1, _PARTS)}
    return found - states.keys()
