"""Rendered templates put in order and printed as `helm template` prints them.

Source: Helm's `pkg/release/util` (`SplitManifests`, `SortManifests`, `InstallOrder`) and `pkg/cmd/template.go`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode

from gitops_tk.errors import ChartError
from gitops_tk.helm_yaml import Loader, is_merge, resolve, sources
from gitops_tk.nesting import DEEPEST, too_deep

_SEPARATOR = re.compile(r"(?:^|\s*\n)---\s*")
# Far more than Kubernetes takes; Helm gives up on a bomb of aliases at about as many.
_MOST_VALUES = 200_000
_HOOKS = frozenset(
    (
        *("pre-install", "post-install", "pre-upgrade", "post-upgrade", "pre-delete", "post-delete"),
        *("pre-rollback", "post-rollback", "test", "test-success"),
    )
)
_INSTALL_ORDER = (
    *("PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy"),
    *("PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass"),
    *("PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList"),
    *("ClusterRoleBinding", "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList"),
    *("Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment"),
    *("HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService"),
    *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
)


class Unreadable(ValueError):
    """A rendered document that Helm does not take."""


class _Document(Struct, frozen=True):
    source: str
    text: str
    kind: str
    hook: bool


def printed(rendered: Mapping[str, str], root: str) -> str:
    """The manifests in install order, hooks last, each with the template that it comes from.

    Args:
        rendered: the rendered text by template, as the engine names them.
        root: the chart's folder in the repository, for messages.

    Raises:
        ChartError: a template renders to something that is no object in YAML.
    """
    found = [
        _document(source, text, root)
        for source in sorted(rendered)
        if not source.endswith("NOTES.txt") and not source.rpartition("/")[2].startswith("_")
        for text in split(rendered[source])
    ]
    # A hook that Helm does not know is left out by it, too.
    ordered = sorted((one for one in found if one), key=lambda one: (one.hook, *_rank(one.kind)))
    return "".join(f"---\n# Source: {one.source}\n{one.text}\n" for one in ordered)


def split(text: str) -> list[str]:
    """The documents of a text, without the empty ones."""
    return [part.strip() for part in _SEPARATOR.split(text.strip()) if part.strip()]


@lru_cache(maxsize=64)
def composed(text: str) -> MappingNode | None:
    """The top map of one document; None where the document is empty. Nobody changes it: it is kept for the next one.

    Raises:
        Unreadable: it is no YAML map, or one that is too deep, or unfolds to too much.
    """
    try:
        if too_deep(text) is not None:
            raise Unreadable("it is nested too deep")
        node = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise Unreadable(getattr(error, "problem", None) or re.sub(r"\s+", " ", str(error))) from error
    if node is None or (isinstance(node, ScalarNode) and resolve(node) is None):
        return None
    if not isinstance(node, MappingNode):
        raise Unreadable("it is no map of keys")
    if _size(node, {}, 0) > _MOST_VALUES:
        raise Unreadable("its aliases unfold to too many values")
    return node


def _rank(kind: str) -> tuple[int, str]:
    known = kind in _INSTALL_ORDER
    return (_INSTALL_ORDER.index(kind), "") if known else (len(_INSTALL_ORDER), kind)


def _document(source: str, text: str, root: str) -> _Document | None:
    try:
        node = composed(text)
        annotations = _map(_map(node, "metadata"), "annotations")
        kind = _at(node, "kind")
    except ValueError as error:
        inside = source.partition("/")[2]
        raise ChartError(
            f"{inside} renders to something that is not valid YAML: {error}",
            code="manifest-yaml",
            hint="look at it with gitops-tk render, or indent with nindent",
            file=f"{root}/{inside}",
        ) from error
    hook = _at(annotations, "helm.sh/hook")
    if hook is not None and not {one.strip().lower() for one in str(hook.value).split(",")} <= _HOOKS:
        return None
    return _Document(source, text, kind.value if isinstance(kind, ScalarNode) else "", hook is not None)


def _map(node: Node | None, key: str) -> MappingNode | None:
    found = _at(node, key)
    if found is None or isinstance(found, MappingNode):
        return found
    if isinstance(found, ScalarNode) and resolve(found) is None:
        return None
    raise Unreadable(f"{key} is no map of keys")


def _at(node: Node | None, key: str) -> Node | None:
    found: Node | None = None
    for name, value in node.value if isinstance(node, MappingNode) else ():
        if is_merge(name):
            for source in sources(value):
                found = _at(source, key) or found
        elif name.value == key:
            found = value
    return found


def _size(node: Node, sizes: dict[int, int], depth: int) -> int:
    # What a node unfolds to, aliases and all; every node is looked at once.
    if isinstance(node, ScalarNode):
        return 1
    if depth > DEEPEST:
        raise Unreadable("it is nested too deep")
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise Unreadable("an alias holds itself")
        return sizes[id(node)]
    sizes[id(node)] = 0
    below = node.value
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise Unreadable("a key is not a plain word")
            if is_merge(key) and not all(isinstance(source, MappingNode) for source in sources(value)):
                raise Unreadable("a merge key (<<) needs a map or a list of maps")
        below = [value for _, value in node.value]
    sizes[id(node)] = 1 + sum(_size(one, sizes, depth + 1) for one in below)
    return sizes[id(node)]
