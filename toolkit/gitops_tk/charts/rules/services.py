"""Rules of Services and of what leads to them: ports, selectors, routes, monitors, network policies."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from gitops_tk.charts.rules.model import Fault, in_container, rule
from gitops_tk.charts.rules.objects import Object, Objects, Path, entries, mapping, matches, number, sequence, text

_SERVICE = "https://kubernetes.io/docs/concepts/services-networking/service/"
_POLICY = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
_LAST = 65535


@rule(
    "port-range",
    "error",
    summary="Ports are between 1 and 65535",
    reason="The API server refuses the object; the published schemas take any number.",
    source=f"{_SERVICE}#field-spec-ports",
    fix="choose a port from 1 to 65535; a process that is not root takes one from 1024",
)
def port_range(objects: Objects) -> Iterator[Fault]:
    """Ports that are none."""
    for service in objects.of("Service"):
        for at, port in entries(service.spec.get("ports")):
            for key in ("port", "targetPort"):
                if _is_outside(port.get(key)):
                    yield Fault(service, ("spec", "ports", at, key), f"{key} {port[key]} is no port")
    for container in objects.containers:
        for at, port in container.ports:
            if _is_outside(port.get("containerPort")):
                message = f"containerPort {port['containerPort']} is no port"
                yield in_container(container, ("ports", at, "containerPort"), message)
    for one in objects.of("Ingress"):
        for path, backend in _ingress_backends(one):
            if _is_outside(mapping(backend.get("port")).get("number")):
                yield Fault(one, (*path, "port", "number"), f"port {backend['port']['number']} is no port")


@rule(
    "port-duplicate",
    "error",
    summary="Ports of a Service differ in name and number, and are named where there are several",
    reason="The API server refuses the Service; of two ports in a pod with one name, either may be met.",
    source=f"{_SERVICE}#multi-port-services",
    fix="give each port a name and a number of its own",
)
def port_duplicate(objects: Objects) -> Iterator[Fault]:
    """Ports that are there twice, or cannot be told apart."""
    for service in objects.of("Service"):
        ports = entries(service.spec.get("ports"))
        names = Counter(text(port.get("name")) for _, port in ports)
        numbers = Counter(_numbered(port) for _, port in ports)
        for at, port in ports:
            name, place = text(port.get("name")), _numbered(port)
            if not name and len(ports) > 1:
                yield Fault(service, ("spec", "ports", at, "name"), "a Service with several ports names each")
            elif name and names.pop(name, 1) > 1:
                yield Fault(service, ("spec", "ports", at, "name"), f"two ports are named {name}")
            if place[0] is not None and numbers.pop(place, 1) > 1:
                yield Fault(service, ("spec", "ports", at, "port"), f"two ports are {place[1]} {place[0]}")
    for pod in objects.pods:
        seen: set[str] = set()
        for container in pod.main:
            for at, port in container.ports:
                name = text(port.get("name"))
                if name and name in seen:
                    yield in_container(container, ("ports", at, "name"), f"two ports of the pod are named {name}")
                seen.add(name)


@rule(
    "service-selector",
    "error",
    summary="A Service's selector matches pods of the release",
    reason="A Service without pods answers nobody, and nothing says so.",
    source=f"{_SERVICE}#defining-a-service",
    fix="use the same helper for the selector and for the labels of the pods",
)
def service_selector(objects: Objects) -> Iterator[Fault]:
    """Services that select nothing."""
    for service in objects.of("Service"):
        if objects.pods and mapping(service.spec.get("selector")) and not _pods_of(objects, service):
            yield Fault(service, ("spec", "selector"), "its selector matches no pod of the release")


@rule(
    "service-selects-job",
    "error",
    summary="A Service does not select the pods of Jobs",
    reason="While the Job runs, a part of the requests goes to a pod that serves nothing.",
    source="https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-selector",
    fix="give the Job's pods another app.kubernetes.io/component or name",
)
def service_selects_job(objects: Objects) -> Iterator[Fault]:
    """Services that select a Job's pods beside others."""
    for service in objects.of("Service"):
        jobs = [pod.owner for pod in _pods_of(objects, service) if pod.owner.kind in ("Job", "CronJob")]
        if jobs:
            yield Fault(service, ("spec", "selector"), f"its selector matches the pods of {jobs[0].label}")


@rule(
    "service-target-port",
    "error",
    summary="A Service's named target port is a port of its pods",
    reason="The Service has no endpoint for the port: connections are refused.",
    source=f"{_SERVICE}#field-spec-ports",
    fix="name a port that the container declares",
)
def service_target_port(objects: Objects) -> Iterator[Fault]:
    """Named target ports that the selected pods do not have."""
    for service, path, target, declared in _targets(objects):
        if isinstance(target, str) and not any(port.get("name") == target for port in declared):
            yield Fault(service, path, f"its pods have no port named {target}")


@rule(
    "service-target-number",
    "warning",
    summary="A Service's target port number is among those that its pods declare",
    reason="Declaring ports is optional, but where some are declared, another number is a typing mistake as a rule.",
    source=f"{_SERVICE}#field-spec-ports",
    fix="use the name of the container's port, which cannot drift from it",
)
def service_target_number(objects: Objects) -> Iterator[Fault]:
    """Target port numbers that the selected pods do not declare."""
    for service, path, target, declared in _targets(objects):
        if number(target) is not None and declared and not _is_outside(target):
            known = [port.get("containerPort") for port in declared]
            if target not in known:
                listed = ", ".join(str(one) for one in known)
                yield Fault(service, path, f"its pods declare the ports {listed}, and not {target}")


@rule(
    "service-node-port",
    "error",
    summary="A node port is in the cluster's range, and the Service's type has one",
    reason="The API server refuses a node port of a ClusterIP Service, or one outside 30000 to 32767.",
    source=f"{_SERVICE}#type-nodeport",
    fix="leave nodePort out: Kubernetes chooses a free one",
)
def service_node_port(objects: Objects) -> Iterator[Fault]:
    """Node ports that cannot be."""
    for service in objects.of("Service"):
        kind = service.spec.get("type") or "ClusterIP"
        for at, port in entries(service.spec.get("ports")):
            chosen, path = number(port.get("nodePort")), ("spec", "ports", at, "nodePort")
            if chosen and kind not in ("NodePort", "LoadBalancer"):
                yield Fault(service, path, f"a Service of type {kind} has no nodePort")
            elif chosen and not 30000 <= chosen <= 32767:
                yield Fault(service, path, f"nodePort {chosen} is outside 30000 to 32767")


@rule(
    "route-service",
    "warning",
    summary="An Ingress or route leads to a Service of the release",
    reason="A wrong name answers 503, or 500 from a gateway, and nothing else says so.",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-rules",
    fix="use the helper that names the Service; where the Service is another's on purpose, switch the rule off",
)
def route_service(objects: Objects) -> Iterator[Fault]:
    """Backends that are no Service of the release."""
    for one, path, name, _ in _backends(objects):
        if objects.of("Service") and objects.named("Service", name) is None:
            yield Fault(one, (*path, "name"), f"the release has no Service {name}")


@rule(
    "route-port",
    "error",
    summary="An Ingress or route leads to a port that the Service has",
    reason="The controller finds no such port, and answers 503.",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource",
    fix="name a port of the Service",
)
def route_port(objects: Objects) -> Iterator[Fault]:
    """Backend ports that the Service does not have."""
    for one, path, name, wanted in _backends(objects):
        service = objects.named("Service", name)
        if service is None or wanted is None or _is_outside(wanted):
            continue
        ports = [port for _, port in entries(service.spec.get("ports"))]
        key = "name" if isinstance(wanted, str) else "port"
        if not any(port.get(key) == wanted for port in ports):
            yield Fault(one, (*path, "port"), f"Service {name} has no port {wanted}")


@rule(
    "ingress-path",
    "error",
    summary="Paths of an Ingress begin with a slash, unless the controller reads them itself",
    reason="The API server refuses the Ingress.",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types",
    fix="write / in front",
)
def ingress_path(objects: Objects) -> Iterator[Fault]:
    """Paths without a slash in front."""
    for one in objects.of("Ingress"):
        for at, written in entries(one.spec.get("rules")):
            for inner, path in entries(mapping(written.get("http")).get("paths")):
                value = text(path.get("path"))
                needs = path.get("pathType") in ("Prefix", "Exact")
                if (needs or value) and not value.startswith("/"):
                    place: Path = ("spec", "rules", at, "http", "paths", inner, "path")
                    yield Fault(one, place, f"the path {value!r} does not begin with /")


@rule(
    "ingress-tls-host",
    "warning",
    summary="The hosts of an Ingress's TLS are hosts of its rules",
    reason="The host is served without its certificate: one of the two names is wrong.",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
    fix="write the same host in rules and tls",
)
def ingress_tls_host(objects: Objects) -> Iterator[Fault]:
    """TLS hosts that no rule has."""
    for one in objects.of("Ingress"):
        hosts = {text(written.get("host")) for _, written in entries(one.spec.get("rules"))}
        for at, tls in entries(one.spec.get("tls")):
            for inner, host in enumerate(sequence(tls.get("hosts"))):
                if hosts - {""} and not any(_covers(text(host), known) for known in hosts):
                    yield Fault(one, ("spec", "tls", at, "hosts", inner), f"no rule is for the host {host}")


@rule(
    "monitor-target",
    "error",
    summary="A ServiceMonitor or PodMonitor selects what the release has, and a port of it",
    reason="Prometheus scrapes nothing, and alerts that need the metrics stay silent.",
    source="https://prometheus-operator.dev/docs/platform/troubleshooting/",
    fix="select the Service's labels, and name its port, not the container's",
)
def monitor_target(objects: Objects) -> Iterator[Fault]:
    """Monitors that find nothing to scrape."""
    for one in objects.of("ServiceMonitor", "PodMonitor"):
        if "namespaceSelector" in one.spec:
            continue
        selector = one.spec.get("selector")
        if one.kind == "ServiceMonitor":
            services = [service for service in objects.of("Service") if matches(selector, service.labels)]
            found: list[Any] = services
            ports = [port for service in services for _, port in entries(service.spec.get("ports"))]
            key, there = "endpoints", bool(objects.of("Service"))
        else:
            found = objects.selected(selector, one.namespace)
            ports = [port for pod in found for port in pod.ports]
            key, there = "podMetricsEndpoints", bool(objects.pods)
        if there and not found:
            yield Fault(one, ("spec", "selector"), "its selector matches nothing of the release")
        for at, endpoint in entries(one.spec.get(key)) if found else ():
            port = text(endpoint.get("port"))
            if port and not any(known.get("name") == port for known in ports):
                yield Fault(one, ("spec", key, at, "port"), f"what it selects has no port named {port}")


@rule(
    "network-policy-selector",
    "error",
    summary="A NetworkPolicy selects pods of the release",
    reason="It protects nothing, and nothing says so.",
    source=_POLICY,
    fix="use the same helper for the selector and for the labels of the pods",
)
def network_policy_selector(objects: Objects) -> Iterator[Fault]:
    """Policies that select nothing."""
    for one in objects.of("NetworkPolicy"):
        if objects.pods and not objects.selected(one.spec.get("podSelector"), one.namespace):
            yield Fault(one, ("spec", "podSelector"), "its selector matches no pod of the release")


@rule(
    "network-policy-port",
    "error",
    summary="A named port that a NetworkPolicy lets in is a port of its pods",
    reason="The name stands for nothing, so the traffic is dropped.",
    source=f"{_POLICY}#networkpolicy-resource",
    fix="name a port that the container declares",
)
def network_policy_port(objects: Objects) -> Iterator[Fault]:
    """Named ports that the selected pods do not have."""
    for one in objects.of("NetworkPolicy"):
        pods = objects.selected(one.spec.get("podSelector"), one.namespace)
        names = {text(port.get("name")) for pod in pods for port in pod.ports}
        for at, ingress in entries(one.spec.get("ingress")) if pods else ():
            for inner, port in entries(ingress.get("ports")):
                if isinstance(port.get("port"), str) and port["port"] not in names:
                    place: Path = ("spec", "ingress", at, "ports", inner, "port")
                    yield Fault(one, place, f"the pods have no port named {port['port']}")


@rule(
    "network-policy-dns",
    "warning",
    summary="A NetworkPolicy that limits what pods reach lets them reach DNS",
    reason="Without port 53 no name resolves, and every connection to a Service fails after a timeout.",
    source=f"{_POLICY}#default-deny-all-egress-traffic",
    fix="allow UDP and TCP 53 to kube-dns; where pods need no names, switch the rule off",
)
def network_policy_dns(objects: Objects) -> Iterator[Fault]:
    """Policies whose egress leaves DNS out."""
    for one in objects.of("NetworkPolicy"):
        rules = [written for _, written in entries(one.spec.get("egress"))]
        ports = [port.get("port") for written in rules for _, port in entries(written.get("ports"))]
        opens = any(not written.get("ports") for written in rules)
        if rules and not opens and not any(port in (53, "53", "dns", "dns-tcp", None) for port in ports):
            yield Fault(one, ("spec", "egress"), "its egress does not allow port 53")


def _numbered(port: dict[str, Any]) -> tuple[int | None, str]:
    return number(port.get("port")), text(port.get("protocol")) or "TCP"


def _pods_of(objects: Objects, service: Object) -> list[Any]:
    labels = mapping(service.spec.get("selector"))
    return objects.selected({"matchLabels": labels}, service.namespace) if labels else []


def _targets(objects: Objects) -> Iterator[tuple[Object, Path, Any, list[dict[str, Any]]]]:
    for service in objects.of("Service"):
        pods = [pod for pod in _pods_of(objects, service) if pod.owner.kind not in ("Job", "CronJob")]
        declared = [port for pod in pods for port in pod.ports]
        for at, port in entries(service.spec.get("ports")) if pods else ():
            key = "targetPort" if "targetPort" in port else "port"
            yield service, ("spec", "ports", at, key), port.get(key), declared


def _backends(objects: Objects) -> Iterator[tuple[Object, Path, str, str | int | None]]:
    for one in objects.of("Ingress"):
        for path, service in _ingress_backends(one):
            port = mapping(service.get("port"))
            yield one, path, text(service.get("name")), port.get("name") or number(port.get("number"))
    for one in objects.of("HTTPRoute", "GRPCRoute"):
        for at, written in entries(one.spec.get("rules")):
            for inner, backend in entries(written.get("backendRefs")):
                if backend.get("kind", "Service") == "Service" and "namespace" not in backend:
                    place: Path = ("spec", "rules", at, "backendRefs", inner)
                    yield one, place, text(backend.get("name")), number(backend.get("port"))


def _ingress_backends(one: Object) -> Iterator[tuple[Path, dict[str, Any]]]:
    default = mapping(mapping(one.spec.get("defaultBackend")).get("service"))
    if default:
        yield ("spec", "defaultBackend", "service"), default
    for at, written in entries(one.spec.get("rules")):
        for inner, path in entries(mapping(written.get("http")).get("paths")):
            service = mapping(mapping(path.get("backend")).get("service"))
            if service:
                yield ("spec", "rules", at, "http", "paths", inner, "backend", "service"), service


def _covers(host: str, known: str) -> bool:
    # A certificate may be for all names of a domain: *.example.com.
    return host == known or (host.startswith("*.") and known.partition(".")[2] == host[2:])


def _is_outside(value: Any) -> bool:
    port = number(value)
    return port is not None and not 1 <= port <= _LAST
