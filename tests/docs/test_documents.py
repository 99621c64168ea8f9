"""What the documents say is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_tk.config.load import parse
from gitops_tk.workflows.validate import RULES
from tests.docs import doctor, licences, reference, rules, verify_pr
from tests.support.repositories import CONFIG

_ROOT = Path(__file__).resolve().parents[2]
_DOCS = sorted(path.relative_to(_ROOT).as_posix() for path in (_ROOT / "docs").rglob("*.md"))


def test_every_rule_is_in_the_table_of_rules() -> None:
    written = rules.PATH.read_text(encoding="utf-8")
    assert rules.table() in written, "refresh it: python -m tests.docs.rules"
    assert rules.text() == written


def test_every_rule_of_verify_pr_is_in_its_table() -> None:
    assert verify_pr.text() == verify_pr.PATH.read_text(encoding="utf-8"), "refresh it: python -m tests.docs.verify_pr"


def test_the_example_policy_is_one_and_every_gate_is_in_the_table() -> None:
    written = (_ROOT / "docs/policy.md").read_text(encoding="utf-8")
    first, *_ = re.findall(r"```yaml\n(.*?)```", written, re.DOTALL)
    gates = parse(f"apiVersion: gitops-tk/v1\n{first}".encode()).environment("prod").policy.gates
    for gate in gates.names:
        assert f"| `{gate}" in written


def test_every_rule_of_doctor_is_in_its_table() -> None:
    assert doctor.text() == doctor.PATH.read_text(encoding="utf-8"), "refresh it: python -m tests.docs.doctor"


def test_every_dependency_is_listed_with_its_licence() -> None:
    assert licences.text() == licences.PATH.read_text(encoding="utf-8"), "refresh it: python -m tests.docs.licences"
    assert "not stated" not in licences.text()


def test_the_example_configuration_is_one() -> None:
    text = (_ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    block, *parts = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    config = parse(block.encode())
    for part in parts:
        if part.startswith("layout:"):
            assert parse(CONFIG + part.encode()).chart is not None
    assert config.validate.off[0].rule in RULES
    assert config.image_keys("legacy-service")["default"].reference == "app.image"


def test_every_command_and_option_is_in_the_reference() -> None:
    written = reference.PATH.read_text(encoding="utf-8")
    assert written == reference.text(), "refresh it: python -m tests.docs.reference"
    for name, command in reference.commands():
        assert f"## gitops-tk {name}\n" in written
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{option}`" in written


def test_every_claim_about_another_tool_has_its_source_and_a_date() -> None:
    text = (_ROOT / "docs/comparison.md").read_text(encoding="utf-8")
    assert re.search(r"in [A-Z][a-z]+ 20\d\d", text)
    differ, better = (
        text.split(f"## {title}\n", 1)[1].split("\n## ")[0] for title in ("Where they differ", "What they do better")
    )
    claims = [row.split(" | ")[2] for row in differ.splitlines() if row.startswith("| ")][1:]
    claims += re.split(r"^- ", better.partition("\n- ")[2], flags=re.MULTILINE)
    assert len(claims) > 12
    assert [one for one in claims if "](https://" not in one and "as far as we read" not in one] == []


@pytest.mark.parametrize("document", [path.name for path in _ROOT.glob("*.md")] + _DOCS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    path = _ROOT / document
    for target, section in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", path.read_text(encoding="utf-8")):
        leads_to = path.parent / target if target else path
        assert leads_to.exists(), target
        assert not section or section in _sections(leads_to), f"{target}#{section}"


def _sections(path: Path) -> set[str]:
    # As GitHub names a heading: lower case, dashes for spaces, nothing else that is no letter.
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_demo_plays_where_it_was_played_before() -> None:
    # What a run before has left.
    for left in ("gitops.git", "gitops", "home"):
        (_ROOT / ".demo" / left / "left").mkdir(parents=True, exist_ok=True)
    done = subprocess.run([sys.executable, str(_ROOT / "tests/demo.py")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "proposed" in done.stdout
    assert "user-service   v1.3.0  v1.3.0   never deployed *" in done.stdout
    assert not list((_ROOT / ".demo").glob("*/left"))
