"""YAML as Helm reads it: `sigs.k8s.io/yaml`, which is go-yaml 2 and then JSON.

The rules are go-yaml's `resolve.go`; the tests hold them against the Helm engine itself.
"""

import json
import re
from math import isinf
from typing import Any

import yaml
from yaml.nodes import Node, ScalarNode, SequenceNode

_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
for _word in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"):
    _CONSTANTS[_word] = True
for _word in ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"):
    _CONSTANTS[_word] = False

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2))
# The tag that `Loader` gives to what is neither quoted nor tagged.
PLAIN = "plain"
STRING = "tag:yaml.org,2002:str"
_MERGE = "<<"
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVED_TAGS = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": int | float,
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:null": type(None),
}


class Loader(_BASE):  # type: ignore[misc]
    """Composes nodes without guessing types: a plain scalar is marked as one, so that a written tag shows."""

    def resolve(self, kind: Any, _value: Any, implicit: Any) -> str:
        """The tag of a node that has none."""
        if kind is ScalarNode:
            return PLAIN if implicit[0] else STRING
        return ""


def plain(node: Node, known: dict[int, Any] | None = None) -> Any:
    """A node as plain data, merge keys followed; what an alias repeats is the same object.

    Args:
        known: what maps and lists are made of already, by their nodes' ids; it is added to.

    Raises:
        ValueError: a tag or a key that Helm refuses.
    """
    return _plain(node, {} if known is None else known)


def is_merge(key: Node) -> bool:
    """Whether a key stands for other maps' keys: `<<`, neither quoted nor tagged."""
    return key.tag == PLAIN and key.value == _MERGE


def key_text(key: ScalarNode) -> str:
    """A key as Helm has it in JSON: text, whatever it looks like.

    Raises:
        ValueError: it has no such text, or one that depends on the reader (`null`, `1e6`).
    """
    value = resolve(key)
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e6:
        value = int(value)
    text = json.dumps(value)
    if value is None or (isinstance(value, float) and ("e" in text or abs(value) >= 1e6)):
        raise ValueError(text)
    return text


def printed(value: Any) -> str:
    """What a template prints for a text, a number or a boolean; lists and maps as JSON.

    To Helm every number is a float64, and Go prints the shortest text that is that number, in scientific form from
    a million on (fmt, "%v").
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json.dumps(value)
    number = float(value)
    text = repr(number)
    digits = text.lstrip("-").partition("e")[0].replace(".", "").strip("0")
    scientific = f"{number:.{max(len(digits) - 1, 0)}e}"
    return text.removesuffix(".0") if -4 <= int(scientific.partition("e")[2]) < 6 else scientific


def sources(value: Node) -> list[Node]:
    """The maps of a merge key, weakest first: in a list, earlier ones win."""
    return value.value[::-1] if isinstance(value, SequenceNode) else [value]


def resolve(node: ScalarNode) -> Any:
    """The value of a scalar: what Helm makes of a plain one, a string where it is quoted or tagged otherwise.

    Raises:
        ValueError: its tag says what it is not, which Helm refuses, or names bytes.
    """
    text: str = node.value
    if node.tag == PLAIN:
        return resolve_plain(text)
    kind = _RESOLVED_TAGS.get(node.tag)
    if kind is None:
        if node.tag == "tag:yaml.org,2002:binary":
            raise ValueError(text)
        return text
    value = resolve_plain(text)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(text)
    return value


# A plain scalar that begins otherwise is a string, whatever follows.
_STARTERS = frozenset("+-.0123456789yYnNtTfFoO~")


def resolve_plain(text: str) -> Any:
    """The value of an unquoted text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[:1] not in _STARTERS:
        return text
    # Underscores may stand in numbers, but for those that begin with a point.
    bare = text if text[0] == "." else text.replace("_", "")
    number = _integer(bare)
    if number is not None:
        return number
    if _FLOAT.fullmatch(bare) and not isinf(float(bare)):
        return float(bare)
    return text


def is_name(label: str) -> bool:
    """Whether a DNS label can stand unquoted where a name is expected: Kubernetes' Services begin with a letter."""
    return label[:1].isalpha() and isinstance(resolve_plain(label), str)


def _integer(text: str) -> int | None:
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text[1:] if text[:1] == "+" else text)
    base = next((base for prefix, base in _BASES if digits.startswith(prefix)), 0)
    if base:
        digits = digits[2:]
    else:
        base = 8 if digits[:1] == "0" and len(digits) > 1 else 10
    try:
        number = sign * int(digits, base) if digits.isascii() and digits.isalnum() else None
    except ValueError:
        return None
    # What does not fit into 64 bits is no integer to Go; in decimal it may still be a float.
    return number if number is not None and -(2**63) <= number < 2**64 else None


def _plain(node: Node, known: dict[int, Any]) -> Any:
    if isinstance(node, ScalarNode):
        return resolve(node)
    if id(node) in known:
        return known[id(node)]
    if isinstance(node, SequenceNode):
        known[id(node)] = found = []
        found += [_plain(one, known) for one in node.value]
        return found
    return _map(node, known)


def _map(node: Node, known: dict[int, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    known[id(node)] = values
    for key, value in node.value:
        if is_merge(key):
            for source in sources(value):
                values |= _plain(source, known)
        else:
            values[key_text(key)] = _plain(value, known)
    return values
