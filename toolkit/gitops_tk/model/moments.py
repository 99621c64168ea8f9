"""Dates and times as people write them, in UTC where they do not say another zone."""

import re
from datetime import UTC, datetime

from gitops_tk.errors import UsageError
from gitops_tk.model import durations

DAY = 86400.0
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_AGO = re.compile(r"(\d{1,6}) ?(second|minute|hour|day|week)s? ago", re.ASCII)
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": DAY, "week": 7 * DAY}


def is_date(text: str) -> bool:
    """Whether a text has the form of a date without a time."""
    return bool(_DATE.fullmatch(text))


def moment(text: str) -> float:
    """A date (its first moment) or a time, in seconds since 1970 (ISO 8601, `2026-12-24` or `2026-12-24T18:00+01:00`).

    Raises:
        UsageError: it is neither (code `bad-date`).
    """
    try:
        if is_date(text) or _TIME.fullmatch(text):
            found = datetime.fromisoformat(text.upper())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"{text!r} is not a date or a time",
        code="bad-date",
        hint="write 2026-12-24 or 2026-12-24T18:00, which are in UTC, or 2026-12-24T18:00+01:00",
    )


def since(text: str, now: float) -> float:
    """A moment in the past: a date, a time, or how long ago it was, as in `7d`, `36h` or `2 weeks ago`.

    Raises:
        UsageError: it is none of these (code `bad-date`).
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        return now - durations.seconds(text if text[-1:].isalpha() else "")
    except UsageError:
        pass
    try:
        return moment(text)
    except UsageError as error:
        raise UsageError(error.message, code=error.code, hint=f"{error.hint}; or 36h, 7d, '2 weeks ago'") from None


def iso(seconds: float) -> str:
    """A moment as ISO 8601 has it, in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
