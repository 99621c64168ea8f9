"""The table of rules in docs/verify-pr.md, written from the registry: `python -m tests.docs.verify_pr`."""

from pathlib import Path

from gitops_tk.policy.review import RULES

PATH = Path(__file__).resolve().parents[2] / "docs" / "verify-pr.md"
_BEGIN = "| rule | what holds | why |"


def table() -> str:
    """All rules, in the order that they are looked at."""
    return f"{_BEGIN} refused, for instance | fix |\n|---|---|---|---|---|\n" + "".join(
        f"| `{one.name}` | {_cell(one.summary)} | {_cell(one.reason)} | {_cell(one.example)} | {_cell(one.fix)} |\n"
        for one in RULES
    )


def text() -> str:
    """The whole document: what people wrote, and the table in place of the old one."""
    written = PATH.read_text(encoding="utf-8")
    begin = written.index(_BEGIN)
    end = written.index("\n\n", begin) + 1
    return written[:begin] + table() + written[end:]


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
