"""What documents have people type works, and prints what they show."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from gitops_tk.cli.app import app
from tests.docs import console

_SCRIPT = re.compile(r"```(?:sh|bash)\n(.*?)```", re.DOTALL)
_DOCUMENTS = sorted(
    path.relative_to(console.ROOT).as_posix()
    for path in [*console.ROOT.glob("*.md"), *(console.ROOT / "docs").rglob("*.md")]
    if "gitops-tk " in "".join(_SCRIPT.findall(path.read_text(encoding="utf-8")))
)


@pytest.mark.parametrize("document", console.documents())
def test_a_session_goes_as_the_document_shows(document: str, tmp_path: Path) -> None:
    text = (console.ROOT / document).read_text(encoding="utf-8")
    played = list(console.play(text, tmp_path))
    assert len(played) > 5
    for step in played:
        assert step.as_shown, f"{step.command}\nprinted:\n{step.both}\nrefresh: python -m tests.docs.console {document}"


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_command_lines_name_commands_and_options_that_there_are(document: str) -> None:
    text = (console.ROOT / document).read_text(encoding="utf-8")
    lines = "".join(_SCRIPT.findall(text)).replace("\\\n", " ").splitlines()
    program = typer.main.get_command(app)
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] == ["gitops-tk"]:
            _parse(program, words[1:], line)


def _parse(command: click.Command, words: list[str], line: str) -> None:
    """Takes a command line apart as the program does, and runs nothing."""
    if isinstance(command, click.Group):
        if words and not words[0].startswith("-"):
            below = command.get_command(click.Context(command), words[0])
            assert below is not None, f"there is no command {words[0]}: {line}"
            _parse(below, words[1:], line)
        return
    words = ["1" if word == "..." else word for word in words if word not in ("|", ">")]
    try:
        command.make_context("gitops-tk", words, resilient_parsing=False)
    except click.exceptions.Exit:
        return
    except click.UsageError as error:
        pytest.fail(f"{error.format_message()}: {line}")
