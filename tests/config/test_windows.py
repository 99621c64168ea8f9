"""When a freeze window holds, daylight saving and leap days included. Times in comments are local."""

from datetime import datetime

import pytest

from gitops_tk.config.windows import Freeze, parse_boundary, thaw

# In 2026 clocks in Berlin go forward on 29 March at 01:00 UTC, and back on 25 October at 01:00 UTC;
# in New York on 8 March at 07:00 UTC, and on 1 November at 06:00 UTC.
_BERLIN, _NEW_YORK = "Europe/Berlin", "America/New_York"


def window(start: str, end: str, zone: str = "UTC") -> Freeze:
    return Freeze(reason="r", start=parse_boundary(start), end=parse_boundary(end, end=True), timezone=zone)


def at(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()


@pytest.mark.parametrize(
    ("start", "end", "zone", "now", "until"),
    [
        # Dates: whole days, the last one to its end.
        ("2026-12-20", "2027-01-02", "UTC", "2026-12-19T23:59:59", None),
        ("2026-12-20", "2027-01-02", "UTC", "2026-12-20T00:00:00", "2027-01-03T00:00:00"),
        ("2026-12-20", "2027-01-02", "UTC", "2027-01-02T23:59:59", "2027-01-03T00:00:00"),
        ("2026-12-20", "2027-01-02", "UTC", "2027-01-03T00:00:00", None),
        # In the time zone: Berlin is an hour ahead in winter, two in summer.
        ("2026-12-20", "2026-12-20", _BERLIN, "2026-12-19T23:00:00", "2026-12-20T23:00:00"),
        ("2026-07-01", "2026-07-01", _BERLIN, "2026-06-30T22:00:00", "2026-07-01T22:00:00"),
        ("2026-07-01", "2026-07-01", _NEW_YORK, "2026-07-01T03:59:59", None),
        # Moments, the end excluded.
        ("2026-05-01T09:00", "2026-05-01T18:30", "UTC", "2026-05-01T18:29:59", "2026-05-01T18:30:00"),
        ("2026-05-01T09:00", "2026-05-01T18:30", "UTC", "2026-05-01T18:30:00", None),
        # Leap days.
        ("2028-02-28", "2028-02-29", "UTC", "2028-02-29T23:59:59", "2028-03-01T00:00:00"),
        ("2028-02-29", "2028-02-29", "UTC", "2028-02-28T23:59:59", None),
        ("2028-02-29", "2028-02-29", _BERLIN, "2028-02-28T23:00:00", "2028-02-29T23:00:00"),
        # A day that is 23, and one that is 25 hours long.
        ("2026-03-29", "2026-03-29", _BERLIN, "2026-03-28T23:00:00", "2026-03-29T22:00:00"),
        ("2026-10-25", "2026-10-25", _BERLIN, "2026-10-24T22:00:00", "2026-10-25T23:00:00"),
        # 02:30 is left out on 29 March: it counts as 03:00, the moment of the leap.
        ("2026-03-29T02:30", "2026-03-29T06:00", _BERLIN, "2026-03-29T00:59:59", None),
        ("2026-03-29T02:30", "2026-03-29T06:00", _BERLIN, "2026-03-29T01:00:00", "2026-03-29T04:00:00"),
        ("2026-03-29T00:00", "2026-03-29T02:30", _BERLIN, "2026-03-29T00:59:59", "2026-03-29T01:00:00"),
        ("2026-03-29T02:15", "2026-03-29T02:45", _BERLIN, "2026-03-29T01:00:00", None),
        # 02:30 comes twice on 25 October: a window begins at the first and ends at the second.
        ("2026-10-25T02:30", "2026-10-25T05:00", _BERLIN, "2026-10-25T00:30:00", "2026-10-25T04:00:00"),
        ("2026-10-25T01:00", "2026-10-25T02:30", _BERLIN, "2026-10-25T00:45:00", "2026-10-25T01:30:00"),
        ("2026-10-25T01:00", "2026-10-25T02:30", _BERLIN, "2026-10-25T01:30:00", None),
        # Every week: 2 January 2026 is a Friday.
        ("Fri 16:00", "Mon 08:00", "UTC", "2026-01-02T15:59:59", None),
        ("Fri 16:00", "Mon 08:00", "UTC", "2026-01-02T16:00:00", "2026-01-05T08:00:00"),
        ("Fri 16:00", "Mon 08:00", "UTC", "2026-01-05T07:59:59", "2026-01-05T08:00:00"),
        ("Fri 16:00", "Mon 08:00", "UTC", "2026-01-05T08:00:00", None),
        ("friday 16:00", "FRI 24:00", "UTC", "2026-01-02T23:59:59", "2026-01-03T00:00:00"),
        ("Mon 00:00", "Tue 00:00", "UTC", "2026-01-05T00:00:00", "2026-01-06T00:00:00"),
        ("Sun 22:00", "Mon 06:00", "UTC", "2026-01-04T22:00:00", "2026-01-05T06:00:00"),
        ("Fri 16:00", "Mon 08:00", _NEW_YORK, "2026-01-02T20:59:59", None),
        ("Fri 16:00", "Mon 08:00", _NEW_YORK, "2026-01-02T21:00:00", "2026-01-05T13:00:00"),
        # A weekend in which the clock is put forward, and back.
        ("Fri 16:00", "Mon 08:00", _BERLIN, "2026-03-27T15:00:00", "2026-03-30T06:00:00"),
        ("Fri 16:00", "Mon 08:00", _BERLIN, "2026-10-23T14:00:00", "2026-10-26T07:00:00"),
        ("Fri 16:00", "Mon 08:00", _NEW_YORK, "2026-03-06T21:00:00", "2026-03-09T12:00:00"),
        # The hour that comes twice, and the one that is left out, every week.
        ("Sun 02:00", "Sun 03:00", _BERLIN, "2026-10-25T00:00:00", "2026-10-25T02:00:00"),
        ("Sun 02:00", "Sun 03:00", _BERLIN, "2026-10-25T01:59:59", "2026-10-25T02:00:00"),
        ("Sun 02:00", "Sun 03:00", _BERLIN, "2026-03-29T01:00:00", None),
        ("Sun 02:00", "Sun 03:00", _BERLIN, "2026-04-05T00:00:00", "2026-04-05T01:00:00"),
        # A week over a leap day: 28 February 2028 is a Monday.
        ("Mon 12:00", "Wed 12:00", "UTC", "2028-02-29T12:00:00", "2028-03-01T12:00:00"),
        # Where midnight is left out: Cairo, 24 April 2026.
        ("2026-04-24", "2026-04-24", "Africa/Cairo", "2026-04-23T21:59:59", None),
        ("2026-04-24", "2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00", "2026-04-24T21:00:00"),
        # An offset that moves by half an hour: Lord Howe, back on 5 April at 02:00, forward on 4 October at 02:00.
        ("2026-04-05T01:45", "2026-04-05T03:00", "Australia/Lord_Howe", "2026-04-04T14:45:00", "2026-04-04T16:30:00"),
        ("2026-10-04T02:15", "2026-10-04T04:00", "Australia/Lord_Howe", "2026-10-03T15:29:59", None),
        ("2026-10-04T02:15", "2026-10-04T04:00", "Australia/Lord_Howe", "2026-10-03T15:30:00", "2026-10-03T17:00:00"),
        # Winter is what is saved in Dublin's law: the clock is the same.
        ("2026-10-25T01:30", "2026-10-25T03:00", "Europe/Dublin", "2026-10-25T00:30:00", "2026-10-25T03:00:00"),
        # A day that is left out whole: Apia, 30 December 2011.
        ("2011-12-30", "2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00", "2011-12-31T10:00:00"),
        # Midnight at the end of a day is the beginning of the next one.
        ("Sun 24:00", "Mon 24:00", "UTC", "2026-01-05T00:00:00", "2026-01-06T00:00:00"),
        ("Sun 24:00", "Mon 24:00", "UTC", "2026-01-04T23:59:59", None),
        ("Sat 24:00", "Mon 00:00", "UTC", "2026-01-04T12:00:00", "2026-01-05T00:00:00"),
        # Nearly a week, over a leap day and over the new year.
        ("Wed 01:00", "Tue 23:00", "UTC", "2028-02-29T22:59:59", "2028-02-29T23:00:00"),
        ("Wed 01:00", "Tue 23:00", "UTC", "2028-02-29T23:00:00", None),
        ("Thu 12:00", "Fri 12:00", "UTC", "2026-12-31T23:59:59", "2027-01-01T12:00:00"),
    ],
)
def test_a_window_holds_until_its_end(start: str, end: str, zone: str, now: str, until: str | None) -> None:
    found = window(start, end, zone).until(at(now))
    assert found == (at(until) if until else None)


@pytest.mark.parametrize(
    ("windows", "now", "until"),
    [
        ([], "2026-01-01T00:00:00", "2026-01-01T00:00:00"),
        ([("2026-01-01", "2026-01-02")], "2026-01-01T12:00:00", "2026-01-03T00:00:00"),
        # One after the other, and one within the other.
        (
            [("2026-01-01", "2026-01-02"), ("2026-01-03", "2026-01-03"), ("2026-01-02", "2026-01-02")],
            "2026-01-01T12:00:00",
            "2026-01-04T00:00:00",
        ),
        # A freeze that ends in a weekend lasts to its end: 2 January is a Friday.
        ([("2026-01-01", "2026-01-03"), ("Fri 16:00", "Mon 08:00")], "2026-01-01T12:00:00", "2026-01-05T08:00:00"),
        ([("Mon 00:00", "Thu 12:00"), ("Thu 10:00", "Mon 00:00")], "2026-01-01T12:00:00", None),
        ([("Mon 00:00", "Thu 10:00"), ("Thu 10:01", "Mon 00:00")], "2026-01-02T12:00:00", "2026-01-08T10:00:00"),
    ],
)
def test_windows_that_follow_each_other_are_one(windows: list[tuple[str, str]], now: str, until: str | None) -> None:
    found = thaw([window(*one) for one in windows], at(now))
    assert found == (at(until) if until else None)
