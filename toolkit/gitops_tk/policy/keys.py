"""Which keys travel with a promotion, and which nobody changes: `promotion.keys` and `protected` of gitops-tk.yaml."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_tk.config.patterns import Segments, takes, with_below


def travelling(patterns: Sequence[str], keys: Iterable[Segments]) -> list[Segments]:
    """The keys that the patterns take, in the order given; see `gitops_tk.config.patterns`."""
    return [key for key in keys if takes(patterns, key)]


def changed(patterns: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Segments]:
    """The protected keys, and those below them, that two values do not have alike."""
    if not patterns:
        return []
    ours, theirs = dict(leaves(before)), dict(leaves(after))
    below = with_below(patterns)
    return [
        key
        for key in dict.fromkeys((*ours, *theirs))
        if (key not in ours or key not in theirs or not _same(ours[key], theirs[key])) and takes(below, key)
    ]


def leaves(data: Any, above: Segments = ()) -> Iterator[tuple[Segments, Any]]:
    """The values that are no maps, by their keys; a list is one value, for Helm replaces it whole."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from leaves(value, (*above, str(key)))
    elif above:
        yield above, data


def _same(one: Any, other: Any) -> bool:
    # As they are written: 1, 1.0, true and "1" are not the same to a template.
    return repr(one) == repr(other)
