"""Few combinations of switches in which every pair of them occurs in each of its four states."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

from tests.support.features import Feature, Values, of_profile, together

Row = dict[str, bool]
Pair = frozenset[tuple[str, bool]]


def all_pairs(features: Sequence[Feature]) -> list[Row]:
    """Combinations that hold every possible pair; the same ones each time."""
    missing = possible_pairs(features)
    rows = []
    while missing:
        row = closed(dict(min(missing, key=sorted)), features)
        assert row is not None
        for feature in features:
            if feature.name not in row:
                options = [one for value in (True, False) if (one := closed({**row, feature.name: value}, features))]
                row = max(options, key=lambda one: len(missing & set(pairs_of(one))))
        missing -= set(pairs_of(row))
        rows.append(row)
    return rows


def possible_pairs(features: Sequence[Feature]) -> set[Pair]:
    """Every pair of switches in each state that the features' needs allow."""
    found = set()
    for one, other in combinations([feature.name for feature in features], 2):
        for first, second in product((True, False), repeat=2):
            if closed({one: first, other: second}, features) is not None:
                found.add(frozenset({(one, first), (other, second)}))
    return found


def pairs_of(row: Row) -> Iterator[Pair]:
    """The pairs of a combination."""
    return (frozenset(pair) for pair in combinations(row.items(), 2))


def closed(row: Row, features: Iterable[Feature]) -> Row | None:
    """A combination with all that follows from it; None where it cannot be."""
    names = {feature.name for feature in features}
    result = dict(row)
    while True:
        follows: Row = {}
        for feature in features:
            if result.get(feature.name):
                follows |= {name: True for name in feature.needs if name in names}
                follows |= {name: False for name in feature.against if name in names}
            elif any(result.get(name) is False for name in feature.needs) or any(
                result.get(name) for name in feature.against
            ):
                follows[feature.name] = False
        if any(result.get(name, value) != value for name, value in follows.items()):
            return None
        if follows.items() <= result.items():
            return result
        result |= follows


def everything(profile: str) -> Row:
    """As many features of a profile on as can be together."""
    features = of_profile(profile)
    row: Row = {}
    for feature in features:
        row = closed({**row, feature.name: True}, features) or row
    return row


def values(row: Row, profile: str) -> Values:
    """The values that switch the features of a profile so; what the row does not name keeps the chart's default."""
    features = of_profile(profile)
    off = (feature.off for feature in features if not row.get(feature.name, True))
    on = (feature.on for feature in features if row.get(feature.name))
    return together(*off, *on)
