"""What the chart's pods are: their image, security, start and end, and what makes them new."""

from typing import Any

import pytest
from tests.support import charts
from tests.support.charts import PROFILES
from tests.support.features import DIGEST

from gitops_tk.errors import ChartError

_REPOSITORY = "registry.example.com:5000/shop/user-service"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, f"{_REPOSITORY}:never-deployed"),
        ({"tag": "v1"}, f"{_REPOSITORY}:v1"),
        ({"tag": "v1", "digest": DIGEST}, f"{_REPOSITORY}@{DIGEST}"),
    ],
)
def test_the_digest_wins_over_the_tag(image: dict[str, str], expected: str) -> None:
    found = charts.objects("http", {"image": image})
    assert (found.container["image"], found.container["imagePullPolicy"]) == (expected, "IfNotPresent")


def test_a_rollout_loses_no_capacity_and_keeps_a_short_history() -> None:
    spec = charts.objects()
    assert spec.workload["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
    }
    assert spec.workload["spec"]["revisionHistoryLimit"] == 5
    assert spec.workload["spec"]["minReadySeconds"] == 5
    assert spec.workload["spec"]["progressDeadlineSeconds"] == 300


def test_replicas_are_left_out_while_it_scales_by_itself() -> None:
    assert charts.objects().workload["spec"]["replicas"] == 2
    assert "replicas" not in charts.objects("http", {"autoscaling": {"enabled": True}}).workload["spec"]


def test_it_scales_at_70_percent_of_cpu_and_on_demand_at_80_percent_of_memory() -> None:
    values = {"autoscaling": {"enabled": True, "memory": {"enabled": True}}}
    spec = charts.objects("http", values).one("HorizontalPodAutoscaler")["spec"]
    assert {one["resource"]["name"]: one["resource"]["target"]["averageUtilization"] for one in spec["metrics"]} == {
        "cpu": 70,
        "memory": 80,
    }
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


@pytest.mark.parametrize(
    "change",
    [
        lambda value: {"config": {"data": {"A": value}}},
        lambda value: {"config": {"files": {"a.yaml": value}}},
        lambda value: {"secrets": {"create": [{"name": "a", "type": "Opaque", "data": {"a": value}}]}},
    ],
)
def test_a_changed_setting_rolls_the_pods_out(change: Any) -> None:
    def annotations(value: str) -> dict[str, str]:
        return dict(charts.objects("http", change(value)).template["metadata"]["annotations"])

    assert annotations("1") == annotations("1") != annotations("2")


def test_a_new_build_of_the_same_image_does_not_restart_pods() -> None:
    def workload(build: int) -> dict[str, Any]:
        return charts.objects("http", {"image": {"tag": "v1", "build": build, "revision": "1234e56"}}).workload

    one, other = workload(1234567890), workload(2)
    assert one["metadata"]["annotations"] == {"gitops-tk/build": "1234567890", "gitops-tk/revision": "1234e56"}
    assert one["spec"] == other["spec"]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_container_is_restricted(profile: str) -> None:
    more = {"name": "more", "args": ["x"]}
    values = {"initContainers": [more], "sidecars": [more], "migration": {"enabled": True, "initContainers": [more]}}
    found = charts.objects(profile, values)
    pods = [
        found.pod,
        found.one("Job")["spec"]["template"]["spec"],
        *(one["spec"] for one in found.named("Pod").values()),
    ]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod.get("initContainers", []) + pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["image"] == f"{_REPOSITORY}:never-deployed"
    assert {"name": "tmp", "mountPath": "/tmp"} in found.container["volumeMounts"]


def test_what_a_sidecar_says_itself_stays() -> None:
    own = {"name": "more", "image": "x/y:1", "securityContext": {"readOnlyRootFilesystem": False}}
    assert charts.objects("http", {"sidecars": [own]}).pod["containers"][1] == own


def test_probes_start_patiently_and_tell_hanging_from_busy() -> None:
    container = charts.objects().container
    assert container["startupProbe"] == {
        "httpGet": {"path": "/healthz", "port": "http"},
        "periodSeconds": 2,
        "timeoutSeconds": 2,
        "failureThreshold": 30,
    }
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["livenessProbe"]["periodSeconds"] == 20
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["readinessProbe"]["periodSeconds"] == 10


def test_the_pod_sleeps_before_it_drains_and_has_time_for_both() -> None:
    found = charts.objects()
    assert found.container["lifecycle"] == {"preStop": {"sleep": {"seconds": 10}}}
    assert found.env["DRAIN_SECONDS"] == "25"
    assert found.pod["terminationGracePeriodSeconds"] == 45


def test_the_process_is_told_its_ports_and_where_its_files_are() -> None:
    values = {"ports": {"grpc": {"enabled": True}}, "config": {"files": {"a.yaml": ""}}}
    env = charts.objects("http", values).env
    assert {name: env[name] for name in ("PORT", "GRPC_PORT", "METRICS_PORT", "CONFIG_DIR")} == {
        "PORT": "8080",
        "GRPC_PORT": "50051",
        "METRICS_PORT": "9090",
        "CONFIG_DIR": "/etc/user-service",
    }


def test_go_gets_limits_only_where_there_are_some() -> None:
    def has(name: str, values: dict[str, Any]) -> bool:
        return name in charts.objects("http", values).env

    everything = {"memoryLimit": True, "gomemlimit": True, "gomaxprocs": True}
    reference = charts.objects("http", {"goRuntime": everything}).env["MEMORY_LIMIT"]
    assert reference == {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1"}}
    for name in ("MEMORY_LIMIT", "GOMEMLIMIT"):
        assert has(name, {"goRuntime": everything})
        assert not has(name, {"goRuntime": everything, "resources": {"limits": {"memory": None}}})
    assert not has("GOMAXPROCS", {"goRuntime": everything})
    assert has("GOMAXPROCS", {"goRuntime": everything, "resources": {"limits": {"cpu": 1}}})


def test_secrets_are_volumes_that_only_the_pod_reads() -> None:
    existing = [{"name": "db", "mountPath": "/secrets/db"}]
    found = charts.objects("http", {"secrets": {"existing": existing}})
    (volume,) = [one for one in found.pod["volumes"] if "secret" in one]
    assert volume["secret"] == {"secretName": "db", "defaultMode": 0o440, "optional": False}
    assert {"name": "secret-db", "mountPath": "/secrets/db", "readOnly": True} in found.container["volumeMounts"]


def test_one_pod_alone_has_no_disruption_budget() -> None:
    values = {"podDisruptionBudget": {"enabled": True}}
    assert charts.objects("http", values).one("PodDisruptionBudget")["spec"]["unhealthyPodEvictionPolicy"]
    assert "PodDisruptionBudget" not in charts.objects("http", {**values, "replicaCount": 1})


def test_selectors_hold_what_never_changes_and_labels_the_rest() -> None:
    found = charts.objects("http", {"owner": "shop", "commonLabels": {"app.kubernetes.io/name": "other", "a": "b"}})
    selector = found.workload["spec"]["selector"]["matchLabels"]
    assert selector == {"app.kubernetes.io/name": "user-service", "app.kubernetes.io/instance": "user-service"}
    assert selector.items() <= found.template["metadata"]["labels"].items()
    labels = found.workload["metadata"]["labels"]
    assert {"helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"} <= labels.keys()
    assert "helm.sh/chart" not in found.template["metadata"]["labels"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"shutdown": {"gracePeriodSeconds": 20}}, "killed while it drains"),
        ({"image": {"tag": "latest"}}, "latest"),
        ({"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}, "resources.requests.cpu"),
        ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}, "less than minReplicas"),
        ({"autoscaling": {"enabled": True, "cpu": {"enabled": False}}}, "needs a metric"),
        ({"ingress": {"enabled": True, "hosts": []}}, "at least one host"),
        ({"ingress": {"enabled": True}, "service": {"enabled": False}}, "needs service.enabled"),
        ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs"),
        ({"grpcRoute": {"enabled": True}}, "needs ports.grpc.enabled"),
        (
            {"serviceMonitor": {"enabled": True}, "ports": {"metrics": {"enabled": False}}},
            "needs ports.metrics.enabled",
        ),
        ({"probes": {"liveness": {"type": "grpc"}}}, "ports.grpc.enabled leaves out"),
        ({"probes": {"liveness": {"type": "exec"}}}, "needs a command"),
        ({"rbac": {"enabled": True}}, "rbac.rules"),
        ({"rbac": {"enabled": True, "rules": [{}]}, "serviceAccount": {"create": False}}, "account of its own"),
        ({"secrets": {"external": {"enabled": True}}}, "store.name"),
        ({"secrets": {"external": {"enabled": True, "store": {"name": "a"}}}}, "data or dataFrom"),
        ({"service": {"type": "NodePort", "clusterIP": "None"}}, "needs service.type ClusterIP"),
        ({"image": {"tga": "v1"}}, "tga"),
        ({"image": {"tag": "a b"}}, "pattern"),
        ({"image": {"digest": "sha256:1"}}, "pattern"),
        ({"service": {"type": "Internal"}}, "must be one of"),
        ({"ports": {"http": {"port": 70000}}}, "port: maximum"),
        ({"resources": {"limits": {"memory": "10x"}}}, "memory"),
        ({"extraPodSpec": {"containers": []}}, "containers"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ChartError, match=said):
        charts.objects("http", values)
