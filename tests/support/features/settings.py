"""What the service is told, what it may use, and where it runs."""

from collections.abc import Callable

from tests.support.charts import Objects
from tests.support.features.model import RUN, Feature, switch

_STORE = {
    "store": {"kind": "ClusterSecretStore", "name": "vault"},
    "data": [{"secretKey": "password", "remoteRef": {"key": "prod/db", "property": "password"}}],
    "dataFrom": [{"extract": {"key": "prod/api"}}],
}
_QUEUE = {
    "type": "External",
    "external": {"metric": {"name": "queue_depth"}, "target": {"type": "AverageValue", "averageValue": "30"}},
}
_CUSTOM = {
    "type": "Pods",
    "pods": {"metric": {"name": "requests_per_second"}, "target": {"type": "AverageValue", "averageValue": "100"}},
}
_AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}
            ]
        }
    }
}


def _volumes(found: Objects) -> set[str]:
    return {one["name"] for one in found.pod.get("volumes", [])} & {
        one["name"] for one in found.container.get("volumeMounts", [])
    }


def _secret(name: str) -> Callable[[Objects], bool]:
    return lambda found: f"user-service-{name}" in found.named("Secret")


def _metrics(found: Objects) -> list[str]:
    hpa = found.named("HorizontalPodAutoscaler").values()
    return [metric.get("resource", {}).get("name", metric["type"]) for one in hpa for metric in one["spec"]["metrics"]]


CONFIGURATION = (
    Feature(
        "config-environment",
        {"config": {"data": {"ENV": "test", "WORKERS": 4}}},
        {"config": {"data": {}}},
        lambda found: (
            found.named("ConfigMap").get("user-service", {}).get("data") == {"ENV": "test", "WORKERS": "4"}
            and {"configMapRef": {"name": "user-service"}} in found.container["envFrom"]
        ),
    ),
    Feature(
        "config-files",
        {"config": {"files": {"app.yaml": "a: 1\n"}}},
        {"config": {"files": {}}},
        lambda found: "config" in _volumes(found) and found.env.get("CONFIG_DIR") == "/etc/user-service",
    ),
    Feature(
        "secret-existing",
        {"secrets": {"existing": [{"name": "db.example.com", "mountPath": "/secrets/db", "optional": True}]}},
        {},
        lambda found: "secret-db-example-com" in _volumes(found),
    ),
    Feature(
        "secret-opaque",
        {"secrets": {"create": [{"name": "api", "type": "Opaque", "data": {"key": "x"}, "mountPath": "/secrets/api"}]}},
        {},
        lambda found: _secret("api")(found) and "secret-user-service-api" in _volumes(found),
    ),
    Feature(
        "secret-tls",
        {
            "secrets": {
                "create": [{"name": "tls", "type": "kubernetes.io/tls", "data": {"tls.crt": "c", "tls.key": "k"}}]
            }
        },
        {},
        _secret("tls"),
    ),
    Feature(
        "secret-registry",
        {
            "secrets": {
                "create": [
                    {"name": "pull", "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "{}"}}
                ]
            }
        },
        {},
        lambda found: _secret("pull")(found) and {"name": "user-service-pull"} in found.pod.get("imagePullSecrets", []),
    ),
    Feature(
        "secret-external",
        *switch("secrets.external", **_STORE),
        lambda found: "ExternalSecret" in found and "secret-user-service-external" in _volumes(found),
    ),
    Feature(
        "extra-environment",
        {"extraEnv": [{"name": "EXTRA", "value": "1"}], "extraEnvFrom": [{"secretRef": {"name": "more"}}]},
        {},
        lambda found: "EXTRA" in found.env and {"secretRef": {"name": "more"}} in found.container.get("envFrom", []),
    ),
    Feature(
        "extra-volumes",
        {
            "extraVolumes": [{"name": "cache", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "cache", "mountPath": "/cache"}],
        },
        {},
        lambda found: "cache" in _volumes(found),
    ),
)

RESOURCES = (
    Feature(
        "memory-limit",
        {"goRuntime": {"memoryLimit": True}},
        {"goRuntime": {"memoryLimit": False}},
        lambda found: "MEMORY_LIMIT" in found.env,
    ),
    Feature(
        "gomemlimit",
        {"goRuntime": {"gomemlimit": True}},
        {"goRuntime": {"gomemlimit": False}},
        lambda found: "GOMEMLIMIT" in found.env,
    ),
    Feature(
        "gomaxprocs",
        {"goRuntime": {"gomaxprocs": True}, "resources": {"limits": {"cpu": "1"}}},
        {"goRuntime": {"gomaxprocs": False}},
        lambda found: "GOMAXPROCS" in found.env,
    ),
    Feature(
        "autoscaling",
        *switch("autoscaling"),
        lambda found: _metrics(found)[:1] == ["cpu"] and "replicas" not in found.workload["spec"],
        RUN,
    ),
    Feature(
        "autoscaling-by-memory",
        *switch("autoscaling.memory"),
        lambda found: "memory" in _metrics(found),
        RUN,
        needs=("autoscaling",),
    ),
    Feature(
        "autoscaling-by-other-metrics",
        {"autoscaling": {"metrics": [_QUEUE, _CUSTOM]}},
        {},
        lambda found: {"External", "Pods"} <= set(_metrics(found)),
        RUN,
        needs=("autoscaling",),
    ),
    Feature(
        "autoscaling-behavior",
        {"autoscaling": {"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}}}},
        {},
        lambda found: (
            "scaleUp"
            in found.named("HorizontalPodAutoscaler").get("user-service", {"spec": {}})["spec"].get("behavior", {})
        ),
        RUN,
        needs=("autoscaling",),
    ),
    Feature("disruption-budget", *switch("podDisruptionBudget"), lambda found: "PodDisruptionBudget" in found, RUN),
    Feature("topology-spread", *switch("topologySpread"), lambda found: "topologySpreadConstraints" in found.pod, RUN),
    Feature("node-selector", {"nodeSelector": {"pool": "general"}}, {}, lambda found: "nodeSelector" in found.pod),
    Feature(
        "tolerations",
        {"tolerations": [{"key": "spot", "operator": "Exists"}]},
        {},
        lambda found: "tolerations" in found.pod,
    ),
    Feature("affinity", {"affinity": _AFFINITY}, {}, lambda found: "affinity" in found.pod),
    Feature("priority-class", {"priorityClassName": "high"}, {}, lambda found: "priorityClassName" in found.pod),
)
