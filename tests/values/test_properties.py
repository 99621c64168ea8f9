"""Any document, any key, any value: only that key differs, and Helm reads the value back."""

from typing import Any

import helm_python
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_tk.values import quote
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit, apply, same
from gitops_tk.values.keys import KeyPath, format_key, parse_key

_TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30)
_TRAPS = st.sampled_from(
    "1.10 1e3 0o17 0x1F 0b1 1234e56 1_000 +1 -1 .5 1. on off yes no y n Y N true True null Null ~ .inf -.inf .NaN "
    "2024-01-01 2024-01-01T00:00:00Z 12:30:45 = << - ? : , [ ] { } # & * ! | > ' \" % @ ` a: :a a#b a,b ---".split()
) | st.sampled_from(["", " ", " a", "a ", "a: b", "a #b", "\t", "\n", "a\nb", "\u2028", "\ufeff", "\x85", "🎉", "- a"])
_STRINGS = _TRAPS | _TEXT
_KEYS = st.from_regex(r"[a-z][a-zA-Z0-9]{0,6}", fullmatch=True).filter(lambda key: key.lower() not in quote._RESERVED)
_SCALARS = _STRINGS | st.integers(-(2**53), 2**53) | st.booleans() | st.none()
_DATA = st.recursive(
    _SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_KEYS, below, max_size=4),
    max_leaves=12,
)
_MAPS = st.dictionaries(_KEYS, _DATA, min_size=1, max_size=5)


def _written(data: dict[str, Any], flow: bool) -> bytes:
    if flow:
        return (quote.flow(data) + "\n").encode()
    lines = ["# heading"]
    for key, value in data.items():
        lines += [*quote.block(key, value, 0), "", f"# after {key}"]
    return ("\n".join(lines) + "\n").encode()


def _leaves(value: Any, above: KeyPath = ()) -> list[KeyPath]:
    if isinstance(value, dict) and value:
        return [leaf for key, one in value.items() for leaf in _leaves(one, (*above, key))]
    return [above]


@given(_MAPS, st.booleans())
def test_what_is_written_is_read_back(data: dict[str, Any], flow: bool) -> None:
    text = _written(data, flow)
    assert same(Document.read(text, "f").data, data)
    assert helm_python.values_from_yaml(text.decode()) == data


@given(st.data(), _MAPS, st.booleans(), _STRINGS)
def test_an_edit_changes_its_key_alone(choose: Any, data: dict[str, Any], flow: bool, value: str) -> None:
    path = choose.draw(st.sampled_from(_leaves(data)))
    before = _written(data, flow)
    after = apply(before, [Edit(path, value)], "f")
    expected = _put(data, path, value)
    assert same(Document.read(after, "f").data, expected)
    assert helm_python.values_from_yaml(after.decode()) == expected
    kept = [line for line in before.splitlines() if line.startswith(b"# ")]
    assert [line for line in after.splitlines() if line.startswith(b"# ") and line in kept] == kept


@given(_MAPS, st.booleans(), st.lists(_KEYS, min_size=1, max_size=3), _STRINGS)
def test_a_missing_key_is_added_and_nothing_else_changes(
    data: dict[str, Any], flow: bool, names: list[str], value: str
) -> None:
    path = ("added", *names)
    before = _written({key: one for key, one in data.items() if key != "added"}, flow)
    after = apply(before, [Edit(path, value)], "f")
    read = helm_python.values_from_yaml(after.decode())
    assert read == _put({key: one for key, one in data.items() if key != "added"}, path, value)
    if not flow:
        assert before.rstrip(b"\n") in after or all(line in after for line in before.splitlines())


# Few milliseconds each, and no trap is left out.
@settings(max_examples=300)
@given(_STRINGS, st.sampled_from([None, "'", '"']), st.booleans())
def test_every_string_is_that_string_to_every_reader(value: str, style: str | None, flow: bool) -> None:
    written = quote.scalar(value, style, flow=flow)
    text = f"a: {{b: {written}}}\n" if flow else f"a:\n  b: {written}\n"
    assert helm_python.values_from_yaml(text) == {"a": {"b": value}}
    assert Document.read(text.encode(), "f").data == {"a": {"b": value}}


@given(st.lists(_TEXT.filter(lambda text: text.isprintable()), min_size=1, max_size=4))
def test_keys_are_written_and_read_back(steps: list[str]) -> None:
    assert parse_key(format_key(tuple(steps))) == tuple(steps)


def _put(data: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    data = dict(data) if isinstance(data, dict) else {}
    data[str(path[0])] = _put(data.get(str(path[0])), path[1:], value)
    return data
