"""Rules of how many pods there are: autoscaling, and budgets that let a node be drained."""

import re
from collections.abc import Iterator
from typing import Any

from gitops_tk.charts.rules.model import Fault, rule
from gitops_tk.charts.rules.objects import SERVING, Object, Objects, Path, Pod, entries, mapping, number, text

_HPA = "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"
_PDB = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"


@rule(
    "hpa-target",
    "error",
    summary="A HorizontalPodAutoscaler scales a workload of the release",
    reason="It finds nothing to scale, and says so only in its own status.",
    source="https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/",
    fix="use the helper that names the workload, and its kind",
)
def hpa_target(objects: Objects) -> Iterator[Fault]:
    """Autoscalers without a target."""
    for hpa in objects.of("HorizontalPodAutoscaler"):
        target = mapping(hpa.spec.get("scaleTargetRef"))
        if objects.serving and text(target.get("kind")) in SERVING and _target(objects, hpa) is None:
            message = f"the release has no {target.get('kind')} {target.get('name')}"
            yield Fault(hpa, ("spec", "scaleTargetRef", "name"), message)


@rule(
    "hpa-requests",
    "error",
    summary="A workload that scales by utilization requests that resource in every container",
    reason="Utilization is a percentage of the request: without it the autoscaler computes nothing and never scales.",
    source=f"{_HPA}#support-for-resource-metrics",
    fix="set resources.requests of the metric's resource in every container, sidecars included",
)
def hpa_requests(objects: Objects) -> Iterator[Fault]:
    """Autoscalers whose pods do not say what they need."""
    for hpa in objects.of("HorizontalPodAutoscaler"):
        pod = _target(objects, hpa)
        for at, metric in entries(hpa.spec.get("metrics")) if pod else ():
            for kind in ("resource", "containerResource"):
                written = mapping(metric.get(kind))
                name, only = text(written.get("name")), written.get("container")
                if not name or mapping(written.get("target")).get("type") != "Utilization":
                    continue
                path: Path = ("spec", "metrics", at, kind)
                yield from _without_requests(hpa, pod, (*path, "name"), name, only)


@rule(
    "hpa-range",
    "error",
    summary="An autoscaler's minimum is not above its maximum",
    reason="The API server refuses the autoscaler.",
    source="https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/",
    fix="raise maxReplicas; a values file may set only one of the two",
)
def hpa_range(objects: Objects) -> Iterator[Fault]:
    """Ranges that hold no number."""
    for hpa in objects.of("HorizontalPodAutoscaler"):
        least, most = number(hpa.spec.get("minReplicas")), number(hpa.spec.get("maxReplicas"))
        least = 1 if least is None else least
        if most is not None and least > most:
            yield Fault(hpa, ("spec", "maxReplicas"), f"minReplicas is {least}, and maxReplicas {most}")


@rule(
    "hpa-replicas",
    "error",
    summary="A workload that an autoscaler scales does not say how many pods it has",
    reason="Every sync sets the number back, and the autoscaler changes it again: pods come and go for nothing.",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/best_practices/#leaving-room-for-imperativeness",
    fix="leave replicas out of the template while autoscaling is on",
)
def hpa_replicas(objects: Objects) -> Iterator[Fault]:
    """Numbers of pods that two sides decide."""
    for hpa in objects.of("HorizontalPodAutoscaler"):
        pod = _target(objects, hpa)
        if pod is not None and pod.owner.spec.get("replicas") is not None:
            yield Fault(pod.owner, ("spec", "replicas"), f"replicas is set, and {hpa.label} scales it")


@rule(
    "pdb-selector",
    "error",
    summary="A PodDisruptionBudget selects pods of the release",
    reason="It protects nothing, and nothing says so.",
    source=f"{_PDB}#specifying-a-poddisruptionbudget",
    fix="use the same helper for the selector and for the labels of the pods",
)
def pdb_selector(objects: Objects) -> Iterator[Fault]:
    """Budgets that select nothing."""
    for pdb in objects.of("PodDisruptionBudget"):
        if objects.pods and not objects.selected(pdb.spec.get("selector"), pdb.namespace):
            yield Fault(pdb, ("spec", "selector"), "its selector matches no pod of the release")


@rule(
    "pdb-choice",
    "error",
    summary="A PodDisruptionBudget has either minAvailable or maxUnavailable, a number or a percentage",
    reason="The API server refuses both at once.",
    source=f"{_PDB}#specifying-a-poddisruptionbudget",
    fix="keep maxUnavailable alone: it stays right when the number of pods changes",
)
def pdb_choice(objects: Objects) -> Iterator[Fault]:
    """Budgets with two numbers, or with a word in place of one."""
    for pdb in objects.of("PodDisruptionBudget"):
        written = [key for key in ("minAvailable", "maxUnavailable") if pdb.spec.get(key) is not None]
        if len(written) == 2:
            yield Fault(pdb, ("spec", "minAvailable"), "it has both minAvailable and maxUnavailable")
        for key in written:
            if _scaled(pdb.spec[key], 1) is None:
                message = f"{key} is {pdb.spec[key]!r}, neither a number nor a percentage"
                yield Fault(pdb, ("spec", key), message)


@rule(
    "pdb-drain",
    "error",
    summary="A PodDisruptionBudget lets at least one pod be evicted",
    reason="A drain of the node waits for ever: upgrades of the cluster stop, or end in force.",
    source=f"{_PDB}#think-about-how-your-application-reacts-to-disruptions",
    fix="set maxUnavailable to 1, or leave the budget out where there is one pod",
)
def pdb_drain(objects: Objects) -> Iterator[Fault]:
    """Budgets under which no pod may go."""
    for pdb in objects.of("PodDisruptionBudget"):
        pods = [pod for pod in objects.selected(pdb.spec.get("selector"), pdb.namespace) if pod.owner.kind in SERVING]
        least, most = pdb.spec.get("minAvailable"), pdb.spec.get("maxUnavailable")
        replicas = sum(_replicas(objects, pod) for pod in pods)
        if not replicas or (least is not None and most is not None):
            continue
        if most is not None and _scaled(most, replicas) == 0:
            yield Fault(pdb, ("spec", "maxUnavailable"), f"maxUnavailable is {most}: no pod may ever be evicted")
        elif least is not None and (_scaled(least, replicas) or 0) >= replicas:
            message = f"minAvailable is {least} of {replicas} pod{'s' if replicas > 1 else ''}: none may be evicted"
            yield Fault(pdb, ("spec", "minAvailable"), message)


@rule(
    "pdb-overlap",
    "error",
    summary="A pod has at most one PodDisruptionBudget",
    reason="The eviction of a pod with two is an error, and a drain never ends.",
    source="https://github.com/kubernetes/kubernetes/issues/75957",
    fix="leave one of them out, or let their selectors differ",
)
def pdb_overlap(objects: Objects) -> Iterator[Fault]:
    """Pods with two budgets."""
    budgets = objects.of("PodDisruptionBudget")
    for at, pdb in enumerate(budgets):
        pods = objects.selected(pdb.spec.get("selector"), pdb.namespace)
        for other in budgets[:at]:
            shared = [pod for pod in objects.selected(other.spec.get("selector"), other.namespace) if pod in pods]
            if shared:
                yield Fault(pdb, ("spec", "selector"), f"{shared[0].owner.label} has {other.label} already")


def _target(objects: Objects, hpa: Object) -> Pod | None:
    target = mapping(hpa.spec.get("scaleTargetRef"))
    kind, name = target.get("kind"), target.get("name")
    found = (pod for pod in objects.serving if pod.owner.kind == kind and pod.owner.name == name)
    return next(found, None)


def _without_requests(hpa: Object, pod: Pod | None, path: Path, name: str, only: Any) -> Iterator[Fault]:
    containers = [one for one in pod.main if only in (None, one.name)] if pod else []
    if pod and not containers:
        yield Fault(hpa, (*path[:-1], "container"), f"the pod has no container {only}")
    for container in containers:
        # A limit without a request is the request as well.
        if not any(name in mapping(container.resources.get(part)) for part in ("requests", "limits")):
            message = f"it scales by {name}, and the container {container.name} has no requests.{name}"
            yield Fault(hpa, path, message)


def _replicas(objects: Objects, pod: Pod) -> int:
    for hpa in objects.of("HorizontalPodAutoscaler"):
        if _target(objects, hpa) is pod:
            least = number(hpa.spec.get("minReplicas"))
            return 1 if least is None else least
    if pod.owner.kind == "DaemonSet":
        return 0
    written = number(pod.owner.spec.get("replicas"))
    return 1 if written is None else written


def _scaled(value: Any, replicas: int) -> int | None:
    """What a number or a percentage of the pods comes to; Kubernetes rounds up here."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}%", value):
        return -(-int(value[:-1]) * replicas // 100)
    return number(value)
