"""A ChangeSet: what to write, and why. Diff, message, trailers and review text are views of it."""

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct

from gitops_tk.model.snapshot import FILE

Publish = Literal["push", "pull-request"]
Answer = Literal["passed", "waiting", "refused", "not-evaluated"]


class Write(Struct, frozen=True):
    """Write a file's bytes; an existing file keeps its mode unless `mode` says otherwise."""

    path: str
    data: bytes
    mode: int | None = None

    def mode_over(self, existing: int | None) -> int:
        """The mode to write with, given the mode of the file that is there (None: there is none)."""
        return self.mode or existing or FILE


class Copy(Struct, frozen=True):
    """Put an object that the repository already has (a file or a whole folder) at a path, by its id."""

    path: str
    oid: str
    mode: int


class Delete(Struct, frozen=True):
    """Remove a file or a folder."""

    path: str


Operation = Write | Copy | Delete


class Change(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One reason for the operations: a value that changes, or a file that comes or goes.

    Attributes:
        kind: image, key, value, service, chart, environment, config or file.
        image: which of the service's images, for kind image.
        from_: the value before (None: there was none), as JSON.
        to: the value after (None: there is none).
    """

    kind: str
    service: str | None = None
    env: str | None = None
    image: str | None = None
    file: str | None = None
    key: str | None = None
    from_: Any = None
    to: Any = None


class Skipped(Struct, frozen=True, kw_only=True):
    """A service that was not named and is left alone, with the reason."""

    service: str
    env: str
    code: str
    message: str


class Gate(Struct, frozen=True, kw_only=True):
    """A gate's answer about one service in one environment.

    Attributes:
        gate: order, soak, freeze, healthy, approvals, or `commands: ` and the command's name.
        message: why, for people.
        until: when it will pass, as RFC 3339 in UTC; None where nobody knows, or it has passed.
        override: the reason given to go on all the same.
    """

    gate: str
    service: str | None
    env: str
    answer: Answer
    message: str
    until: str | None = None
    override: str | None = None

    @property
    def name(self) -> str:
        """The gate without what it is about: what `--override` names, and a refusal's code."""
        return self.gate.partition(":")[0]

    @property
    def closed(self) -> bool:
        """Whether it stands in the way: it waits or refuses, and nobody has overridden it."""
        return self.answer in ("waiting", "refused") and self.override is None

    @property
    def unopened(self) -> bool:
        """Whether what is proposed is not to be merged yet: it waits, or nobody has asked who decides; see `closed`."""
        unasked = self.answer == "not-evaluated" and self.name in ("healthy", "commands")
        return self.override is None and (self.answer == "waiting" or unasked)


def unopened(gates: Iterable[Gate], skipped: Iterable[Skipped]) -> tuple[Gate, ...]:
    """The gates that hold up what is proposed all the same; those of services that are left alone hold up nothing."""
    left = {(one.service, one.env) for one in skipped}
    return tuple(gate for gate in gates if gate.unopened and (gate.service, gate.env) not in left)


class ChangeSet(Struct, frozen=True):
    """Operations with their reasons; empty when there is nothing to do."""

    operations: tuple[Operation, ...] = ()
    changes: tuple[Change, ...] = ()

    def of(self, service: str) -> "ChangeSet":
        """The part of it that is about one service: its changes, and the operations on the files that they name."""
        changes = tuple(change for change in self.changes if change.service == service)
        files = {change.file for change in changes}
        return ChangeSet(tuple(operation for operation in self.operations if operation.path in files), changes)


class Plan(Struct, frozen=True, kw_only=True):
    """What a workflow wants done, from one view of the repository.

    Attributes:
        intent: what the plan means, given back to the planner when the race was lost (CONTRACT: "moved").
        subject: the first line of the commit message, and the title of a proposal.
        body: further paragraphs of the message.
        trailers: `(key, value)` pairs for programs.
        publish: whether the change is pushed or proposed.
        proposal: the branch that a proposal is pushed to.
        releases: what the command is about, changed or not, each as `env/service`: its proposal takes the place of
            older ones for these.
        split: the same change as one plan a service, for `--split`; empty for one commit.
        advice: lines for people: what to do next.
    """

    changeset: ChangeSet = ChangeSet()
    intent: Any = None
    subject: str = ""
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    publish: Publish = "push"
    proposal: str | None = None
    releases: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    gates: tuple[Gate, ...] = ()
    split: tuple["Plan", ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def commits(self) -> tuple["Plan", ...]:
        """The plans that become one commit, or one proposal, each."""
        return self.split or (self,)

    @property
    def message(self) -> str:
        """The whole commit message: subject, body, trailers."""
        trailers = "\n".join(f"{key}: {value}" for key, value in self.trailers)
        return "\n\n".join(part for part in (self.subject, self.body.strip("\n"), trailers) if part) + "\n"
