"""Writing values so that every YAML reader reads them back as they are: PyYAML, go-yaml (Helm), YAML 1.1 and 1.2.

A rule of our own, narrower than any reader's: what is not plainly a word is quoted.
"""

import json
import re
from typing import Any

from gitops_tk.errors import UsageError

# Starts with a letter, so it is no number, date, indicator or merge key in any reader.
_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/@+-]|:(?=[A-Za-z0-9._/@+-]))*")
_FLOW_WORD = re.compile(r"[A-Za-z][A-Za-z0-9._/@+-]*")
_RESERVED = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf", "infinity"])
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def scalar(value: Any, style: str | None = None, *, flow: bool = False) -> str:
    """A scalar as YAML text.

    Args:
        value: a string, number, boolean or None.
        style: the quote that the value before had (`'` or `"`), which strings keep; None for a plain one.
        flow: whether it stands inside brackets or braces.

    Raises:
        UsageError: YAML cannot hold it (a lone surrogate).
    """
    if not isinstance(value, str):
        return _number(value) if isinstance(value, float) else json.dumps(value)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError("a value holds half of a character", code="bad-value")
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or not is_word(value, flow=flow):
        return double(value)
    return value


def is_word(value: str, *, flow: bool = False) -> bool:
    """Whether a string needs no quotes in any reader."""
    return bool((_FLOW_WORD if flow else _WORD).fullmatch(value)) and value.lower() not in _RESERVED


def double(value: str) -> str:
    """A string in double quotes (YAML 1.2.2, 5.7 "Escaped Characters")."""
    return '"' + "".join(_escaped(character) for character in value) + '"'


def flow(value: Any) -> str:
    """Any value on one line, maps and lists in braces and brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key, flow=True)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return scalar(value, flow=True)


def block(key: str, value: Any, indent: int) -> list[str]:
    """The lines of `key: value` at an indentation; maps and lists with something in them go below."""
    head = " " * indent + scalar(key) + ":"
    if isinstance(value, dict) and value:
        return [head, *(line for name, one in value.items() for line in block(name, one, indent + 2))]
    if isinstance(value, list) and value:
        return [head, *(line for one in value for line in item(one, indent + 2))]
    return [f"{head} {flow(value) if isinstance(value, dict | list) else scalar(value)}"]


def item(value: Any, indent: int) -> list[str]:
    """The lines of a list's element, its dash at an indentation."""
    if isinstance(value, dict) and value:
        lines = [line for name, one in value.items() for line in block(name, one, indent + 2)]
        return [" " * indent + "- " + lines[0][indent + 2 :], *lines[1:]]
    return [" " * indent + "- " + (flow(value) if isinstance(value, dict | list) else scalar(value))]


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        raise UsageError("values hold numbers, and this is none", code="bad-value")
    text = repr(value)
    # PyYAML takes 1e+20 for a string, and every reader takes 1.0e+20 for a number.
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
