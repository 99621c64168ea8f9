"""Rules of shape: objects against the schemas of Kubernetes, custom resources against their definitions."""

from collections.abc import Iterator
from typing import Any

from gitops_tk.charts import kubernetes
from gitops_tk.charts.crds import Served
from gitops_tk.charts.rules.model import Fault, rule
from gitops_tk.charts.rules.objects import Object, Objects, Path

_LONGEST = 300
# Values that Kubernetes lets a field have, where its schemas say "string". By the ends of paths.
_CHOICES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("imagePullPolicy",): ("Always", "IfNotPresent", "Never"),
    ("protocol",): ("TCP", "UDP", "SCTP"),
    ("terminationMessagePolicy",): ("File", "FallbackToLogsOnError"),
    ("dnsPolicy",): ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ("whenUnsatisfiable",): ("DoNotSchedule", "ScheduleAnyway"),
    ("unhealthyPodEvictionPolicy",): ("IfHealthyBudget", "AlwaysAllow"),
    ("concurrencyPolicy",): ("Allow", "Forbid", "Replace"),
    ("pathType",): ("Exact", "Prefix", "ImplementationSpecific"),
    ("sessionAffinity",): ("None", "ClientIP"),
    ("externalTrafficPolicy",): ("Cluster", "Local"),
    ("internalTrafficPolicy",): ("Cluster", "Local"),
    ("httpGet", "scheme"): ("HTTP", "HTTPS"),
    ("seccompProfile", "type"): ("RuntimeDefault", "Localhost", "Unconfined"),
    ("tolerations", "effect"): ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    ("tolerations", "operator"): ("Exists", "Equal", "Lt", "Gt"),
    ("matchExpressions", "operator"): ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
    ("policyTypes",): ("Ingress", "Egress"),
    ("Service", "spec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("Deployment", "spec", "strategy", "type"): ("RollingUpdate", "Recreate"),
    ("metrics", "type"): ("Resource", "ContainerResource", "Pods", "Object", "External"),
    ("target", "type"): ("Utilization", "Value", "AverageValue"),
}
_OWN_GROUPS = ("", "apps", "batch", "autoscaling", "policy", "networking.k8s.io")
# Fields whose content is the user's own, or another's.
_FREE = ("data", "stringData", "annotations", "labels", "matchLabels")


@rule(
    "kubernetes-schema",
    "error",
    summary="Objects have the fields that Kubernetes knows, with values of their types",
    reason="The API server refuses a wrong type, and drops an unknown field without a word.",
    source="https://kubernetes.io/docs/reference/using-api/api-concepts/#validation-for-unrecognized-or-duplicate-fields",
    fix="look the field up with kubectl explain",
)
def kubernetes_schema(objects: Objects) -> Iterator[Fault]:
    """What Kubernetes' schemas refuse."""
    for one in objects.items:
        if one.name and one.api_version and one.kind:
            yield from _broken(one, kubernetes.validator(one.api_version, one.kind, objects.kube_version))


@rule(
    "kubernetes-unknown-kind",
    "error",
    summary="Kubernetes serves the kinds that are used, in this version",
    reason="The API was removed, or is misspelt: nothing is applied.",
    source="https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    fix="use the API that the deprecation guide names in its place",
)
def kubernetes_unknown_kind(objects: Objects) -> Iterator[Fault]:
    """Kinds in Kubernetes' own groups that it does not have."""
    for one in objects.items:
        if not one.api_version or not one.kind or not kubernetes.is_built_in(one.api_version):
            continue
        if (one.group, one.kind) in objects.definitions:
            continue
        if kubernetes.validator(one.api_version, one.kind, objects.kube_version) is None:
            message = f"Kubernetes {objects.kube_version} has no {one.kind} in {one.api_version}"
            yield Fault(one, ("apiVersion",), message)


@rule(
    "kubernetes-choice",
    "error",
    summary="Fields with a fixed choice of values have one of them",
    reason="The published schemas call these fields strings; the API server knows better, and refuses the object.",
    source="https://kubernetes.io/docs/reference/kubernetes-api/",
    fix="write one of the values that the message lists",
)
def kubernetes_choice(objects: Objects) -> Iterator[Fault]:
    """Values that are none of a field's choices."""
    for one in objects.items:
        if one.group not in _OWN_GROUPS:
            continue
        for path, value in one.leaves:
            allowed = _choices(one.kind, path)
            if allowed and isinstance(value, str) and value not in allowed:
                yield Fault(one, path, f"{path[-1]} is {value!r}, and may be {', '.join(allowed)}")


@rule(
    "custom-resource-schema",
    "error",
    summary="Custom resources have the fields that their definition knows, with values of their types",
    reason="The API server refuses a wrong value, and drops an unknown field without a word.",
    source="https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning",
    fix="look the field up in the definition; it is among those of --crds, validate.crds or the chart's crds/",
)
def custom_resource_schema(objects: Objects) -> Iterator[Fault]:
    """What the definitions of custom resources refuse."""
    for one in objects.items:
        served = _served(objects, one)
        if served is not None and served.served and served.schema is not None:
            yield from _broken(one, _validator(served.schema))


@rule(
    "custom-resource-version",
    "error",
    summary="Custom resources are written in a version that their definition serves",
    reason="The API server knows no such kind, and Argo CD's sync fails.",
    source="https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/",
    fix="write a version that the definition serves",
)
def custom_resource_version(objects: Objects) -> Iterator[Fault]:
    """Versions that the definitions of custom resources do not serve."""
    for one in objects.items:
        known = objects.definitions.get((one.group, one.kind))
        served = _served(objects, one)
        if known and (served is None or not served.served):
            versions = ", ".join(sorted(name for name, version in known.items() if version.served)) or "none"
            yield Fault(one, ("apiVersion",), f"{one.api_version} is not served; served are {versions}")


def _served(objects: Objects, one: Object) -> Served | None:
    return objects.definitions.get((one.group, one.kind), {}).get(one.api_version.rpartition("/")[2])


def _validator(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    return Draft202012Validator(schema, registry=Registry())


def _broken(one: Object, validator: Any) -> Iterator[Fault]:
    if validator is None:
        return
    for error in sorted(validator.iter_errors(one.data), key=lambda found: [str(part) for part in found.absolute_path]):
        path: Path = tuple(error.absolute_path)
        place = ".".join(str(part) for part in path)
        # The library's message quotes the value, which nobody may see of a Secret.
        said = f"breaks {error.validator}" if one.kind == "Secret" else error.message[:_LONGEST]
        yield Fault(one, path, f"{place + ': ' if place else ''}{said}")


def _choices(kind: str, path: Path) -> tuple[str, ...]:
    words = [part for part in path if isinstance(part, str)]
    if not words or any(free in words for free in _FREE):
        return ()
    for length in (1, 2):
        found = _CHOICES.get(tuple(words[-length:]))
        if found:
            return found
    return _CHOICES.get((kind, *words), ())
