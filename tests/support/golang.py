"""Go for the tests of the starter: from PATH where it is recent enough, else the one that `make test` has installed.

`python -m tests.support.golang` exits with 1 where there is none.
"""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import which

OLDEST = (1, 26)
# Taken before any test has a home of its own: Go's caches are worth keeping.
_HOME = os.environ.get("HOME", "/")
# Without the folder in what it builds, Go knows again what it has built and tested in another one.
_FLAGS = "-buildvcs=false -trimpath"


def find() -> str | None:
    """The path of the `go` command, or None."""
    for place in (os.environ.get("PATH", ""), str(Path(sys.executable).parent)):
        program = which("go", path=place)
        if program is not None and _version(program) >= OLDEST:
            return program
    return None


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `go` in a folder; the race detector and the module proxy are the caller's to ask for."""
    program = _go()
    env = {**os.environ, "HOME": _HOME, "GOTOOLCHAIN": "local", "GOFLAGS": _FLAGS, **environment}
    with _alone():
        done = subprocess.run([program, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "dial tcp" not in said, f"the Go module proxy cannot be reached, and the starter needs modules: {said}"
    return done


def has_race_detector() -> bool:
    """Whether there is a C compiler, which the race detector needs."""
    return which("gcc") is not None or which("clang") is not None


def format_differences(folder: Path) -> str:
    """The names of the files that gofmt would change."""
    program = Path(run(folder, "env", "GOROOT").stdout.strip(), "bin", "gofmt")
    done = subprocess.run([str(program), "-l", "."], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def _alone() -> Iterator[None]:
    """One `go` at a time: it uses all processors, and two on a new machine compile the same library twice."""
    with Path(sys.prefix, "go.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def _go() -> str:
    program = find()
    assert program is not None, "there is no Go: `make test` installs one where PATH has none"
    return program


def _version(program: str) -> Sequence[int]:
    done = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    match = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


if __name__ == "__main__":
    sys.exit(find() is None)
