"""Go templates as far as generators' templates need them: fields, texts, numbers, pipes and a few functions.

Sources: Go, text/template; Sprig, "String Functions"; Argo CD, "Go Template".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\["\\])*"|`[^`]*`|-?\d+|\.[\w.]*|\w+|\||\S)')


class NotUnderstood(ValueError):
    """A template that this cannot evaluate, or that Argo CD could not either."""


def render(text: str, params: Mapping[str, Any]) -> str:
    """A text with its actions replaced, with `missingkey=error`.

    Raises:
        NotUnderstood: with what it holds.
    """
    parts: list[str] = []
    at = 0
    for match in _ACTION.finditer(text):
        before = text[at : match.start()]
        parts.append(before.rstrip() if match[1] else before)
        parts.append(_shown(_pipeline(match[2], params)))
        at = match.end()
        if match[3]:
            at = len(text) - len(text[at:].lstrip())
    rest = text[at:]
    if "{{" in rest:
        raise NotUnderstood(f"an action in {text!r} has no end")
    return "".join([*parts, rest])


def _pipeline(source: str, params: Mapping[str, Any]) -> Any:
    tokens = _TOKEN.findall(source)
    commands: list[list[str]] = [[]]
    for token in tokens:
        if token == "|":  # noqa: S105 - a pipe
            commands.append([])
        else:
            commands[-1].append(token)
    value: Any = None
    for at, command in enumerate(commands):
        if not command:
            raise NotUnderstood(f"{source.strip()!r} has an empty command")
        head, *rest = command
        arguments = [_operand(token, params) for token in rest] + ([value] if at else [])
        if head in _FUNCTIONS:
            value = _called(head, arguments)
        elif arguments:
            raise NotUnderstood(f"{head!r} in {source.strip()!r} is no function that is known here")
        else:
            value = _operand(head, params)
    return value


def _operand(token: str, params: Mapping[str, Any]) -> Any:
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token.startswith("`"):
        return token[1:-1]
    if re.fullmatch(r"-?\d{1,18}", token):
        return int(token)
    if not token.startswith("."):
        raise NotUnderstood(f"{token!r} is not known here")
    value: Any = params
    for name in token[1:].split(".") if token != "." else ():  # noqa: S105 - the parameters themselves
        if not isinstance(value, Mapping) or name not in value:
            raise NotUnderstood(f"there is no {token}")
        value = value[name]
    return value


def _called(name: str, arguments: list[Any]) -> Any:
    try:
        return _FUNCTIONS[name](*arguments)
    except (TypeError, LookupError, AttributeError) as error:
        raise NotUnderstood(f"{name} cannot be called with {', '.join(map(repr, arguments))}") from error


def _index(container: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(key, int) and key < 0:
            raise IndexError(key)
        container = container[key]
    return container


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "index": _index,
    "trimPrefix": lambda prefix, text: text.removeprefix(prefix),
    "trimSuffix": lambda suffix, text: text.removesuffix(suffix),
}


def _shown(value: Any) -> str:
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
