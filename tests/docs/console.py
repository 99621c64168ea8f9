"""The sessions in documents: each `console` block is played, in order, in one folder and one home.

A line that begins with `$ ` is a command, lines that begin with `> ` go on with it, and the others are what it prints,
on standard output, or on both, one after the other. A command that fails has to be shown with what it says.
`python -m tests.docs.console DOCUMENT...` writes what is printed into documents.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
# What differs from one run to the next: commits, times, and how long ago something was.
_TIME = r"\d{4}-\d\d-\d\d(?:T[\d:]+Z| \d\d:\d\d(?::\d\d)?)?"
_VARIES = re.compile(rf"\b(?:[0-9a-f]{{7,40}}|{_TIME}|(?:less than )?\d+[smhd])\b")


_WHO = {
    f"GIT_{one}_{part}": text
    for one in ("AUTHOR", "COMMITTER")
    for part, text in (
        ("NAME", "Jane Doe"),
        ("EMAIL", "jane@example.com"),
    )
}


class Step(Struct):
    """A command, what it is shown to print, and what it printed."""

    command: str
    shown: str = ""
    out: str = ""
    both: str = ""
    status: int = 0

    @property
    def printed(self) -> str:
        """What the document should show: standard output, and with an error or by wish the other one, too."""
        return self.both if self.status or "2>&1" in self.command else self.out

    @property
    def as_shown(self) -> bool:
        """Whether it printed what is shown, but for what varies."""
        shown = _normal(self.shown)
        return shown in (_normal(self.out), _normal(self.both)) and (not self.status or bool(shown))


def documents() -> list[str]:
    """Every document with a session."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found if _BLOCK.search(path.read_text(encoding="utf-8")))


def steps(text: str) -> list[Step]:
    """The commands of a document, in order."""
    found: list[Step] = []
    for block in _BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            elif line.startswith("> ") or line == ">":
                found[-1].command += "\n" + line[2:]
            else:
                found[-1].shown += line + "\n"
    return found


def play(text: str, folder: Path) -> Iterator[Step]:
    """Runs the commands of a document in a folder, one after the other."""
    programs = folder / ".bin"
    programs.mkdir()
    (programs / "gitops-tk").symlink_to(Path(sys.executable).with_name("gitops-tk"))
    place = folder / ".place"
    home = folder / ".home"
    home.mkdir()
    # A document that says who commits goes in an empty home.
    who = {} if "$ git config user.name" in text else _WHO
    path = f"{programs}:{os.environ['PATH']}"
    environ = {**os.environ, **who, "HOME": str(home), "PATH": path, "COLUMNS": "100"}
    here = folder
    for step in steps(text):
        script = f"{step.command}\nstatus=$?\npwd > {place}\nexit $status"
        done = subprocess.run(["sh", "-c", script], cwd=here, env=environ, capture_output=True, text=True)
        step.out, step.both, step.status = done.stdout, done.stdout + done.stderr, done.returncode
        here = Path(place.read_text().strip())
        yield step


def _normal(text: str) -> str:
    return _VARIES.sub("#", re.sub(r" +", " ", text)).strip()


def _filled(text: str, folder: Path) -> str:
    played = iter(list(play(text, folder)))

    def block(_: re.Match[str]) -> str:
        lines = []
        for line in _[1].splitlines():
            if line.startswith("$ "):
                step = next(played)
                first, *more = step.command.split("\n")
                lines += [f"$ {first}", *(f"> {one}".rstrip() for one in more), *step.printed.splitlines()]
        return "```console\n" + "\n".join(lines) + "\n```"

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as root:
            path = ROOT / name
            path.write_text(_filled(path.read_text(encoding="utf-8"), Path(root)), encoding="utf-8")
