"""Objects against schemas; and rules before objects of any shape."""

import base64
import copy
import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.charts.rules.planted import planted

from gitops_tk.charts import crds, kubernetes
from gitops_tk.charts.rules import RULES, check, schemas
from gitops_tk.charts.rules.objects import Object, Objects, parse
from gitops_tk.errors import ChartError, UsageError

# The schemas see shapes all day long, and take most of the time.
_WITHOUT_SCHEMAS = [rule for rule in RULES if rule not in vars(schemas).values()]
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
    ("old", "new", "rule"),
    [
        ("", "", None),
        ("port: 80", "port: eighty", "kubernetes-schema"),
        ("port: 80", "prot: 80", "kubernetes-schema"),
        ("kind: Service", "kind: Servce", "kubernetes-unknown-kind"),
        ("kind: Service", "kind: ../Service", "kubernetes-unknown-kind"),
        ("apiVersion: v1", "apiVersion: extensions/v1beta1", "kubernetes-unknown-kind"),
        ("apiVersion: v1", "apiVersion: networking.k8s.io/v1beta1", "kubernetes-unknown-kind"),
        ("apiVersion: v1", "apiVersion: example.com/v1", None),
        ("apiVersion: v1", "apiVersion: gateway.networking.k8s.io/v1", None),
        ("apiVersion: v1\n", "", "manifest-object"),
        ("  name: a\n", "  labels: {}\n", "manifest-no-name"),
        ("kind: Service", "kind: Service\nkind: Service", "manifest-duplicate-key"),
    ],
)
def test_an_object_is_checked_against_kubernetes(old: str, new: str, rule: str | None) -> None:
    found = check(Objects(parse(_SERVICE.replace(old, new, 1)), "1.34"))
    assert [finding.rule for finding in found][:1] == ([rule] if rule else [])
    assert {finding.template for finding in found} <= {"a/templates/service.yaml"}


@pytest.mark.parametrize(
    "written",
    [
        "spec: [",
        "spec: " + "[" * 200_000,
        "a: &a [1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)),
    ],
)
def test_what_is_no_yaml_is_no_manifest(written: str) -> None:
    with pytest.raises(ChartError) as refused:
        parse(_SERVICE.replace("spec:", written, 1), "charts/a")
    assert (refused.value.code, refused.value.file) == ("manifest-yaml", "charts/a/templates/service.yaml")


def test_the_items_of_a_list_are_looked_at_one_by_one() -> None:
    one = yaml.safe_load(_SERVICE.replace("port: 80", "port: 0"))
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [one]})
    assert [finding.rule for finding in check(Objects(parse(text), "1.34"))] == ["port-range"]


def test_what_looks_like_a_date_is_text_as_for_helm() -> None:
    text = _SERVICE.replace("  name: a\n", "  name: a\n  annotations: {released: 2024-01-01}\n")
    assert check(Objects(parse(text), "1.34")) == []


def test_a_message_about_a_secret_does_not_hold_it() -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: 31337}\n"
    (finding,) = check(Objects(parse(text), "1.34"))
    assert finding.rule == "kubernetes-schema"
    assert "31337" not in finding.message


def test_there_are_schemas_of_so_many_versions() -> None:
    assert kubernetes.version("v1.34.2") == "1.34"
    assert kubernetes.version(None) >= "1.37"
    with pytest.raises(UsageError):
        kubernetes.version("9.9")


@pytest.mark.parametrize("shape", [None, 7, True, "x", [], {}, [None, "x", [{}]], {"a": {}, "": None}], ids=repr)
def test_no_rule_stumbles_over_a_shape_that_nobody_expects(shape: Any) -> None:
    release = planted(None)
    for position, one in enumerate(release.items):
        for path in _nodes(one.data):
            data = copy.deepcopy(one.data)
            parent = data
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = shape
            objects = [
                Object(data, one.template) if at == position else other for at, other in enumerate(release.items)
            ]
            changed = Objects(objects, release.kube_version)
            for rule in _WITHOUT_SCHEMAS:
                for fault in rule.check(changed):
                    assert fault.message


_DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: a, image: "registry.example.com/a:v1"}]}
"""


@pytest.mark.parametrize(
    ("namespace", "found"), [("shop", set()), ("other", {"service-selector"})], ids=["the release's", "another"]
)
def test_an_object_without_a_namespace_is_in_the_release_s(namespace: str, found: set[str]) -> None:
    service = _SERVICE.replace("  name: a\n", f"  name: a\n  namespace: {namespace}\n") + "  selector: {app: a}\n"
    objects = Objects(parse(f"{service}---\n{_DEPLOYMENT}"), "1.34", namespace="shop")
    assert {finding.rule for finding in check(objects)} & {"service-selector"} == found


def test_an_object_is_there_twice_if_one_of_them_names_the_release_s_namespace() -> None:
    again = _SERVICE.replace("  name: a\n", "  name: a\n  namespace: shop\n")
    found = check(Objects(parse(_SERVICE + again), "1.34", namespace="shop"))
    assert [finding.rule for finding in found] == ["manifest-duplicate-object"]


@pytest.mark.parametrize(
    ("step", "found"), [("59/05", set()), ("9" * 5000, {"cron-schedule"}), ("MON", set())], ids=["05", "5000", "name"]
)
def test_a_schedule_is_read_as_kubernetes_reads_it(step: str, found: set[str]) -> None:
    field = f"0 3 * * {step}" if step == "MON" else f"{step} 3 * * *"
    text = f'apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: a}}\nspec: {{schedule: "{field}"}}\n'
    rules = {finding.rule for finding in check(Objects(parse(text), "1.34"))}
    assert rules & {"cron-schedule"} == found


def test_a_hook_may_sleep_for_a_number_of_any_length() -> None:
    hook = f'lifecycle: {{preStop: {{exec: {{command: [sleep, "{"9" * 5000}"]}}}}}}'
    text = _DEPLOYMENT.replace("name: a, image", f"{hook}, name: a, image")
    assert "grace-period" not in {finding.rule for finding in check(Objects(parse(text), "1.34"))}


def test_the_default_deadline_of_a_rollout_is_told() -> None:
    text = _DEPLOYMENT.replace("spec:\n", "spec:\n  minReadySeconds: 600\n", 1)
    found = [one.message for one in check(Objects(parse(text), "1.34")) if one.rule == "progress-deadline"]
    assert found == ["progressDeadlineSeconds 600 is not more than minReadySeconds 600"]


@pytest.mark.parametrize(
    ("kind", "part", "value", "is_found"),
    [
        ("Secret", "data", base64.b64encode(bytes(1024 * 1024)).decode(), False),
        ("Secret", "data", base64.b64encode(bytes(1024 * 1024 + 1)).decode(), True),
        ("Secret", "stringData", "x" * (1024 * 1024), False),
        ("ConfigMap", "binaryData", base64.b64encode(bytes(1024 * 1024)).decode(), False),
        ("ConfigMap", "data", "ä" * (512 * 1024), False),
        ("ConfigMap", "data", "ä" * (512 * 1024 + 1), True),
    ],
    ids=["secret", "secret-over", "text", "binary", "letters", "letters-over"],
)
def test_content_is_counted_in_bytes_as_they_are_stored(kind: str, part: str, value: str, is_found: bool) -> None:
    one = Object({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, part: {"a": value}}, None)
    found = [finding.rule for finding in check(Objects([one], "1.34")) if finding.rule == "config-data"]
    assert found == (["config-data"] if is_found else [])


def _nodes(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for step, below in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _nodes(below, (*path, step))


_CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "spec": {
        "group": "example.com",
        "names": {"kind": "Cache"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}]},
                                    "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                                    "mode": {"type": "string", "enum": ["fast", "small"], "nullable": True},
                                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "name": {"type": "string", "pattern": "^\\pL+$"},
                                    "other": {"$ref": "http://127.0.0.1:9/never-asked.json"},
                                    "template": {
                                        "type": "object",
                                        "x-kubernetes-embedded-resource": True,
                                        "properties": {"spec": {"type": "object"}},
                                    },
                                },
                                "oneOf": [{"required": ["size"]}, {"required": ["share"]}],
                            }
                        },
                    }
                },
            },
            {"name": "v1beta1", "served": False},
        ],
    },
}


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({"size": "1Gi"}, None),
        ({"size": 5, "mode": None}, None),
        ({"size": 5, "free": {"anything": [1]}}, None),
        ({"size": 5, "name": "a", "other": {"a": 1}}, None),
        ({"size": 5, "template": {"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {}}}, None),
        ({"size": True}, "custom-resource-schema"),
        ({"share": 0}, "custom-resource-schema"),
        ({"size": 1, "share": 2}, "custom-resource-schema"),
        ({"size": 1, "mode": "slow"}, "custom-resource-schema"),
        ({"size": 1, "sise": 1}, "custom-resource-schema"),
        (None, "custom-resource-schema"),
    ],
)
def test_a_custom_resource_is_checked_as_strictly_as_by_the_api_server(spec: Any, rule: str | None) -> None:
    known = crds.definitions({"crds/cache.yaml": yaml.safe_dump(_CRD).encode()})
    one = {
        "apiVersion": "example.com/v1",
        "kind": "Cache",
        "metadata": {"name": "a"},
        **({"spec": spec} if spec else {}),
    }
    found = check(Objects(parse(yaml.safe_dump(one)), "1.34", known))
    assert [finding.rule for finding in found][:1] == ([rule] if rule else [])


def test_a_version_that_is_not_served_is_told_with_those_that_are() -> None:
    known = crds.definitions({"crds/cache.yaml": yaml.safe_dump(_CRD).encode()})
    text = "apiVersion: example.com/v1beta1\nkind: Cache\nmetadata: {name: a}\n"
    (finding,) = check(Objects(parse(text), "1.34", known))
    assert (finding.rule, "served are v1" in finding.message) == ("custom-resource-version", True)


def test_definitions_are_found_in_the_chart_and_in_its_archives() -> None:
    written = yaml.safe_dump(_CRD).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        about = tarfile.TarInfo("lib/crds/cache.yaml")
        about.size = len(written)
        archive.addfile(about, io.BytesIO(written))
    files = {
        "crds/a.yaml": written,
        "charts/lib/crds/b.yaml": written,
        "charts/lib-1.0.0.tgz": buffer.getvalue(),
        "charts/broken-1.0.0.tgz": b"no archive",
        "templates/crds/c.yaml": written,
    }
    assert set(crds.in_chart(files)) == {
        *("crds/a.yaml", "charts/lib/crds/b.yaml", "charts/lib-1.0.0.tgz/crds/cache.yaml"),
    }


@pytest.mark.parametrize("text", [b"a: [", b"\xff", b"[" * 200_000, b"a: &a {b: *a}", b"a: !!timestamp now"])
def test_a_file_of_definitions_that_cannot_be_read_is_told(text: bytes) -> None:
    with pytest.raises(ChartError) as refused:
        crds.definitions({"schemas/a.yaml": text})
    assert (refused.value.code, refused.value.file) == ("crd-yaml", "schemas/a.yaml")


@pytest.mark.parametrize(
    "document",
    [
        "kind: CustomResourceDefinition",
        "kind: CustomResourceDefinition\nspec: {group: a.b, names: {kind: B}, versions: [1, {name: v1, schema: 1}]}",
        "- 1",
    ],
)
def test_definitions_of_odd_shapes_forbid_nothing(document: str) -> None:
    known = crds.definitions({"a.yaml": document.encode()})
    assert check(Objects(parse("apiVersion: a.b/v1\nkind: B\nmetadata: {name: a}\n"), "1.34", known)) == []
