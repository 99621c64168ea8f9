"""What verify-pr looks at: everything that a pull request changes, sorted; and what a rule is, and finds.

All of it is gathered before: rules are pure functions over a Proposal.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.config.policy import Kind
from gitops_tk.model.changes import Gate
from gitops_tk.model.image import Image
from gitops_tk.model.snapshot import Entry
from gitops_tk.policy.holds import Hold

# What a path is for, by the layout of the repository. `gate` is what a gate's program is made of, `git` what makes git
# check out others differently.
Place = Literal["values", "shared", "chart", "hold", "configuration", "gate", "git", "wiring", "other"]
# What brings images, and what it is called in messages.
DELIVERIES: tuple[Kind, ...] = ("promotion", "rollback", "bump")


class Unreadable(Struct, frozen=True):
    """Why a file cannot be read as what it is for."""

    message: str
    line: int | None = None


class Touched(Struct, frozen=True, kw_only=True):
    """A path that the pull request changes.

    Attributes:
        before: what it is on the base; None where it is not there.
        after: what it will be.
        place: what it is for.
        service: of which service; None for none, or all.
        env: of which environment; None for none, or all.
        crossed: whether the base has changed it as well since the pull request was made, and otherwise.
        whole: of a deleted path, whether the environment that it belongs to goes as a whole.
        moved: where the content of a deleted path is put.
        fault: why what it will be cannot be read.
        hidden: the lines that come with characters which people do not see; 0 is the path itself.
        lookalike: what the path could be taken for, and is not.
        generates: whether Argo CD makes an Application of it, though it is no service's.
        deploys: whether it comes, and would tell Argo CD what to deploy, though it does not stand where that is told.
        overrides: what it takes the place of, where Argo CD finds it.
    """

    path: str
    before: Entry | None
    after: Entry | None
    place: Place
    service: str | None = None
    env: str | None = None
    crossed: bool = False
    whole: bool = False
    moved: str | None = None
    fault: Unreadable | None = None
    hidden: tuple[int, ...] = ()
    lookalike: str | None = None
    generates: bool = False
    deploys: bool = False
    overrides: str | None = None


class Blind(Struct, frozen=True, kw_only=True):
    """A service in an environment of which nobody can tell what the pull request makes of it, and so no rule can.

    Attributes:
        path: the layer of its values that hides it, be it that the pull request leaves that as it is.
    """

    service: str
    env: str
    path: str
    fault: Unreadable


class Passing(Struct, frozen=True, kw_only=True):
    """What a commit of the pull request brings, and a later one takes out again.

    Attributes:
        said: an image, where images are pulled from, or a configuration.
    """

    commit: str
    path: str
    said: str
    service: str | None = None
    env: str | None = None


class Weakening(Struct, frozen=True):
    """A way in which the policy will be weaker, and the file that makes it so."""

    said: str
    file: str = CONFIG_FILE


class Move(Struct, frozen=True, kw_only=True):
    """An image of a service that will be another one, or none.

    Attributes:
        name: which of the service's images.
        older: why the new one is an older build than the old one; None where it is none.
        foreign: whether a source has held the tag, yet with another digest than this.
    """

    name: str
    before: Image | None
    after: Image | None
    older: str | None = None
    foreign: bool = False


class Key(Struct, frozen=True, kw_only=True):
    """A value, images apart, that will be another one.

    Attributes:
        segments: the same key, step by step.
        file: where it will be written, or was.
        line: the line there.
        travels: whether promotions carry it.
        held: whether a source has it, or has had it, with this value.
    """

    key: str
    segments: tuple[str, ...]
    before: Any
    after: Any
    file: str | None = None
    line: int | None = None
    travels: bool = False
    held: bool = False


class Release(Struct, frozen=True, kw_only=True):
    """A service in an environment that will have other values, be it by way of a lower layer.

    Attributes:
        path: its own values file.
        kind: what the change is.
        guarded: whether the environment's images come from other environments.
        fresh: whether the service is new in the environment.
        sources: those that have held the images; of a bump those that they would come from.
        moves: the images that change.
        keys: the values that change, as they merge.
        own: those that change in its own file, be it that they merge to the same: they hide what comes below them.
        protected: those of the keys that are protected.
        foreign: what says where its images are pulled from, changes, and never was so in a source.
        lower: the file below its own that brings an image; None for none.
        stray: lines of its own file that change and hold nothing that does.
        hold: the hold on it, on the base.
        left: a hold that names the images where they are promoted from, in each environment that has held them.
        gates: the answers of the gates about what comes.
        charted: whether its chart is edited, or one that it depends on.
        chart: where charts are promoted: whether the chart will be one that a source has held.
    """

    service: str
    env: str
    path: str
    kind: Kind
    guarded: bool
    fresh: bool = False
    sources: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    keys: tuple[Key, ...] = ()
    own: tuple[Key, ...] = ()
    protected: tuple[Key, ...] = ()
    foreign: tuple[Key, ...] = ()
    lower: str | None = None
    stray: tuple[int, ...] = ()
    hold: Hold | None = None
    left: Hold | None = None
    gates: tuple[Gate, ...] = ()
    charted: bool = False
    chart: bool = True

    @property
    def images(self) -> dict[str, Image]:
        """The images that come, by their names."""
        return {move.name: move.after for move in self.moves if move.after is not None and move.after.version}

    @property
    def version(self) -> str:
        """What people call the images that come."""
        return " and ".join(dict.fromkeys(image.version for image in self.images.values())) or "no image"


class Sorted(Struct, frozen=True, kw_only=True):
    """A part of the pull request, and what it is."""

    kind: Kind | Literal["configuration", "wiring", "other"]
    service: str | None = None
    env: str | None = None
    files: tuple[str, ...] = ()
    said: str = ""


class Declared(Struct, frozen=True):
    """What the trailers of the commits say they change.

    Attributes:
        places: what follows each `environment/service`: a key and its values, or a file.
    """

    places: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Declared":
        """From the trailers' values."""
        places: dict[str, list[str]] = {}
        for line in lines:
            place, _, rest = line.partition(" ")
            places.setdefault(place, []).append(rest)
        return cls(places)

    def says(self, env: str, service: str, key: str) -> bool:
        """Whether a key of a service, one above it or one below it is said to change."""
        for rest in self.places.get(f"{env}/{service}", ()):
            said = rest.partition(" ")[0]
            if rest.startswith(f"{key} ") or _within(key, said) or _within(said, key):
                return True
        return False


class Proposal(Struct, frozen=True, kw_only=True):
    """A pull request, sorted.

    Attributes:
        config: the base's configuration: the policy that counts.
        now: the time, in seconds since 1970 (UTC).
        touched: the paths that change.
        releases: the services, in their environments, whose values change.
        blind: those that it reaches, and that cannot be judged.
        passing: what its commits bring and take out again.
        parts: what all of it is.
        weaker: in which ways the policy will be weaker.
        declared: what the commits say that they change; None where one of them says nothing.
        overrides: the reasons that the commits give for overriding rules, by the rules' names.
    """

    config: Config
    now: float
    touched: tuple[Touched, ...] = ()
    releases: tuple[Release, ...] = ()
    blind: tuple[Blind, ...] = ()
    passing: tuple[Passing, ...] = ()
    parts: tuple[Sorted, ...] = ()
    weaker: tuple[Weakening, ...] = ()
    declared: Declared | None = None
    overrides: Mapping[str, str] = {}

    def may_override(self, rule: str, env: str) -> str | None:
        """The reason for which a rule is overridden in an environment, where the base allows it; None where not."""
        allowed = rule in self.config.environment(env).policy.override
        return self.overrides.get(rule) if allowed else None


class Finding(Struct, frozen=True, kw_only=True):
    """What a rule found.

    Attributes:
        service: what it is about, as far as it is about one.
        warning: it is told, and refuses nothing.
    """

    rule: str
    message: str
    file: str | None = None
    line: int | None = None
    service: str | None = None
    env: str | None = None
    hint: str | None = None
    warning: bool = False


class Fault(Struct, frozen=True, kw_only=True):
    """What a rule saw, still without the rule's name.

    Attributes:
        hint: what to do about it, where that is more than the rule's fix says.
    """

    message: str
    file: str | None = None
    line: int | None = None
    service: str | None = None
    env: str | None = None
    hint: str | None = None
    warning: bool = False


Check = Callable[[Proposal], Iterator[Fault]]


class Rule(Struct, frozen=True, kw_only=True):
    """A rule, and what people want to know about it.

    Attributes:
        name: stable, in kebab-case.
        summary: what holds where it is kept.
        reason: what it keeps from happening.
        example: a pull request that it refuses.
        fix: what to do about a finding.
    """

    name: str
    summary: str
    reason: str
    example: str
    fix: str
    check: Check

    def findings(self, proposal: Proposal) -> Iterator[Finding]:
        """What it finds."""
        for fault in self.check(proposal):
            yield Finding(
                rule=self.name,
                message=fault.message,
                file=fault.file,
                line=fault.line,
                service=fault.service,
                env=fault.env,
                hint=None if fault.warning else fault.hint or self.fix,
                warning=fault.warning,
            )


def rule(name: str, *, summary: str, reason: str, example: str, fix: str) -> Callable[[Check], Rule]:
    """Makes a function a Rule."""

    def made(check: Check) -> Rule:
        return Rule(name=name, summary=summary, reason=reason, example=example, fix=fix, check=check)

    return made


def _within(key: str, above: str) -> bool:
    return key.startswith((f"{above}.", f"{above}["))
