"""Few combinations of switches in which every pair of them occurs in each of its four states."""

from collections.abc import Iterator, Mapping
from functools import cache, reduce
from itertools import combinations, product
from operator import or_

from tests.support.features import Feature, Values, of_profile, together

Switch = tuple[str, bool]
Row = dict[str, bool]
Pair = frozenset[Switch]


class Switches:
    """The features of a profile, with all that follows from one being on or off; sets of them are bits of a number."""

    def __init__(self, features: list[Feature]) -> None:
        self.names = [feature.name for feature in features]
        self.all: list[Switch] = [(name, value) for name in self.names for value in (True, False)]
        self._bits = {switch: 1 << at for at, switch in enumerate(self.all)}
        self._on = reduce(or_, (self._bits[name, True] for name in self.names))
        self._direct: dict[Switch, set[Switch]] = {switch: {switch} for switch in self.all}
        for feature in features:
            for value, others in ((True, feature.needs), (False, feature.against)):
                for other in set(others) & set(self.names):
                    # What has to be so beside a feature; and without it the feature cannot be on.
                    self._direct[feature.name, True].add((other, value))
                    self._direct[other, not value].add((feature.name, False))
        self._follows = {self._bits[switch]: self._closed(switch) for switch in self.all}

    def closed(self, switches: int) -> int | None:
        """Some switches with all that follows; None where they cannot be so together."""
        found = reduce(or_, (self._follows[bit] for bit in _each(switches)), 0)
        return None if (found & self._on) << 1 & found else found

    def bits(self, row: Mapping[str, bool]) -> int:
        """A combination as bits."""
        return reduce(or_, (self._bits[switch] for switch in row.items()), 0)

    def row(self, switches: int) -> Row:
        """A combination as features and whether they are on."""
        return {name: value for name, value in self.all if self._bits[name, value] & switches}

    def _closed(self, switch: Switch) -> int:
        found, waiting = {switch}, [switch]
        while waiting:
            new = self._direct[waiting.pop()] - found
            found |= new
            waiting += new
        return reduce(or_, (self._bits[one] for one in found))


@cache
def switches(profile: str) -> Switches:
    """The switches of a profile."""
    return Switches(of_profile(profile))


def all_pairs(profile: str) -> list[Row]:
    """Combinations of a profile's features that hold every possible pair; the same ones each time."""
    known = switches(profile)
    missing: dict[int, int] = {known.bits({name: value}): 0 for name, value in known.all}
    for one, other in sorted(tuple(sorted(pair)) for pair in possible_pairs(profile)):
        first, second = known.bits(dict([one])), known.bits(dict([other]))
        missing[first] |= second
        missing[second] |= first
    rows = []
    while wanted := next((first | second & -second for first, second in missing.items() if second), 0):
        row = known.closed(wanted)
        assert row is not None
        for name in known.names:
            options = [known.closed(row | known.bits({name: value})) for value in (True, False)]
            row = max((one for one in options if one is not None), key=lambda one: _gain(row ^ one, one, missing))
        for switch in _each(row):
            missing[switch] &= ~row
        rows.append(known.row(row))
    return rows


def possible_pairs(profile: str) -> set[Pair]:
    """Every pair of a profile's switches in each state that the features' needs allow."""
    known = switches(profile)
    return {
        frozenset({(one, first), (other, second)})
        for one, other in combinations(known.names, 2)
        for first, second in product((True, False), repeat=2)
        if known.closed(known.bits({one: first, other: second})) is not None
    }


def pairs_of(row: Row) -> Iterator[Pair]:
    """The pairs of a combination."""
    return (frozenset(pair) for pair in combinations(row.items(), 2))


def alone(feature: Feature, profile: str) -> Row:
    """A feature on, with all that follows from that."""
    known = switches(profile)
    found = known.closed(known.bits({feature.name: True}))
    assert found is not None
    return known.row(found)


def everything(profile: str) -> Row:
    """As many features of a profile on as can be together."""
    known = switches(profile)
    found = 0
    for name in known.names:
        found = known.closed(found | known.bits({name: True})) or found
    return known.row(found)


def values(row: Row, profile: str) -> Values:
    """The values that switch the features of a profile so; what the row does not name keeps the chart's default."""
    features = of_profile(profile)
    off = (feature.off for feature in features if not row.get(feature.name, True))
    on = (feature.on for feature in features if row.get(feature.name))
    return together(*off, *on)


def _gain(new: int, row: int, missing: Mapping[int, int]) -> int:
    """How many missing pairs some new switches bring into a row."""
    return sum((missing[switch] & row).bit_count() for switch in _each(new))


def _each(switches: int) -> Iterator[int]:
    while switches:
        yield switches & -switches
        switches &= switches - 1
