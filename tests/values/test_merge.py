"""Layers are merged as Helm merges them, and each value says where it is written."""

import json
from pathlib import Path
from typing import Any

import helm_python
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_tk.values.document import Document
from gitops_tk.values.keys import parse_key
from gitops_tk.values.merge import Origin, merge

_KEYS = st.sampled_from("abc")
_LEAVES = st.sampled_from([None, None, 1, "x", True, 0, "", [1], [None, {"a": None}]])
_BELOW = st.recursive(_LEAVES, lambda below: st.dictionaries(_KEYS, below, max_size=3), max_leaves=10)
_VALUES = st.dictionaries(_KEYS, _BELOW, max_size=3)


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chart")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (folder / "templates" / "values.yaml").write_text("{{ .Values | toJson }}")
    return folder


def _document(values: Any, file: str) -> Document:
    return Document.read(json.dumps(values).encode(), file)


def _rendered(chart: Path, values: dict[str, Any]) -> Any:
    rendered = helm_python.Chart.load(str(chart)).render(values)
    return json.loads(next(text for name, text in rendered.items() if name.endswith("values.yaml")))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_VALUES, _VALUES, _VALUES)
def test_a_chart_and_two_files_are_merged_as_the_engine_merges_them(
    chart: Path, defaults: dict[str, Any], shared: dict[str, Any], own: dict[str, Any]
) -> None:
    (chart / "values.yaml").write_text(json.dumps(defaults))
    files = [_document(shared, "shared"), _document(own, "own")]
    assert merge(files, _document(defaults, "chart")).data == _rendered(chart, merge(files).data)


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": "x"}, {"a": "x"}),
    ],
)
def test_one_file_goes_over_another_as_with_two_options_f(lower: Any, upper: Any, expected: Any) -> None:
    assert merge([_document(lower, "l"), _document(upper, "u")]).data == expected


def test_a_value_comes_from_the_highest_file_that_has_it() -> None:
    chart = Document.read(b"a:\n  b: 1\n  c: 1\n", "chart.yaml")
    own = Document.read(b"# own\na:\n  b: 2\n", "own.yaml")
    merged = merge([own], chart)
    assert merged.origin(parse_key("a.b")) == Origin("own.yaml", 3)
    assert merged.origin(parse_key("a.c")) == Origin("chart.yaml", 3)
    assert merged.origin(parse_key("a.z")) is None


def test_a_value_out_of_a_merge_key_comes_from_where_it_is_written() -> None:
    own = Document.read(b"base: &b\n  x: 1\na:\n  <<: *b\n  y: 2\n", "own.yaml")
    assert merge([own]).origin(parse_key("a.x")) == Origin("own.yaml", 2)


def test_what_a_null_hid_in_a_lower_file_is_not_named_as_the_origin() -> None:
    chart = Document.read(b"\n\na:\n  b: 1\n", "chart.yaml")
    files = [
        Document.read(text, file) for text, file in ((b"a: {b: 9}", "low"), (b"a: x", "mid"), (b"a: {c: 1}", "up"))
    ]
    merged = merge(files, chart)
    assert merged.get(parse_key("a.b")) == 1
    assert merged.origin(parse_key("a.b")) == Origin("chart.yaml", 4)


@pytest.mark.parametrize(
    ("held", "key"), [("true", "l[k=true].v"), ("1.10", "l[k=1.1].v"), ("80", "l[k=80].v"), ("a", "l[k=a].v")]
)
def test_a_selector_finds_the_same_element_in_the_file_and_in_what_is_merged(held: str, key: str) -> None:
    document = Document.read(f"l:\n- k: other\n- k: {held}\n  v: 7\n".encode(), "f")
    found = document.find(parse_key(key))
    assert found is not None
    assert found.value == merge([document]).get(parse_key(key)) == 7
