"""Rules of quantities: CPU, memory and other resources."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from gitops_tk.charts.rules.model import Fault, in_container, in_pod, rule
from gitops_tk.charts.rules.objects import Container, Objects, Path, mapping, text

_MANAGING = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?P<unit>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?")
_UNITS = {
    **{unit: Decimal(10) ** exponent for unit, exponent in zip("num", (-9, -6, -3), strict=True)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}
_SMALLEST_MEMORY = Decimal(1024 * 1024)
_IN_BYTES = ("memory", "ephemeral-storage")


def amount(value: Any) -> Decimal | None:
    """The number that a quantity means; None where it is no quantity."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    unit = match["unit"] or ""
    try:
        number = Decimal(match["number"])
        return number * _UNITS[unit] if unit in _UNITS else Decimal(match["number"] + unit)
    except InvalidOperation:
        return None


@rule(
    "quantity",
    "error",
    summary="Quantities are well formed, and not negative",
    reason='The API server refuses "256MB" or "0,5"; the published schemas take any string.',
    source="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    fix="write 100m or 0.5 for CPU, 128Mi or 1Gi for memory",
)
def quantity(objects: Objects) -> Iterator[Fault]:
    """Quantities that Kubernetes does not read."""
    for container in objects.containers:
        for part, name, value in _resources(container):
            found = amount(value)
            if found is None or found < 0:
                yield in_container(container, ("resources", part, name), f"{part}.{name} is {value!r}, no quantity")
    for pod in objects.pods:
        for path, value in _volume_sizes(pod.spec):
            if amount(value) is None:
                yield in_pod(pod, path, f"sizeLimit is {value!r}, no quantity")


@rule(
    "memory-unit",
    "error",
    summary="Memory and storage are given in whole bytes, and in sensible amounts",
    reason="128m of memory is 0.128 bytes, and 512 are 512 bytes: the container is killed at once, or never starts.",
    source=f"{_MANAGING}#meaning-of-memory",
    fix="write 128Mi: m is a thousandth, Mi is 1024 * 1024",
)
def memory_unit(objects: Objects) -> Iterator[Fault]:
    """Memory below one mebibyte."""
    for container in objects.containers:
        for part, name, value in _resources(container):
            found = amount(value)
            if name in _IN_BYTES and found is not None and 0 < found < _SMALLEST_MEMORY:
                message = f"{part}.{name} is {value}, which is {found.normalize():f} bytes"
                yield in_container(container, ("resources", part, name), message)


@rule(
    "request-over-limit",
    "error",
    summary="Requests are not larger than limits",
    reason="The API server refuses the pod: the Deployment is there, and no pod ever comes.",
    source=f"{_MANAGING}#requests-and-limits",
    fix="raise the limit or lower the request; a values file may set only one of the two",
)
def request_over_limit(objects: Objects) -> Iterator[Fault]:
    """Requests above their limits."""
    for container in objects.containers:
        limits = mapping(container.resources.get("limits"))
        for name, value in mapping(container.resources.get("requests")).items():
            asked, most = amount(value), amount(limits.get(name))
            if asked is not None and most is not None and asked > most:
                message = f"requests.{name} {value} is more than limits.{name} {limits[name]}"
                yield in_container(container, ("resources", "requests", name), message)


@rule(
    "resources-missing",
    "warning",
    summary="Containers request CPU and memory, and limit memory",
    reason="Without requests the scheduler packs nodes too full; without a memory limit one leak takes its node down.",
    source=_MANAGING,
    fix="set resources.requests.cpu, resources.requests.memory and resources.limits.memory",
)
def resources_missing(objects: Objects) -> Iterator[Fault]:
    """Containers that do not say what they need."""
    for container in objects.containers:
        if container.pod.owner.is_test:
            continue
        requests, limits = (mapping(container.resources.get(part)) for part in ("requests", "limits"))
        # A limit without a request is the request as well.
        missing = [f"requests.{name}" for name in ("cpu", "memory") if name not in requests and name not in limits]
        missing += [] if "memory" in limits else ["limits.memory"]
        if missing:
            yield in_container(container, ("resources",), f"it has no {' and no '.join(missing)}")


@rule(
    "resource-field",
    "error",
    summary="A variable that is read from a limit has that limit",
    reason="Without the limit it gets the node's amount: GOMEMLIMIT of a small pod becomes the memory of its node.",
    source="https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-resourceFieldRef",
    fix="set the limit, or leave the variable out",
)
def resource_field(objects: Objects) -> Iterator[Fault]:
    """Variables from limits that are not set."""
    for container in objects.containers:
        for at, variable in container.env:
            reference = mapping(mapping(variable.get("valueFrom")).get("resourceFieldRef"))
            part, _, name = text(reference.get("resource")).partition(".")
            others = [one for one in container.pod.containers if one.name == reference.get("containerName")]
            read = others[0] if others else container
            if part == "limits" and name and name not in mapping(read.resources.get("limits")):
                message = f"{variable.get('name')} is read from limits.{name}, which is not set"
                yield in_container(container, ("env", at, "valueFrom", "resourceFieldRef", "resource"), message)


def _resources(container: Container) -> Iterator[tuple[str, str, Any]]:
    for part in ("requests", "limits"):
        for name, value in mapping(container.resources.get(part)).items():
            yield part, str(name), value


def _volume_sizes(spec: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for at, volume in enumerate(spec["volumes"] if isinstance(spec.get("volumes"), list) else []):
        size = mapping(mapping(volume).get("emptyDir")).get("sizeLimit")
        if size is not None:
            yield ("volumes", at, "emptyDir", "sizeLimit"), size
