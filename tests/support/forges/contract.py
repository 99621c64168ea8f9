"""Requests held against a vendor's own API description, more strictly than it asks for.

The descriptions forbid no unknown keys and require few: here a key or a query parameter that is not described is a
fault, and each dialect says what it requires besides.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

SPECS = Path(__file__).resolve().parents[4] / "shared/specs/forges"
_METHODS = ("get", "put", "post", "patch", "delete")
_DOCUMENT = "urn:description"
Schema = Any


class Operation(NamedTuple):
    """What may be sent to a path with a method; the schemas are the description's own.

    Attributes:
        told: keys of the body that the description tells of in its prose alone.
        answers: what is answered, by status.
    """

    query: Mapping[str, Schema]
    query_required: frozenset[str]
    body: Schema | None
    body_required: frozenset[str]
    told: frozenset[str] = frozenset()
    answers: Mapping[str, Schema] = {}


class Description:
    """An API description: the vendor's, and what the dialect adds to it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = _prepared(document)
        resource = Resource(contents=self._document, specification=DRAFT4)
        self._registry: Any = Registry().with_resource(_DOCUMENT, resource)
        self._operations: list[tuple[str, str, re.Pattern[str], Operation]] = []
        for template, item in self._document.get("paths", {}).items():
            for method in _METHODS:
                if method in item:
                    self._operations.append((method, template, pattern(template), self._operation(item, item[method])))

    def add(self, asked: str, *, query: Sequence[str] = (), body: Mapping[str, Schema] | None = None) -> None:
        """An operation that the vendor's file leaves out, from its documentation; a `!` marks what is required.

        Args:
            asked: `METHOD /path/{parameter}`.
            body: each key with the JSON type of its value, or its schema.
        """
        method, _, template = asked.partition(" ")
        names = {name.rstrip("!"): value for name, value in (body or {}).items()}
        properties = {
            name: {"type": value.split("|")} if isinstance(value, str) else value for name, value in names.items()
        }
        operation = Operation(
            query={name.rstrip("!"): {} for name in query},
            query_required=frozenset(name.rstrip("!") for name in query if name.endswith("!")),
            body=None if body is None else {"type": "object", "properties": properties},
            body_required=frozenset(name.rstrip("!") for name in body or {} if name.endswith("!")),
        )
        self._operations.insert(0, (method.lower(), template, pattern(template), operation))

    def require(self, asked: str, *keys: str, told: Sequence[str] = ()) -> None:
        """Keys that a request must have, whatever the vendor's file says, and those that its prose alone has."""
        method, _, template = asked.partition(" ")
        for number, (its_method, its_template, form, operation) in enumerate(self._operations):
            if (its_method, its_template) == (method.lower(), template):
                stricter = operation._replace(
                    body_required=operation.body_required | set(keys),
                    told=operation.told | set(told),
                )
                self._operations[number] = (its_method, its_template, form, stricter)
                return
        raise AssertionError(f"the description has no {asked}")

    def faults(self, method: str, path: str, query: str, body: bytes, kind: str) -> list[str]:
        """What is wrong with a request.

        Args:
            path: below the API's base, percent-encoded as it came.
            kind: the Content-Type.
        """
        operation = self._meant(method, path)
        if operation is None:
            return [f"{method} {path} is not described"]
        return [f"{method} {path}: {fault}" for fault in self._request_faults(operation, query, body, kind)]

    def answer_faults(self, method: str, path: str, status: int, content: Any) -> list[str]:
        """Keys of an answer that the description does not have, and values of another type.

        What is left out is no fault, and neither is null: the vendors' own examples have both.
        """
        operation = self._meant(method, path)
        schema = operation.answers.get(str(status)) if operation else None
        if not schema:
            return []
        # Azure's description leaves out what its lists come in.
        if self._resolved(schema).get("type") == "array" and isinstance(content, dict):
            content = content["value"]
        odd = [
            f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
            for error in self._validator(schema).iter_errors(content)
            if error.validator == "type" and error.instance is not None
        ]
        return [f"the answer to {method} {path}: {fault}" for fault in (*odd, *self._unknown(schema, content, ""))]

    def _meant(self, method: str, path: str) -> Operation | None:
        found = [
            (form.groups, operation)
            for its_method, _, form, operation in self._operations
            if its_method == method.lower() and form.fullmatch(path)
        ]
        # The template that says most of the path is the one that is meant.
        return min(found, key=lambda one: one[0])[1] if found else None

    def _request_faults(self, operation: Operation, query: str, body: bytes, kind: str) -> Iterator[str]:
        pairs = parse_qsl(query, keep_blank_values=True)
        for name, text in pairs:
            if name not in operation.query:
                yield f"the query parameter {name} is not described"
            else:
                yield from self._query_faults(name, text, operation.query[name])
        for name in operation.query_required - {name for name, _ in pairs}:
            yield f"the query parameter {name} is missing"
        if not body:
            if operation.body_required:
                yield "the body is missing"
            return
        if operation.body is None:
            # Some clients send an empty object for nothing.
            if json.loads(body) != {}:
                yield "a body is not described"
            return
        if not kind.startswith("application/json"):
            yield f"the content is {kind or 'of no type'}"
        content = json.loads(body)
        for error in self._validator(operation.body).iter_errors(content):
            yield f"{'.'.join(map(str, error.absolute_path)) or 'the body'}: {error.message}"
        yield from (
            fault for fault in self._unknown(operation.body, content, "") if fault.split()[0] not in operation.told
        )
        for name in operation.body_required:
            if not isinstance(content, dict) or content.get(name) in (None, ""):
                yield f"{name} is missing"

    def _query_faults(self, name: str, text: str, schema: Schema) -> Iterator[str]:
        schema = self._resolved(schema.get("schema", schema))
        if schema.get("type") == "array":
            schema = self._resolved(schema.get("items", {}))
        if schema.get("type") == "integer" and not text.lstrip("-").isdecimal():
            yield f"the query parameter {name} is no number: {text}"
        if "enum" in schema and text not in map(str, schema["enum"]):
            yield f"the query parameter {name} is {text}"

    def _unknown(self, schema: Schema, value: Any, at: str) -> list[str]:
        schema = self._resolved(schema)
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                fitting = [one for one in schema[choice] if self._validator(one).is_valid(value)]
                told = [self._unknown(one, value, at) for one in fitting]
                return min(told, key=len, default=[])
        if isinstance(value, list):
            items = schema.get("items", {})
            return [fault for one in value for fault in self._unknown(items, one, at + "[]")]
        if not isinstance(value, dict):
            return []
        known = self._properties(schema)
        others = schema.get("additionalProperties")
        if not known or others:
            return []
        unknown = [f"{at}.{key} is not described".lstrip(".") for key in value if key not in known]
        nested = (self._unknown(known[key], one, f"{at}.{key}") for key, one in value.items() if key in known)
        return unknown + [fault for faults in nested for fault in faults]

    def _properties(self, schema: Schema) -> dict[str, Schema]:
        schema = self._resolved(schema)
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            found |= self._properties(part)
        return found

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._at(schema["$ref"])
        return schema

    def _at(self, reference: str) -> Any:
        found: Any = self._document
        for part in reference.partition("#/")[2].split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found

    def _validator(self, schema: Schema) -> Draft4Validator:
        return Draft4Validator(schema, registry=self._registry)

    def _operation(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> Operation:
        parameters = [self._resolved(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))]
        query = {one["name"]: one for one in parameters if one["in"] == "query"}
        bodies = [one["schema"] for one in parameters if one["in"] == "body"]
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        if "application/json" in content:
            bodies.append(content["application/json"].get("schema", {}))
        return Operation(
            query=query,
            query_required=frozenset(name for name, one in query.items() if one.get("required")),
            body=bodies[0] if bodies else None,
            body_required=frozenset(),
            answers={status: _content(self._resolved(one)) for status, one in operation["responses"].items()},
        )


def _content(response: Mapping[str, Any]) -> Schema:
    return response.get("schema") or response.get("content", {}).get("application/json", {}).get("schema")


def pattern(template: str) -> re.Pattern[str]:
    """A path template as an expression whose groups are the parameters."""
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)))


@cache
def vendors(name: str) -> Any:
    """A vendor's description, read once."""
    path = SPECS / name
    if not path.is_file():
        pytest.skip(f"the vendors' descriptions are not in ../shared: {name}")
    return json.loads(path.read_bytes())


def _prepared(node: Any) -> Any:
    # As JSON Schema has it: `nullable` is a type of its own, and references lead into the document.
    if isinstance(node, list):
        return [_prepared(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _prepared(value) for key, value in node.items()}
    if isinstance(made.get("$ref"), str) and made["$ref"].startswith("#"):
        made["$ref"] = _DOCUMENT + made["$ref"]
    if made.pop("nullable", None) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made
