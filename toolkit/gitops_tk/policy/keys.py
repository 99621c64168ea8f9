"""Which keys travel with a promotion: `promotion.keys` of gitops-tk.yaml."""

from collections.abc import Iterable, Sequence

from gitops_tk.config.patterns import Segments, takes


def travelling(patterns: Sequence[str], keys: Iterable[Segments]) -> list[Segments]:
    """The keys that the patterns take, in the order given; see `gitops_tk.config.patterns`."""
    return [key for key in keys if takes(patterns, key)]
