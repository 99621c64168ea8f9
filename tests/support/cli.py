"""The program run as users run it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import warm

KEYS = {
    *("schema", "command", "outcome", "changes", "skipped", "gates", "commit", "branch", "message", "attempts"),
    *("pull_requests", "problems"),
}


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Attributes:
        status: the exit code.
        out: standard output.
        err: standard error.
    """

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on standard output."""
        found = json.loads(self.out)
        assert found["schema"] == "gitops-tk/result/v1"
        assert found.keys() >= KEYS
        return dict(found)

    @property
    def code(self) -> str:
        """The first problem's code."""
        return str(self.json["problems"][0]["code"])


# What Python and the program look at when they start: these need a start of their own.
_EARLY = ("PYTHON", "LC_", "LANG", "_GITOPS_TK_COMPLETE")


def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Starts the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "gitops_tk", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*arguments: str, cwd: Path, **environment: str) -> Ran:
    """Runs the program to its end; no traceback may ever come out."""
    if any(name.startswith(_EARLY) for name in environment):
        process = start(*arguments, cwd=cwd, **environment)
        out, err = process.communicate(timeout=120)
        status = process.returncode
    else:
        status, out, err = warm.run(arguments, cwd, {**os.environ, **environment}, timeout=120)
    ran = Ran(status, out.decode(), err.decode())
    assert "Traceback" not in ran.err + ran.out, ran.err
    assert '"code": "bug"' not in ran.out, ran.out
    assert "[bug]" not in ran.err, ran.err
    return ran


def run_json(*arguments: str, cwd: Path, **environment: str) -> Ran:
    """Runs the program with `--output json`, and reads the document."""
    ran = run(*arguments, "--output", "json", cwd=cwd, **environment)
    assert ran.json["command"] is not None
    return ran
