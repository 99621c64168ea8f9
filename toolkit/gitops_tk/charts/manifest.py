"""Rendered templates put in order and printed as `helm template` prints them.

Source: Helm's `pkg/release/util` (`SplitManifests`, `SortManifests`, `InstallOrder`) and `pkg/cmd/template.go`.
"""

import re
from collections.abc import Mapping

import yaml
from msgspec import Struct

from gitops_tk.errors import ChartError
from gitops_tk.nesting import too_deep

_SEPARATOR = re.compile(r"(?:^|\s*\n)---\s*")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INSTALL_ORDER = (
    *("PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy"),
    *("PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass"),
    *("PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList"),
    *("ClusterRoleBinding", "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList"),
    *("Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment"),
    *("HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService"),
    *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
)


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
        ChartError: a template renders to something that is no YAML.
    """
    documents = [
        _document(source, text, root)
        for source in sorted(rendered)
        if not source.endswith("NOTES.txt") and not source.rpartition("/")[2].startswith("_")
        for text in split(rendered[source])
    ]
    ordered = sorted(documents, key=lambda one: (one.hook, *_rank(one.kind)))
    return "".join(f"---\n# Source: {one.source}\n{one.text}\n" for one in ordered)


def split(text: str) -> list[str]:
    """The documents of a text, without the empty ones."""
    return [part.strip() for part in _SEPARATOR.split(text.strip()) if part.strip()]


def _rank(kind: str) -> tuple[int, str]:
    known = kind in _INSTALL_ORDER
    return (_INSTALL_ORDER.index(kind), "") if known else (len(_INSTALL_ORDER), kind)


def _document(source: str, text: str, root: str) -> _Document:
    try:
        if too_deep(text) is not None:
            raise yaml.YAMLError("it is nested too deep")
        head = yaml.load(text, Loader=_LOADER)  # noqa: S506 - the C form of the safe loader
    except yaml.YAMLError as error:
        inside = source.partition("/")[2]
        problem = getattr(error, "problem", None) or str(error)
        raise ChartError(
            f"{inside} renders to something that is not valid YAML: {problem}",
            code="manifest-yaml",
            hint="look at it with gitops-tk render, or indent with nindent",
            file=f"{root}/{inside}",
        ) from error
    head = head if isinstance(head, dict) else {}
    metadata = head.get("metadata")
    annotations = (metadata.get("annotations") if isinstance(metadata, dict) else None) or {}
    hook = "helm.sh/hook" in annotations if isinstance(annotations, dict) else False
    return _Document(source, text, str(head.get("kind", "")), hook)
