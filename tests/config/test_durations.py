"""Durations as people write and read them."""

import pytest

from gitops_tk.errors import UsageError
from gitops_tk.model.durations import exact, rough, seconds


@pytest.mark.parametrize(
    ("text", "length", "again", "roughly"),
    [
        ("0", 0, "0s", "less than 1s"),
        ("90", 90, "1m30s", "1m 30s"),
        ("1.5h", 5400, "1h30m", "1h 30m"),
        ("0.5s", 0.5, "0.5s", "less than 1s"),
        ("24h", 86400, "1d", "1d"),
        ("7d", 604800, "7d", "7d"),
        ("1d12h30m5s", 131405, "1d12h30m5s", "1d 12h"),
        ("1h1s", 3601, "1h1s", "1h"),
    ],
)
def test_a_duration_is_read_and_written(text: str, length: float, again: str, roughly: str) -> None:
    assert (seconds(text), exact(length), rough(length)) == (length, again, roughly)
    assert seconds(again) == length


@pytest.mark.parametrize("text", ["", "h", "-1h", "1w", "1h ", "1 h", "1e5", "nan", "inf", "\u0663h", "1.5h30m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        seconds(text)
    assert refused.value.code == "bad-duration"
