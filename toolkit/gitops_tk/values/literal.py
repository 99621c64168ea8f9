"""`KEY=VALUE` as people type it."""

from typing import Any

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, ScalarNode

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
    text = f"value: {written}"
    try:
        document = Document.parse(text.encode(), "VALUE")
        found = document.data
    except (EditRefused, yaml.YAMLError, UnicodeEncodeError) as error:
        raise _bad(f"{written!r} is not a YAML value") from error
    if list(found) != ["value"] or not _is_all(document, text):
        raise _bad(f"{written!r} is not one YAML value and nothing else")
    return Assignment(path, found["value"], written)


def _is_all(document: Document, text: str) -> bool:
    # A comment would be dropped, and a block scalar has no lines to be made of.
    node = document.root.value[0][1] if isinstance(document.root, MappingNode) else None
    is_block = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return node is not None and not is_block and node.end_mark.index == len(text.rstrip())


def _bad(message: str) -> UsageError:
    return UsageError(message, code="bad-assignment", hint="quote it: KEY='\"text\"'")
