"""Rules of probes and of the way to the end of a pod."""

import re
from collections.abc import Iterator
from typing import Any

from gitops_tk.charts.rules.model import Fault, in_container, in_pod, rule
from gitops_tk.charts.rules.objects import Container, Objects, Path, mapping, number, text

_PROBES = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/"
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_NUMBERS = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold")
_DEFAULT_GRACE = 30
# What a container says about the seconds that it takes from SIGTERM to its end.
_DRAIN = "DRAIN_SECONDS"


@rule(
    "probe-port",
    "error",
    summary="Probes and hooks that name a port name one of their container",
    reason="The kubelet cannot resolve the name: the probe fails for ever, and the container is restarted or not used.",
    source=f"{_PROBES}#use-a-named-port",
    fix="name a port that the same container declares",
)
def probe_port(objects: Objects) -> Iterator[Fault]:
    """Named ports that the container does not have."""
    for container, path, value in _ports(objects):
        names = [port.get("name") for _, port in container.ports]
        if isinstance(value, str) and value not in names:
            yield in_container(container, path, f"{path[0]} asks the port {value}, which it does not have")


@rule(
    "probe-number",
    "warning",
    summary="Probes ask a port number that the pod declares",
    reason="Declaring ports is optional, but where some are declared, another number is a typing mistake as a rule.",
    source=f"{_PROBES}#define-a-liveness-http-request",
    fix="use the name of the port, which cannot drift from it, or declare the port",
)
def probe_number(objects: Objects) -> Iterator[Fault]:
    """Port numbers that the pod does not declare."""
    for container, path, value in _ports(objects):
        declared = [port.get("containerPort") for one in container.pod.main for _, port in one.ports]
        if number(value) is not None and declared and value not in declared:
            listed = ", ".join(str(one) for one in declared)
            yield in_container(container, path, f"{path[0]} asks the port {value}, and the pod declares {listed}")


@rule(
    "probe-handler",
    "error",
    summary="A probe or hook has exactly one way to ask",
    reason="The API server refuses the pod: the Deployment is there, and no pod ever comes.",
    source=f"{_PROBES}#define-a-liveness-command",
    fix="write one of httpGet, grpc, tcpSocket and exec (sleep in a hook)",
)
def probe_handler(objects: Objects) -> Iterator[Fault]:
    """Probes with no handler or several."""
    for container, path, probe in _asking(objects):
        known = (*_HANDLERS, "sleep") if path[0] == "lifecycle" else _HANDLERS
        handlers = [name for name in known if probe.get(name) is not None]
        if len(handlers) != 1:
            said = " and ".join(handlers) or f"none of {', '.join(known)}"
            yield in_container(container, path, f"{path[-1]} has {said}")


@rule(
    "probe-threshold",
    "error",
    summary="Liveness and startup probes succeed at once, and no number of a probe is negative",
    reason="The API server refuses the pod; the published schemas take any number.",
    source=f"{_PROBES}#configure-probes",
    fix="leave successThreshold out, or set it to 1",
)
def probe_threshold(objects: Objects) -> Iterator[Fault]:
    """Numbers of probes that Kubernetes refuses."""
    for container, path, probe in _asking(objects):
        for name in _NUMBERS:
            value = number(probe.get(name))
            if value is not None and value < 0:
                yield in_container(container, (*path, name), f"{path[0]} has {name} {value}")
        if path[0] in ("livenessProbe", "startupProbe") and (number(probe.get("successThreshold")) or 1) > 1:
            yield in_container(container, (*path, "successThreshold"), f"{path[0]} has a successThreshold over 1")


@rule(
    "readiness-missing",
    "warning",
    summary="A pod behind a Service has a readiness probe",
    reason="Without one it gets requests as soon as its process exists: every rollout loses some.",
    source=f"{_PROBES}#define-readiness-probes",
    fix="set a readinessProbe that fails until the process can answer",
)
def readiness_missing(objects: Objects) -> Iterator[Fault]:
    """Pods behind Services that are never asked whether they are ready."""
    selectors = [(mapping(one.spec.get("selector")), one.namespace) for one in objects.of("Service")]
    for pod in objects.serving:
        served = any(labels and pod in objects.selected({"matchLabels": labels}, space) for labels, space in selectors)
        if served and not any(container.data.get("readinessProbe") for container in pod.main):
            yield in_pod(pod, ("containers",), "no container has a readinessProbe, and a Service sends requests to it")


@rule(
    "grace-period",
    "error",
    summary="The grace period is long enough for the preStop hook and the shutdown after it",
    reason="The grace period runs while preStop does; at its end the process is killed with its requests unanswered.",
    source="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
    fix=f"raise terminationGracePeriodSeconds above preStop's sleep and what the process needs ({_DRAIN} in its env)",
)
def grace_period(objects: Objects) -> Iterator[Fault]:
    """Pods that are killed before they have ended."""
    for pod in objects.pods:
        written = number(pod.spec.get("terminationGracePeriodSeconds"))
        grace = _DEFAULT_GRACE if written is None else written
        for container in pod.main:
            sleep = _sleep(container)
            drain = _drain(container)
            if sleep is None and drain is None:
                continue
            needed = (sleep or 0) + (drain or 0)
            # Where the time of the shutdown is not known, it is more than none at all.
            if grace < needed or (drain is None and grace == needed):
                told = f"preStop sleeps {sleep or 0} s" + (f" and {_DRAIN} is {drain}" if drain is not None else "")
                message = f"{told}, and the grace period is {grace} s (container {container.name})"
                yield in_pod(pod, ("terminationGracePeriodSeconds",), message)


def _asking(objects: Objects) -> Iterator[tuple[Container, Path, dict[str, Any]]]:
    for container in objects.containers:
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            if name in container.data and container.data[name] is not None:
                yield container, (name,), mapping(container.data[name])
        for name, hook in mapping(container.data.get("lifecycle")).items():
            if name in ("preStop", "postStart") and hook is not None:
                yield container, ("lifecycle", name), mapping(hook)


def _ports(objects: Objects) -> Iterator[tuple[Container, Path, Any]]:
    for container, path, probe in _asking(objects):
        for handler in ("httpGet", "tcpSocket", "grpc"):
            port = mapping(probe.get(handler)).get("port")
            if port is not None:
                yield container, (*path, handler, "port"), port


def _sleep(container: Container) -> int | None:
    hook = mapping(mapping(container.data.get("lifecycle")).get("preStop"))
    seconds = number(mapping(hook.get("sleep")).get("seconds"))
    if seconds is not None:
        return seconds
    command = mapping(hook.get("exec")).get("command")
    words = " ".join(text(word) for word in command).split() if isinstance(command, list) else []
    # `sleep 10` as a command of its own, or as all that a shell is told.
    sleeps = len(words) in (2, 4) and words[-2].rpartition("/")[2] == "sleep"
    return _seconds(words[-1]) if sleeps else None


def _drain(container: Container) -> int | None:
    found = (_seconds(text(one.get("value"))) for _, one in container.env if one.get("name") == _DRAIN)
    return next((seconds for seconds in found if seconds is not None), None)


def _seconds(written: str) -> int | None:
    return int(written) if re.fullmatch(r"[0-9]{1,9}", written) else None
