"""Manifests checked against Kubernetes' own schemas, offline (the package kubernetes-validate)."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitops_tk.charts.manifest import composed, split
from gitops_tk.errors import ToolMissing, UsageError
from gitops_tk.helm_yaml import plain

_SOURCE = re.compile(r"^# Source: (?P<template>.+)$", re.MULTILINE)
# Groups whose kinds Kubernetes serves itself: an unknown kind among them was removed, or never was.
_BUILT_IN = re.compile(r"^(?:[a-z]+|[a-z0-9.-]+\.k8s\.io)$")
_CUSTOM = ("gateway.networking.k8s.io", "snapshot.storage.k8s.io", "metrics.k8s.io")


class Finding(Struct, frozen=True):
    """Something wrong with a rendered object.

    Attributes:
        code: a stable name.
        template: the template it was rendered from, as Helm names it, or None.
    """

    code: str
    message: str
    template: str | None


def validate(manifest: str, kube_version: str | None) -> list[Finding]:
    """Checks every object of a manifest, unknown keys included.

    Args:
        manifest: documents as `helm template` prints them.
        kube_version: such as `1.34`; None for the newest whose schemas are bundled.

    Raises:
        ToolMissing: the schemas are not installed.
        UsageError: there are no schemas of this version (code `unknown-kube-version`).
    """
    if find_spec("kubernetes_validate") is None:
        raise ToolMissing(
            "the Kubernetes schemas are not installed", code="tool-missing", hint="pip install 'gitops-tk[validate]'"
        )
    version = _version(kube_version)
    return [finding for text in split(manifest) for finding in _document(text, version)]


def _document(text: str, version: str) -> Iterator[Finding]:
    source = _SOURCE.search(text)
    template = source["template"] if source else None
    try:
        node = composed(text)
        found = plain(node) if node is not None else None
    except ValueError as error:
        yield Finding("manifest-yaml", f"not valid YAML: {error}", template)
        return
    if node is None:
        return
    for name in _duplicates(node, set()):
        yield Finding("manifest-duplicate-key", f"the key {name} is there twice", template)
    yield from _object(found, version, template)


def _object(found: Any, version: str, template: str | None) -> Iterator[Finding]:
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in ("apiVersion", "kind")):
        yield Finding("manifest-not-an-object", "an object needs apiVersion and kind", template)
        return
    metadata = found.get("metadata")
    name = metadata.get("name") or metadata.get("generateName") if isinstance(metadata, dict) else None
    label = f"{found['kind']} {name}"
    if not name:
        yield Finding("manifest-no-name", f"a {found['kind']} has no metadata.name", template)
        return
    schema = _validator(found["apiVersion"], found["kind"], version)
    if schema is None:
        if _is_built_in(found["apiVersion"]):
            yield Finding(
                "kubernetes-unknown-kind",
                f"Kubernetes {version} has no {found['kind']} in {found['apiVersion']}",
                template,
            )
        return
    for error in sorted(schema.iter_errors(found), key=lambda one: [str(part) for part in one.absolute_path]):
        place = ".".join(str(part) for part in error.absolute_path)
        yield Finding("kubernetes-schema", f"{label}: {place + ': ' if place else ''}{error.message[:300]}", template)


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
def _validator(api_version: str, kind: str, version: str) -> Any:
    # One of these costs more than all checks of a chart: they are kept for the next object of the kind.
    from jsonschema import Draft202012Validator
    from kubernetes_validate import utils
    from referencing import Registry, Resource

    full = next(known for known in reversed(utils.all_versions()) if utils.major_minor(known) == version)
    folder = f"kubernetes-json-schema/v{full}-local-strict"
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    try:
        schema = utils.schema_contents(f"{folder}/{kind.lower()}-{group}.json", version)
    except (FileNotFoundError, utils.VersionNotSupportedError):
        return None
    registry = Resource.from_contents(schema) @ Registry()
    registry = _definitions(folder, version) @ registry
    return Draft202012Validator(schema, registry=registry)


@cache
def _definitions(folder: str, version: str) -> Any:
    from kubernetes_validate import utils
    from referencing import Resource

    return Resource.from_contents(utils.schema_contents(f"{folder}/_definitions.json", version))


def _is_built_in(api_version: str) -> bool:
    group = api_version.rpartition("/")[0]
    return group not in _CUSTOM and (not group or bool(_BUILT_IN.fullmatch(group)))


def _duplicates(node: Node, known: set[int]) -> Iterator[str]:
    # What an alias repeats is looked at once.
    if isinstance(node, ScalarNode) or id(node) in known:
        return
    known.add(id(node))
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value
            seen.add(key.value)
            yield from _duplicates(value, known)
    elif isinstance(node, SequenceNode):
        for one in node.value:
            yield from _duplicates(one, known)
