"""Plain scalars as Helm's YAML reader takes them: `sigs.k8s.io/yaml`, which is go-yaml 2 and then JSON.

The rules are go-yaml's `resolve.go`; the tests hold them against the Helm engine itself.
"""

import re
from math import isinf
from typing import Any

from yaml.nodes import ScalarNode

_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
for _word in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"):
    _CONSTANTS[_word] = True
for _word in ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"):
    _CONSTANTS[_word] = False

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2))
# The tag that `document.Loader` gives to what is neither quoted nor tagged.
PLAIN = "plain"
_RESOLVED_TAGS = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": int | float,
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:null": type(None),
}


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
