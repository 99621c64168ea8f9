"""A corpus of changes: each shows what a reviewer would call it, and nothing else; each says where it comes from."""

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from gitops_tk.charts.compare import Compared, Version, compare
from gitops_tk.model.evidence import ObjectChange

_FOLDER = Path(__file__).parent / "changes"
_CASES: dict[str, dict[str, Any]] = {
    case["name"]: case
    for path in sorted(_FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
}


def compared(case: dict[str, Any], before: str = "before", after: str = "after") -> Compared:
    versions = [Version(tuple(old), tuple(new)) for old, new in [case["versions"]]] if "versions" in case else []
    return compare([case[before]], [case[after]], namespace="shop", versions=versions)


def shown(change: ObjectChange) -> list[str]:
    if change.change != "changed":
        return [f"{change.change} {change.label}" + (f":\n{change.text}" if change.text else "")]
    lines = [f"{change.label}: was {change.was}"] if change.was else []
    for field in change.fields:
        place = f"{change.label}: {field.path}"
        if field.because:
            lines.append(f"{place} follows from the {field.because}")
        elif field.diff is not None:
            lines.append(f"{place}:\n{field.diff}")
        else:
            lines.append(f"{place}: {_value(field.before)} -> {_value(field.after)}")
    return lines


def _value(value: Any) -> str:
    return "(none)" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("name", _CASES)
def test_what_is_shown_is_what_a_reviewer_would_call_the_change(name: str) -> None:
    case = _CASES[name]
    found = compared(case)
    assert [line for one in found.objects for line in shown(one)] == case.get("shows", [])
    assert [f"{one.code}: {one.object}: {one.message}" for one in found.cautions] == case.get("cautions", [])
    for secret in case.get("hides", []):
        assert secret in case["before"] + case["after"]
        assert secret not in repr(found)


@pytest.mark.parametrize("name", _CASES)
def test_nothing_is_shown_of_a_side_that_is_compared_with_itself(name: str) -> None:
    case = _CASES[name]
    for side in ("before", "after"):
        # Written in another way, so that its text alone does not tell that it is the same.
        again = {**case, "again": "---\n".join(map(_rewritten, yaml.safe_load_all(case[side])))}
        assert compared(again, side, "again") == Compared()


@pytest.mark.parametrize("name", _CASES)
def test_the_way_back_shows_as_many_changes(name: str) -> None:
    there, back = compared(_CASES[name]), compared(_CASES[name], "after", "before")
    kinds = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((kinds[one.change], one.kind, len(one.fields)) for one in there.objects) == sorted(
        (one.change, one.kind, len(one.fields)) for one in back.objects
    )


def test_the_corpus_is_large_and_says_where_it_comes_from() -> None:
    assert len(_CASES) >= 50
    for case in _CASES.values():
        assert urlsplit(case["source"]).scheme == "https"
        assert case["reviewer"]


def test_every_warning_is_in_the_document_of_evidence() -> None:
    written = (Path(__file__).resolve().parents[2] / "docs/evidence.md").read_text(encoding="utf-8")
    codes = {line.partition(":")[0] for case in _CASES.values() for line in case.get("cautions", [])}
    assert codes | {"downgrade", "not-reproducible"} == set(re.findall(r"^\| `([a-z-]+)` \|", written, re.MULTILINE))


def _rewritten(document: Any) -> str:
    return yaml.safe_dump(_turned(document), sort_keys=False)


def _turned(data: Any) -> Any:
    """The same data, the keys of every map in the opposite order."""
    if isinstance(data, dict):
        return {key: _turned(data[key]) for key in reversed(data)}
    return [_turned(one) for one in data] if isinstance(data, list) else data


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a" * 500_000, "b" * 500_000),
        ("word " * 60_000, "word " * 60_000 + "x"),
        ("key=value;" * 30_000, "key=other;" * 30_000),
        ("line\n" * 20_000, "other\n" * 20_000),
        ("x" * 300_000 + "password=" + "y" * 300_000, "-----BEGIN " + "A " * 200_000),
    ],
)
def test_large_texts_take_no_time_and_little_room(before: str, after: str) -> None:
    def document(text: str) -> str:
        return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"f": text}})

    started = time.process_time()
    (change,) = compare([document(before)], [document(after)], namespace="shop").objects
    assert time.process_time() - started < 5
    assert len(repr(change)) < 15_000


def test_long_lists_take_no_time() -> None:
    def document(first: int) -> str:
        ports = range(first, 1500)[:: -1 if first else 1]
        rules = [{"ports": [{"port": port}], "to": [{"ipBlock": {"cidr": f"10.0.{port}.0/24"}}]} for port in ports]
        head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}}
        return json.dumps({**head, "spec": {"podSelector": {}, "egress": rules}})

    started = time.process_time()
    (change,) = compare([document(0)], [document(2)], namespace="shop").objects
    assert time.process_time() - started < 5
    assert [field.after for field in change.fields] == [None, None]
