"""Refusals that carry more than a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_tk.errors import GitopsTkError, RefusedByPolicy
from gitops_tk.model.changes import Gate, Skipped


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


def together(refusals: Sequence[GitopsTkError]) -> GitopsTkError:
    """One error that tells what holds services back, one refusal or more."""
    return refusals[0] if len(refusals) == 1 else SeveralRefusals(refusals)


def skipped(refusals: Mapping[str, GitopsTkError], env: str) -> list[Skipped]:
    """What is told of services that others leave behind.

    Args:
        refusals: what holds them back, by service.
        env: the environment's name.
    """
    return [
        Skipped(service=service, env=env, code=error.code, message=error.message) for service, error in refusals.items()
    ]
