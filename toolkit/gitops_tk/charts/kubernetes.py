"""Kubernetes' own schemas, offline (the package kubernetes-validate)."""

import re
from functools import cache
from importlib.util import find_spec
from typing import Any

from gitops_tk.errors import ToolMissing, UsageError

# Groups whose kinds Kubernetes serves itself: an unknown kind among them was removed, or never was.
_BUILT_IN = re.compile(r"^(?:[a-z]+|[a-z0-9.-]+\.k8s\.io)$")
_CUSTOM = ("gateway.networking.k8s.io", "snapshot.storage.k8s.io", "metrics.k8s.io")


def version(asked: str | None) -> str:
    """The major and minor of the version whose schemas are used.

    Args:
        asked: such as `1.34` or `v1.34.2`; None for the newest whose schemas are bundled.

    Raises:
        ToolMissing: the schemas are not installed.
        UsageError: there are no schemas of this version (code `unknown-kube-version`).
    """
    if find_spec("kubernetes_validate") is None:
        raise ToolMissing(
            "the Kubernetes schemas are not installed", code="tool-missing", hint="pip install 'gitops-tk[validate]'"
        )
    return _version(asked)


@cache
def _version(asked: str | None) -> str:
    from kubernetes_validate import utils

    known = [str(version) for version in utils.all_versions()]
    if asked is None:
        return str(utils.major_minor(known[-1]))
    wanted = str(utils.major_minor(asked.removeprefix("v")))
    if wanted not in {utils.major_minor(version) for version in known}:
        raise UsageError(
            f"there are no schemas of Kubernetes {asked}",
            code="unknown-kube-version",
            hint="known are " + ", ".join(dict.fromkeys(str(utils.major_minor(version)) for version in known)),
        )
    return wanted


@cache
def validator(api_version: str, kind: str, version: str) -> Any:
    """What checks objects of a kind, unknown keys included; None where Kubernetes has no such kind."""
    # One of these costs more than all checks of a chart: they are kept for the next object of the kind.
    from jsonschema import Draft202012Validator
    from kubernetes_validate import utils
    from referencing import Registry, Resource

    # The kind becomes a part of a file's name.
    if not re.fullmatch(r"[A-Za-z0-9]{1,100}", kind) or not re.fullmatch(r"[A-Za-z0-9./-]{1,200}", api_version):
        return None
    folder = _folder(version)
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    if "/" in group or ".." in group:
        return None
    try:
        schema = utils.schema_contents(f"{folder}/{kind.lower()}-{group}.json", version)
    except (FileNotFoundError, utils.VersionNotSupportedError):
        return None
    registry = Resource.from_contents(schema) @ Registry()
    registry = _definitions(version) @ registry
    return Draft202012Validator(schema, registry=registry)


def is_built_in(api_version: str) -> bool:
    """Whether the group is one that Kubernetes serves itself."""
    group = api_version.rpartition("/")[0]
    return group not in _CUSTOM and (not group or bool(_BUILT_IN.fullmatch(group)))


def _folder(version: str) -> str:
    from kubernetes_validate import utils

    full = next(known for known in reversed(utils.all_versions()) if utils.major_minor(known) == version)
    return f"kubernetes-json-schema/v{full}-local-strict"


@cache
def _definitions(version: str) -> Any:
    from kubernetes_validate import utils
    from referencing import Resource

    return Resource.from_contents(utils.schema_contents(f"{_folder(version)}/_definitions.json", version))
