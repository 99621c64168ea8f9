"""The table of rules in docs/doctor.md, written from the program itself: `python -m tests.docs.doctor`."""

import re
from pathlib import Path

from gitops_tk.workflows.diagnosing.rules import NETWORK, RULES

PATH = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"
_HEAD = "| rule | looks whether | asks the network |\n|---|---|---|\n"


def text() -> str:
    """The document with the table as it should be."""
    rows = [f"| `{name}` | {summary} | {'yes' if name in NETWORK else ''} |\n" for name, summary in RULES.items()]
    table = "".join([_HEAD, *rows])
    return re.sub(r"\| rule \|.*?\n(?=\n)", lambda _: table, PATH.read_text(encoding="utf-8"), flags=re.DOTALL)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
