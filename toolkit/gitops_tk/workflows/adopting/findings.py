"""What adopt says of what it has found, and of what it is not sure about."""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct, to_builtins

_NAMED = 4


class Finding(Struct, frozen=True, kw_only=True):
    """Something that the repository says.

    Attributes:
        what: environments, values, chart, shared, image or forge.
        value: what it is, as gitops-tk.yaml says it.
        why: how it was concluded.
    """

    what: str
    value: str
    why: str


class Report(Struct, frozen=True):
    """All that is told.

    Attributes:
        unsure: what a person may want to decide otherwise, one sentence each.
    """

    found: tuple[Finding, ...] = ()
    unsure: tuple[str, ...] = ()

    def details(self) -> dict[str, Any]:
        """The report as the result of a command holds it."""
        return {"found": to_builtins(self.found), "unsure": list(self.unsure)}


def counted(number: int, what: str) -> str:
    """How many of something there are."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def some(names: Collection[str]) -> str:
    """The first few of some names, and how many more there are."""
    listed: Sequence[str] = sorted(names)
    left = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {left} more" if left > 0 else "")
