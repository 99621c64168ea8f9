"""What Kubernetes takes two ways of writing for the same: defaults, quantities, and lists without an order.

Sources: the API's own `x-kubernetes-patch-merge-key`, `x-kubernetes-list-map-keys` and `x-kubernetes-list-type`
(api/openapi-spec of Kubernetes 1.34), its `SetDefaults_…` functions (pkg/apis/*/v1/defaults.go), and "Quantity"
(k8s.io/apimachinery/pkg/api/resource).
"""

from collections.abc import Mapping
from typing import Any

from gitops_tk.charts.rules.quantities import amount

Steps = tuple[str, ...]
NOTHING: Any = object()

# By a list's name: the keys that tell its elements apart; of several the first that every element has.
_KEYS: Mapping[str, tuple[Steps, ...]] = {
    **dict.fromkeys(
        (
            *("containers", "initContainers", "ephemeralContainers", "env", "volumes", "imagePullSecrets", "secrets"),
            *("resourceClaims", "webhooks", "versions", "schedulingGates", "listeners"),
        ),
        (("name",),),
    ),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol"), ("name",)),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "subjects": (("kind", "namespace", "name"),),
    "items": (("key",), ("path",)),
    "paths": (("path", "pathType"),),
    "rules": (("host",),),
    "conditions": (("type",),),
    "ownerReferences": (("uid",),),
    "data": (("secretKey",),),
    "matchExpressions": (("key", "operator"),),
    "endpoints": (("port", "path"), ("targetPort", "path")),
    "podMetricsEndpoints": (("port", "path"),),
    "parentRefs": (("name", "sectionName"),),
    "backendRefs": (("name", "port"),),
}
# Lists whose elements run, win or are asked one after the other.
_IN_ORDER = ("initContainers",)
# Words that other kinds use for lists of their own.
_OFTEN_IN_ORDER = ("rules", "items", "paths", "versions", "data")
# Lists of which Kubernetes makes a set.
_SETS = frozenset(
    (
        *("add", "drop", "finalizers", "accessModes", "policyTypes", "hosts", "hostnames", "namespaces", "apiGroups"),
        *("resources", "verbs", "resourceNames", "nonResourceURLs", "values", "ingress", "egress", "from", "to"),
        *("rules", "tolerations", "externalIPs", "loadBalancerSourceRanges", "sysctls", "supplementalGroups", "tls"),
        *("metrics", "requiredDropCapabilities", "preferredDuringSchedulingIgnoredDuringExecution", "shortNames"),
        *("nodeSelectorTerms", "matchLabelKeys", "categories", "volumeClaimTemplates"),
    )
)
_IN_QUANTITIES = frozenset(
    (
        *("requests", "limits", "hard", "capacity", "allocatable", "min", "max", "default", "defaultRequest"),
        *("podFixed", "storage", "maxLimitRequestRatio"),
    )
)
_QUANTITIES = frozenset(("sizeLimit", "averageValue", "divisor", "storage"))

# What a missing field means, by the name of what holds it and its own; `*` is any holder. Where a kind is named, it is
# for that kind alone. Replicas are not here: without them an autoscaler's number stays.
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}
_DEFAULTS: Mapping[tuple[str, str], Any] = {
    **{(probe, "timeoutSeconds"): 1 for probe in _PROBES},
    **{(probe, "periodSeconds"): 10 for probe in _PROBES},
    **{(probe, "successThreshold"): 1 for probe in _PROBES},
    **{(probe, "failureThreshold"): 3 for probe in _PROBES},
    **{(probe, "initialDelaySeconds"): 0 for probe in _PROBES},
    ("httpGet", "scheme"): "HTTP",
    ("httpGet", "path"): "/",
    ("grpc", "service"): "",
    ("fieldRef", "apiVersion"): "v1",
    ("ports", "protocol"): "TCP",
    ("env", "value"): "",
    ("containers", "terminationMessagePath"): "/dev/termination-log",
    ("containers", "terminationMessagePolicy"): "File",
    ("initContainers", "terminationMessagePath"): "/dev/termination-log",
    ("initContainers", "terminationMessagePolicy"): "File",
    ("securityContext", "privileged"): False,
    ("securityContext", "readOnlyRootFilesystem"): False,
    ("securityContext", "procMount"): "Default",
    ("containers", "stdin"): False,
    ("containers", "stdinOnce"): False,
    ("containers", "tty"): False,
    ("volumeMounts", "readOnly"): False,
    ("secret", "defaultMode"): 420,
    ("configMap", "defaultMode"): 420,
    ("projected", "defaultMode"): 420,
    ("downwardAPI", "defaultMode"): 420,
    ("secret", "optional"): False,
    ("configMap", "optional"): False,
    ("secretKeyRef", "optional"): False,
    ("configMapKeyRef", "optional"): False,
    ("hostPath", "type"): "",
    ("emptyDir", "medium"): "",
    ("serviceAccountToken", "expirationSeconds"): 3600,
    ("topologySpreadConstraints", "nodeAffinityPolicy"): "Honor",
    ("topologySpreadConstraints", "nodeTaintsPolicy"): "Ignore",
    ("rollingUpdate", "partition"): 0,
    ("*", "immutable"): False,
}
_POD_DEFAULTS: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
    "shareProcessNamespace": False,
    "automountServiceAccountToken": True,
}
_BY_KIND: Mapping[str, Mapping[tuple[str, ...], Any]] = {
    "Deployment": {
        ("spec", "revisionHistoryLimit"): 10,
        ("spec", "progressDeadlineSeconds"): 600,
        ("spec", "minReadySeconds"): 0,
        ("spec", "paused"): False,
        ("spec", "strategy"): {"type": "RollingUpdate", "rollingUpdate": _ROLLING},
        ("spec", "strategy", "type"): "RollingUpdate",
        ("spec", "strategy", "rollingUpdate"): _ROLLING,
        ("spec", "strategy", "rollingUpdate", "maxSurge"): "25%",
        ("spec", "strategy", "rollingUpdate", "maxUnavailable"): "25%",
    },
    "StatefulSet": {
        ("spec", "revisionHistoryLimit"): 10,
        ("spec", "minReadySeconds"): 0,
        ("spec", "podManagementPolicy"): "OrderedReady",
        ("spec", "updateStrategy"): {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        ("spec", "updateStrategy", "type"): "RollingUpdate",
        ("spec", "updateStrategy", "rollingUpdate"): {"partition": 0},
    },
    "DaemonSet": {
        ("spec", "revisionHistoryLimit"): 10,
        ("spec", "minReadySeconds"): 0,
        ("spec", "updateStrategy"): {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        ("spec", "updateStrategy", "type"): "RollingUpdate",
        ("spec", "updateStrategy", "rollingUpdate"): {"maxSurge": 0, "maxUnavailable": 1},
        ("spec", "updateStrategy", "rollingUpdate", "maxSurge"): 0,
        ("spec", "updateStrategy", "rollingUpdate", "maxUnavailable"): 1,
    },
    "Job": {("spec", "backoffLimit"): 6, ("spec", "suspend"): False, ("spec", "completionMode"): "NonIndexed"},
    "CronJob": {
        ("spec", "concurrencyPolicy"): "Allow",
        ("spec", "suspend"): False,
        ("spec", "successfulJobsHistoryLimit"): 3,
        ("spec", "failedJobsHistoryLimit"): 1,
        ("spec", "jobTemplate", "spec", "backoffLimit"): 6,
        ("spec", "jobTemplate", "spec", "suspend"): False,
    },
    "Service": {
        ("spec", "type"): "ClusterIP",
        ("spec", "sessionAffinity"): "None",
        ("spec", "internalTrafficPolicy"): "Cluster",
        ("spec", "externalTrafficPolicy"): "Cluster",
        ("spec", "allocateLoadBalancerNodePorts"): True,
        ("spec", "publishNotReadyAddresses"): False,
    },
    "HorizontalPodAutoscaler": {("spec", "minReplicas"): 1},
    "PersistentVolumeClaim": {("spec", "volumeMode"): "Filesystem"},
    "PodDisruptionBudget": {("spec", "unhealthyPodEvictionPolicy"): "IfHealthyBudget"},
    "Secret": {("type",): "Opaque"},
    "RoleBinding": {("roleRef", "apiGroup"): "rbac.authorization.k8s.io"},
    "ClusterRoleBinding": {("roleRef", "apiGroup"): "rbac.authorization.k8s.io"},
    "ServiceAccount": {("automountServiceAccountToken",): True},
}
# Fields of which nothing and an empty one mean the same. A selector is not among them: an empty one selects all.
_EMPTY = frozenset(
    (
        *("annotations", "labels", "resources", "limits", "requests", "securityContext", "affinity", "nodeSelector"),
        *("tolerations", "env", "envFrom", "volumeMounts", "volumes", "imagePullSecrets", "args", "command"),
        *("initContainers", "topologySpreadConstraints", "hostAliases", "ports", "data", "binaryData", "stringData"),
        *("capabilities", "add", "drop", "matchExpressions", "finalizers", "externalIPs", "sysctls", "tls"),
        *("loadBalancerSourceRanges", "supplementalGroups", "dnsConfig", "lifecycle", "podAnnotations", "secrets"),
    )
)


def default(kind: str, path: Steps, holder: Mapping[str, Any]) -> Any:
    """What a missing field means to Kubernetes; NOTHING where that is nothing, or not known.

    Args:
        kind: the object's kind, one of Kubernetes' own.
        path: the names on the way to the field, its own the last; lists are named once, without their elements.
        holder: what the field is missing in.
    """
    name = path[-1]
    own = _BY_KIND.get(kind, {}).get(path, NOTHING)
    if own is not NOTHING:
        # A rolling update has its settings where there is one.
        rolls = name != "rollingUpdate" or holder.get("type", "RollingUpdate") == "RollingUpdate"
        return own if rolls else NOTHING
    if len(path) > 1 and path[-2:-1] == ("spec",) and "containers" in holder and name in _POD_DEFAULTS:
        return _POD_DEFAULTS[name]
    if kind == "Service" and path[-2:] == ("ports", "targetPort"):
        return holder.get("port", NOTHING)
    if path[-2:-1] in (("requests",), ("limits",)):
        return NOTHING
    found = _DEFAULTS.get((path[-2], name) if len(path) > 1 else ("*", name), NOTHING)
    return found if found is not NOTHING else _DEFAULTS.get(("*", name), NOTHING)


def is_empty(name: str, value: Any) -> bool:
    """Whether a field says nothing: it is null, or an empty list or map where that means none."""
    return value is None or (value in ({}, []) and name in _EMPTY)


def filled(name: str, value: Any, other: Any) -> Any:
    """A missing field as an empty one, where that means the same: what the other side has is told one by one."""
    if value is NOTHING and name in _EMPTY and isinstance(other, dict | list):
        return type(other)()
    return value


def same_scalar(path: Steps, before: Any, after: Any) -> bool:
    """Whether two scalars are the same: equal and of one type, or one quantity written in two ways."""
    if isinstance(before, bool) or isinstance(after, bool) or before is None or after is None:
        return before is after
    if isinstance(before, str) == isinstance(after, str) and before == after:
        return True
    if not is_quantity(path):
        return False
    one, other = amount(before), amount(after)
    return one is not None and one == other


def is_quantity(path: Steps) -> bool:
    """Whether there is a quantity at a path."""
    return bool(path) and (path[-1] in _QUANTITIES or (len(path) > 1 and path[-2] in _IN_QUANTITIES))


def identity(name: str, items: list[Any]) -> Steps | None:
    """The keys by which the elements of a list are told apart; None where they cannot be."""
    maps = [one for one in items if isinstance(one, dict)]
    if len(maps) < len(items):
        return None
    for keys in _KEYS.get(name, ()):
        seen = [identified(keys, one) for one in maps]
        if all(one.get(keys[0]) is not None for one in maps) and len(set(seen)) == len(seen):
            return keys
    # What is not known is told apart by its name, if it has one.
    named = [one.get("name") for one in maps]
    if name not in _KEYS and all(isinstance(one, str) for one in named) and len(set(named)) == len(named):
        return ("name",)
    return None


def identified(keys: Steps, one: Mapping[str, Any]) -> Steps:
    """What tells an element apart, key by key."""
    return tuple(str(one.get(key, "TCP" if key == "protocol" else "")) for key in keys)


def has_order(name: str, items: list[Any], *, known: bool) -> bool:
    """Whether another order of a list's elements means something else.

    Args:
        items: the elements.
        known: whether it is in an object of Kubernetes' own.
    """
    if name == "env":
        # A variable may use those before it.
        return any("$(" in str(one.get("value", "")) for one in items if isinstance(one, dict))
    if name in _IN_ORDER:
        return True
    return not (name in _KEYS if not known and name not in _OFTEN_IN_ORDER else known and name in _SETS | _KEYS.keys())
