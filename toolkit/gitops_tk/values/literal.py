"""`KEY=VALUE` as people type it."""

from typing import Any

import yaml
from msgspec import Struct

from gitops_tk.errors import EditRefused, UsageError
from gitops_tk.values.document import Document
from gitops_tk.values.keys import KeyPath, read_key


class Assignment(Struct, frozen=True):
    """A key, the value that is meant, and the text it was typed as."""

    path: KeyPath
    value: Any
    text: str


def parse_assignment(text: str) -> Assignment:
    """Reads `KEY=VALUE`, the value as Helm reads a YAML scalar, flow list or flow map; nothing is an empty text.

    Raises:
        UsageError: there is no `=`, or the value is not YAML.
    """
    path, rest = read_key(text)
    if not rest:
        raise UsageError(f"{text!r} has no value", code="bad-assignment", hint="write KEY=VALUE")
    written = rest[1:]
    if not written:
        return Assignment(path, "", "")
    try:
        found = Document.read(f"value: {written}".encode(), "VALUE").data
    except (EditRefused, yaml.YAMLError) as error:
        raise UsageError(
            f"{written!r} is not a YAML value", code="bad-assignment", hint="quote it: KEY='\"text\"'"
        ) from error
    if list(found) != ["value"]:
        raise UsageError(f"{written!r} is not one YAML value", code="bad-assignment", hint="quote it: KEY='\"text\"'")
    return Assignment(path, found["value"], written)
