"""Refusals that carry more than a message."""

from collections.abc import Sequence
from typing import Any

from gitops_tk.errors import GitopsTkError, RefusedByPolicy
from gitops_tk.model.changes import Gate


class GateClosed(RefusedByPolicy):
    """Gates do not let a change through now; the code is the first one's name.

    Args:
        message: what was wrong, for people.
        gates: the answers of all gates that were asked.
        closed: those that stand in the way.
        until: when they all would pass, in seconds since 1970; None where nobody knows.
        hint: what to do about it.
    """

    def __init__(
        self, message: str, *, gates: Sequence[Gate], closed: Sequence[Gate], until: float | None, hint: str | None
    ) -> None:
        super().__init__(message, code=closed[0].name, hint=hint)
        self.gates = tuple(gates)
        self.closed = tuple(closed)
        self.until = until
        # What the plan meant: it is held on to by whoever waits and plans again.
        self.intent: Any = None

    @property
    def may_open(self) -> bool:
        """Whether waiting may help: nothing that stands in the way has refused for good."""
        return all(gate.answer == "waiting" for gate in self.closed)


class ChartDiverged(RefusedByPolicy):
    """A chart was edited in an environment by itself, and a promotion would drop the edit.

    Args:
        message: what was wrong, for people.
        diff: what was edited.
        hint: what to do about it.
        file: what was edited first.
    """

    default_code = "chart-diverged"

    def __init__(self, message: str, *, diff: str, hint: str, file: str) -> None:
        super().__init__(message, hint=hint, file=file)
        self.diff = diff


class SeveralFaults(GitopsTkError):
    """Several things are in the way, each with a place of its own.

    Args:
        faults: what they are; the first one tells the code and the message.
    """

    def __init__(self, faults: Sequence[GitopsTkError]) -> None:
        first = faults[0]
        super().__init__(first.message, code=first.code, hint=first.hint, file=first.file, line=first.line)
        self.faults = tuple(faults)


class SeveralRefusals(SeveralFaults, RefusedByPolicy):
    """Policy holds several services back."""


def moved(happened: str, file: str, wanted: str = "it") -> RefusedByPolicy:
    """The refusal to go on over what somebody else has changed meanwhile.

    Args:
        happened: what has moved, or changed.
        file: where.
        wanted: what the command is for.
    """
    return RefusedByPolicy(
        f"{happened} while this command ran",
        code="moved",
        hint=f"run the command again if {wanted} is still what you want there",
        file=file,
    )
