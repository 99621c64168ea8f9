"""Rules of workloads: selectors, rollouts, schedules, volumes, and the settings that they read."""

import re
from collections.abc import Iterator
from typing import Any

from gitops_tk.charts.rules.model import Fault, in_container, in_pod, rule
from gitops_tk.charts.rules.objects import SERVING, Object, Objects, Path, Pod, entries, mapping, matches, number, text

_DEPLOYMENT = "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"
_CHANGING = ("app.kubernetes.io/version", "helm.sh/chart", "version", "chart")
_PERCENT = re.compile(r"\d{1,9}%")
# Numbers, and the names of months and days, with steps and ranges. A Sunday is 0, and never 7.
_CRON_FIELD = re.compile(r"(?:\*|\?|(?:\d{1,9}|[A-Za-z]+)(?:-(?:\d{1,9}|[A-Za-z]+))?)(?:/0*[1-9]\d*)?", re.ASCII)
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON_WORDS = {name: at for first, words in ((1, _MONTHS), (0, _DAYS)) for at, name in enumerate(words, first)}
_CRON_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


@rule(
    "selector-labels",
    "error",
    summary="A workload's selector matches the labels of its own pods",
    reason="The API server refuses the workload.",
    source=f"{_DEPLOYMENT}#selector",
    fix="use the same helper for the selector and for the labels of the pods",
)
def selector_labels(objects: Objects) -> Iterator[Fault]:
    """Workloads that do not select their own pods."""
    for pod in objects.serving:
        selector = pod.owner.spec.get("selector")
        if mapping(selector) and not matches(selector, pod.labels):
            yield Fault(pod.owner, ("spec", "selector"), "its selector does not match the labels of its pods")


@rule(
    "selector-overlap",
    "error",
    summary="A workload's selector does not match the pods of another",
    reason="Two controllers count the same pods as theirs, and neither has as many as it should.",
    source=f"{_DEPLOYMENT}#selector",
    fix="add a label to both that tells them apart, such as app.kubernetes.io/component",
)
def selector_overlap(objects: Objects) -> Iterator[Fault]:
    """Workloads that select another's pods."""
    for pod in objects.serving:
        selector = pod.owner.spec.get("selector")
        for other in objects.selected(selector, pod.owner.namespace) if mapping(selector) else ():
            if other.owner is not pod.owner and other.owner.kind in SERVING:
                yield Fault(pod.owner, ("spec", "selector"), f"its selector matches the pods of {other.owner.label}")


@rule(
    "selector-changes",
    "error",
    summary="A workload's selector holds no label that changes from release to release",
    reason="A selector can never change: the next version of the chart or image cannot be applied.",
    source="https://helm.sh/docs/chart_best_practices/labels/",
    fix="keep app.kubernetes.io/version and helm.sh/chart out of selectors: name and instance are enough",
)
def selector_changes(objects: Objects) -> Iterator[Fault]:
    """Selectors with a version in them."""
    for one in objects.of(*SERVING):
        for key in mapping(mapping(one.spec.get("selector")).get("matchLabels")):
            if key in _CHANGING:
                yield Fault(one, ("spec", "selector", "matchLabels", key), f"its selector holds {key}, which changes")


@rule(
    "restart-policy",
    "error",
    summary="Pods of Jobs restart OnFailure or Never, pods of other workloads Always",
    reason="The API server refuses the object: a Job's default, Always, is none that it takes.",
    source="https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-template",
    fix="set restartPolicy to Never or OnFailure in a Job, and leave it out elsewhere",
)
def restart_policy(objects: Objects) -> Iterator[Fault]:
    """Restart policies that the workload does not take."""
    for pod in objects.pods:
        policy = pod.spec.get("restartPolicy", "Always")
        if pod.owner.kind in ("Job", "CronJob") and policy not in ("OnFailure", "Never"):
            yield in_pod(pod, ("restartPolicy",), f"restartPolicy is {policy}, and may be OnFailure or Never")
        elif pod.owner.kind in SERVING and policy != "Always":
            yield in_pod(pod, ("restartPolicy",), f"restartPolicy is {policy}, and may only be Always")


@rule(
    "cron-schedule",
    "error",
    summary="A CronJob's schedule has five fields, without a time zone in it",
    reason="The API server refuses the CronJob; the published schemas take any string.",
    source="https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax",
    fix='write "minute hour day month weekday", and the zone in spec.timeZone',
)
def cron_schedule(objects: Objects) -> Iterator[Fault]:
    """Schedules that Kubernetes does not read."""
    for one in objects.of("CronJob"):
        schedule = text(one.spec.get("schedule"))
        if schedule and not _is_schedule(schedule):
            yield Fault(one, ("spec", "schedule"), f"{schedule!r} is no schedule")


@rule(
    "rollout-steps",
    "error",
    summary="A rollout can make a step, and its numbers are numbers or percentages",
    reason="The API server refuses maxSurge 0 beside maxUnavailable 0, and a percentage without %.",
    source=f"{_DEPLOYMENT}#max-unavailable",
    fix="set maxSurge to 25% and maxUnavailable to 0",
)
def rollout_steps(objects: Objects) -> Iterator[Fault]:
    """Rollouts that cannot move."""
    for one in objects.of("Deployment"):
        path: Path = ("spec", "strategy", "rollingUpdate")
        rolling = mapping(mapping(one.spec.get("strategy")).get("rollingUpdate"))
        for key in ("maxSurge", "maxUnavailable"):
            if isinstance(rolling.get(key), str) and not _PERCENT.fullmatch(rolling[key]):
                yield Fault(one, (*path, key), f"{key} is {rolling[key]!r}, neither a number nor a percentage")
        if all(rolling.get(key) in (0, "0%") for key in ("maxSurge", "maxUnavailable")):
            yield Fault(one, path, "maxSurge and maxUnavailable are both 0: no pod can be replaced")


@rule(
    "rollout-unavailable",
    "warning",
    summary="A rollout leaves some pods running",
    reason="With all pods unavailable at once, every rollout is an outage.",
    source=f"{_DEPLOYMENT}#max-unavailable",
    fix="set maxUnavailable to 0, and let maxSurge bring new pods first",
)
def rollout_unavailable(objects: Objects) -> Iterator[Fault]:
    """Rollouts that may take all pods away."""
    for one in objects.of("Deployment"):
        most = mapping(mapping(one.spec.get("strategy")).get("rollingUpdate")).get("maxUnavailable")
        path: Path = ("spec", "strategy", "rollingUpdate", "maxUnavailable")
        replicas = number(one.spec.get("replicas"))
        if most == "100%" or (replicas is not None and 0 < replicas <= (number(most) or 0)):
            yield Fault(one, path, f"maxUnavailable is {most}: all pods may be away at once")


@rule(
    "progress-deadline",
    "error",
    summary="A rollout's deadline is longer than the time that a new pod must be ready",
    reason="The API server refuses the Deployment.",
    source=f"{_DEPLOYMENT}#progress-deadline-seconds",
    fix="raise progressDeadlineSeconds above minReadySeconds",
)
def progress_deadline(objects: Objects) -> Iterator[Fault]:
    """Deadlines that no rollout can keep."""
    for one in objects.of("Deployment"):
        written = number(one.spec.get("progressDeadlineSeconds"))
        deadline = 600 if written is None else written
        ready = number(one.spec.get("minReadySeconds")) or 0
        if deadline <= ready:
            message = f"progressDeadlineSeconds {deadline} is not more than minReadySeconds {ready}"
            yield Fault(one, ("spec", "progressDeadlineSeconds"), message)


@rule(
    "volume-mount",
    "error",
    summary="Mounted volumes are there, each at a path of its own",
    reason="The API server refuses the pod: the Deployment is there, and no pod ever comes.",
    source="https://kubernetes.io/docs/concepts/storage/volumes/#how-volumes-work",
    fix="add the volume to the pod, or give the mount a path of its own",
)
def volume_mount(objects: Objects) -> Iterator[Fault]:
    """Mounts of nothing, or of two volumes at one path."""
    for container in objects.containers:
        names = {text(volume.get("name")) for _, volume in entries(container.pod.spec.get("volumes"))}
        names |= {text(one.get("metadata", {}).get("name")) for one in _claims(container.pod.owner)}
        seen: set[str] = set()
        for at, mount in entries(container.data.get("volumeMounts")):
            name, where = text(mount.get("name")), text(mount.get("mountPath"))
            if name and name not in names:
                yield in_container(container, ("volumeMounts", at, "name"), f"the pod has no volume {name}")
            if where and where in seen:
                yield in_container(container, ("volumeMounts", at, "mountPath"), f"two volumes are mounted at {where}")
            seen.add(where)


@rule(
    "config-key",
    "error",
    summary="A key that a pod reads from a ConfigMap or Secret of the release is in it",
    reason="The container never starts: CreateContainerConfigError, or a volume that cannot be mounted.",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#restrictions",
    fix="write the key as it is in the object, or mark it optional",
)
def config_key(objects: Objects) -> Iterator[Fault]:
    """Keys that the object does not have."""
    for pod, path, kind, name, key in _reads(objects):
        one = objects.named(kind, name)
        if one is None or key is None:
            continue
        there = {*mapping(one.data.get("data")), *mapping(one.data.get("binaryData"))}
        if key not in there | {*mapping(one.data.get("stringData"))}:
            yield Fault(pod.owner, path, f"{one.label} has no key {key}")


@rule(
    "config-missing",
    "warning",
    summary="A ConfigMap that a pod reads is in the release",
    reason="A wrong name lets no container start: CreateContainerConfigError.",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#restrictions",
    fix="use the helper that names the ConfigMap; where it is another's on purpose, switch the rule off",
)
def config_missing(objects: Objects) -> Iterator[Fault]:
    """ConfigMaps that are not in the release."""
    for pod, path, kind, name, _ in _reads(objects):
        if kind == "ConfigMap" and name != "kube-root-ca.crt" and objects.named(kind, name) is None:
            yield Fault(pod.owner, path, f"the release has no ConfigMap {name}")


@rule(
    "config-rollout",
    "warning",
    summary="A change of a ConfigMap or Secret of the release rolls the pods out that read it",
    reason="Pods read their environment once: a change of the settings alone changes nothing that runs.",
    source="https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments",
    fix="add an annotation checksum/config to the pod template, with the sha256sum of the rendered object",
)
def config_rollout(objects: Objects) -> Iterator[Fault]:
    """Pods that do not notice a change of their settings."""
    found: set[int] = set()
    for pod, _, kind, name, _ in _reads(objects):
        noted = {**pod.annotations, **pod.owner.annotations}
        follows = any("checksum" in str(key) or "reloader.stakater.com" in str(key) for key in noted)
        one = objects.named(kind, name)
        if pod.owner.kind in SERVING and one is not None and not follows and id(pod) not in found:
            found.add(id(pod))
            message = f"its pods read {one.label}, and have no annotation that changes with it"
            yield Fault(pod.owner, (*pod.meta, "annotations"), message)


@rule(
    "topology-selector",
    "error",
    summary="Topology spread constraints count the pods of their own workload",
    reason="A selector that matches other pods, or none, spreads nothing.",
    source="https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
    fix="use the same helper for the selector and for the labels of the pods",
)
def topology_selector(objects: Objects) -> Iterator[Fault]:
    """Constraints that do not count their own pods."""
    for pod in objects.pods:
        for at, constraint in entries(pod.spec.get("topologySpreadConstraints")):
            if not matches(constraint.get("labelSelector"), pod.labels):
                path: Path = ("topologySpreadConstraints", at, "labelSelector")
                yield in_pod(pod, path, "the selector does not match the pod's own labels")


def _claims(owner: Object) -> list[dict[str, Any]]:
    return [one for _, one in entries(owner.spec.get("volumeClaimTemplates")) if isinstance(one.get("metadata"), dict)]


def _reads(objects: Objects) -> Iterator[tuple[Pod, Path, str, str, str | None]]:
    """What pods read and may not do without: the kind, the name, and the key or None for all."""
    kinds = (("ConfigMap", "configMapRef", "configMapKeyRef"), ("Secret", "secretRef", "secretKeyRef"))
    for container in objects.containers:
        for kind, whole, single in kinds:
            for at, source in entries(container.data.get("envFrom")):
                reference = mapping(source.get(whole))
                if text(reference.get("name")) and reference.get("optional") is not True:
                    path: Path = (*container.path, "envFrom", at, whole, "name")
                    yield container.pod, path, kind, reference["name"], None
            for at, variable in container.env:
                reference = mapping(mapping(variable.get("valueFrom")).get(single))
                if text(reference.get("name")) and reference.get("optional") is not True:
                    path = (*container.path, "env", at, "valueFrom", single, "key")
                    yield container.pod, path, kind, reference["name"], text(reference.get("key"))
    for pod in objects.pods:
        for at, volume in entries(pod.spec.get("volumes")):
            for kind, word, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
                source = mapping(volume.get(word))
                if text(source.get(name)) and source.get("optional") is not True:
                    inside: Path = (*pod.path, "volumes", at, word)
                    yield pod, (*inside, name), kind, source[name], None
                    for inner, item in entries(source.get("items")):
                        yield pod, (*inside, "items", inner, "key"), kind, source[name], text(item.get("key"))


def _is_schedule(schedule: str) -> bool:
    if schedule.startswith("@"):
        return schedule in _CRON_MACROS or bool(re.fullmatch(r"@every (?:\d+(?:\.\d+)?(?:h|m|s|ms|us|ns))+", schedule))
    fields = schedule.split()
    return len(fields) == 5 and all(
        _is_field(part, first, last)
        for field, (first, last) in zip(fields, _CRON_RANGES, strict=True)
        for part in field.split(",")
    )


def _is_field(part: str, first: int, last: int) -> bool:
    if not _CRON_FIELD.fullmatch(part):
        return False
    bounds = part.partition("/")[0]
    if bounds in ("*", "?"):
        return True
    values = [_CRON_WORDS.get(one.upper(), int(one) if one.isdecimal() else -1) for one in bounds.split("-")]
    return all(first <= value <= last for value in values) and values == sorted(values)
