"""Freeze windows: between two dates, or from one time of the week to another, in a time zone.

A window is meant in local time, so that daylight saving moves it along: it begins when the clock on the wall first
shows its beginning, and ends when that clock shows its end for the last time. A time that the clock leaves out when it
is put forward counts as the moment of that leap.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?", re.ASCII)
_WEEKLY = re.compile(rf"({'|'.join(_DAYS)})[a-z]*\s+(\d\d?):(\d\d)", re.ASCII | re.IGNORECASE)
_DAY = timedelta(days=1)
_MINUTES = 24 * 60
_WEEK = timedelta(days=7)
# Others are no dates of a window, and some are none that a clock can be set to.
_YEARS = range(1970, 9999)
# Windows that close and open one after the other for longer than this never let anything through.
_LONGEST = 2 * 366 * 86400


class WeekTime(Struct, frozen=True):
    """A time of the week.

    Attributes:
        day: 0 for Monday.
        minute: of the day.
    """

    day: int
    minute: int


Boundary = datetime | WeekTime


class Freeze(Struct, frozen=True, kw_only=True):
    """A window in which an environment takes nothing new.

    Attributes:
        reason: why, for people.
        start: the local time when it begins: a moment, or one of every week.
        end: the local time when it is over.
        timezone: the IANA name of the time zone.
    """

    reason: str
    start: Boundary
    end: Boundary
    timezone: str

    def is_over(self, now: float) -> bool:
        """Whether it never comes again."""
        return isinstance(self.end, datetime) and _last(self.end, _zone(self.timezone)) <= now

    def until(self, now: float) -> float | None:
        """When the window that holds a time is over, in seconds since 1970; None outside of it."""
        zone = _zone(self.timezone)
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            spans = [(self.start, self.end)]
        elif isinstance(self.start, WeekTime) and isinstance(self.end, WeekTime):
            spans = _weeks(self.start, self.end, datetime.fromtimestamp(now, zone).replace(tzinfo=None))
        for start, end in spans:
            over = _last(end, zone)
            if _first(start, zone) <= now < over:
                return over
        return None


def parse_boundary(text: str, *, end: bool = False) -> Boundary:
    """Reads `2026-12-20`, `2026-12-20T18:00` or `Fri 16:00`.

    Args:
        end: it is the end of a window: a date counts to its last moment.

    Raises:
        ValueError: it is none of them, or there is no such day or time.
    """
    weekly = _WEEKLY.fullmatch(text.strip())
    if weekly:
        hour, minute = int(weekly[2]), int(weekly[3])
        if hour * 60 + minute > 24 * 60 or minute > 59:
            raise ValueError(text)
        return WeekTime(_DAYS.index(weekly[1].lower()), hour * 60 + minute)
    date = _DATE.fullmatch(text.strip())
    if not date:
        raise ValueError(text)
    year, month, day, hour, minute = (int(part or 0) for part in date.groups())
    if year not in _YEARS:
        raise ValueError(text)
    found = datetime(year, month, day, hour, minute)
    return found + _DAY if end and date[4] is None else found


def written(boundary: Boundary) -> str:
    """A boundary as `parse_boundary` reads it back."""
    if isinstance(boundary, WeekTime):
        hour, minute = divmod(boundary.minute, 60)
        return f"{_DAYS[boundary.day].capitalize()} {hour:02}:{minute:02}"
    return boundary.isoformat(timespec="minutes")


def thaw(freezes: Iterable[Freeze], now: float) -> float | None:
    """When none of the windows holds any more, from a time on that may be in some; None for never."""
    listed = list(freezes)
    at = now
    while at - now <= _LONGEST:
        ends = [end for freeze in listed if (end := freeze.until(at)) is not None]
        if not ends:
            return at
        at = max(ends)
    return None


def is_ordered(start: Boundary, end: Boundary, timezone: str) -> bool:
    """Whether a window begins before it ends; one of the week may go over its end, and lasts less than a week.

    Two times are none between which there is a time if the clock leaves out all of it.
    """
    if isinstance(start, WeekTime) and isinstance(end, WeekTime):
        if start.day == end.day:
            return start.minute < end.minute
        # The end of a day is the beginning of the next one.
        return ((end.day - start.day) * _MINUTES + end.minute - start.minute) % (7 * _MINUTES) != 0
    if not (isinstance(start, datetime) and isinstance(end, datetime) and start < end):
        return False
    zone = _zone(timezone)
    return _first(start, zone) < _last(end, zone)


def zones() -> list[str]:
    """The names of all time zones."""
    return sorted(available_timezones())


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this IANA name."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _weeks(start: WeekTime, end: WeekTime, local: datetime) -> list[tuple[datetime, datetime]]:
    # The windows that began in this week or the one before, in local time.
    monday = local.replace(hour=0, minute=0, second=0, microsecond=0) - local.weekday() * _DAY
    length = timedelta(days=end.day - start.day, minutes=end.minute - start.minute)
    spans = []
    for week in (monday - _WEEK, monday):
        begins = week + timedelta(days=start.day, minutes=start.minute)
        spans.append((begins, begins + (length if length > timedelta() else length + _WEEK)))
    return spans


def _first(local: datetime, zone: ZoneInfo) -> float:
    return _moments(local, zone)[0]


def _last(local: datetime, zone: ZoneInfo) -> float:
    return _moments(local, zone)[1]


def _moments(local: datetime, zone: ZoneInfo) -> tuple[float, float]:
    early, late = (local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if early <= late:
        return early, late
    # The clock is put forward over this time: the moment lies where the offset changes.
    low, high = late, early
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high, high


def _offset(moment: float, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
