"""Schemas that refer to other files: Helm would read them from this machine, or ask the network for them.

A chart's content is not trusted. A `$ref` to `file:///…` or `http://…`, or a `$schema` of one's own, is refused
before an engine sees the chart; so are those in vendored archives.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_tk.charts.archive import Room, unpacked
from gitops_tk.errors import ChartError

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# The drafts that validators bring along (json-schema.org).
_KNOWN = re.compile(r"https?://json-schema\.org/(?:draft-0[3467]/|draft/20(?:19-09|20-12)/)?schema#?")
_SCHEMA = "values.schema.json"
_DEEPEST = 4


def check(chart: Mapping[str, bytes], root: str) -> None:
    """Refuses schemas, of the chart and its subcharts, that refer to anything but themselves.

    Args:
        chart: the chart's files, by their paths inside it.
        root: its folder in the repository, for messages.

    Raises:
        ChartError: one does (code `schema-reference`), or a schema or an archive cannot be read.
    """
    for path, data in _schemas(chart, root, Room(), 0):
        for found in _foreign(_read(data, path)):
            raise ChartError(
                f"the schema refers to {found[:100]!r}, and no schema may read other files or ask the network",
                code="schema-reference",
                hint="copy what it refers to below $defs, and write #/$defs/NAME",
                file=path,
            )


def _schemas(files: Mapping[str, bytes], place: str, room: Room, depth: int) -> Iterator[tuple[str, bytes]]:
    for name, data in files.items():
        path = f"{place}/{name}"
        # Looked for anywhere in the name: Helm cleans the names that an archive gives its files.
        if _SCHEMA in name:
            yield path, data
        elif ".tgz" in name:
            yield from _schemas(_unpacked(data, path, room, depth), path, room, depth + 1)


def _unpacked(data: bytes, path: str, room: Room, depth: int) -> dict[str, bytes]:
    if depth >= _DEEPEST:
        raise ChartError(f"{path} is an archive in too many archives", code="chart-load", file=path)
    return unpacked(data, path, lambda name: _SCHEMA in name or ".tgz" in name, room)


def _read(data: bytes, path: str) -> Any:
    try:
        return json.loads(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ChartError(
            f"the schema is not JSON: {error}", code="chart-schema", file=path, line=getattr(error, "lineno", None)
        ) from error


def _foreign(schema: Any) -> Iterator[str]:
    rules = [schema]
    while rules:
        rule = rules.pop()
        if isinstance(rule, list):
            rules += rule
        elif isinstance(rule, dict):
            rules += rule.values()
            about = rule.get("$schema")
            if isinstance(about, str) and not _KNOWN.fullmatch(about):
                yield about
            for key in _REFERENCES:
                if isinstance(rule.get(key), str) and not rule[key].startswith("#"):
                    yield rule[key]
