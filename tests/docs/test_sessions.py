"""What documents have people type works, and prints what they show."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from gitops_tk.cli.app import app
from tests.docs import console, elsewhere

_ALL = sorted([*console.ROOT.glob("*.md"), *(console.ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("document", console.documents())
def test_commands_go_as_the_document_says(document: str, tmp_path: Path) -> None:
    played = console.play((console.ROOT / document).read_text(encoding="utf-8"), tmp_path)
    assert played
    for step in played:
        told = f"{step.command}\nended with {step.status}, and printed:\n{step.both}"
        assert step.as_told, f"{told}\nrefresh what is shown: python -m tests.docs.console {document}"


@pytest.mark.parametrize("path", _ALL, ids=lambda path: path.relative_to(console.ROOT).as_posix())
def test_no_command_stands_where_none_is_played(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    rest = _FENCE.sub(lambda match: match[3] if match[2] not in ("console", "sh", "yaml") else "", text)
    programs = "|".join(["gitops-tk", "git", *elsewhere.PROGRAMS])
    assert not re.findall(rf"^(?: *\$ .*|    +(?:{programs}) .*)$", rest, re.MULTILINE)


def test_commands_within_sentences_and_pipelines_name_commands_and_options_that_there_are() -> None:
    program = typer.main.get_command(app)
    lines = {line for path in _ALL for line in _mentioned(path.read_text(encoding="utf-8"))}
    assert len(lines) > 30
    for line in sorted(lines):
        _parse(program, shlex.split(line)[1:], line)


def test_every_program_that_is_not_run_is_one_that_a_document_has_people_run() -> None:
    played = [step for one in console.documents() for step in console.steps((console.ROOT / one).read_text("utf-8"))]
    assert {step.command.split()[0] for step in played} >= elsewhere.PROGRAMS.keys()


def _mentioned(text: str) -> Iterator[str]:
    """Whole commands in a sentence, and in the examples of pipelines."""
    for _, kind, body in _FENCE.findall(text):
        if kind == "yaml":
            lines = (re.sub(r"\$\{\{.*?\}\}", "1", line) for line in _strings(yaml.safe_load(body)))
            yield from (line for line in lines if line.startswith("gitops-tk "))
    yield from re.findall(r"(?<!`)`(gitops-tk [^`]+)`(?!`)", " ".join(_FENCE.sub("", text).split("\n")))


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _strings(one)


def _parse(command: Any, words: list[str], line: str) -> None:
    """Takes a command line apart as the program does, and runs nothing; a command may be named alone."""
    commands = getattr(command, "commands", None)
    if commands and words and not words[0].startswith("-"):
        assert words[0] in commands, f"there is no command {words[0]}: {line}"
        _parse(commands[words[0]], words[1:], line)
        return
    if not words:
        return
    try:
        command.make_context("gitops-tk", words)
    except typer.Exit:
        return
    except Exception as error:
        pytest.fail(f"{error}: {line}")
