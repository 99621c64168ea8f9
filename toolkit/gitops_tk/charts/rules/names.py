"""Rules of names: of objects, labels, annotations, containers, ports, variables and keys."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator

from gitops_tk.charts.rules.model import Fault, in_container, rule
from gitops_tk.charts.rules.objects import Object, Objects, Path, entries, mapping, text
from gitops_tk.model.names import DNS_LABEL

_NAMES = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
_LABEL = re.compile(DNS_LABEL)
_STARTS_WITH_LETTER = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_PATH_SEGMENT = re.compile(r"(?!\.\.?$)[^/%]+")
_QUALIFIED = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_CONTAINER_PORT = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_ENV = re.compile(r"[ -<>-~]+")
_ANNOTATIONS_MOST = 256 * 1024
_DATA_MOST = 1024 * 1024
# Kinds whose names Kubernetes takes less of, with the most characters.
_NAMED_AS_LABEL = {"Service": (_STARTS_WITH_LETTER, 63), "Namespace": (_LABEL, 63), "CronJob": (_SUBDOMAIN, 52)}
_NAMED_AS_PATH = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


@rule(
    "object-name",
    "error",
    summary="Names of objects are made of what Kubernetes allows for the kind",
    reason="The API server refuses capitals, underscores and names that are too long (a CronJob's: 52 characters).",
    source=_NAMES,
    fix="use lower-case letters, digits and '-', and shorten the name (trunc 63 | trimSuffix \"-\")",
)
def object_name(objects: Objects) -> Iterator[Fault]:
    """Names that Kubernetes refuses."""
    for one in objects.items:
        name = text(one.metadata.get("name"))
        pattern, most = _NAMED_AS_LABEL.get(one.kind, (_SUBDOMAIN, 253))
        if one.kind in _NAMED_AS_PATH:
            pattern = _PATH_SEGMENT
        if name and (len(name) > most or not pattern.fullmatch(name)):
            yield Fault(one, ("metadata", "name"), f"{name} cannot be the name of a {one.kind}")


@rule(
    "label-syntax",
    "error",
    summary="Labels, and the labels that selectors name, are well formed",
    reason="The API server refuses values over 63 characters, with '+' (a chart's version) or ending in a separator.",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set",
    fix='shorten and clean the value: replace "+" "_" | trunc 63 | trimAll "-_."',
)
def label_syntax(objects: Objects) -> Iterator[Fault]:
    """Labels that Kubernetes refuses."""
    for one in objects.items:
        for path, value in one.leaves:
            if len(path) < 2 or "template" in path[:1] or not _holds_labels(path):
                continue
            key = str(path[-1])
            if not _is_key(key):
                yield Fault(one, path, f"{key!r} cannot be the key of a label")
            elif isinstance(value, str) and value and not _QUALIFIED.fullmatch(value):
                yield Fault(one, path, f"{value!r} cannot be the value of the label {key}")


@rule(
    "annotation-syntax",
    "error",
    summary="Annotations have well-formed keys, and are not too large",
    reason="The API server refuses the object; 256 KiB is the limit of all annotations of an object together.",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set",
    fix="write prefix/name, or keep large content in a ConfigMap",
)
def annotation_syntax(objects: Objects) -> Iterator[Fault]:
    """Annotations that Kubernetes refuses."""
    places: list[tuple[Object, Path, dict[str, object]]] = [
        *((one, ("metadata", "annotations"), one.annotations) for one in objects.items),
        *((pod.owner, (*pod.meta, "annotations"), pod.annotations) for pod in objects.pods if len(pod.meta) > 1),
    ]
    for one, path, annotations in places:
        for key in annotations:
            if not _is_key(str(key)):
                yield Fault(one, (*path, str(key)), f"{key!r} cannot be the key of an annotation")
        if sum(_size(str(key)) + _size(str(value)) for key, value in annotations.items()) > _ANNOTATIONS_MOST:
            yield Fault(one, path, "the annotations are larger than 256 KiB")


@rule(
    "container-name",
    "error",
    summary="Containers of a pod have different names, each a DNS label",
    reason="The API server refuses the pod: the Deployment is there, and no pod ever comes.",
    source="https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container",
    fix="give each container, init containers included, a name of its own in lower-case letters, digits and '-'",
)
def container_name(objects: Objects) -> Iterator[Fault]:
    """Names of containers that Kubernetes refuses."""
    for pod in objects.pods:
        counts = Counter(container.name for container in pod.containers)
        for container in pod.containers:
            if container.name and not _LABEL.fullmatch(container.name):
                yield in_container(container, ("name",), "its name is no DNS label")
            elif container.name and counts.pop(container.name, 1) > 1:
                yield in_container(container, ("name",), "another container of the pod has this name")


@rule(
    "port-name",
    "error",
    summary="Names of ports are well formed: at most 15 characters in a container",
    reason="The API server refuses the pod or the Service.",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports",
    fix="use a short name in lower-case letters, digits and '-', such as http or grpc",
)
def port_name(objects: Objects) -> Iterator[Fault]:
    """Names of ports that Kubernetes refuses."""
    for container in objects.containers:
        for at, port in container.ports:
            name = text(port.get("name"))
            if name and not _CONTAINER_PORT.fullmatch(name):
                yield in_container(container, ("ports", at, "name"), f"{name!r} cannot be the name of its port")
    for service in objects.of("Service"):
        for at, port in entries(service.spec.get("ports")):
            name = text(port.get("name"))
            if name and not _LABEL.fullmatch(name):
                yield Fault(service, ("spec", "ports", at, "name"), f"{name!r} cannot be the name of a port")


@rule(
    "env-name",
    "error",
    summary="Names of environment variables are printable, without '='",
    reason="The API server refuses the pod.",
    source="https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/",
    fix="use capitals, digits and '_'",
)
def env_name(objects: Objects) -> Iterator[Fault]:
    """Names of variables that Kubernetes refuses."""
    for container in objects.containers:
        for at, variable in container.env:
            name = variable.get("name")
            if isinstance(name, str) and not _ENV.fullmatch(name):
                yield in_container(container, ("env", at, "name"), f"{name!r} cannot be the name of a variable")


@rule(
    "env-duplicate",
    "error",
    summary="No environment variable of a container is there twice",
    reason="The list is merged by name: server-side apply refuses it, and another one may lose both.",
    source="https://github.com/kubernetes/kubernetes/issues/58477",
    fix="write the variable once; look for values that add one which the template has already",
)
def env_duplicate(objects: Objects) -> Iterator[Fault]:
    """Variables that are there twice."""
    for container in objects.containers:
        seen: set[str] = set()
        for at, variable in container.env:
            name = text(variable.get("name"))
            if name and name in seen:
                yield in_container(container, ("env", at, "name"), f"the variable {name} is there twice")
            seen.add(name)


@rule(
    "config-data",
    "error",
    summary="Keys of ConfigMaps and Secrets are well formed, and their content is under 1 MiB",
    reason="The API server refuses the object.",
    source="https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object",
    fix="use letters, digits, '-', '_' and '.' in keys; put large files into the image or a volume",
)
def config_data(objects: Objects) -> Iterator[Fault]:
    """Keys and sizes that Kubernetes refuses."""
    for one in objects.of("ConfigMap", "Secret"):
        size = 0
        for part in ("data", "binaryData", "stringData"):
            for key, value in mapping(one.data.get(part)).items():
                is_encoded = part == "binaryData" or (part, one.kind) == ("data", "Secret")
                size += _decoded_size(text(value)) if is_encoded else _size(text(value))
                if not _DATA_KEY.fullmatch(str(key)):
                    yield Fault(one, (part, str(key)), f"{key!r} cannot be a key of a {one.kind}")
        if size > _DATA_MOST:
            yield Fault(one, ("data",), "it is larger than 1 MiB")


@rule(
    "secret-base64",
    "error",
    summary="The values under a Secret's data are base64",
    reason="The API server refuses the Secret, or the application gets bytes that nobody meant.",
    source="https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data",
    fix="use stringData, or b64enc in the template",
)
def secret_base64(objects: Objects) -> Iterator[Fault]:
    """Data of Secrets that is no base64."""
    for one in objects.of("Secret"):
        for key, value in mapping(one.data.get("data")).items():
            try:
                base64.b64decode("".join(text(value).split()), validate=True)
            except (binascii.Error, ValueError):
                yield Fault(one, ("data", str(key)), f"the value of {key} is no base64")


def _size(written: str) -> int:
    """In bytes."""
    return len(written.encode("utf-8", "replace"))


def _decoded_size(encoded: str) -> int:
    """The bytes that base64 stands for."""
    return len("".join(encoded.split()).rstrip("=")) * 3 // 4


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)):
        return False
    return bool(_QUALIFIED.fullmatch(name))


def _holds_labels(path: Path) -> bool:
    above = path[-2]
    if above == "labels":
        return len(path) > 2 and path[-3] == "metadata"
    return above == "matchLabels" or (path[:2] == ("spec", "selector") and len(path) == 3 and above == "selector")
