"""docs/troubleshooting.md has every error that is not about the command line, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_TEXT = (_ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
# Of the command line, and of the evidence of a change.
_ELSEWHERE = {"UsageError", "Caution"}


def _raised(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") not in _ELSEWHERE:
            for keyword in node.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)
        if isinstance(node, ast.ClassDef) and node.name not in _ELSEWHERE:
            for part in node.body:
                if isinstance(part, ast.AnnAssign | ast.Assign) and "default_code" in ast.unparse(part):
                    yield ast.literal_eval(part.value) if part.value else ""


def _sources() -> Iterator[str]:
    return (path.read_text(encoding="utf-8") for path in (_ROOT / "toolkit").rglob("*.py"))


def test_every_error_has_its_cause_and_remedy() -> None:
    raised = {code for source in _sources() for code in _raised(ast.parse(source))}
    written = set(re.findall(r"`([a-z-]+)`", _TEXT))
    assert len(raised) > 100
    assert raised - written == set()


def test_no_error_is_told_of_that_there_is_not() -> None:
    known = {literal for source in _sources() for literal in re.findall(r'"([a-z-]+)"', source)}
    rows = [line.split("|")[1] for line in _TEXT.splitlines() if line.startswith("| `")]
    assert {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)} - known == set()
