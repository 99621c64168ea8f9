"""Schemas, dependencies and Kubernetes checks."""

import json

import pytest

from gitops_tk.charts import kubernetes
from gitops_tk.charts.dependencies import complete
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
    assert allows(json.dumps(_CLOSED).encode(), key) == allowed


@pytest.mark.parametrize("schema", [None, b"", b"not json", b"[]", b"true", b'{"$ref": "#"}', b'{"properties": []}'])
def test_without_a_schema_that_can_be_read_everything_may_be_set(schema: bytes | None) -> None:
    assert allows(schema, "image.build")


def test_a_reference_in_a_circle_forbids_nothing() -> None:
    assert allows(b'{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}', "x.y")


def _chart(*dependencies: str) -> dict[str, bytes]:
    listed = "".join(
        f"  - {{name: {name}, version: 1.0.0, repository: '{where}'}}\n"
        for name, where in (d.split("=") for d in dependencies)
    )
    return {"Chart.yaml": f"apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n{listed or '  []'}".encode()}


def test_vendored_dependencies_are_used_as_they_are() -> None:
    chart = _chart("db=https://charts.example.com", "cache=https://charts.example.com")
    chart |= {"charts/db/Chart.yaml": b"name: db", "charts/cache-1.0.0.tgz": b"archive"}
    assert complete(chart, "services/a/chart", lambda _: None) == chart


def test_a_dependency_in_the_repository_is_taken_from_there() -> None:
    asked = []

    def read(folder: str) -> dict[str, bytes]:
        asked.append(folder)
        return {"Chart.yaml": b"apiVersion: v2\nname: lib\nversion: 1.0.0\n"}

    files = complete(_chart("lib=file://../../../charts/lib"), "services/a/chart", read)
    assert asked == ["charts/lib"]
    assert "charts/lib/Chart.yaml" in files


@pytest.mark.parametrize("where", ["https://charts.example.com", "file://../../../../outside", "oci://x.example/y", ""])
def test_a_missing_dependency_is_an_error_and_never_a_silent_half(where: str) -> None:
    with pytest.raises(ChartError) as refused:
        complete(_chart(f"db={where}"), "services/a/chart", lambda _: None)
    assert refused.value.code == "missing-dependency"


def test_dependencies_in_a_circle_are_told() -> None:
    with pytest.raises(ChartError) as refused:
        complete(_chart("a=file://../a"), "charts/a", lambda _: _chart("a=file://../a"))
    assert refused.value.code == "dependency-circle"


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
