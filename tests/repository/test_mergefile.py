"""Lines merged by git: what is settled, what conflicts, and where."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support import repositories as repo

from gitops_tk.errors import RepositoryError
from gitops_tk.repository.mergefile import merge

_LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"=======\n", b"<<<<<<< ours\n"]), max_size=7)
_FILES = st.tuples(_LINES, st.sampled_from([b"", b"a", b"z", b">>>>>>>"])).map(lambda one: b"".join(one[0]) + one[1])


def _by_git(ours: bytes, base: bytes, theirs: bytes, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("ours", ours), ("base", base), ("theirs", theirs)):
            (Path(folder) / name).write_bytes(data)
        arguments = ["git", "merge-file", "-p", *options, "ours", "base", "theirs"]
        return subprocess.run(arguments, cwd=folder, capture_output=True, check=False).stdout


@settings(max_examples=60)
@given(_FILES, _FILES, _FILES)
@example(b"a\nx", b"a\nb", b"a\ny")
@example(b"a\n", b"a\nb", b"a\nc")
@example(b"x", b"", b"y\n")
@example(b"x\r\ny\r\n", b"a\r\ny\r\n", b"b\r\ny\r\n")
def test_each_side_is_settled_as_git_settles_it_and_each_conflict_is_where_it_says(
    ours: bytes, base: bytes, theirs: bytes
) -> None:
    merged = merge(ours, base, theirs, os.environ)
    assert merged.resolved("ours") == _by_git(ours, base, theirs, "--ours")
    assert merged.resolved("theirs") == _by_git(ours, base, theirs, "--theirs")
    lines = ours.splitlines(keepends=True)
    for conflict in merged.conflicts:
        assert b"".join(lines[conflict.line - 1 :]).startswith(conflict.ours)
    marked = merged.marked("ours", "theirs")
    assert marked == _by_git(ours, base, theirs, "-L", "ours", "-L", "base", "-L", "theirs")
    starts = [marked.splitlines()[line - 1] for line in merged.marked_lines()]
    assert starts == [b"<<<<<<< ours"] * len(merged.conflicts)


def test_what_a_persons_git_says_of_conflicts_changes_nothing(isolated_home: Path) -> None:
    with (isolated_home / ".gitconfig").open("a") as config:
        config.write("[merge]\n\tconflictStyle = diff3\n[diff]\n\tnoprefix = true\n\texternal = /bin/false\n")
    merged = merge(b"0\nx\n", b"a\n", b"y\n", os.environ)
    (conflict,) = merged.conflicts
    assert (conflict.ours, conflict.theirs, conflict.line) == (b"0\nx\n", b"y\n", 1)


def test_a_conflict_is_told_by_its_line_in_the_file_as_it_is() -> None:
    base = b"".join(b"%d\n" % number for number in range(20))
    ours = base.replace(b"15\n", b"fifteen\n").replace(b"2\n", b"", 1)
    theirs = base.replace(b"15\n", b"XV\n").replace(b"7\n", b"7\n7a\n7b\n", 1)
    (conflict,) = merge(ours, base, theirs, os.environ).conflicts
    assert ours.splitlines()[conflict.line - 1] == b"fifteen"


def test_what_is_no_text_is_one_conflict() -> None:
    merged = merge(b"\0a", b"\0b", b"\0c", os.environ)
    assert (merged.text, merged.resolved("theirs")) == (False, b"\0c")


@pytest.mark.parametrize("line", [b"<" * 50, b"=" * 50 + b" x", b">" * 7])
def test_lines_that_look_like_markers_are_lines(line: bytes) -> None:
    ours = line + b"\n1\n2\n3\nours\n"
    merged = merge(ours, line + b"\n1\n2\n3\nbase\n", line + b"\n1\n2\n3\ntheirs\n", os.environ)
    assert (merged.resolved("ours"), len(merged.conflicts)) == (ours, 1)


@pytest.mark.parametrize(("command", "status"), [("merge-file", 255), ("merge-file", 129), ("diff", 128)])
def test_what_git_did_not_merge_is_no_empty_file(command: str, status: int, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError):
        merge(b"x\n", b"a\n", b"y\n", repo.idle(tmp_path, command, status))
