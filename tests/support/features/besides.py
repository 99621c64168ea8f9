"""Rights, monitors, jobs, and what a team adds."""

from tests.support.charts import Objects
from tests.support.features.model import RUN, SERVE, Feature, switch

_ALERT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "alert"},
    "data": {"summary": "{{ $labels.pod }} is slow"},
}
_TEMPLATE = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "service.fullname" . }}-more\n'
_BEFORE = {"name": "prepare", "args": ["prepare"], "resources": {"limits": {"memory": "32Mi"}}}
_BESIDE = {
    "name": "proxy",
    "image": "registry.example.com/proxy:v1",
    "ports": [{"name": "admin", "containerPort": 9901}],
}
_ROLE = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
_MONITOR = {"labels": {"release": "prometheus"}, "metricRelabelings": [{"action": "labeldrop", "regex": "id"}]}


def _volumes(found: Objects) -> set[str]:
    return {one["name"] for one in found.pod.get("volumes", [])} & {
        one["name"] for one in found.container.get("volumeMounts", [])
    }


RIGHTS = (
    Feature(
        "service-account",
        {"serviceAccount": {"create": True, "annotations": {"example.com/role": "user"}}},
        {"serviceAccount": {"create": False, "name": "shared"}},
        lambda found: "ServiceAccount" in found,
    ),
    Feature(
        "service-account-token",
        {"serviceAccount": {"automountToken": True}},
        {"serviceAccount": {"automountToken": False}},
        lambda found: found.pod["automountServiceAccountToken"] is True,
    ),
    Feature(
        "role",
        *switch("rbac", rules=[_ROLE]),
        lambda found: "Role" in found and "RoleBinding" in found and found.pod["automountServiceAccountToken"] is True,
    ),
    Feature("writable-tmp", *switch("tmp"), lambda found: "tmp" in _volumes(found)),
)

BESIDES = (
    Feature(
        "service-monitor",
        *switch("serviceMonitor", **_MONITOR),
        lambda found: "ServiceMonitor" in found,
        SERVE,
        needs=("service", "port-metrics"),
    ),
    Feature(
        "pod-monitor",
        *switch("podMonitor", **_MONITOR),
        lambda found: "PodMonitor" in found,
        ("worker",),
        needs=("port-metrics",),
    ),
    Feature("migration", *switch("migration", initContainers=[_BEFORE]), lambda found: "Job" in found),
    Feature("helm-test", *switch("helmTest"), lambda found: "Pod" in found, SERVE, needs=("service",)),
    Feature("init-containers", {"initContainers": [_BEFORE]}, {}, lambda found: "initContainers" in found.pod),
    Feature("sidecars", {"sidecars": [_BESIDE]}, {}, lambda found: len(found.pod["containers"]) == 2, RUN),
    Feature(
        "pod-spec",
        {"extraPodSpec": {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}], "dnsPolicy": "ClusterFirst"}},
        {},
        lambda found: "hostAliases" in found.pod and "dnsPolicy" in found.pod,
    ),
    Feature(
        "extra-objects",
        {"extraObjects": [_ALERT, _TEMPLATE]},
        {},
        lambda found: {"alert", "user-service-more"} <= found.named("ConfigMap").keys(),
    ),
)
