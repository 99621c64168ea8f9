"""The result of a command, as `--output json` prints it (CONTRACT: "Output and exit codes")."""

from typing import Any, Literal

from msgspec import Struct

from gitops_tk.errors import GitopsTkError
from gitops_tk.model.changes import Change, Gate, Skipped

Outcome = Literal[
    "changed",
    "committed",
    "written",
    "proposed",
    "planned",
    "unchanged",
    "refused",
    "conflict",
    "invalid",
    "failed",
]
Severity = Literal["error", "warning"]
Action = Literal["opened", "updated", "unchanged", "merged"]
_EXIT_CODES = {"refused": 3, "conflict": 4, "invalid": 5, "failed": 1}


class Problem(Struct, frozen=True, kw_only=True):
    """Something wrong: what, where, and what to do about it.

    A warning makes no command fail.
    """

    code: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    severity: Severity = "error"

    @classmethod
    def of(cls, error: GitopsTkError) -> "Problem":
        """The problem that an error tells of."""
        return cls(code=error.code, message=error.message, hint=error.hint, file=error.file, line=error.line)


class PullRequest(Struct, frozen=True, kw_only=True):
    """A proposal: its branch, and its number and address where the forge has an API.

    Attributes:
        action: what the command did to it, or in a dry run would do.
    """

    branch: str
    number: int | None = None
    url: str | None = None
    action: Action = "unchanged"


class Closed(Struct, frozen=True, kw_only=True):
    """A proposal that was closed without being merged, and why."""

    branch: str
    number: int | None = None
    url: str | None = None
    reason: str


class Commit(Struct, frozen=True, kw_only=True):
    """One of the commits that `--split` makes."""

    commit: str
    message: str


class Result(Struct, kw_only=True):
    """What a command did, and everything a program may want to know about it.

    Attributes:
        commit: the commit that was made; of several the last.
        commits: the commits of `--split`, one a service, in the order they were made.
        closed: proposals that gave way, or had nothing left to propose.
        details: what a command that only looks has found, under keys of its own beside the common ones.
        advice: lines for people, printed to standard error: what to do next.
        exit_code: set where the outcome alone does not decide it.
    """

    command: str
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    gates: tuple[Gate, ...] = ()
    commit: str | None = None
    commits: tuple[Commit, ...] = ()
    branch: str | None = None
    message: str | None = None
    attempts: int = 0
    pull_requests: tuple[PullRequest, ...] = ()
    closed: tuple[Closed, ...] = ()
    problems: tuple[Problem, ...] = ()
    diff: str | None = None
    details: dict[str, Any] = {}
    advice: tuple[str, ...] = ()
    exit_code: int | None = None

    @property
    def has_errors(self) -> bool:
        """Whether there is a problem that is more than a warning."""
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def exit_status(self) -> int:
        """The process's exit code."""
        return self.exit_code if self.exit_code is not None else _EXIT_CODES.get(self.outcome, 0)
