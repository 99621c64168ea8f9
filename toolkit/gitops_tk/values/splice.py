"""One edit on a document's text: the span of a YAML node is replaced, a line is added, or lines are taken out."""

import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.tokens import BlockEntryToken

from gitops_tk.errors import EditRefused, MissingFile
from gitops_tk.helm_yaml import Loader, is_merge, resolve
from gitops_tk.values import quote
from gitops_tk.values.document import Document, refusal
from gitops_tk.values.keys import Index, KeyPath, Selector, Step, format_key
from gitops_tk.values.lines import Text


class _Delete:
    def __repr__(self) -> str:
        return "DELETE"


DELETE = _Delete()
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|$))+")
_DOCUMENT_END = re.compile(r"^\.\.\.(?=\s|$)", re.MULTILINE)
_COMMA = re.compile(r"\s*,")
_INDENT = 2


class Splice:
    """Edits of a document; each returns the new text.

    Args:
        document: the document as it is.
        shared: the ids of nodes that an alias leads to.
    """

    def __init__(self, document: Document, shared: set[int]) -> None:
        self.document = document
        self.shared = shared
        self.text = Text(document.text)

    def put(self, path: KeyPath, value: Any) -> str:
        """Sets, adds or removes the value at a path.

        Raises:
            EditRefused: it cannot be done without touching something else.
            MissingFile: an element on the way is not there.
        """
        root = self.document.root
        if root is None:
            return self.document.text if value is DELETE else self._append(_nested(path, value))
        node: Node = root
        flow = _is_flow(root)
        key: Node | None = None
        for depth, step in enumerate(path):
            self._refuse_shared(node, path)
            found = self._child(node, step, path)
            if found is None:
                if value is DELETE:
                    return self.document.text
                return self._add(node, key, step, self._nested(path[depth + 1 :], value, path), flow, path)
            parent = node
            key, node = found
            if depth < len(path) - 1:
                flow = flow or _is_flow(node)
        self._refuse_shared(node, path)
        if value is DELETE:
            return self._remove(parent, key, node)
        return self._replace(key, node, value, flow, path)

    def insert(self, path: KeyPath, value: Any) -> str:
        """Puts a value before a block list's element.

        Raises:
            EditRefused: the list is not written with dashes on lines of their own.
        """
        node = parent = self.document.root
        for step in path:
            found = self.document.child(node, step) if node is not None else None
            if found is None:
                raise self._missing(path)
            parent, node = node, found[1]
        if node is None or parent is None:
            raise self._missing(path)
        if _is_flow(parent):
            raise self._refusal("unusual", "a list in brackets has no line for another element", node)
        dash = self._dash(node)
        lines = quote.item(value, self.text.column(dash))
        return self.text.inserted(self.text.line_start(dash), lines)

    def _child(self, node: Node, step: Step, path: KeyPath) -> tuple[Node | None, Node] | None:
        if isinstance(step, Selector) and isinstance(node, SequenceNode):
            matches = [one for one in node.value if self.document.selects(step, one)]
            if len(matches) > 1:
                raise self._refusal(
                    "ambiguous-selector", f"{format_key(path)} selects more than one element", matches[1]
                )
        found = self.document.child(node, step)
        if found is None and isinstance(node, MappingNode) and any(is_merge(key) for key, _ in node.value):
            raise self._refusal("merge-key", f"{format_key(path)} may come from a merge key (<<)", node)
        return found

    def _refuse_shared(self, node: Node, path: KeyPath) -> None:
        if id(node) in self.shared:
            raise self._refusal(
                "alias", f"{format_key(path)} is reached through an alias: a second value would change too", node
            )

    # Adding what is missing

    def _add(self, node: Node, key: Node | None, step: Step, value: Any, flow: bool, path: KeyPath) -> str:
        if isinstance(node, ScalarNode) and resolve(node) is None:
            return self._fill(node, key, self._nested((step,), value, path), flow)
        if isinstance(step, Selector) or (isinstance(step, Index) and not isinstance(node, SequenceNode)):
            raise self._missing(path)
        if isinstance(node, SequenceNode) and isinstance(step, Index):
            if step.at != len(node.value):
                raise self._missing(path)
            return self._append_item(node, value)
        if not isinstance(node, MappingNode) or not isinstance(step, str):
            raise self._refusal("not-a-map", f"{format_key(path)} goes through a value that is no map", node)
        if _is_flow(node):
            return self._append_flow(node, f"{quote.scalar(step, flow=True)}: {quote.flow(value)}")
        column = node.value[0][0].start_mark.column
        return self.text.inserted(self._below(node), quote.block(step, value, column))

    def _append(self, value: Any) -> str:
        ended = _DOCUMENT_END.search(self.document.text)
        return self.text.inserted(ended.start() if ended else len(self.text), _lines(value, 0))

    def _fill(self, node: ScalarNode, key: Node | None, value: Any, flow: bool) -> str:
        start, end = self._span(node)
        if flow or key is None or start != end:
            return self._spliced(start, end, quote.flow(value))
        return self.text.inserted(self.text.after(start), _lines(value, key.start_mark.column + _INDENT))

    def _append_item(self, node: SequenceNode, value: Any) -> str:
        if _is_flow(node):
            return self._append_flow(node, quote.flow(value))
        column = self.text.column(self._dash(node.value[-1]))
        return self.text.inserted(self._below(node), quote.item(value, column))

    def _append_flow(self, node: Node, written: str) -> str:
        close = node.end_mark.index - 1
        if not node.value:
            return self._spliced(self._body(node) + 1, close, written)
        last = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
        end = self._end(last)
        comma = _COMMA.match(self.document.text, end, close)
        if comma:
            return self._spliced(comma.end(), comma.end(), f" {written}")
        return self._spliced(end, end, f", {written}")

    # Replacing what is there

    def _replace(self, key: Node | None, node: Node, value: Any, flow: bool, path: KeyPath) -> str:
        start, end = self._span(node)
        if isinstance(node, ScalarNode):
            self._check_tag(node, value, path)
            style = node.style if node.style in ("'", '"') else None
            plain = not isinstance(value, dict | list)
            return self._spliced(start, end, quote.scalar(value, style, flow=flow) if plain else quote.flow(value))
        if self.document.text[node.start_mark.index] in "&!":
            raise self._refusal("tag", f"{format_key(path)} has an anchor or a tag", node)
        if _is_flow(node) or key is None:
            return self._spliced(start, end, quote.flow(value))
        self._require_below(key, node)
        if isinstance(value, dict | list) and value:
            return self._rewrite_block(key, node, value)
        return self._inline(key, node, quote.flow(value))

    def _rewrite_block(self, key: Node, node: Node, value: Any) -> str:
        first = self.text.line_start(node.start_mark.index)
        column = self.text.column(node.start_mark.index)
        if isinstance(value, dict) and column == key.start_mark.column:
            # Dashes may stand below the key itself, keys may not.
            column += _INDENT
        return self.text.exchanged(first, self.text.after(self._end(node)), _lines(value, column))

    def _inline(self, key: Node, node: Node, written: str) -> str:
        # The lines of the block go, and what takes its place stands after the colon, before any comment there.
        self._require_below(key, node)
        colon = self._colon(key)
        first, last = self.text.line_start(node.start_mark.index), self.text.after(self._end(node))
        text = self.document.text
        return f"{text[:colon]} {written}{text[colon:first]}{text[last:]}"

    def _require_below(self, key: Node, node: Node) -> None:
        if self.text.line_start(node.start_mark.index) < self._colon(key):
            raise self._refusal("unusual", "a block that begins in the line of its colon is not edited", node)

    def _check_tag(self, node: ScalarNode, value: Any, path: KeyPath) -> None:
        match = _PROPERTIES.match(self.document.text, node.start_mark.index, node.end_mark.index)
        tags = [word for word in match[0].split() if word.startswith("!")] if match else []
        if tags and not (tags == ["!!str"] and isinstance(value, str)):
            raise self._refusal("tag", f"{format_key(path)} has the tag {tags[0]}", node)

    # Removing

    def _remove(self, parent: Node, key: Node | None, node: Node) -> str:
        start = (key or node).start_mark.index
        siblings = [entry[0] for entry in parent.value] if isinstance(parent, MappingNode) else parent.value
        at = next(at for at, one in enumerate(siblings) if one is (key or node))
        if _is_flow(parent):
            return self._remove_flow(parent, siblings, at, node)
        if len(siblings) == 1:
            return self._empty(parent, key, node)
        if key is None:
            start = self._dash(node)
        if not self.text.is_first(start):
            # The first key of a list's element stands behind its dash: the next key takes its place.
            following = siblings[at + 1]
            return self._spliced(start, following.start_mark.index if key is not None else self._dash(following), "")
        return self.text.exchanged(self.text.line_start(start), self.text.after(self._end(node)), [])

    def _remove_flow(self, parent: Node, siblings: list[Node], at: int, node: Node) -> str:
        if at + 1 < len(siblings):
            return self._spliced(siblings[at].start_mark.index, siblings[at + 1].start_mark.index, "")
        if at == 0:
            comma = _COMMA.match(self.document.text, self._end(node))
            return self._spliced(siblings[at].start_mark.index, comma.end() if comma else self._end(node), "")
        left = parent.value[at - 1]
        return self._spliced(self._end(left[1] if isinstance(parent, MappingNode) else left), self._end(node), "")

    def _empty(self, parent: Node, key: Node | None, node: Node) -> str:
        hollow = "{}" if isinstance(parent, MappingNode) else "[]"
        if self.document.text[parent.start_mark.index] in "&!":
            raise self._refusal("tag", "the last of its elements goes, and it has an anchor or a tag", parent)
        if parent is self.document.root:
            start = self.text.line_start((key or node).start_mark.index)
            return self.text.exchanged(start, self.text.after(self._end(node)), [])
        holder = self._key_of(parent)
        if holder is not None and holder.start_mark.line != parent.start_mark.line:
            return self._inline(holder, parent, hollow)
        return self._spliced(parent.start_mark.index, self._end(parent), hollow)

    def _key_of(self, wanted: Node) -> ScalarNode | None:
        stack: list[Node] = [self.document.root] if self.document.root is not None else []
        while stack:
            node = stack.pop()
            if isinstance(node, MappingNode):
                for key, value in node.value:
                    if value is wanted:
                        return key if isinstance(key, ScalarNode) else None
                    stack.append(value)
            elif isinstance(node, SequenceNode):
                stack += node.value
        return None

    # Positions

    def _span(self, node: Node) -> tuple[int, int]:
        return self._body(node), self._end(node)

    def _body(self, node: Node) -> int:
        # The span of a node begins with its anchor and tag, which stay.
        match = _PROPERTIES.match(self.document.text, node.start_mark.index, node.end_mark.index)
        return match.end() if match else int(node.start_mark.index)

    def _end(self, node: Node) -> int:
        # A block collection's own mark lies at whatever comes next; its last element's is exact.
        if isinstance(node, MappingNode) and node.value and not _is_flow(node):
            key, value = node.value[-1]
            return max(self._end(value), self._colon(key)) if _is_empty(value) else self._end(value)
        if isinstance(node, SequenceNode) and node.value and not _is_flow(node):
            return self._end(node.value[-1])
        end = int(node.end_mark.index)
        if isinstance(node, ScalarNode) and node.style in ("|", ">"):
            return self.text.content_end(self._body(node), end)
        return end

    def _colon(self, key: Node) -> int:
        return self.document.text.index(":", key.end_mark.index) + 1

    def _below(self, node: Node) -> int:
        """Where the line after a block collection begins."""
        last = node
        while isinstance(last, MappingNode | SequenceNode) and last.value and not _is_flow(last):
            last = last.value[-1][1] if isinstance(last, MappingNode) else last.value[-1]
        below = self.text.after(self._end(node))
        is_text = isinstance(last, ScalarNode) and last.style in ("|", ">")
        if is_text and not self.text.is_ended(below) and self.text.chomping(self._body(last)) != "-":
            message = "a key below this text would give it the line end that the file's last line lacks"
            raise refusal("unended", message, self.document.file, last, "end the file's last line, or write |- here")
        return below

    def _dash(self, node: Node) -> int:
        start = int(node.start_mark.index)
        dash = self.text.dash(start)
        if dash is not None:
            return dash
        # The dash stands on a line above, alone or with a comment.
        tokens = yaml.scan(self.document.text, Loader=Loader)
        dashes = [int(token.start_mark.index) for token in tokens if isinstance(token, BlockEntryToken)]
        return max(at for at in dashes if at < start)

    def _spliced(self, start: int, end: int, written: str) -> str:
        text = self.document.text
        # An empty value has an empty span right behind its colon, dash or anchor, or before a comment.
        left = " " if written[:1] not in ("", ",", " ") and start == end and text[start - 1] not in " \t\r\n[{" else ""
        right = " " if written and text[end : end + 1] == "#" else ""
        return text[:start] + left + written + right + text[end:]

    def _nested(self, steps: KeyPath, value: Any, path: KeyPath) -> Any:
        try:
            return _nested(steps, value)
        except ValueError:
            raise self._missing(path) from None

    def _missing(self, path: KeyPath) -> MissingFile:
        return MissingFile(
            f"there is no {format_key(path)}",
            code="missing-key",
            hint="gitops-tk values get SERVICE -e ENV --origin shows which keys there are, and in which file",
            file=self.document.file,
        )

    def _refusal(self, code: str, message: str, node: Node) -> EditRefused:
        return refusal(code, message, self.document.file, node, "edit the file by hand; nothing was written")


def _nested(steps: KeyPath, value: Any) -> Any:
    for step in reversed(steps):
        if isinstance(step, str):
            value = {step: value}
        elif step == Index(0):
            value = [value]
        else:
            raise ValueError(step)
    return value


def _lines(value: Any, indent: int) -> list[str]:
    if isinstance(value, dict):
        return [line for name, one in value.items() for line in quote.block(name, one, indent)]
    return [line for one in value for line in quote.item(one, indent)]


def _is_flow(node: Node) -> bool:
    return bool(getattr(node, "flow_style", False))


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index
