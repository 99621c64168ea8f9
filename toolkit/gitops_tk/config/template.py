"""Path templates: what one may hold, and whether two of them can ever name the same path."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from gitops_tk.model.names import DNS_LABEL

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(DNS_LABEL)
# Windows holds none of these in a name, and git reads `:` and the globs in a path specially.
_FORBIDDEN = frozenset('\\:*?"<>|')

# No path holds it; whatever begins with a text comes before the text with this behind it.
_LAST = chr(0x10FFFF)


class TemplateError(ValueError):
    """A template that is not a path inside the repository, or whose placeholders cannot be told apart."""


class Slot(Struct, frozen=True):
    """A path segment that holds a service's name between two fixed texts."""

    before: str
    after: str

    def holds(self, segment: str) -> str | None:
        """The service whose name gives this segment, or None."""
        if not (segment.startswith(self.before) and segment.endswith(self.after)):
            return None
        name = segment[len(self.before) : len(segment) - len(self.after)]
        fits = len(segment) > len(self.before) + len(self.after) and _NAME.fullmatch(name)
        return name if fits else None

    def meets(self, other: "Slot") -> bool:
        """Whether some service in one and some service in the other give the same segment."""
        if len(self.before) < len(other.before):
            return other.meets(self)
        if not self.before.startswith(other.before):
            return False
        # The other's name begins with this text; it goes on with ours, or ends in it.
        head = self.before[len(other.before) :]
        if len(self.after) >= len(other.after):
            tail = self.after[: len(self.after) - len(other.after)]
            return self.after.endswith(other.after) and _is_name(f"{head}x{tail}")
        tail = other.after[: len(other.after) - len(self.after)]
        if not other.after.endswith(self.after):
            return False
        # Either the names share some text between head and tail, or head's end is tail's beginning.
        shared = range(min(len(head), len(tail)) + 1)
        return (_is_name(f"{head}x") and _is_name(f"x{tail}")) or any(
            head[len(head) - size :] == tail[:size] and _is_name(head[: len(head) - size]) and _is_name(tail[size:])
            for size in shared
        )


Pattern = tuple[str | Slot, ...]


def check(text: str) -> None:
    """Refuses a template that could leave the repository, or whose placeholders run together.

    Raises:
        TemplateError: with what is wrong.
    """
    segments = text.split("/")
    if {"", ".", ".."} & set(segments):
        raise TemplateError(f"{text!r} is not a path inside the repository")
    if not text.isprintable() or _FORBIDDEN & set(text):
        raise TemplateError(f"{text!r} holds a control character or one of {' '.join(sorted(_FORBIDDEN))}")
    if any(segment.startswith("-") or segment.endswith((".", " ")) for segment in segments):
        raise TemplateError(f"{text!r} has a segment that starts with '-', or ends with '.' or a space")
    rest = PLACEHOLDER.sub("", text)
    if set(PLACEHOLDER.findall(text)) - {"service", "env"} or "{" in rest or "}" in rest:
        raise TemplateError(f"{text!r} has a placeholder other than {{service}} and {{env}}")
    for segment in segments:
        found = PLACEHOLDER.findall(segment)
        if len(found) != len(set(found)) or "}{" in segment:
            raise TemplateError(f"{segment!r} can be read in two ways: put a '.' or '/' between the placeholders")


def pattern(text: str, env: str) -> Pattern:
    """The template's segments in one environment.

    Letters are folded: a file system that does not tell `Apps` from `apps` must not mix two things either.
    """
    segments: list[str | Slot] = []
    for segment in text.replace("{env}", env).split("/"):
        before, found, after = segment.partition("{service}")
        segments.append(Slot(before.casefold(), after.casefold()) if found else before.casefold())
    return tuple(segments)


def overlap(first: Pattern, second: Pattern) -> bool:
    """Whether one pattern can name the other's path, or a folder above it.

    It is exact where `{service}` is there once; where it repeats, it may refuse what would be safe, never the reverse.
    """
    if len(first) > len(second):
        return overlap(second, first)
    fixed: tuple[set[str], set[str]] = (set(), set())
    slots: list[tuple[Slot, Slot]] = []
    for one, two in zip(first, second, strict=False):
        if isinstance(one, Slot) and isinstance(two, Slot):
            if not one.meets(two):
                return False
            slots.append((one, two))
        elif isinstance(one, Slot) or isinstance(two, Slot):
            slot, text, side = (one, two, 0) if isinstance(one, Slot) else (two, one, 1)
            name = slot.holds(str(text)) if isinstance(slot, Slot) else None
            if name is None:
                return False
            fixed[side].add(name)
        elif one != two:
            return False
    return _agree(fixed, slots)


def overlaps(ones: Sequence[Pattern], others: Sequence[Pattern]) -> Iterator[tuple[int, int]]:
    """The positions of those patterns that overlap, one of each list, in order.

    Not each is held against each: thousands of environments make millions of pairs.

    Args:
        ones: those of one template in several environments.
        others: those of the same template, or of another.
    """
    label = _label(ones, others)
    labels = [label(other) for other in others]
    alike: dict[str, list[int]] = {}
    for at, text in enumerate(labels):
        alike.setdefault(text, []).append(at)
    ordered = sorted(alike)
    for at, one in enumerate(ones):
        text = label(one)
        near = [text[:length] for length in range(len(text)) if text[:length] in alike]
        near += ordered[bisect_left(ordered, text) : bisect_left(ordered, text + _LAST)]
        yield from ((at, to) for to in sorted(to for key in near for to in alike[key]) if overlap(one, others[to]))


def _label(ones: Sequence[Pattern], others: Sequence[Pattern]) -> Callable[[Pattern], str]:
    """What tells patterns apart: where two of them overlap, one's label begins with the other's."""
    shapes = list(zip(ones[0], others[0], strict=False))
    fixed = [at for at, pair in enumerate(shapes) if not any(isinstance(part, Slot) for part in pair)]
    loose = [at for at in range(len(shapes)) if at not in fixed]

    def label(one: Pattern, at: int | None = None, *, backwards: bool = False) -> str:
        parts = [f"{one[here]}/" for here in fixed]
        part = one[at] if at is not None else ""
        if isinstance(part, Slot):
            return "".join([*parts, part.after[::-1] if backwards else part.before])
        return "".join([*parts, part[::-1] if backwards else part, "/"])

    # In one segment a service's name has a text before it, and one behind it; what tells most apart is taken.
    possible: list[Callable[[Pattern], str]] = [label]
    possible += [partial(label, at=at, backwards=backwards) for at in loose for backwards in (False, True)]
    return max(possible, key=lambda one: len({one(pattern) for pattern in (*ones, *others)}))


def _agree(fixed: tuple[set[str], set[str]], slots: Sequence[tuple[Slot, Slot]]) -> bool:
    # What segments with a name at the same place in both say about the two names together.
    if any(one == two for one, two in slots):
        fixed = (fixed[0] | fixed[1],) * 2
        if any(len(one.before + one.after) != len(two.before + two.after) for one, two in slots):
            return False
    return len(fixed[0]) < 2 and len(fixed[1]) < 2


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None
