"""Exact edits: only the bytes of the changed values change, and what cannot be edited safely is refused."""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from yaml.nodes import MappingNode, Node, SequenceNode

from gitops_tk.errors import EditRefused
from gitops_tk.values.document import Document
from gitops_tk.values.keys import Index, KeyPath, format_key
from gitops_tk.values.splice import DELETE, Splice

_MARK = b"\xef\xbb\xbf"
# A value that SOPS wrote; comments that speak of one do not count.
_CIPHER = re.compile(r"""^[^#\n]*?[:\-\[,]\s*["']?ENC\[AES256_GCM,data:""", re.MULTILINE)


class Edit(Struct, frozen=True):
    """A value to put at a path.

    Attributes:
        path: where; maps on the way are made if they are missing, a list is appended to at its length.
        value: plain data, or DELETE to remove the key or element.
        insert: put the value before the list's element at the path, in place of over it.
    """

    path: KeyPath
    value: Any
    insert: bool = False


def apply(data: bytes, edits: Sequence[Edit], file: str) -> bytes:
    """Applies edits to a file's bytes, in order.

    Args:
        data: the file as it is; empty for a new one.
        file: its path in the repository, for messages.

    Returns:
        The new bytes: every byte outside the edited values is as it was.

    Raises:
        EditRefused: the file cannot be edited without a risk to what it says.
        MissingFile: an element that a path goes through is not there.
    """
    document = Document.parse(data, file)
    _refuse_encrypted(document)
    expected = _plain(document.data)
    text = document.text
    for edit in edits:
        if not edit.insert and _holds(expected, edit):
            continue
        splice = Splice(document, _shared(document.root))
        text = splice.insert(edit.path, edit.value) if edit.insert else splice.put(edit.path, edit.value)
        expected = _expected(expected, edit.path, edit)
        document = _read_again(text, expected, edit, document)
    return (_MARK if data.startswith(_MARK) else b"") + text.encode()


def same(one: Any, other: Any, *, ordered: bool = True) -> bool:
    """Whether two plain values are the same, numbers of different kinds and booleans told apart.

    Args:
        ordered: the keys of maps are to be in the same order, too.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        alike = list(one) == list(other) if ordered else one.keys() == other.keys()
        return alike and all(same(value, other[key], ordered=ordered) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b, ordered=ordered) for a, b in zip(one, other, strict=True))
    return bool(one == other) or (one != one and other != other)


def _read_again(text: str, expected: Any, edit: Edit, before: Document) -> Document:
    """The edited document.

    Raises:
        EditRefused: it does not say exactly what is expected.
    """
    try:
        document = Document.parse(text.encode(), before.file)
        if same(_plain(document.data), expected):
            return document
    except EditRefused:
        pass
    found = before.find(edit.path)
    raise EditRefused(
        f"{before.file} cannot be edited exactly at {format_key(edit.path)}",
        code="edit-not-exact",
        hint="edit it by hand; nothing was written",
        file=before.file,
        line=found.line if found else None,
    )


def _refuse_encrypted(document: Document) -> None:
    sops = document.data.get("sops")
    found = document.find(("sops",)) if isinstance(sops, dict) and {"mac", "lastmodified"} & sops.keys() else None
    cipher = _CIPHER.search(document.text)
    if found or cipher:
        raise EditRefused(
            f"{document.file} is encrypted by SOPS, and its checksum covers every value",
            code="sops",
            hint=f"sops edit {document.file}, or keep the image in a file of its own",
            file=document.file,
            line=found.line if found else document.text.count("\n", 0, cipher.start()) + 1 if cipher else None,
        )


def _shared(root: Node | None) -> set[int]:
    # Nodes that an alias leads to: what is changed there changes in a second place as well.
    seen: set[int] = set()
    twice: set[int] = set()

    def visit(node: Node) -> None:
        if id(node) in seen:
            twice.add(id(node))
            return
        seen.add(id(node))
        if isinstance(node, MappingNode):
            for key, value in node.value:
                visit(key)
                visit(value)
        elif isinstance(node, SequenceNode):
            for one in node.value:
                visit(one)

    if root is not None:
        visit(root)
    return twice


def _plain(value: Any) -> Any:
    # Without the sharing that aliases leave behind.
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _holds(values: Any, edit: Edit) -> bool:
    for step in edit.path:
        if isinstance(values, dict) and isinstance(step, str):
            if step not in values:
                return edit.value is DELETE
            values = values[step]
        elif isinstance(values, list) and isinstance(step, Index) and step.at < len(values):
            values = values[step.at]
        else:
            return False
    return same(values, edit.value)


def _expected(value: Any, path: KeyPath, edit: Edit) -> Any:
    if not path:
        return _plain(edit.value)
    step, rest = path[0], path[1:]
    if edit.value is DELETE and not isinstance(value, dict if isinstance(step, str) else list):
        return value
    if isinstance(step, str):
        values = dict(value) if isinstance(value, dict) else {}
        if not rest and edit.value is DELETE:
            values.pop(step, None)
        elif edit.value is not DELETE or step in values:
            values[step] = _expected(values.get(step), rest, edit)
        return values
    items = list(value) if isinstance(value, list) else []
    at = step.at if isinstance(step, Index) else step.position(items)
    if at is None or (edit.value is DELETE and at >= len(items)):
        return items
    if not rest and edit.value is DELETE:
        del items[at : at + 1]
    elif not rest and edit.insert:
        items.insert(at, _plain(edit.value))
    elif at == len(items):
        items.append(_expected(None, rest, edit))
    else:
        items[at] = _expected(items[at], rest, edit)
    return items
