"""Custom resource definitions: found in files, and their schemas made strict.

Source: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", sections "Specifying a structural
schema" and "Field pruning". The CEL rules of a schema (`x-kubernetes-validations`) are not run.
"""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from msgspec import Struct

from gitops_tk.charts.engine import ChartFiles
from gitops_tk.errors import ChartError
from gitops_tk.nesting import documents

Definitions = dict[tuple[str, str], "dict[str, Any]"]

_IN_CHART = re.compile(r"(?:charts/[^/]+/)*crds/.+\.(?:ya?ml|json)")
_ARCHIVE = re.compile(r"charts/[^/]+\.tgz")
_MOST_BYTES = 20 * 1024 * 1024
# What is taken over as it is. A `$ref` is not among it: it could lead out of the file.
_PLAIN = (
    *("enum", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
    *("minProperties", "maxProperties", "multipleOf"),
)
_DEEPEST = 60


class Served(Struct, frozen=True):
    """A version of a custom resource.

    Attributes:
        schema: a strict JSON Schema; None where the definition has none.
    """

    served: bool
    schema: dict[str, Any] | None


def definitions(files: Mapping[str, bytes]) -> Definitions:
    """The definitions in files, by group and kind, then by version; whatever else they hold is left alone.

    Args:
        files: YAML or JSON by their paths, for messages.

    Raises:
        ChartError: a file cannot be read (`crd-yaml`).
    """
    found: Definitions = {}
    for path in sorted(files):
        for document in _documents(files[path], path):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                _add(found, document)
    return found


def in_chart(chart: ChartFiles) -> dict[str, bytes]:
    """The files of a chart, and of the charts in it, that may hold definitions."""
    found = {path: data for path, data in chart.items() if _IN_CHART.fullmatch(path)}
    for path, data in chart.items():
        if _ARCHIVE.fullmatch(path):
            found |= {f"{path}/{name}": content for name, content in _unpacked(data)}
    return found


def _unpacked(archive: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
            for member in members:
                inside = member.name.partition("/")[2]
                if member.isfile() and member.size <= _MOST_BYTES and _IN_CHART.fullmatch(inside):
                    content = members.extractfile(member)
                    if content is not None:
                        yield inside, content.read()
    except (tarfile.TarError, OSError, EOFError):
        # The Helm engine reads the same archive, and tells what is wrong with it.
        return


def _documents(data: bytes, path: str) -> list[Any]:
    try:
        return [document for document, _ in documents(data.decode("utf-8-sig"))]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ChartError(
            f"{path} is not valid YAML, and should hold CustomResourceDefinitions",
            code="crd-yaml",
            file=path,
            line=mark.line + 1 if mark else None,
        ) from error


def _add(found: Definitions, document: dict[str, Any]) -> None:
    spec = _map(document.get("spec"))
    group, kind = spec.get("group"), _map(spec.get("names")).get("kind")
    versions = spec.get("versions")
    if not isinstance(group, str) or not isinstance(kind, str) or not isinstance(versions, list):
        return
    known = found.setdefault((group, kind), {})
    for version in (_map(one) for one in versions):
        name = version.get("name")
        if isinstance(name, str):
            written = _map(version.get("schema")).get("openAPIV3Schema")
            schema = _strict(written, 0) if isinstance(written, dict) else None
            known[name] = Served(version.get("served") is not False, _with_head(schema))


def _with_head(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    # Every object has these, whether its schema lists them or not; metadata is Kubernetes' own.
    if schema is None:
        return None
    head: dict[str, Any] = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}
    return {**schema, "properties": {**schema.get("properties", {}), **head}}


def _strict(rule: Any, depth: int, *, structural: bool = True) -> dict[str, Any]:
    if not isinstance(rule, dict) or depth > _DEEPEST:
        return {}
    made: dict[str, Any] = {key: rule[key] for key in _PLAIN if rule.get(key) is not None}
    for key in ("minimum", "maximum"):
        # OpenAPI 3.0 says beside a bound whether it is exclusive, JSON Schema has a keyword of its own.
        exclusive = f"exclusive{key.capitalize()}"
        if rule.get(exclusive) is True and key in made:
            made[exclusive] = made.pop(key)
    if rule.get("nullable") and isinstance(made.get("enum"), list):
        made["enum"] = [*made["enum"], None]
    _add_type(made, rule)
    if _is_pattern(rule.get("pattern")):
        made["pattern"] = rule["pattern"]
    below = {name: _strict(one, depth + 1, structural=structural) for name, one in _map(rule.get("properties")).items()}
    if below:
        made["properties"] = below
    if isinstance(rule.get("items"), dict):
        made["items"] = _strict(rule["items"], depth + 1, structural=structural)
    if isinstance(rule.get("additionalProperties"), dict):
        made["additionalProperties"] = _strict(rule["additionalProperties"], depth + 1, structural=structural)
    elif structural and below and not rule.get("x-kubernetes-preserve-unknown-fields"):
        if not rule.get("additionalProperties"):
            made["additionalProperties"] = False
        if rule.get("x-kubernetes-embedded-resource"):
            made["properties"] = {**below, "apiVersion": {}, "kind": {}, "metadata": {}}
    # What stands below these only restricts: it lists no fields.
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(rule.get(key), list) and rule[key] and not rule.get("x-kubernetes-int-or-string"):
            made[key] = [_strict(one, depth + 1, structural=False) for one in rule[key]]
    if isinstance(rule.get("not"), dict):
        made["not"] = _strict(rule["not"], depth + 1, structural=False)
    return made


def _add_type(made: dict[str, Any], rule: dict[str, Any]) -> None:
    kinds = ["integer", "string"] if rule.get("x-kubernetes-int-or-string") else [rule.get("type")]
    kinds = [one for one in kinds if isinstance(one, str)]
    if kinds:
        made["type"] = [*kinds, "null"] if rule.get("nullable") else kinds


def _is_pattern(pattern: Any) -> bool:
    # Go's expressions differ from Python's in corners: what Python cannot read forbids nothing.
    if not isinstance(pattern, str):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
