"""What may change in an environment, and when: as gitops-tk.yaml has it (File…), and as it is meant."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from msgspec import Meta, Struct, field

if TYPE_CHECKING:
    from gitops_tk.config.windows import Freeze

# What a change of an environment may be; verify-pr sorts every pull request into these.
Kind = Literal["promotion", "rollback", "bump", "hold", "values", "service", "chart", "shared", "removal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# What `--override` may name, where `override` of the environment allows it.
Override = Literal[
    "soak", "freeze", "order", "healthy", "commands", "protected", "chart-diverged", "foreign-repository"
]
OVERRIDES: tuple[Override, ...] = get_args(Override)


def _text(description: str) -> Any:
    return Meta(description=description)


class FileFreeze(Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A window in which an environment takes nothing new."""

    reason: Annotated[str, _text("Why; whoever is refused reads it.")]
    from_: Annotated[str, _text("A date (2026-12-20), a time (2026-12-20T18:00), or a time of every week (Fri 16:00).")]
    to: Annotated[str, _text("The same form; a date counts to its end.")]
    timezone: Annotated[str, _text("The IANA name of the time zone.")] = "UTC"


class FileCommand(Struct, kw_only=True, forbid_unknown_fields=True):
    """A program that has to agree: it ends with 0."""

    name: Annotated[str, _text("What it is called in messages.")]
    run: Annotated[list[str], Meta(description="The program with its arguments; no shell reads them.", min_length=1)]
    timeout: Annotated[str, _text("How long it may take.")] = "5m"


class FileGates(Struct, kw_only=True, forbid_unknown_fields=True):
    """When an image may come."""

    soak: Annotated[str | None, _text("How long the source environment has to have held exactly this image.")] = None
    freeze: Annotated[list[FileFreeze], _text("When nothing new comes.")] = []
    order: Annotated[bool, _text("Whether the image has to have been in every environment before.")] = False
    healthy: Annotated[
        bool, _text("Whether the source environment has to run the image, synced and healthy, as Argo CD reports it.")
    ] = False
    commands: Annotated[list[FileCommand], _text("Programs that have to agree.")] = []
    approvals: Annotated[Annotated[int, Meta(ge=1, le=20)] | None, _text("Left to the forge, and shown.")] = None


class Command(Struct, frozen=True, kw_only=True):
    """A program that has to agree.

    Attributes:
        run: the program with its arguments.
        timeout: in seconds.
    """

    name: str
    run: tuple[str, ...]
    timeout: float


class Gates(Struct, frozen=True, kw_only=True):
    """When an image may come.

    Attributes:
        soak: in seconds; None for no such gate.
        approvals: how many; None for no such gate.
    """

    soak: float | None = None
    freeze: tuple["Freeze", ...] = ()
    order: bool = False
    healthy: bool = False
    commands: tuple[Command, ...] = ()
    approvals: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The gates that there are, in the order in which they are judged."""
        there = {
            "order": self.order,
            "soak": self.soak is not None,
            "freeze": bool(self.freeze),
            "healthy": self.healthy,
            "commands": bool(self.commands),
            "approvals": self.approvals is not None,
        }
        return tuple(name for name, one in there.items() if one)


class Policy(Struct, frozen=True, kw_only=True):
    """What may change in an environment, and when.

    Attributes:
        protected: patterns of the keys that nobody changes.
        accepts: what pull requests may change; None for everything but removals and, where images come from another
            environment, bumps.
        override: what `--override` may name.
        gates: when an image may come.
    """

    protected: tuple[str, ...] = ()
    accepts: tuple[Kind, ...] | None = None
    override: tuple[Override, ...] = ()
    gates: Gates = field(default_factory=Gates)
