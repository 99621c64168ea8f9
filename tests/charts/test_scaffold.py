"""The chart that a new service gets: valid everywhere, deterministic, and safe from what it is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_tk import resources
from gitops_tk.charts import kubernetes
from gitops_tk.charts.answers import Answers
from gitops_tk.charts.engine import LoadedChart, find
from gitops_tk.charts.scaffold import environment_values, scaffold, shared_values
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.errors import ChartError, UsageError
from gitops_tk.values.document import Document
from gitops_tk.values.merge import merge

_ANSWERS = Answers(service="user-service", image="registry.example.com:5000/shop/user-service")
_DIGEST = "sha256:" + "a" * 64


def _files(answers: Answers = _ANSWERS) -> dict[str, bytes]:
    return scaffold(Skeleton.in_folder(resources.folder("chart-skeleton")), answers)


@pytest.fixture(scope="module")
def chart() -> LoadedChart:
    return find({}).load(_files(), root="services/user-service/chart")


def _objects(chart: LoadedChart, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    text = chart.render(values, release="user-service", namespace="default")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def _container(chart: LoadedChart, values: dict[str, Any]) -> dict[str, Any]:
    (container,) = _objects(chart, values)["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(container)


@pytest.mark.parametrize("version", ["1.29", None])
@pytest.mark.parametrize("env", ["dev", "staging", "prod", "qa"])
def test_every_environment_is_valid_for_kubernetes(env: str, version: str | None) -> None:
    files = _files(Answers(service="a", image="x/y", hosts=("a.example.com",), owner="shop", port=9000))
    own = environment_values(_ANSWERS, env)
    layers = [Document.read(shared_values(resources.folder("envs"), env), "s"), Document.read(own, "o")]
    merged = merge(layers, Document.read(files["values.yaml"], "c"))
    loaded = find({}).load(files, root="c")
    assert loaded.schema_findings(merged.data) == []
    text = loaded.render(merged.data, release="a", namespace="default")
    assert kubernetes.validate(text, version or "1.37") == []


def test_the_same_answers_give_the_same_bytes() -> None:
    assert _files() == _files()


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({}, "registry.example.com:5000/shop/user-service:never-deployed"),
        ({"image": {"tag": "v1"}}, "registry.example.com:5000/shop/user-service:v1"),
        ({"image": {"tag": "v1", "digest": _DIGEST}}, f"registry.example.com:5000/shop/user-service@{_DIGEST}"),
    ],
)
def test_the_digest_wins_over_the_tag(chart: LoadedChart, values: dict[str, Any], image: str) -> None:
    assert _container(chart, values)["image"] == image


@pytest.mark.parametrize(
    ("feature", "kind", "on", "off"),
    [
        ("Service", "Service", {}, {"service": {"enabled": False}}),
        ("ServiceAccount", "ServiceAccount", {}, {"serviceAccount": {"create": False}}),
        ("ConfigMap", "ConfigMap", {"config": {"data": {"A": "1"}}}, {}),
        ("files", "ConfigMap", {"config": {"files": {"a.yaml": "x"}}}, {}),
        (
            "Ingress",
            "Ingress",
            {"ingress": {"enabled": True, "hosts": [{"host": "a.b", "paths": [{"path": "/", "pathType": "Prefix"}]}]}},
            {},
        ),
        ("HPA", "HorizontalPodAutoscaler", {"autoscaling": {"enabled": True}}, {}),
        ("PDB", "PodDisruptionBudget", {"podDisruptionBudget": {"enabled": True}}, {}),
        (
            "PDB of one pod",
            "PodDisruptionBudget",
            {"podDisruptionBudget": {"enabled": True}},
            {"podDisruptionBudget": {"enabled": True}, "replicaCount": 1},
        ),
    ],
)
def test_a_feature_is_there_when_it_is_on_and_gone_when_it_is_off(
    chart: LoadedChart, feature: str, kind: str, on: dict[str, Any], off: dict[str, Any]
) -> None:
    assert kind in _objects(chart, on), feature
    assert kind not in _objects(chart, off), feature


def test_replicas_are_left_out_while_it_scales_by_itself(chart: LoadedChart) -> None:
    assert _objects(chart, {})["Deployment"]["spec"]["replicas"] == 2
    assert "replicas" not in _objects(chart, {"autoscaling": {"enabled": True}})["Deployment"]["spec"]


def test_a_changed_setting_rolls_the_pods_out(chart: LoadedChart) -> None:
    def checksum(value: str) -> str:
        template = _objects(chart, {"config": {"data": {"A": value}}})["Deployment"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum("1") == checksum("1") != checksum("2")


def test_a_new_build_of_the_same_image_does_not_restart_pods(chart: LoadedChart) -> None:
    def deployment(build: int) -> dict[str, Any]:
        return _objects(chart, {"image": {"tag": "v1", "build": build, "revision": "1234e56"}})["Deployment"]

    one, other = deployment(1234567890), deployment(2)
    assert one["metadata"]["annotations"] == {"gitops-tk/build": "1234567890", "gitops-tk/revision": "1234e56"}
    assert one["spec"] == other["spec"]


def test_pods_are_restricted(chart: LoadedChart) -> None:
    pod = _objects(chart, {})["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    container = pod["containers"][0]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


def test_go_gets_the_memory_limit_only_where_there_is_one(chart: LoadedChart) -> None:
    def has(values: dict[str, Any]) -> bool:
        return any(one["name"] == "MEMORY_LIMIT" for one in _container(chart, values)["env"])

    assert has({})
    assert not has({"goRuntime": {"memoryLimit": False}})
    assert not has({"resources": {"limits": {"memory": None}}})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"shutdown": {"gracePeriodSeconds": 20}}, "killed while it drains"),
        ({"image": {"tag": "latest"}}, "latest"),
        ({"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}, "resources.requests.cpu"),
        ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}, "less than minReplicas"),
        ({"ingress": {"enabled": True, "hosts": []}}, "at least one host"),
        ({"ingress": {"enabled": True}, "service": {"enabled": False}}, "needs service.enabled"),
        ({"image": {"tga": "v1"}}, "tga"),
        ({"image": {"tag": "a b"}}, "pattern"),
        ({"image": {"digest": "sha256:1"}}, "pattern"),
        ({"service": {"type": "Internal"}}, "must be one of"),
        ({"ports": {"http": {"port": 70000}}}, "ports.http.port: maximum"),
        ({"resources": {"limits": {"memory": "10x"}}}, "memory"),
    ],
)
def test_values_that_cannot_work_are_refused(chart: LoadedChart, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ChartError, match=said):
        chart.render(values, release="user-service", namespace="default")


@pytest.mark.parametrize(
    "answers",
    [
        {"service": "Bad"},
        {"service": "a" * 54},
        {"service": "kube-system"},
        {"image": "x/y:v1"},
        {"image": "x y"},
        {"image": "{{ .Values.x }}"},
        {"image": "https://x/y"},
        {"port": 0},
        {"port": 65536},
        {"hosts": ("a b",)},
        {"hosts": ("[[ 7*7 ]].example.com",)},
        {"owner": "me\nroot: true"},
        {"owner": "[[ service ]]"},
        {"owner": '"'},
        {"profile": "lambda"},
        {"vars": {"nope": "x"}},
        {"vars": {"team-label": "{{ 1 }}"}},
    ],
)
def test_hostile_or_wrong_answers_are_refused(answers: dict[str, Any]) -> None:
    given = Answers(**{"service": "a", "image": "x/y", **answers})

    def scaffolded() -> None:
        given.check()
        _files(given)

    with pytest.raises(UsageError):
        scaffolded()


def test_helms_own_braces_stay_and_no_delimiter_of_the_skeleton_is_left() -> None:
    files = _files()
    assert b'{{- include "service.podTemplate"' in files["templates/deployment.yaml"]
    for path, data in files.items():
        assert b"[[" not in data, path
        assert b"[%" not in data, path


def test_a_skeleton_cannot_run_code_follow_links_or_use_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    about = "version: '1'\nprofiles: {http: x}\ntemplated: [chart/a.yaml]\n"
    (tmp_path / "skeleton.yaml").write_text(about)
    for text in (
        "[[ unknown ]]",
        "[[ ''.__class__.__mro__[1].__subclasses__() ]]",
        "[% include '/etc/passwd' %]",
        "[[ ",
    ):
        (tmp_path / "chart/a.yaml").write_text(text)
        with pytest.raises(ChartError):
            scaffold(Skeleton.in_folder(tmp_path), _ANSWERS)
    (tmp_path / "chart/a.yaml").write_text("fine")
    (tmp_path / "chart/link").symlink_to("/etc/passwd")
    with pytest.raises(ChartError):
        scaffold(Skeleton.in_folder(tmp_path), _ANSWERS)


def test_every_key_of_the_schema_is_described_and_every_value_is_in_it() -> None:
    import json

    files = _files()
    schema = json.loads(files["values.schema.json"])
    values = yaml.safe_load(files["values.yaml"])
    assert values.keys() <= schema["properties"].keys()

    def check(rule: dict[str, Any], at: str) -> None:
        for name, below in rule.get("properties", {}).items():
            assert "description" in below, f"{at}.{name}"
            check(below, f"{at}.{name}")

    check(schema, "values")
