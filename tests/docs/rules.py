"""The table of rules in docs/validate.md, written from the registry: `python -m tests.docs.rules`."""

from pathlib import Path

from gitops_tk.argocd.rules import RULES as WIRING
from gitops_tk.charts.rules import RULES

PATH = Path(__file__).resolve().parents[2] / "docs" / "validate.md"
_HEAD = "| rule | severity | what holds | why | source | fix |\n|---|---|---|---|---|---|\n"


def table() -> str:
    """All rules, in the order that they are looked at."""
    return _HEAD + "".join(
        f"| `{one.name}` | {one.severity} | {_cell(one.summary)} | {_cell(one.reason)} | [source]({one.source}) "
        f"| {_cell(one.fix)} |\n"
        for one in (*RULES, *WIRING)
    )


def text() -> str:
    """The whole document: what people wrote, and the table in place of the old one."""
    written = PATH.read_text(encoding="utf-8")
    begin = written.index("| rule | severity |")
    end = written.index("\n\n", begin) + 1
    return written[:begin] + table() + written[end:]


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("*", "\\*")


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
