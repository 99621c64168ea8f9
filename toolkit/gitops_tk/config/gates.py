"""Reading the policy of an environment: what cannot work is refused where it is written."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gitops_tk.config import patterns
from gitops_tk.config.lines import Path, shown
from gitops_tk.config.model import FileEnvironment, nearest
from gitops_tk.config.policy import Command, FileCommand, FileFreeze, FileGates, Gates, Kind, Policy
from gitops_tk.config.source import Source
from gitops_tk.errors import UsageError
from gitops_tk.model import durations

if TYPE_CHECKING:
    from gitops_tk.config.windows import Boundary, Freeze

# A day like any other, to see whether windows ever open.
_SOME_DAY = 1_767_225_600.0
# Nobody waits longer, and there are clocks that cannot count it.
_LONGEST = 3653 * 86400.0

# Each is held against each of another list, letter by letter.
_MOST_PATTERNS = 200
_LONGEST_PATTERN = 200
_MOST_STARS = 10


def policy(source: Source, place: Path, written: FileEnvironment, comes_from: Sequence[str]) -> Policy:
    """The policy of the environment at a place.

    Args:
        written: the environment as it is written there.
        comes_from: the environments that it is promoted from.

    Raises:
        ConfigError: it cannot work, or contradicts itself.
    """
    check_patterns(source, (*place, "protected"), written.protected)
    found = Policy(
        protected=tuple(written.protected),
        accepts=_accepts(source, (*place, "accepts"), written, comes_from),
        override=tuple(written.override),
        gates=_gates(source, (*place, "gates"), written, comes_from),
    )
    missing = {
        "protected": None if found.protected else "no protected keys",
        "chart-diverged": None,
        "foreign-repository": None if comes_from else "nothing that is promoted to it, and so no foreign repository",
        **dict.fromkeys(found.gates.names),
    }
    for position, name in enumerate(written.override):
        lacks = missing.get(name, f"no gate {name}")
        if lacks:
            message = f"{written.name} has {lacks} to override"
            raise source.error((*place, "override", position), "config-contradiction", message)
    return found


def check_patterns(source: Source, place: Path, listed: Sequence[str]) -> None:
    """Refuses patterns of keys that are none, that undo each other, or stand in an order in which they do nothing.

    Raises:
        ConfigError: with the pattern's line.
    """
    if len(listed) > _MOST_PATTERNS:
        raise source.error(place, "config-value", f"{place[-1]} has more than {_MOST_PATTERNS} patterns")
    for position, pattern in enumerate(listed):
        here = (*place, position)
        try:
            if not pattern.isprintable() or len(pattern) > _LONGEST_PATTERN or pattern.count("*") > _MOST_STARS:
                raise ValueError
            patterns.segments(pattern.removeprefix("!"))
        except ValueError:
            raise source.error(
                here, "config-value", f"{place[0]}: {pattern[:60]!r} is not a key of values, or a pattern of keys"
            ) from None
        opposite = pattern[1:] if pattern.startswith("!") else f"!{pattern}"
        if opposite in listed[:position]:
            message = f"{shown(pattern)} undoes {shown(opposite)}, which then does nothing"
            raise source.error(here, "config-contradiction", message, "keep one of the two")
    for position, pattern in enumerate(listed):
        if pattern.startswith("!") and not _meets(pattern, listed[:position]) and _meets(pattern, listed[position:]):
            message = f"{shown(pattern)} takes nothing out: what it is about is taken in behind it"
            hint = "put it behind that: the last one that matches decides"
            raise source.error((*place, position), "config-contradiction", message, hint)


def _meets(pattern: str, listed: Sequence[str]) -> bool:
    taking = patterns.with_below([one for one in listed if not one.startswith("!")])
    return any(patterns.meet(one, pattern[1:]) for one in taking)


def check_travel(source: Source, place: Path, travelling: Sequence[str], protected: Iterable[Sequence[str]]) -> None:
    """Refuses patterns of travelling keys that carry a protected one.

    Args:
        protected: the patterns of those environments that something is promoted to.

    Raises:
        ConfigError: with the key that both take (code `config-contradiction`).
    """
    for listed in protected:
        both = patterns.common_key(travelling, patterns.with_below(listed))
        if both is not None:
            key = patterns.shown(both)
            raise source.error(
                place,
                "config-contradiction",
                f"{key} would travel, and is protected",
                f'take it out of the keys that travel: "!{key}"',
            )


def _accepts(
    source: Source, place: Path, written: FileEnvironment, comes_from: Sequence[str]
) -> tuple[Kind, ...] | None:
    if written.accepts is None:
        return None
    if "promotion" in written.accepts and not comes_from:
        at = written.accepts.index("promotion")
        message = f"{written.name} accepts promotions, and nothing is promoted to it"
        raise source.error((*place, at), "config-contradiction", message)
    return tuple(written.accepts)


def _gates(source: Source, place: Path, written: FileEnvironment, comes_from: Sequence[str]) -> Gates:
    one: FileGates = source.convert(place, FileGates, {"freeze", "commands"})
    for name, there in (("soak", one.soak is not None), ("order", one.order), ("healthy", one.healthy)):
        if there and not comes_from:
            message = f"{written.name} has the gate {name}, and nothing is promoted to it"
            raise source.error((*place, name), "config-contradiction", message)
    if one.approvals is not None and written.publish == "push":
        message = f"{written.name} asks for approvals, and takes changes without a pull request"
        raise source.error((*place, "approvals"), "config-contradiction", message, "set publish: pull-request there")
    freezes = tuple(_freeze(source, (*place, "freeze", at)) for at in range(len(source.list((*place, "freeze")))))
    if freezes:
        from gitops_tk.config.windows import thaw

        if thaw(freezes, _SOME_DAY) is None:
            message = f"the windows of {written.name} leave no time at all"
            raise source.error((*place, "freeze"), "config-contradiction", message)
    return Gates(
        soak=None if one.soak is None else _duration(source, (*place, "soak"), one.soak),
        freeze=freezes,
        order=one.order,
        healthy=one.healthy,
        commands=_commands(source, (*place, "commands")),
        approvals=one.approvals,
    )


def _freeze(source: Source, place: Path) -> "Freeze":
    from gitops_tk.config import windows

    one: FileFreeze = source.convert(place, FileFreeze)
    if not one.reason.strip() or not one.reason.isprintable():
        raise source.error((*place, "reason"), "config-value", "a window needs a reason, on one line")
    start = _boundary(source, (*place, "from"), one.from_, end=False)
    end = _boundary(source, (*place, "to"), one.to, end=True)
    if type(start) is not type(end):
        message = "a window is between two dates, or between two times of the week"
        raise source.error((*place, "to"), "config-value", message)
    if not windows.is_zone(one.timezone):
        raise source.error(
            (*place, "timezone"),
            "config-value",
            f"there is no time zone {shown(one.timezone)}",
            nearest(one.timezone, windows.zones()) or "write its IANA name, such as Europe/Berlin or UTC",
        )
    if not windows.is_ordered(start, end, one.timezone):
        message = f"the window ends before it starts: from {shown(one.from_)} to {shown(one.to)}"
        raise source.error((*place, "to"), "config-value", message)
    return windows.Freeze(reason=one.reason, start=start, end=end, timezone=one.timezone)


def _boundary(source: Source, place: Path, text: str, *, end: bool) -> "Boundary":
    from gitops_tk.config.windows import parse_boundary

    try:
        return parse_boundary(text, end=end)
    except ValueError:
        raise source.error(
            place,
            "config-value",
            f"{shown(text)!r} is no time of a window",
            "write 2026-12-20, 2026-12-20T18:00 or Fri 16:00",
        ) from None


def _commands(source: Source, place: Path) -> tuple[Command, ...]:
    found: dict[str, Command] = {}
    for position in range(len(source.list(place))):
        here = (*place, position)
        one: FileCommand = source.convert(here, FileCommand)
        if not one.name.strip() or not one.name.isprintable() or one.name in found:
            message = f"there are two commands {shown(one.name)}" if one.name in found else "a command needs a name"
            raise source.error((*here, "name"), "config-value", message)
        program = one.run[0]
        if not program or program.startswith("/") or ".." in program.split("/") or "\0" in "".join(one.run):
            message = f"{shown(program)} is not a program on PATH, or a file of the repository"
            raise source.error((*here, "run"), "config-value", message)
        timeout = _duration(source, (*here, "timeout"), one.timeout)
        found[one.name] = Command(name=one.name, run=tuple(one.run), timeout=timeout)
    return tuple(found.values())


def _duration(source: Source, place: Path, text: str) -> float:
    try:
        found = durations.seconds(text)
    except UsageError as error:
        raise source.error(place, "config-value", f"{place[-1]}: {error.message}", error.hint) from error
    if not found:
        raise source.error(place, "config-value", f"{place[-1]}: {shown(text)} is no time at all")
    if found > _LONGEST:
        raise source.error(place, "config-value", f"{place[-1]}: {shown(text)} is longer than ten years")
    return found
