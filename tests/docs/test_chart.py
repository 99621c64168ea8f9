"""docs/chart.md names tests and features that exist, leaves no feature out, and names keys that the charts have."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support import charts
from tests.support.features import FEATURES

_ROOT = Path(__file__).resolve().parents[2]
_TEXT = (_ROOT / "docs/chart.md").read_text(encoding="utf-8")


def _section(title: str) -> list[list[str]]:
    body = re.split(r"^##+ ", _TEXT.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line.strip("|").split("|") for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", _TEXT))
    written = "".join(path.read_text(encoding="utf-8") for path in (_ROOT / "tests").rglob("test_*.py"))
    assert named
    assert named <= set(re.findall(r"^def (test_\w+)\(", written, re.MULTILINE))


def test_every_feature_is_named_and_no_other() -> None:
    assert set(re.findall(r"`feature ([a-z-]+)`", _TEXT)) == {feature.name for feature in FEATURES}


@pytest.mark.parametrize("title", ["Features", "Practices"])
def test_every_row_is_shown_by_something(title: str) -> None:
    rows = _section(title)
    assert len(rows) > 20
    unshown = [row for row in rows if not re.search(r"`(test_\w+|feature [\w-]+|tests/starter)`", row[-1])]
    assert [row[0] for row in unshown] == (["10"] if title == "Practices" else [])


def test_all_practices_are_there() -> None:
    assert [row[0] for row in _section("Practices")] == [str(number) for number in range(1, 28)]


def test_every_key_that_is_named_first_is_one_of_the_charts() -> None:
    known = [yaml.safe_load(charts.files(profile)["values.yaml"]) for profile in charts.PROFILES]
    for row in _section("Features"):
        for first in re.findall(r"^`([\w.]+)", row[2]):
            parts = first.rstrip(".").split(".")
            assert any(_holds(values, parts) for values in known), first


def _holds(values: object, parts: list[str]) -> bool:
    for part in parts:
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True
