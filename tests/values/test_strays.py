"""Lines that change and hold nothing that does."""

import pytest

from gitops_tk.values.strays import only_white, stray_lines

_BASE = b"""# what it runs
image:
  tag: v1 # by CI
  digest: ""

config:
  LEVEL: info
list:
  - a
  - b

# the end
last: 1
"""


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (b"tag: v1", b"tag: v2", ()),
        (b"tag: v1 # by CI", b'tag: "v2" # by hand', ()),
        (b"  - b\n", b"  - b\n  - c\n", ()),
        (b"  - a\n  - b\n", b"  []\n", ()),
        (b'  digest: ""\n', b'  digest: ""\n  build: 7\n', ()),
        (b"config:\n  LEVEL: info\n", b"", ()),
        (b"last: 1\n", b"last: 1\nnew:\n  deep:\n    key: 1\n", ()),
        (b"last: 1\n", b"last: |\n  one\n  two\n", ()),
        # What changes nothing.
        (b"# what it runs\n", b"", (1,)),
        (b"# the end\n", b"# the very end\n", (12,)),
        (b"tag: v1", b"tag: v2\n  # a comment", (4,)),
        (b"  LEVEL: info\n", b"    LEVEL: info\n", (7,)),
        (b'digest: ""', b"digest: ''", (4,)),
        (b"\n\n# the end", b"\n# the end", (11,)),
        (b"last: 1\n", b"last: 1", ()),
        (b"list:\n  - a\n  - b\n", b"list: [a, b]\n", (8,)),
        (b"  - b\n\n", b"  - b\n  - c\n# hidden among them\n\n", (12,)),
    ],
)
def test_lines_that_need_not_have_changed(old: bytes, new: bytes, lines: tuple[int, ...]) -> None:
    assert _BASE.count(old) == 1
    assert stray_lines(_BASE, _BASE.replace(old, new), "f") == lines


def test_line_ends_and_a_byte_order_mark_are_lines_that_change() -> None:
    assert len(stray_lines(_BASE, _BASE.replace(b"\n", b"\r\n"), "f")) == _BASE.count(b"\n")
    assert stray_lines(_BASE, b"\xef\xbb\xbf" + _BASE, "f") == (1,)
    assert stray_lines(_BASE, _BASE, "f") == ()


@pytest.mark.parametrize(
    ("after", "white"),
    [(_BASE, False), (_BASE + b"\n\n", True), (_BASE.replace(b"\n", b"\r\n"), True), (b"a: 1\n", False)],
)
def test_white_space_alone(after: bytes, white: bool) -> None:
    assert only_white(_BASE, after) is white


def test_lines_that_move_past_what_changes_are_no_stray_ones() -> None:
    assert stray_lines(b"# why\na: 1\nb: 1\n", b"a: 2\n# why\nb: 1\n", "f") == ()
    assert stray_lines(b"# why\na: 1\nb: 1\n", b"a: 2\nb: 1\n# why\n", "f") == (2, 3)
    assert stray_lines(b"a: 1\n# why\n", b"a: 2\n", "f") == (1,)


def test_of_many_lines_that_differ_all_between_what_is_alike_are_told() -> None:
    comments = b"".join(b"# %d\n" % at for at in range(300))
    turned = b"".join(b"# %d\n" % at for at in reversed(range(300)))
    assert stray_lines(b"a: 1\n" + comments + b"b: 1\n", b"a: 1\n" + turned + b"b: 1\n", "f") == tuple(range(2, 302))
