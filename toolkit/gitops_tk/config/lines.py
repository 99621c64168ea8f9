"""gitops-tk.yaml as plain data, with the line of each value, and without YAML's surprises."""

import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitops_tk.errors import ConfigError
from gitops_tk.nesting import too_deep

Path = tuple[str | int, ...]

# A configuration with more than this is a bomb of aliases, or a mistake.
_MOST_VALUES = 50_000
_DEEPEST = 40


class Lines:
    """The 1-based lines of a file's values, by their paths."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._lines: dict[Path, int] = {}

    def note(self, path: Path, node: Node) -> None:
        """Remembers where a value, or its key, begins."""
        self._lines.setdefault(path, node.start_mark.line + 1)

    def of(self, path: Path) -> int | None:
        """The line of a path, or of the nearest thing above it that is there."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)


def read(data: bytes, file: str) -> tuple[dict[str, Any], Lines]:
    """The map that a configuration file holds, with its lines.

    Raises:
        ConfigError: it is no YAML map that means one thing to everybody.
    """
    lines = Lines(file)
    node = _composed(_decoded(data, file), file)
    if node is None:
        raise ConfigError(f"{file} is empty", code="config-empty", hint="gitops-tk init writes a first one", file=file)
    if not isinstance(node, MappingNode):
        raise ConfigError(f"{file} is not a map of keys", code="config-not-a-map", file=file, line=1)
    content = _Reading(lines).value(node, (), 0)
    if "sops" in content:
        raise ConfigError(
            f"{file} is encrypted by SOPS",
            code="config-sops",
            hint="it holds no secrets: decrypt it",
            file=file,
        )
    return content, lines


def _decoded(data: bytes, file: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{file} is not UTF-8", code="config-encoding", hint="save it as UTF-8", file=file, line=line
        ) from error
    if "\0" in text:
        raise ConfigError(f"{file} is not UTF-8 text", code="config-encoding", hint="save it as UTF-8", file=file)
    return text


def _composed(text: str, file: str) -> Node | None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        deep = too_deep(text)
        if deep is not None:
            raise ConfigError(f"{file} is nested too deep", code="config-alias-bomb", file=file, line=deep)
        return yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or "it cannot be read"
        if getattr(error, "context", None) == "expected a single document in the stream":
            raise ConfigError(
                f"{file} has more than one document", code="config-several-documents", file=file, line=line
            ) from error
        raise ConfigError(f"{file} is not valid YAML: {problem}", code="config-yaml", file=file, line=line) from error


class _Reading:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.count = 0

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self.count += 1
        if self.count > _MOST_VALUES or depth > _DEEPEST:
            raise ConfigError(
                f"{self.lines.file} unfolds to too many values",
                code="config-alias-bomb",
                hint="its aliases multiply each other: write the values out",
                file=self.lines.file,
                line=node.start_mark.line + 1,
            )
        self.lines.note(path, node)
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, SequenceNode):
            return [self.value(one, (*path, at), depth + 1) for at, one in enumerate(node.value)]
        return self._map(node, path, depth)

    def _map(self, node: Node, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            if not isinstance(key, str) or not key or key == "<<":
                raise self._error("config-value", "a key here is not a plain word", key_node)
            if key in found:
                raise self._error("config-duplicate-key", f"the key {key} is there twice", key_node)
            self.lines.note((*path, key), key_node)
            found[key] = self.value(value_node, (*path, key), depth + 1)
        return found

    def _error(self, code: str, message: str, node: Node) -> ConfigError:
        return ConfigError(message, code=code, file=self.lines.file, line=node.start_mark.line + 1)


def _scalar(node: ScalarNode) -> Any:
    if node.style or node.tag == "tag:yaml.org,2002:str":
        return node.value
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() in ("true", "yes", "on")
    if node.tag == "tag:yaml.org,2002:int" and re.fullmatch(r"[+-]?\d{1,15}", node.value):
        return int(node.value)
    # A number or a date where a name is expected: told as what it was written.
    return float("nan") if node.tag == "tag:yaml.org,2002:float" else node.value
