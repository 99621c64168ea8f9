"""What becomes of each file of a chart when its skeleton changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_tk.charts.threeway import Files, Step, common, steps
from gitops_tk.model.merging import Conflict, Merged

_FILES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([b"1\n", b"2\n", b"3\n"]), max_size=4)


def _whole(ours: bytes, base: bytes, theirs: bytes) -> Merged:
    return Merged((Conflict(ours, theirs, 1),))


def _result(base: Files, ours: Files, theirs: Files) -> dict[str, bytes]:
    found = dict(ours)
    for step in steps(base, ours, theirs, _whole):
        if step.what in ("added", "replaced"):
            found[step.path] = step.data
        if step.what == "removed":
            del found[step.path]
    return found


def _one(base: bytes | None, ours: bytes | None, theirs: bytes | None) -> Step | None:
    sides = ({} if data is None else {"f": data} for data in (base, ours, theirs))
    return next(iter(steps(*sides, _whole)), None)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "what"),
    [
        (b"1", b"1", b"2", "replaced"),
        (b"1", b"x", b"2", "merged"),
        (b"1", b"x", b"1", None),
        (b"1", b"2", b"2", None),
        (b"1", b"1", None, "removed"),
        (b"1", b"x", None, "kept"),
        (b"1", None, None, None),
        (b"1", None, b"2", "left-out"),
        (b"1", None, b"1", "left-out"),
        (None, None, b"2", "added"),
        (None, b"2", b"2", None),
        (None, b"x", b"2", "merged"),
    ],
)
def test_a_file_becomes(base: bytes | None, ours: bytes | None, theirs: bytes | None, what: str | None) -> None:
    step = _one(base, ours, theirs)
    assert (step.what if step else None) == what


@given(_FILES, _FILES)
def test_a_chart_that_nobody_edited_becomes_what_would_be_made_now(base: Files, theirs: Files) -> None:
    assert _result(base, base, theirs) == theirs


@given(_FILES, _FILES)
def test_under_the_same_skeleton_nothing_changes(base: Files, ours: Files) -> None:
    assert _result(base, ours, base) == ours


@given(_FILES, _FILES, _FILES)
def test_no_edit_is_lost_and_nothing_comes_back(base: Files, ours: Files, theirs: Files) -> None:
    after = _result(base, ours, theirs)
    for path in base.keys() | ours.keys() | theirs.keys():
        if ours.get(path) != base.get(path):
            followed = path not in ours and path not in base
            assert followed or after.get(path) == ours.get(path)
        elif path in ours:
            assert after.get(path) == theirs.get(path)


@given(_FILES, _FILES, _FILES)
def test_the_second_time_nothing_is_left_to_do_but_what_conflicts(base: Files, ours: Files, theirs: Files) -> None:
    again = steps(theirs, _result(base, ours, theirs), theirs, _whole)
    assert {step.what for step in again} <= {"left-out"}


def test_line_endings_are_no_edit_and_stay() -> None:
    step = _one(b"a\nb\n", b"a\r\nb\r\n", b"a\nc\n")
    assert step is not None
    assert (step.what, step.data) == ("replaced", b"a\r\nc\r\n")
    assert _one(b"a\n", b"x\r\n", b"x\n") is None
    assert common({"f": b"a\n", "g": b"b\n"}, {"f": b"a\r\n", "g": b"c\n"}) == 1
