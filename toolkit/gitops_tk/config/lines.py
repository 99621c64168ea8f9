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
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "null", "bool", "int", "float", "timestamp", "map", "seq", "merge")
)


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
    if node is None or (isinstance(node, ScalarNode) and node.tag.endswith(":null")):
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
        line = text[: text.index("\0")].count("\n") + 1
        raise ConfigError(
            f"{file} is not UTF-8 text", code="config-encoding", hint="save it as UTF-8", file=file, line=line
        )
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
        line = mark.line + 1 if mark else _line_of_control(text)
        problem = getattr(error, "problem", None) or "it cannot be read"
        if getattr(error, "context", None) == "expected a single document in the stream":
            raise ConfigError(
                f"{file} has more than one document", code="config-several-documents", file=file, line=line
            ) from error
        raise ConfigError(f"{file} is not valid YAML: {problem}", code="config-yaml", file=file, line=line) from error


def _line_of_control(text: str) -> int | None:
    # libyaml does not say where a character that YAML forbids is.
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", line):
            return number
    return None


def is_key(path: Path) -> bool:
    """Whether a map's keys are words of this program, not names of services or images."""
    names = path in (("images",), ("services",), ("argocd", "environments"))
    return not names and not (path[:1] == ("services",) and path[2:] == ("images",))


def shown(text: str) -> str:
    """Foreign text for a message: short, and without what a terminal would obey."""
    return text if text.isprintable() and len(text) <= 60 else repr(text[:60])


class _Reading:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.count = 0

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self._count(node, depth)
        self.lines.note(path, node)
        if node.tag not in _TAGS:
            raise self._error("config-yaml", f"the tag {shown(node.tag)} means nothing here", node)
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, SequenceNode):
            return [self.value(one, (*path, at), depth + 1) for at, one in enumerate(node.value)]
        return self._map(node, path, depth)

    def _skip(self, node: Node, depth: int) -> None:
        # What is ignored may hold anything that YAML can say, within the same bounds.
        self._count(node, depth)
        if isinstance(node, ScalarNode):
            return
        for one in node.value:
            for part in one if isinstance(one, tuple) else (one,):
                self._skip(part, depth + 1)

    def _count(self, node: Node, depth: int) -> None:
        self.count += 1
        if self.count > _MOST_VALUES or depth > _DEEPEST:
            raise ConfigError(
                f"{self.lines.file} unfolds to too many values",
                code="config-alias-bomb",
                hint="its aliases multiply each other: write the values out",
                file=self.lines.file,
                line=node.start_mark.line + 1,
            )

    def _map(self, node: Node, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or not key_node.value or key_node.tag.endswith(":merge"):
                raise self._error("config-value", "a key here is not a plain word", key_node)
            key = key_node.value
            if key in found:
                raise self._error("config-duplicate-key", f"the key {shown(key)} is there twice", key_node)
            self.lines.note((*path, key), key_node)
            if key.startswith("x-") and is_key(path):
                self._skip(value_node, depth + 1)
            else:
                found[key] = self.value(value_node, (*path, key), depth + 1)
        return found

    def _error(self, code: str, message: str, node: Node) -> ConfigError:
        return ConfigError(message, code=code, file=self.lines.file, line=node.start_mark.line + 1)


def _scalar(node: ScalarNode) -> Any:
    if node.tag == "tag:yaml.org,2002:str":
        return node.value
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() in ("true", "yes", "on")
    if node.tag == "tag:yaml.org,2002:int" and re.fullmatch(r"[+-]?\d{1,15}", node.value):
        return int(node.value)
    # A number or a date where a name is expected: told as what it was written.
    return float("nan") if node.tag == "tag:yaml.org,2002:float" else node.value
