"""What changes in releases as lines of a diff: `-` before what goes, `+` before what comes, `!` before what is hidden.

Releases in which the same changes, but for the service's name, are told once.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from gitops_tk.model.changes import Gate
from gitops_tk.model.evidence import Evidence, FieldChange, ObjectChange, ReleaseChange
from gitops_tk.model.foreign import line

_MOST_LINES = 120
_LONGEST = 200
_NAMED = 3
_REASON = 400


class Group(Struct, frozen=True):
    """Releases of which the same is to be told.

    Attributes:
        lines: what is told, of the first one.
    """

    releases: tuple[ReleaseChange, ...]
    lines: tuple[str, ...]

    @property
    def label(self) -> str:
        """Which releases they are: the first few by name, the others counted."""
        return named([f"{one.service} in {one.env}" for one in self.releases])


def named(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    if len(names) > _NAMED + 1:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def grouped(told: Iterable[tuple[ReleaseChange, Sequence[str]]]) -> list[Group]:
    """What is told of releases, in groups of those of which it is the same, in the order of their first ones."""
    found: dict[tuple[str, ...], list[tuple[ReleaseChange, tuple[str, ...]]]] = {}
    for one, lines in told:
        if lines:
            # A service's objects are called as it is: that makes no difference.
            name = re.compile(rf"(?<![\w-]){re.escape(one.service)}(?![\w])")
            found.setdefault(tuple(name.sub("\0", told) for told in lines), []).append((one, tuple(lines)))
    return [Group(_once(part), part[0][1]) for part in found.values()]


def _once(told: Iterable[tuple[ReleaseChange, object]]) -> tuple[ReleaseChange, ...]:
    return tuple({(one.service, one.env): one for one, _ in told}.values())


def values(evidence: Evidence) -> list[Group]:
    """The keys of values that change."""
    return grouped((one, value_lines(one)) for one in evidence.releases)


def objects(evidence: Evidence) -> list[Group]:
    """The objects that change."""
    return grouped((one, object_lines(one)) for one in evidence.releases)


def cautions(evidence: Evidence) -> list[Group]:
    """What is worth a look: each a code and a message."""
    return grouped(
        (one, (caution.code, line(f"{caution.object}: {caution.message}" if caution.object else caution.message)))
        for one in evidence.releases
        for caution in one.cautions
    )


class Answer(Struct, frozen=True):
    """What gates of one name have said.

    Attributes:
        services: about which services.
        about: why, or until when; of several services what is said of all of them.
    """

    gate: str
    env: str
    answer: str
    services: tuple[str, ...]
    about: str


def gates(evidence: Evidence) -> list[Answer]:
    """What the gates say, one after the other; of those that have passed only which."""
    found: dict[tuple[str, str, str, str], list[Gate]] = {}
    names = list(dict.fromkeys(gate.gate for gate in evidence.gates))
    for gate in sorted(evidence.gates, key=lambda one: names.index(one.gate)):
        about = _about(gate)
        found.setdefault((gate.gate, gate.env, gate.answer, "" if gate.answer == "passed" else about), []).append(gate)
    return [
        Answer(
            gate=line(name),
            env=env,
            answer=answer,
            services=tuple(gate.service for gate in part if gate.service),
            about=about or (_about(part[0]) if len(part) == 1 else ""),
        )
        for (name, env, answer, about), part in found.items()
    ]


def _about(gate: Gate) -> str:
    # How long something has soaked is another thing every minute, and no news; until when it soaks is not.
    parts = [gate.message] if not (gate.name == "soak" and gate.answer == "waiting") else []
    parts += [f"until {gate.until}"] if gate.until else []
    parts += [f"overridden: {gate.override}"] if gate.override else []
    return line("; ".join(parts), _REASON)


def missing(evidence: Evidence) -> list[Group]:
    """What is not rendered: each a reason."""
    return grouped((one, (line(one.not_rendered, _REASON),)) for one in evidence.releases if one.not_rendered)


def value_lines(release: ReleaseChange) -> list[str]:
    """The keys of a release's values that change."""
    return _cut([one for field in release.values for one in field_lines(field)])


def object_lines(release: ReleaseChange) -> list[str]:
    """The objects of a release that change; what follows from the image alone is only counted."""
    lines = [one for change in release.objects for one in _object(change)]
    followers = sum(field.because == "image" for change in release.objects for field in change.fields)
    if lines and followers:
        lines.append(f"  (and {counted(followers, 'field')} with the image's version)")
    return _cut(lines)


def field_lines(field: FieldChange, indent: str = "") -> list[str]:
    """One key or field that changes."""
    path = line(field.path)
    if field.diff is not None:
        return [f"  {indent}{path}:", *(_inside(one, indent) for one in field.diff.split("\n"))]
    if field.because == "checksum":
        return [f"! {indent}{path}: changes, so that pods are replaced"]
    if field.hidden and field.before is not None and field.before == field.after:
        return [f"! {indent}{path}: changed {line(str(field.after))}"]
    lines = [f"- {indent}{path}: {shown(field.before)}"] if field.before is not None else []
    return [*lines, f"+ {indent}{path}: {shown(field.after)}"] if field.after is not None else lines


def summary(evidence: Evidence) -> str:
    """What the change does to Kubernetes, in one line."""
    compared = [one for one in evidence.releases if one.not_rendered is None]
    counts = Counter[str](change.change for one in compared for change in one.objects)
    parts = [f"{counted(counts[how], 'object')} {how}" for how in ("changed", "added", "removed") if counts[how]]
    left = len(evidence.releases) - len(compared)
    missing = [f"{counted(left, 'release')} not rendered"] if left else []
    if not parts:
        return "; ".join((["no object changes"] if compared else []) + missing)
    alone = sum(bool(one.objects) and not object_lines(one) for one in compared)
    everywhere = alone == sum(bool(one.objects) for one in compared)
    where = "" if everywhere else f"in {counted(alone, 'release')} "
    only = [f"{where}only the image and what carries its version"] if alone else []
    return "; ".join([", ".join(parts), *only, *missing])


def shown(value: Any) -> str:
    """A value on one line: a text as it is, everything else as JSON; cut where it is long."""
    text = value if isinstance(value, str) and value.strip() == value != "" else json.dumps(value, ensure_ascii=False)
    return line(text) if len(text) <= _LONGEST else f"{line(text[:_LONGEST])}… ({len(text)} characters)"


def _object(change: ObjectChange) -> list[str]:
    if change.change == "removed":
        return [f"- {line(change.label)}"]
    if change.change == "added":
        return [f"+ {line(change.label)}", *(f"+   {one}" for one in (change.text or "").split("\n") if change.text)]
    told = [one for field in change.fields if field.because != "image" for one in field_lines(field, "  ")]
    named = f"  {line(change.label)}" + (f" (was {line(change.was)})" if change.was else "")
    return [named, *told] if told or change.was else []


def _inside(text: str, indent: str) -> str:
    """A line of a diff inside of another one."""
    sign, rest = (text[:1], text[1:]) if text[:1] in ("+", "-", " ") else (" ", text)
    return f"{sign} {indent}  {rest}"


def _cut(lines: list[str]) -> list[str]:
    left = len(lines) - _MOST_LINES
    return lines if left <= 0 else [*lines[:_MOST_LINES], f"  … {left} more lines"]


def counted(number: int, what: str) -> str:
    """How many of something there are: `1 error`, `2 errors`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
