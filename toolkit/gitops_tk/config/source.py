"""A configuration file's content, taken piece by piece: a fault is told with its line, and what was probably meant."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from gitops_tk.config.argocd import PodSecurity
from gitops_tk.config.forge import ForgeKind, MergeMethod
from gitops_tk.config.lines import Lines, Path, shown
from gitops_tk.config.model import nearest
from gitops_tk.config.policy import KINDS, OVERRIDES
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.model.changes import Publish

ABSENT: Any = object()
# What people call the types that msgspec names.
_TYPES = {
    "array": "a list",
    "object": "a map",
    "str": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "null": "nothing",
}
_CHOICES = {
    "publish": get_args(Publish),
    "kind": get_args(ForgeKind),
    "merge-method": get_args(MergeMethod),
    "accepts": KINDS,
    "override": OVERRIDES,
    "pod-security": get_args(PodSecurity),
}


class Source:
    """What a file says.

    Attributes:
        content: its map of keys.
        lines: where its values are.
    """

    def __init__(self, content: Mapping[str, Any], lines: Lines) -> None:
        self.content = content
        self.lines = lines

    def at(self, place: Path) -> Any:
        """The value at a place, or ABSENT."""
        value: Any = self.content
        for step in place:
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and step < len(value) else ABSENT
            else:
                value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
        return value

    def map(self, place: Path) -> dict[str, Any]:
        """The map at a place; empty where there is nothing.

        Raises:
            ConfigError: it is no map.
        """
        value = self.at(place)
        if value is ABSENT:
            return {}
        if not isinstance(value, dict):
            raise self.error(place, "config-value", f"{place[-1]} must be a map")
        return value

    def list(self, place: Path) -> Sequence[Any]:
        """The list at a place; empty where there is nothing.

        Raises:
            ConfigError: it is no list.
        """
        value = self.at(place)
        if value is ABSENT:
            return ()
        if not isinstance(value, list):
            label = ".".join(str(step) for step in place if not isinstance(step, int))
            raise self.error(place, "config-value", f"{label} must be a list")
        return value

    def convert(self, place: Path, kind: type[Any], leave: set[str] | None = None) -> Any:
        """The value at a place as a struct of this kind; with its defaults where there is nothing.

        Args:
            leave: keys that are known, and read by somebody else.

        Raises:
            ConfigError: a key is not known, or a value is not what it has to be.
        """
        written = self.at(place)
        if written is ABSENT:
            return kind()
        if isinstance(written, dict):
            for key in written:
                if key not in kind.__struct_encode_fields__:
                    raise self.unknown(place, key, kind.__struct_encode_fields__)
            written = {key: one for key, one in written.items() if not leave or key not in leave}
        try:
            return msgspec.convert(written, kind)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at `$")
            steps = [int(at) if at else word for word, at in re.findall(r"\.([\w-]+)|\[(\d+)\]", where)]
            spot = (*place, *steps)
            label = ".".join(str(step) for step in spot if not isinstance(step, int))
            raise self.error(spot, "config-value", f"{label}: {_plain(message)}", _hint(label, message)) from error

    def check(self, place: Path, check: Callable[[str], Any], text: str) -> None:
        """Refuses a text at a place that a check of the command line refuses.

        Raises:
            ConfigError: with the check's message and hint.
        """
        try:
            check(text)
        except UsageError as error:
            raise self.error(place, "config-value", error.message, error.hint) from error

    def check_environments(self, place: Path, named: Sequence[str], known: Sequence[str], what: str) -> None:
        """Refuses names in the list at a place that no environment has.

        Args:
            what: what the names are for, up to the name: "prod is promoted from".

        Raises:
            ConfigError: with the nearest name (code `config-unknown-environment`).
        """
        for position, name in enumerate(named):
            if name not in known:
                raise self.error(
                    (*place, position),
                    "config-unknown-environment",
                    f"{what} {shown(name)!r}, which is no environment",
                    nearest(name, known) or f"there are {', '.join(known)}",
                )

    def unknown(self, place: Path, key: str, known: Sequence[str]) -> ConfigError:
        """The error for a key that nobody knows."""
        where = ".".join(str(step) for step in place if not isinstance(step, int))
        label = f"{where}.{shown(key)}" if where else shown(key)
        hint = nearest(key, known) or f"known keys are {', '.join(known)}; keys that begin with x- are ignored"
        return self.error((*place, key), "config-unknown-key", f"unknown key {label}", hint)

    def error(self, place: Path, code: str, message: str, hint: str | None = None) -> ConfigError:
        """The error for what is wrong at a place, with its file and line."""
        return ConfigError(message, code=code, hint=hint, file=self.lines.file, line=self.lines.of(place))


def _plain(message: str) -> str:
    missing = re.fullmatch(r"Object missing required field `(.+)`", message)
    if missing:
        return f"{missing[1]} is missing"
    told = re.sub(r"`(\w+) \| (\w+)`", r"`\1` or `\2`", message[:1].lower() + message[1:])
    return re.sub(r"`(\w+)`", lambda found: _TYPES.get(found[1], found[0]), told)


def _hint(label: str, message: str) -> str | None:
    choices = _CHOICES.get(label.rpartition(".")[2], ())
    if choices and message.startswith("Invalid enum value"):
        written = message.partition("'")[2].rstrip("'")
        return nearest(written, choices) or f"it is one of {', '.join(choices)}"
    if message.startswith("Expected `str") and re.search(r"got `(bool|int|float)`", message):
        return "put it in quotes if it is meant as text"
    return None
