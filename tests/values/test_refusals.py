"""Files that cannot be edited safely are refused with their line, and nothing is written."""

import pytest

from gitops_tk.errors import EditRefused, GitopsTkError, UsageError
from gitops_tk.values.edit import DELETE, Edit, apply
from gitops_tk.values.keys import parse_key

_BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [*{above},*{above},*{above},*{above},*{above},*{above},*{above},*{above},*{above}]\n"
    for above, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("why", "text", "key", "code", "line"),
    [
        ("readers differ on which one counts", b"image:\n  tag: v1\n  tag: v2\n", "image.tag", "duplicate-key", 3),
        ("a duplicate far from the edit", b"image:\n  tag: v1\nx:\n  a: 1\n  a: 2\n", "image.tag", "duplicate-key", 5),
        ("one key quoted, one not", b"a: 1\n'a': 2\n", "a", "duplicate-key", 2),
        ("the alias is the value", b"x: &t v1\nimage:\n  tag: *t\n", "image.tag", "alias", 1),
        ("the anchor is used elsewhere", b"image:\n  tag: &t v1\nold: *t\n", "image.tag", "alias", 2),
        ("the way goes through an alias", b"x: &i\n  tag: v1\nimage: *i\n", "image.tag", "alias", 1),
        ("the way goes through a used anchor", b"image: &i\n  tag: v1\nold: *i\n", "image.tag", "alias", 1),
        ("the key may come from a merge", b"x: &i\n  tag: v1\nimage:\n  <<: *i\n", "image.tag", "merge-key", 4),
        ("two documents", b"image:\n  tag: v1\n---\nimage:\n  tag: v2\n", "image.tag", "several-documents", 3),
        ("a tab", b"image:\n\ttag: v1\n", "image.tag", "yaml", 2),
        ("no YAML", b"image: {tag: v1\n", "image.tag", "yaml", 2),
        ("UTF-16", "image:\n  tag: v1\n".encode("utf-16"), "image.tag", "encoding", 1),
        ("UTF-16 without a mark", "image: 1\n".encode("utf-16-le"), "image.tag", "encoding", 1),
        ("not UTF-8", b"a: 1\nb: \xff\n", "image.tag", "encoding", 2),
        ("a list", b"- a\n", "image.tag", "not-a-map", 1),
        ("a text", b"hello\n", "image.tag", "not-a-map", 1),
        ("a text where a map is needed", b"x: 1\nimage: nginx:1.2\n", "image.tag", "not-a-map", 2),
        ("a list where a map is needed", b"image: [a]\n", "image.tag", "not-a-map", 1),
        ("a tag of its own", b"image:\n  tag: !secret v1\n", "image.tag", "tag", 2),
        ("a number by tag", b"image:\n  tag: !!float 1\n", "image.tag", "tag", 2),
        (
            "SOPS",
            b"image:\n  tag: v1\nsops:\n  mac: ENC[AES256]\n  lastmodified: '2026-01-01T00:00:00Z'\n",
            "image.tag",
            "sops",
            3,
        ),
        ("a bomb of aliases", _BOMB.encode(), "image.tag", "alias-bomb", 1),
        ("an alias that holds itself", b"a: &a\n  b: *a\n", "image.tag", "alias-bomb", None),
        ("nested without end", b"a: " + b"[" * 5000 + b"]" * 5000, "image.tag", "too-deep", None),
        ("two elements", b"l:\n- k: a\n  v: 1\n- k: a\n  v: 2\n", "l[k=a].v", "ambiguous-selector", 4),
        ("a map as a key", b"{a: 1}: 2\n", "image.tag", "bad-map-key", 1),
    ],
)
def test_what_cannot_be_edited_safely_is_refused_with_its_line_and_what_to_do(
    why: str, text: bytes, key: str, code: str, line: int | None
) -> None:
    with pytest.raises(EditRefused) as refused:
        apply(text, [Edit(parse_key(key), "v9")], "services/a/envs/dev.yaml")
    assert refused.value.code == code, why
    assert refused.value.file == "services/a/envs/dev.yaml"
    assert refused.value.hint
    if line is not None:
        assert refused.value.line == line


@pytest.mark.parametrize(
    ("text", "key", "value", "code"),
    [
        (b"x: 1\na: &x\n  b: 1\n", "a", {"c": 1}, "tag"),
        (b"x: 1\na: &x {b: 1}\n", "a", {"c": 1}, "tag"),
        (b"x: 1\na: !!seq [b]\n", "a", ["c"], "tag"),
        (b"x: 1\na: &x\n  b: 1\n", "a.b", DELETE, "tag"),
        (b"x: 1\n? a\n: b: 1\n", "a", {"c": 1}, "unusual"),
        (b"x: 1\n? a\n: - b\n  - c\n", "a", ["c"], "unusual"),
        (b"x: 1\n? a\n: b: 1\n", "a", {}, "unusual"),
        (b"x: 1\n? a\n: b: 1\n", "a.b", DELETE, "unusual"),
        (b"x: 1\n\na: |\n  b", "c", 1, "unended"),
        (b"x: 1\n\na: >2+\n  b", "c", 1, "unended"),
        (b"x: 1\nl:\n- |\n  b", "l[1]", "c", "unended"),
    ],
)
def test_a_block_whose_place_means_more_is_not_written_anew(text: bytes, key: str, value: object, code: str) -> None:
    with pytest.raises(EditRefused) as refused:
        apply(text, [Edit(parse_key(key), value)], "f.yaml")
    assert (refused.value.code, refused.value.line) == (code, 2 if code == "tag" else 3)


@pytest.mark.parametrize("value", ["\ud800", float("inf"), float("nan")])
def test_what_no_reader_would_read_back_is_no_value(value: object) -> None:
    with pytest.raises(UsageError) as refused:
        apply(b"a: 1\n", [Edit(parse_key("a"), value)], "f.yaml")
    assert refused.value.code == "bad-value"


@pytest.mark.parametrize("text", ["", "a..b", "a.", "a=b", "a b", 'a"b"', '"a', "a[", "a[x]", "a[-1]"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_key(text)
    assert refused.value.code == "bad-key"


@pytest.mark.parametrize("key", ["l[5].a", "l[n=z].a", "m[0]", "missing[n=a].b", "missing[3]"])
def test_an_element_that_is_not_there_is_not_made_up(key: str) -> None:
    with pytest.raises(GitopsTkError) as refused:
        apply(b"l:\n- n: a\nm:\n  a: 1\n", [Edit(parse_key(key), "x")], "f.yaml")
    assert refused.value.code in ("missing-key", "not-a-map")


def test_removing_what_is_not_there_changes_nothing() -> None:
    text = b"a: 1 # x\n"
    assert apply(text, [Edit(parse_key("b.c"), DELETE), Edit(parse_key("l[n=a]"), DELETE)], "f.yaml") == text


def test_an_alias_of_another_value_does_not_stand_in_the_way_of_an_explicit_key_beside_a_merge() -> None:
    text = b"x: &i\n  tag: v1\nimage:\n  <<: *i\n  tag: v2\n"
    assert apply(text, [Edit(parse_key("image.tag"), "v3")], "f.yaml") == text.replace(b"v2", b"v3")


@pytest.mark.parametrize(
    ("text", "key"), [(b"x: {a, b: 1}\n", "x.a"), (b"x: [a: 1]\n", "x[0].b"), (b"? a\n: 1\nb: 2\n", "a")]
)
def test_what_would_not_come_out_exactly_is_refused_by_reading_it_again(text: bytes, key: str) -> None:
    edit = Edit(parse_key(key), DELETE if key == "a" else "v1")
    with pytest.raises(EditRefused):
        apply(text, [edit], "f.yaml")
