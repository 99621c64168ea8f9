"""Awkward files: each with the edits, the bytes that are expected, and where the awkwardness comes from."""

from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from gitops_tk.values.edit import DELETE, Edit, apply
from gitops_tk.values.keys import parse_key
from gitops_tk.values.merge import Merged

_CORPUS = Path(__file__).parent / "corpus"
_CASES = sorted(path.name for path in _CORPUS.iterdir())


def _case(name: str) -> tuple[bytes, list[Edit], bytes]:
    folder = _CORPUS / name
    written = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    edits = [Edit(parse_key(one["key"]), DELETE if one.get("delete") else one["value"]) for one in written["edits"]]
    return (folder / "before.yaml").read_bytes(), edits, (folder / "after.yaml").read_bytes()


def test_the_corpus_is_not_getting_smaller() -> None:
    assert len(_CASES) >= 75


@pytest.mark.parametrize("name", _CASES)
def test_only_the_bytes_of_the_changed_values_change(name: str) -> None:
    before, edits, after = _case(name)
    assert apply(before, edits, "values.yaml") == after


@pytest.mark.parametrize("name", _CASES)
def test_helm_reads_the_edited_values_back(name: str) -> None:
    _, edits, after = _case(name)
    values: dict[str, Any] = helm_python.values_from_yaml(after.decode("utf-8-sig")) or {}
    read = Merged(values, values, [])
    for edit in edits:
        if edit.value is not DELETE:
            assert read.get(edit.path) == edit.value
        elif isinstance(edit.path[-1], str):
            assert not read.has(edit.path)


@pytest.mark.parametrize("name", _CASES)
def test_the_same_edit_twice_is_the_same_as_once(name: str) -> None:
    _, edits, after = _case(name)
    kept = [edit for edit in edits if edit.value is not DELETE]
    assert apply(after, kept, "values.yaml") == after
