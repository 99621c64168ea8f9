"""docs/reference.md, written from the program itself: `python -m tests.docs.reference`."""

from pathlib import Path
from typing import Any

import typer

from gitops_tk.cli.app import app

PATH = Path(__file__).resolve().parents[2] / "docs" / "reference.md"


def commands() -> list[tuple[str, Any]]:
    """Every command's full name with the command."""
    root: Any = typer.main.get_command(app)
    found: list[tuple[str, Any]] = []
    for name, command in root.commands.items():
        below = getattr(command, "commands", None)
        found += [(f"{name} {inner}", one) for inner, one in below.items()] if below else [(name, command)]
    return found


def text() -> str:
    """The whole document."""
    parts = ["# Reference\n\nWritten by the program: `python -m tests.docs.reference`.\n"]
    for name, command in commands():
        summary, _, example = (command.help or "").partition("Example: ")
        parts.append(f"\n## gitops-tk {name}\n\n{' '.join(summary.split())}\n\n```sh\n{example.strip()}\n```\n\n")
        rows = [_row(one) for one in command.params if one.name != "help"]
        parts.append("| | |\n|---|---|\n" + "".join(rows))
    return "".join(parts)


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        label = f"`{parameter.metavar}`"
    else:
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        label = names if parameter.is_flag else f"{names} `{parameter.metavar}`"
    about = getattr(parameter, "help", None) or ""
    variable = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    return f"| {label.replace('|', chr(92) + '|')} | {about}{variable} |\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
