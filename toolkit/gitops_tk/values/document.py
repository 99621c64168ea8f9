"""A values file, read: its data as Helm reads it, and where in the file each value is."""

import re
from functools import cached_property
from typing import Any

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitops_tk.errors import EditRefused
from gitops_tk.helm_yaml import PLAIN, STRING, Loader, is_merge, key_text, plain, resolve, sources
from gitops_tk.nesting import DEEPEST, too_deep
from gitops_tk.values import by_line
from gitops_tk.values.keys import Index, KeyPath, Selector

# No service is configured by more values than that; and of few bytes, aliases make no more than this.
_MOST_VALUES = 100_000
_MOST_UNFOLDED = 10_000
_REMEDIES = {
    "alias-bomb": "write out what the alias (*name) stands for",
    "bad-map-key": "put it in quotes",
    "duplicate-key": "keep one of them",
    "encoding": "save it as UTF-8",
    "merge-key": "write <<: *name or <<: [*one, *other]",
    "not-a-map": "write KEY: VALUE in each line, or leave the file empty",
    "several-documents": "Helm reads the first one alone: keep one",
    "tag": "take the tag out, or put the value in quotes",
    "too-deep": f"nest at most {DEEPEST} levels",
    "too-large": "keep large data in a file of the chart",
    "yaml": "mend it by hand at this line",
}


# A key's node, None in a list, and its value's.
Entry = tuple[Node | None, Node]


class Found(Struct, frozen=True):
    """A value and the 1-based line that it is on."""

    value: Any
    line: int


class Document:
    """One values file.

    Attributes:
        file: its path in the repository, for messages.
        text: its text, without a byte order mark.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        # By the nodes' ids: what each map holds itself, and with what is merged in; and the values made plain.
        self._own: dict[int, dict[Any, Entry]] = {}
        self._visible: dict[int, dict[Any, Entry]] = {}
        self._plain: dict[int, Any] = {}

    @classmethod
    def read(cls, data: bytes, file: str) -> "Document":
        """Reads a file's bytes; aliases and merge keys are followed as Helm follows them.

        Raises:
            EditRefused: it is not one YAML map in UTF-8 that means the same to every reader.
        """
        document = cls(file, decode(data, file))
        plainly = by_line.read(document.text)
        if plainly is None:
            return document._checked()
        document.data = plainly
        return document

    @classmethod
    def parse(cls, data: bytes, file: str) -> "Document":
        """The same by the parser alone, however plain the lines are.

        Raises:
            EditRefused: as `read`.
        """
        return cls(file, decode(data, file))._checked()

    @cached_property
    def root(self) -> Node | None:
        """Its top map as YAML nodes; None for a file without content."""
        root = _compose(self.text, self.file)
        if root is None or (isinstance(root, ScalarNode) and resolve(root) is None):
            return None
        if not isinstance(root, MappingNode):
            raise refusal("not-a-map", f"{self.file} is not a map of values", self.file, root)
        size = self._size(root, {}, 0)
        # Each value that is written takes a byte at least.
        if size > max(_MOST_UNFOLDED, len(self.text)):
            raise refusal("alias-bomb", "its aliases unfold to too many values", self.file, root)
        if size > _MOST_VALUES:
            raise refusal("too-large", f"{self.file} has more than {_MOST_VALUES} values", self.file, root)
        return root

    @cached_property
    def data(self) -> dict[str, Any]:
        """The values as plain data; values that an alias repeats are the same objects."""
        return {} if self.root is None else plain(self.root, self._plain)

    def find(self, path: KeyPath) -> Found | None:
        """The value at a path with its line, or None; merge keys and aliases lead to where it is written."""
        node = self.root
        line = 1
        for step in path:
            entry = self._seen(node, step) if node is not None else None
            if entry is None:
                return None
            key, node = entry
            line = (key or node).start_mark.line + 1
        return Found(plain(node, self._plain), line) if node is not None else Found({}, line)

    def child(self, node: Node, step: Any) -> Entry | None:
        """The key node and the value node that a step leads to where it is written, merge keys aside; or None."""
        if isinstance(node, MappingNode):
            return self._own[id(node)].get(step)
        if not isinstance(node, SequenceNode):
            return None
        if isinstance(step, Index):
            return (None, node.value[step.at]) if step.at < len(node.value) else None
        if isinstance(step, Selector):
            return next(((None, one) for one in node.value if self.selects(step, one)), None)
        return None

    def selects(self, selector: Selector, node: Node) -> bool:
        """Whether a selector means this element of a list."""
        found = self._own[id(node)].get(selector.key) if isinstance(node, MappingNode) else None
        return found is not None and isinstance(found[1], ScalarNode) and selector.matches(resolve(found[1]))

    def _checked(self) -> "Document":
        # Whoever reads a file learns its faults there and then.
        _ = self.root
        return self

    def _seen(self, node: Node, step: Any) -> Entry | None:
        return self._all(node).get(step) if isinstance(node, MappingNode) else self.child(node, step)

    def _all(self, node: Node) -> dict[Any, Entry]:
        """What a map has, merge keys followed; what comes later wins."""
        if not isinstance(node, MappingNode):
            return {}
        if len(own := self._own[id(node)]) == len(node.value):
            return own
        if id(node) not in self._visible:
            found: dict[Any, Entry] = {}
            for key, value in node.value:
                if is_merge(key):
                    for source in sources(value):
                        found |= self._all(source)
                else:
                    found[key_text(key)] = key, value
            self._visible[id(node)] = found
        return self._visible[id(node)]

    def _size(self, node: Node, sizes: dict[int, int], depth: int) -> int:
        # What the node unfolds to, aliases and all; every map is looked at once.
        if isinstance(node, ScalarNode):
            if node.tag != PLAIN and node.tag != STRING:
                self._check_tag(node)
            return 1
        if depth > DEEPEST:
            raise refusal("too-deep", f"{self.file} is nested too deep", self.file, node)
        if id(node) in sizes:
            if not sizes[id(node)]:
                raise refusal("alias-bomb", "an alias holds itself", self.file, node)
            return sizes[id(node)]
        sizes[id(node)] = 0
        if isinstance(node, MappingNode):
            merges = self._check_keys(node)
            size = sum(self._size(value, sizes, depth + 1) for _, value in node.value)
            if merges:
                self._check_merged(node)
        else:
            size = sum(self._size(one, sizes, depth + 1) for one in node.value)
        sizes[id(node)] = size + 1
        return size + 1

    def _check_keys(self, node: MappingNode) -> bool:
        """Whether a map has merge keys; what it has beside them is indexed."""
        seen: dict[Any, Entry] = {}
        merge: Node | None = None
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise refusal("bad-map-key", "a key here is not a plain word", self.file, key)
            if is_merge(key):
                if not all(isinstance(source, MappingNode) for source in sources(value)):
                    raise refusal("merge-key", "a merge key (<<) needs a map or a list of maps", self.file, key)
                merge = key
            try:
                name = key_text(key)
            except ValueError as error:
                raise refusal("bad-map-key", f"{key.value!r} is no text as a key", self.file, key) from error
            if name in seen:
                raise refusal(
                    "duplicate-key", f"the key {name} is there twice: readers differ on which counts", self.file, key
                )
            seen[name] = key, value
        self._own[id(node)] = {name: entry for name, entry in seen.items() if entry[0] is not merge} if merge else seen
        return merge is not None

    def _check_merged(self, node: MappingNode) -> None:
        # 1 and 1.0 are two keys to Go, and one in JSON: which of them counts is left to chance.
        kinds: dict[str, type] = {}
        merged = [source for key, value in node.value if is_merge(key) for source in sources(value)]
        for entries in (*map(self._all, merged), self._own[id(node)]) if merged else ():
            for name, (key, _) in entries.items():
                kind = type(resolve(key)) if isinstance(key, ScalarNode) else str
                if kinds.setdefault(name, kind) is not kind:
                    raise refusal("duplicate-key", f"the key {name} is merged in, written otherwise", self.file, key)

    def _check_tag(self, node: ScalarNode) -> None:
        try:
            resolve(node)
        except ValueError as error:
            raise refusal("tag", f"{node.value!r} cannot be read as its tag says", self.file, node) from error


def decode(data: bytes, file: str) -> str:
    """A file's text without its byte order mark.

    Raises:
        EditRefused: it is not UTF-8 (code `encoding`).
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refusal("encoding", f"{file} is not UTF-8 text", file, line) from error
    if "\0" in text:
        raise _refusal("encoding", f"{file} is not UTF-8 text", file, 1)
    return text


def refusal(code: str, message: str, file: str, node: Node | None = None, hint: str | None = None) -> EditRefused:
    """The error for a file that cannot be read or edited safely, with the node's line."""
    return _refusal(code, message, file, node.start_mark.line + 1 if node else None, hint)


def _refusal(code: str, message: str, file: str, line: int | None, hint: str | None = None) -> EditRefused:
    return EditRefused(message, code=code, hint=hint or _REMEDIES[code], file=file, line=line)


def _compose(text: str, file: str) -> Node | None:
    try:
        line = too_deep(text)
        if line is not None:
            raise _refusal("too-deep", f"{file} is nested too deep", file, line)
        return yaml.compose(text, Loader=Loader)
    except RecursionError as error:
        raise _refusal("too-deep", f"{file} is nested too deep", file, None) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        if "single document" in (getattr(error, "context", None) or ""):
            raise _refusal("several-documents", f"{file} has more than one YAML document", file, line) from error
        problem = getattr(error, "problem", None) or re.sub(r"\s+", " ", str(error))
        tabs = "\t" in text and "cannot start any token" in problem
        hint = "indent with spaces: YAML takes no tab there" if tabs else None
        raise _refusal("yaml", f"{file} is not valid YAML: {problem}", file, line, hint) from error
