"""Durations as people write them: `30s`, `5m`, `24h`, `7d`, `1d12h`."""

import re

from gitops_tk.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_PLAIN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", re.ASCII)


def seconds(text: str) -> float:
    """Reads a duration; a plain number is one of seconds.

    Raises:
        UsageError: it is none (code `bad-duration`).
    """
    plain = _PLAIN.fullmatch(text)
    if plain:
        return float(plain[1]) * _UNITS[plain[2] or "s"]
    if not _WHOLE.fullmatch(text):
        raise UsageError(f"{text!r} is not a duration", code="bad-duration", hint="write 30s, 5m, 24h or 7d")
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def exact(length: float) -> str:
    """A duration as `seconds` reads it back: `1d3h`, `5m`, `0.5s`."""
    if length != int(length) or not length:
        return f"{length:g}s"
    return "".join(f"{count}{unit}" for count, unit in _counted(int(length)) if count)


def rough(length: float) -> str:
    """A duration for people, in its largest unit and the next: `1d 3h`, `5m`, `less than 1s`."""
    counted = _counted(int(length))
    while counted and not counted[0][0]:
        del counted[0]
    return " ".join(f"{count}{unit}" for count, unit in counted[:2] if count) or "less than 1s"


def _counted(length: int) -> list[tuple[int, str]]:
    parts = []
    for unit, size in sorted(_UNITS.items(), key=lambda one: -one[1]):
        parts.append((length // size, unit))
        length %= size
    return parts
