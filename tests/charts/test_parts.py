"""Schemas and Kubernetes checks."""

import json
from typing import Any

import pytest

from gitops_tk.charts import manifest
from gitops_tk.charts.rules import check
from gitops_tk.charts.rules.objects import Objects, parse
from gitops_tk.charts.schema import allows
from gitops_tk.errors import ChartError

_CLOSED = {
    "type": "object",
    "properties": {
        "image": {"$ref": "#/definitions/image"},
        "open": {"properties": {}},
        "both": {"allOf": [{"properties": {"a": {}}, "additionalProperties": False}]},
    },
    "patternProperties": {"^x-": {"additionalProperties": False}},
    "additionalProperties": False,
    "definitions": {"image": {"properties": {"tag": {}, "build": False}, "additionalProperties": False}},
}


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("image.tag", True),
        ("image.revision", False),
        ("image.build", False),
        ("open.anything", True),
        ("other", False),
        ("both.a", True),
        ("both.b", False),
        ("x-a", True),
        ("x-a.b", False),
    ],
)
def test_a_schema_says_what_may_be_set(key: str, allowed: bool) -> None:
    assert allows(json.dumps(_CLOSED).encode(), key, "v1") == allowed


@pytest.mark.parametrize("schema", [None, b"", b"not json", b"[]", b"true", b'{"$ref": "#"}', b'{"properties": []}'])
def test_without_a_schema_that_can_be_read_everything_may_be_set(schema: bytes | None) -> None:
    assert allows(schema, "image.build", 57)


def test_a_reference_in_a_circle_forbids_nothing() -> None:
    assert allows(b'{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}', "x.y", "v1")


@pytest.mark.parametrize(
    "schema",
    [
        b"[" * 200_000,
        b'{"allOf": 5}',
        b'{"allOf": {"a": 1}}',
        b'{"$ref": 5}',
        b'{"definitions": {"a": {"allOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/a"}, {}]}}, '
        b'"$ref": "#/definitions/a"}',
        b'{"definitions": {"a": {"properties": {"b": false}, "allOf": [{"$ref": "#/definitions/a"}, '
        b'{"$ref": "#/definitions/a"}]}}, "allOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/a"}]}',
        b'{"patternProperties": {"^(a|a|a)*$": false}}',
        b'{"patternProperties": {"a*a*a*a*a*a*a*b": false}}',
        b'{"patternProperties": {"[": false}}',
        b'{"patternProperties": {"a{99999999999999999999}": false}}',
    ],
)
def test_a_schema_made_to_keep_the_reader_busy_forbids_nothing(schema: bytes) -> None:
    assert allows(schema, "a" * 60 + ".b", "v1")


def test_a_refusal_is_found_behind_references_that_repeat() -> None:
    rule = {"$ref": "#/definitions/a"}
    closed = {"allOf": [rule, rule, {"properties": {"b": False}}]}
    assert not allows(json.dumps({"definitions": {"a": closed}, "allOf": [rule, rule]}).encode(), "b", "v1")


@pytest.mark.parametrize(
    ("types", "number", "text"),
    [
        ("integer", True, False),
        ("number", True, False),
        ("string", False, True),
        (["integer", "string"], True, True),
        (["string", "null"], False, True),
        ("object", False, False),
        (None, True, True),
        ([{}], True, True),
        ({}, True, True),
    ],
)
def test_a_schema_says_by_which_type(types: Any, number: bool, text: bool) -> None:
    rule = {"$ref": "#/definitions/build"}
    schema = json.dumps({"definitions": {"build": {"type": types}}, "properties": {"build": rule}}).encode()
    assert (allows(schema, "build", 57), allows(schema, "build", "57")) == (number, text)


@pytest.mark.parametrize(
    "value",
    ["2024-01-01", "2024-13-45", "2024-01-01T10:00:00Z", "12:30:45", "1:20", "=", "1.2.3", "!custom text", '"1e3"'],
)
def test_a_plain_word_is_text_to_the_check_as_it_is_to_kubernetes(value: str) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {value}}}\n"
    assert check(Objects(parse(text), "1.34")) == []


@pytest.mark.parametrize("value", ["1e3", "0o17", "1_000", "yes"])
def test_what_is_a_number_or_a_map_to_kubernetes_is_one_to_the_check(value: str) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a: {{b: {value}}}\n  b: {value}\n"
    assert {finding.rule for finding in check(Objects(parse(text), "1.34"))} == {"kubernetes-schema"}


_BOMB = "  a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"  {name}: &{name} [{','.join(['*' + above] * 10)}]\n" for above, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "data", [_BOMB, "  a: &a {b: *a}\n", "  a: " + "[" * 500 + "]" * 500 + "\n", "  ? [a]\n  : b\n", "  <<: 3\n"]
)
def test_what_unfolds_without_end_is_refused_at_once(data: str) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{data}"
    with pytest.raises(ChartError) as refused:
        parse(text)
    assert refused.value.code == "manifest-yaml"
    with pytest.raises(ChartError) as refused:
        manifest.printed({"a/templates/a.yaml": text}, "c")
    assert refused.value.code == "manifest-yaml"


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "kind: A\nmetadata: [a]\n", "metadata: {annotations: x}\n"])
def test_what_helm_takes_for_no_object_is_refused(text: str) -> None:
    with pytest.raises(ChartError) as refused:
        manifest.printed({"a/templates/a.yaml": text}, "c")
    assert (refused.value.code, refused.value.file) == ("manifest-yaml", "c/templates/a.yaml")


def test_a_hook_that_helm_does_not_know_is_left_out_as_helm_does() -> None:
    template = "kind: {}\nmetadata: {{annotations: {{helm.sh/hook: {}}}}}\n"
    hooks = {"A": "pre-install", "B": "nothing", "C": "", "D": '"Test, post-delete"', "E": '"test,nothing"'}
    text = manifest.printed(
        {f"a/templates/{kind}.yaml": template.format(kind, hook) for kind, hook in hooks.items()}, "c"
    )
    assert [line for line in text.splitlines() if line.startswith("kind")] == ["kind: A", "kind: D"]
