"""Long texts compared line by line, and cut where they are long: what is left out is counted."""

import difflib

_CONTEXT = 2
_MOST_LINES = 40
_LONGEST_LINE = 240
# More than this is not compared line by line: it takes time, and nobody reads it.
_MOST_COMPARED = 3000
_AROUND = 60


def changed_lines(before: str, after: str) -> str:
    """The lines that differ, with `-` and `+` before them, and some around them.

    Of a text whose lines are the same but for the end of the last one, or for what ends lines, a note says so.
    """
    old, new = ([line.rstrip("\r") for line in text.rstrip("\n").split("\n")] for text in (before, after))
    if old == new:
        return "(only the ends of lines differ)"
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(part) for part in middle) > _MOST_COMPARED:
        return f"({len(middle[0])} lines give way to {len(middle[1])}: too many to compare)"
    start, end = max(0, head - _CONTEXT), max(0, tail - _CONTEXT)
    diff = difflib.unified_diff(old[start : len(old) - end], new[start : len(new) - end], n=_CONTEXT, lineterm="")
    lines = [line if not line.startswith("@@") else "…" for line in list(diff)[2:]]
    return cut("\n".join(lines[1:] if lines[:1] == ["…"] else lines))


def cut(text: str, most: int = _MOST_LINES) -> str:
    """A text of so many lines at most, none of them very long; what is left out is counted."""
    lines = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in text.split("\n")]
    if len(lines) <= most:
        return "\n".join(lines)
    left = lines[most:]
    changed = sum(line.startswith(("+", "-")) for line in left)
    what = f"{changed} more changed lines" if changed else f"{len(left)} more lines"
    return "\n".join([*lines[:most], f"… {what}"])


def around(before: str, after: str) -> tuple[str, str]:
    """Two long lines, each cut to what is around the first and the last difference."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    return _part(before, head, tail), _part(after, head, tail)


def _part(text: str, head: int, tail: int) -> str:
    start, end = max(0, head - _AROUND), min(len(text), len(text) - tail + _AROUND)
    middle = text[start:end]
    if len(middle) > 4 * _AROUND:
        middle = f"{middle[: 2 * _AROUND]}… ({len(middle) - 4 * _AROUND} characters) …{middle[-2 * _AROUND :]}"
    return ("…" if start else "") + middle + ("…" if end < len(text) else "")


def _common(one: str | list[str], other: str | list[str]) -> int:
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)
