"""Schemas and Kubernetes checks."""

import json

import pytest

from gitops_tk.charts import kubernetes
from gitops_tk.charts.schema import allows

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
    assert allows(json.dumps(_CLOSED).encode(), key) == allowed


@pytest.mark.parametrize("schema", [None, b"", b"not json", b"[]", b"true", b'{"$ref": "#"}', b'{"properties": []}'])
def test_without_a_schema_that_can_be_read_everything_may_be_set(schema: bytes | None) -> None:
    assert allows(schema, "image.build")


def test_a_reference_in_a_circle_forbids_nothing() -> None:
    assert allows(b'{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}', "x.y")


_SERVICE = """---
# Source: a/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: a
spec:
  ports:
    - port: 80
"""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("", "", None),
        ("port: 80", "port: eighty", "kubernetes-schema"),
        ("port: 80", "prot: 80", "kubernetes-schema"),
        ("kind: Service", "kind: Servce", "kubernetes-unknown-kind"),
        ("apiVersion: v1", "apiVersion: extensions/v1beta1", "kubernetes-unknown-kind"),
        ("apiVersion: v1", "apiVersion: networking.k8s.io/v1beta1", "kubernetes-unknown-kind"),
        ("apiVersion: v1", "apiVersion: example.com/v1", None),
        ("apiVersion: v1", "apiVersion: gateway.networking.k8s.io/v1", None),
        ("apiVersion: v1\n", "", "manifest-not-an-object"),
        ("  name: a\n", "  labels: {}\n", "manifest-no-name"),
        ("kind: Service", "kind: Service\nkind: Service", "manifest-duplicate-key"),
        ("spec:", "spec: [", "manifest-yaml"),
    ],
)
def test_an_object_is_checked_against_kubernetes(old: str, new: str, code: str | None) -> None:
    found = kubernetes.validate(_SERVICE.replace(old, new, 1), "1.34")
    assert [finding.code for finding in found][:1] == ([code] if code else [])
    if found:
        assert found[0].template == "a/templates/service.yaml"
