"""The commands in documents: each `console` and `sh` block is played, in order, in one shell, one folder and one home.

In a `console` block a line that begins with `$ ` is a command, lines that begin with `> ` go on with it, and the others
are what it prints, on standard output, or on both, one after the other. A command that fails has to be shown with what
it says. In an `sh` block each line is a command that has to succeed, or to end as its comment says (`# exit 3`).
`python -m tests.docs.console DOCUMENT...` writes what is printed into documents.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import Struct

from tests.docs import elsewhere, shop
from tests.support import warm

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^( *)```(console|sh)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
# What differs from one run to the next: commits, times, and how long ago something was.
_TIME = r"\d{4}-\d\d-\d\d(?:T[\d:]+Z| \d\d:\d\d(?::\d\d)?)?"
_VARIES = re.compile(rf"\b(?:[0-9a-f]{{7,40}}|{_TIME}|(?:less than )?\d+[smhd](?: \d+[smhd])?)\b")
# Dates in commands are as far from today as they were from this day.
_WRITTEN = date(2026, 11, 25)
# What a build knows; documents use it as a CI system's variables.
_BUILD = {"VERSION": "v1.6.0", "DIGEST": "sha256:" + "4f" * 32, "BUILD_NUMBER": "60", "COMMIT": "4f2a91c" + "0" * 33}


class Step(Struct):
    """A command, how it should end, and how it did.

    Attributes:
        shown: what it is shown to print; None: nothing is shown.
        ends: the exit code that it should have; None: any, if what it says is shown.
        status: the exit code; -1: it was not come to.
    """

    command: str
    shown: str | None = None
    ends: int | None = None
    out: str = ""
    both: str = ""
    status: int = -1

    @property
    def printed(self) -> str:
        """What the document should show: standard output, and with an error or by wish the other one, too."""
        return self.both if self.status or "2>&1" in self.command else self.out

    @property
    def as_told(self) -> bool:
        """Whether it ended as it should, and printed what is shown, but for what varies."""
        if self.shown is None:
            return self.status == self.ends
        if _normal(self.shown) not in (_normal(self.out), _normal(self.both)):
            return False
        return self.status == 0 or (self.status > 0 and bool(self.shown))


def documents() -> list[str]:
    """Every document with commands."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found if _BLOCK.search(path.read_text(encoding="utf-8")))


def steps(text: str) -> list[Step]:
    """The commands of a document, in order."""
    return [step for indent, kind, body in _BLOCK.findall(text) for step in _READ[kind](_lines(body, indent))]


def play(text: str, folder: Path) -> list[Step]:
    """Runs the commands of a document, in a folder that is empty or holds the shop's checkout."""
    played, said = steps(text), folder / ".said"
    said.mkdir()
    with _place(played, folder) as (here, url, environ):
        script = "".join(_script(_local(step.command, url), said / str(number)) for number, step in enumerate(played))
        (folder / ".script").write_text(script)
        requests = _programs(folder / ".bin")
        environ = {**environ, "PATH": f"{folder}/.bin:{os.environ['PATH']}", "HOME": str(folder / ".home")}
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["sh", folder / ".script"], cwd=here, env=environ, pass_fds=[requests], timeout=120, **quiet)
    for number, step in enumerate(played):
        out, err, status = (said / f"{number}.{kind}" for kind in ("out", "err", "status"))
        if status.exists():
            step.out = out.read_text().replace(url, shop.URL)
            step.both, step.status = step.out + err.read_text().replace(url, shop.URL), int(status.read_text())
    return played


def _lines(body: str, indent: str) -> list[str]:
    return [line.removeprefix(indent) for line in body.splitlines()]


def _session(lines: Sequence[str]) -> Iterator[Step]:
    step = None
    for line in lines:
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(line[2:], shown="")
        elif line.startswith("> ") or line == ">":
            step.command += "\n" + line[2:]
        else:
            step.shown += line + "\n"
    if step:
        yield step


def _commands(lines: Sequence[str]) -> Iterator[Step]:
    for command in "\n".join(lines).replace("\\\n", " ").splitlines():
        if command:
            ends = re.search(r"# exit (\d)", command)
            yield Step(command, ends=int(ends[1]) if ends else 0)


_READ = {"console": _session, "sh": _commands}


@contextmanager
def _place(played: Sequence[Step], folder: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Where a document begins, where its remote is, and the variables of whoever reads it."""
    home = folder / ".home"
    home.mkdir()
    environ = {"COLUMNS": "100", "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", **_BUILD}
    if any(step.command.startswith("git init ") for step in played):
        yield folder, f"file://{folder}/gitops.git", environ
        return
    if any(step.command.startswith("git clone ") for step in played):
        with shop.empty(folder) as url:
            yield folder, url, environ
        return
    with shop.opened(folder) as (checkout, url, logins):
        (home / ".gitconfig").write_text("[user]\n\tname = Jane Doe\n\temail = jane@example.com\n")
        yield checkout, url, environ | logins


def _programs(folder: Path) -> int:
    """What a document's commands find: the tool, and those that look at what cannot be run."""
    folder.mkdir()
    for name in elsewhere.PROGRAMS:
        program = folder / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.docs.elsewhere {name} "$@"\n')
        program.chmod(0o755)
    return warm.program(folder / "gitops-tk")


def _script(command: str, said: Path) -> str:
    return f"{{\n{command}\n}} >{said}.out 2>{said}.err\necho $? >{said}.status\n"


def _local(command: str, url: str) -> str:
    """A command with dates and addresses as they are here."""
    later = datetime.now(UTC).date() - _WRITTEN

    def moved(match: re.Match[str]) -> str:
        return (date.fromisoformat(match[0]) + later).isoformat()

    return re.sub(r"\b20\d\d-\d\d-\d\d", moved, command).replace(shop.URL, url)


def _normal(text: str) -> str:
    return _VARIES.sub("#", re.sub(r" +", " ", text)).strip()


def _filled(text: str, folder: Path) -> str:
    played = iter(play(text, folder))

    def block(match: re.Match[str]) -> str:
        indent, kind, body = match.groups()
        found = [next(played) for _ in _READ[kind](_lines(body, indent))]
        if kind == "sh":
            return match[0]
        lines = []
        for step in found:
            first, *more = step.command.split("\n")
            # What is as it was but for commits and times stays.
            prints = step.shown if step.as_told else step.printed
            lines += [f"$ {first}", *(f"> {one}".rstrip() for one in more), *(prints or "").splitlines()]
        return "\n".join(f"{indent}{line}".rstrip() for line in ["```console", *lines, "```"])

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as root:
            path = ROOT / name
            path.write_text(_filled(path.read_text(encoding="utf-8"), Path(root)), encoding="utf-8")
