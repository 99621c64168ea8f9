"""Values read line by line are what the parser reads, or are left to it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_tk.values import by_line
from gitops_tk.values.document import Document
from gitops_tk.values.edit import same

_CORPUS = [path.read_bytes().decode() for path in sorted((Path(__file__).parent / "corpus").glob("*/*.yaml"))]
_USUAL = """\
# set by the pipeline
image:
  repository: registry.example.com:5000/team/web  # a port's colon
  tag: "1.10"
  digest: ''

replicas: 2
empty:
hosts:
- name: a.example.com
  paths:
    - /
    - path: /b#c
      type: Prefix

-   name: b.example.com
env: {}
args: []
podLabels:
    app.kubernetes.io/name: "web: one"
"""
_KEYS = st.sampled_from("a|b|c|d-e|a.b/c|y|1|1.2|_x|null|<<|-a|'q'|a b|".split("|"))
_VALUES = st.sampled_from(
    "1|x|1.10|'q'|\"q r\"|{}|[]|~|on|a b|a:b|a#b|a #b|'it''s'|-1|- x|x:|x: y|*a|&a b|é|🎉|>-|[a, b]|{a: b}|--- x|...|"
    '!!str 1|"a\\n"|\'open|%x|\t|a\tb|\x85|\u2028|\ufeff|\x07|\xa0|=|@x|`|"" #c|\'\'#c|{} #c|[]#c|?|? x|'.split("|")
)
_FORMS = st.sampled_from(
    "{k}: {v}|{k}: {v}|{k}: {v}|{k}:|{k}:|- {k}: {v}|- {v}|- {k}:|-   {k}: {v}  |- - {v}|-|# {v}||{v}".split("|")
)
_LINES = st.builds(
    lambda deep, form, key, value: " " * deep + form.format(k=key, v=value),
    st.sampled_from([0, 0, 0, 2, 2, 4, 1, 6]),
    _FORMS,
    _KEYS,
    _VALUES,
)


def _is_what_the_parser_reads(text: str) -> bool:
    found = by_line.read(text)
    return found is None or same(found, Document.parse(text.encode(), "f").data)


@given(st.lists(_LINES, max_size=7), st.sampled_from(["\n", "\n", "\r\n", "\r"]))
def test_lines_of_all_kinds(lines: list[str], end: str) -> None:
    assert _is_what_the_parser_reads(end.join(lines))


@given(st.sampled_from([_USUAL, *_CORPUS]), st.integers(0, 400), st.integers(0, 3), _VALUES)
def test_files_into_which_something_was_written(text: str, at: int, length: int, written: str) -> None:
    assert _is_what_the_parser_reads(text[:at] + written + text[at + length :])


def test_a_file_as_most_are_needs_no_parser() -> None:
    found = by_line.read(_USUAL)
    assert found is not None
    assert same(found, Document.parse(_USUAL.encode(), "f").data)
    assert same(found, by_line.read(_USUAL.replace("\n", "\r\n")))


@pytest.mark.parametrize(
    "text",
    [
        *("a: 1\na: 2\n", "a:\n  b: 1\n c: 2\n", "a: b\n  c: d\n", "- a\n", "a: |\n  b\n", "a: 1\n---\n"),
        *(f"{'k' * 1025}: 1\n", "".join(f"{' ' * deep}a:\n" for deep in range(60)), "a: 1\n" + "# word\n" * 150_000),
    ],
    ids=range(9),
)
def test_what_may_be_refused_is_left_to_the_parser(text: str) -> None:
    assert by_line.read(text) is None


def test_empty_maps_and_lists_are_not_shared() -> None:
    text = "a: {}\nb: []\n"
    one, other = by_line.read(text), by_line.read(text)
    assert one is not None
    assert other is not None
    assert one["a"] is not other["a"]
    assert one["b"] is not other["b"]
