"""The objects of one release, parsed, and the questions that rules ask of them.

What a chart renders may be anything. Every accessor answers with something empty where the shape is wrong: the rule
`kubernetes-schema` tells of the shape, and the others look at what is there.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitops_tk.charts.manifest import composed, split
from gitops_tk.errors import ChartError
from gitops_tk.helm_yaml import plain

Path = tuple[str | int, ...]
Definitions = Mapping[tuple[str, str], Mapping[str, Any]]

_SOURCE = re.compile(r"^# Source: (?P<template>.+)$", re.MULTILINE)
_TEMPLATE: Path = ("spec", "template")
# Where the workloads of Kubernetes, and Argo's Rollout, keep the template of their pods.
_POD_TEMPLATES: dict[str, Path] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Rollout"), _TEMPLATE),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
SERVING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout")


def mapping(value: Any) -> dict[str, Any]:
    """A map, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """A list, or an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def entries(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """The maps in a list, each with its index."""
    return [(at, one) for at, one in enumerate(sequence(value)) if isinstance(one, dict)]


def text(value: Any) -> str:
    """A string, or an empty one in place of anything else."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> int | None:
    """An integer, or None in place of anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def step(data: Any, path: Path) -> Any:
    """What is at a path; None where there is nothing."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data):
            data = data[part]
        else:
            return None
    return data


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector (`matchLabels`, `matchExpressions`) matches labels; an empty one matches all."""
    selector = mapping(selector)
    if any(labels.get(key) != value for key, value in mapping(selector.get("matchLabels")).items()):
        return False
    return all(_matches(one, labels) for _, one in entries(selector.get("matchExpressions")))


def _matches(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = text(expression.get("key")), sequence(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


class Object:
    """One rendered object.

    Attributes:
        data: what it holds; empty where the document is no map.
        template: the template it was rendered from, as Helm names it, or None.
        duplicates: the paths of keys that are there twice.
    """

    def __init__(self, data: Any, template: str | None, duplicates: tuple[Path, ...] = ()) -> None:
        self.data = mapping(data)
        self.template = template
        self.duplicates = duplicates
        self.kind = text(self.data.get("kind"))
        self.api_version = text(self.data.get("apiVersion"))
        self.metadata = mapping(self.data.get("metadata"))
        self.name = text(self.metadata.get("name")) or text(self.metadata.get("generateName"))
        self.namespace = text(self.metadata.get("namespace"))
        self.labels = mapping(self.metadata.get("labels"))
        self.annotations = mapping(self.metadata.get("annotations"))
        self.spec = mapping(self.data.get("spec"))

    @cached_property
    def leaves(self) -> list[tuple[Path, Any]]:
        """Every value in it that is neither a map nor a list, with its path."""
        return list(_leaves(self.data, ()))

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"{self.kind} {self.name}".strip() or "a document"

    @property
    def group(self) -> str:
        """The group of its API; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def is_test(self) -> bool:
        """Whether it is a test hook of Helm, which runs when somebody asks for it."""
        return "test" in text(self.annotations.get("helm.sh/hook"))


class Container:
    """A container of a pod template.

    Attributes:
        path: where it is in the object.
        init: whether it is an init container.
        sidecar: whether it is an init container that keeps running.
    """

    def __init__(self, pod: "Pod", path: Path, data: Mapping[str, Any], init: bool) -> None:
        self.pod = pod
        self.path = path
        self.data = data
        self.init = init
        self.sidecar = init and data.get("restartPolicy") == "Always"
        self.name = text(data.get("name"))
        self.security = mapping(data.get("securityContext"))
        self.resources = mapping(data.get("resources"))

    @property
    def ports(self) -> list[tuple[int, dict[str, Any]]]:
        """Its ports with their indexes."""
        return entries(self.data.get("ports"))

    @property
    def env(self) -> list[tuple[int, dict[str, Any]]]:
        """Its environment variables with their indexes."""
        return entries(self.data.get("env"))


class Pod:
    """A pod template, or a bare Pod.

    Attributes:
        owner: the object that holds it.
        path: where its `spec` is in the object.
    """

    def __init__(self, owner: Object, template: Path) -> None:
        self.owner = owner
        self.path: Path = (*template, "spec")
        self.meta: Path = (*template, "metadata")
        metadata = mapping(step(owner.data, self.meta))
        self.labels = mapping(metadata.get("labels"))
        self.annotations = mapping(metadata.get("annotations"))
        self.spec = mapping(step(owner.data, self.path))
        self.security = mapping(self.spec.get("securityContext"))
        self.containers = [
            Container(self, (*self.path, key, at), data, init=key == "initContainers")
            for key in ("initContainers", "containers")
            for at, data in entries(self.spec.get(key))
        ]

    @property
    def main(self) -> list[Container]:
        """The containers that run as long as the pod does."""
        return [one for one in self.containers if not one.init or one.sidecar]

    @property
    def ports(self) -> list[dict[str, Any]]:
        """The ports of the containers that keep running."""
        return [port for container in self.main for _, port in container.ports]

    @property
    def is_windows(self) -> bool:
        """Whether it says that it runs on Windows."""
        return mapping(self.spec.get("os")).get("name") == "windows"


class Objects:
    """The objects of one release.

    Attributes:
        items: in the order of the manifest.
        kube_version: major and minor of the Kubernetes version that they are for.
        definitions: the custom resource definitions that are known, by group and kind.
        again: the same release rendered once more, where the chart has functions that could differ.
        namespace: the release's namespace, which an object has that names none.
    """

    def __init__(
        self,
        items: list[Object],
        kube_version: str,
        definitions: Definitions | None = None,
        again: "Objects | None" = None,
        namespace: str = "",
    ) -> None:
        self.items = items
        self.kube_version = kube_version
        self.definitions: Definitions = definitions or {}
        self.again = again
        self.namespace = namespace

    def of(self, *kinds: str) -> list[Object]:
        """The objects of some kinds."""
        return [one for one in self.items if one.kind in kinds]

    def named(self, kind: str, name: str) -> Object | None:
        """The object of this kind and name."""
        return next((one for one in self.items if one.kind == kind and one.name == name), None)

    @cached_property
    def pods(self) -> list[Pod]:
        """The pod templates of all workloads."""
        return [Pod(one, _POD_TEMPLATES[one.kind]) for one in self.items if one.kind in _POD_TEMPLATES]

    @cached_property
    def serving(self) -> list[Pod]:
        """The pod templates of workloads that run all the time."""
        return [pod for pod in self.pods if pod.owner.kind in SERVING]

    @cached_property
    def containers(self) -> list[Container]:
        """The containers of all pod templates."""
        return [container for pod in self.pods for container in pod.containers]

    def selected(self, selector: Any, namespace: str) -> list[Pod]:
        """The pod templates that a selector matches, in the namespace of who selects."""
        space = namespace or self.namespace
        there = (pod for pod in self.pods if (pod.owner.namespace or self.namespace) == space)
        return [pod for pod in there if matches(selector, pod.labels)]


def parse(manifest: str, root: str = "") -> list[Object]:
    """The objects of a manifest as `helm template` prints it; the items of a List one by one.

    Args:
        manifest: the documents.
        root: the chart's folder in the repository, for messages.

    Raises:
        ChartError: a document is no YAML (`manifest-yaml`).
    """
    return [one for document in split(manifest) for one in _objects(document, root)]


def _leaves(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _leaves(value, (*path, at))
    else:
        yield path, data


def _objects(document: str, root: str) -> Iterator[Object]:
    source = _SOURCE.search(document)
    template = source["template"] if source else None
    try:
        # Without its head it is what was composed when it was printed.
        node = composed(_SOURCE.sub("", document, count=1).strip())
        data = plain(node) if node is not None else None
    except ValueError as error:
        inside = template.partition("/")[2] if template else "the chart"
        raise ChartError(
            f"{inside} renders to something that is not valid YAML: {error}",
            code="manifest-yaml",
            hint="look at it with gitops-tk render, or indent with nindent",
            file=f"{root}/{inside}" if template else root or None,
        ) from error
    if node is None:
        return
    duplicates = tuple(_duplicates(node, ()))
    if isinstance(data, dict) and data.get("apiVersion") == "v1" and isinstance(data.get("items"), list):
        for one in data["items"]:
            yield Object(one, template)
        return
    yield Object(data, template, duplicates)


def _duplicates(node: Node, path: Path) -> Iterator[Path]:
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else ""
            if name and name in seen:
                yield (*path, name)
            seen.add(name)
            yield from _duplicates(value, (*path, name))
    elif isinstance(node, SequenceNode):
        for at, one in enumerate(node.value):
            yield from _duplicates(one, (*path, at))
