"""The one door to other programs. Nothing else imports subprocess."""

import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gitops_tk import trace
from gitops_tk.errors import GitopsTkError, ToolMissing

Process = subprocess.Popen[bytes]

# What runs, and since when.
_running: dict[Process, float] = {}


class Completed(NamedTuple):
    """How a program ended and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes


class TimeLimit(GitopsTkError):
    """A program did not end in its time."""

    default_code = "time-limit"


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    reads: bool = False,
    memory: int | None = None,
) -> Process:
    """Starts a program with pipes on its output and, if it `reads`, on its input.

    The caller ends it with `finish` or `stop`.

    Args:
        memory: the bytes of address space that it may have, where the system can hold another program to that.

    Raises:
        ToolMissing: there is no such program on PATH, or it cannot be run.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise ToolMissing(
                f"{argv[0]} is not installed or not on PATH", hint=f"install {argv[0]} and try again"
            ) from error
        raise ToolMissing(f"{argv[0]} cannot be run: {error.strerror}") from error
    _running[process] = time.monotonic()
    if memory is not None and sys.platform == "linux":
        # Of a program that ended already there is nothing to limit.
        with contextlib.suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
    return process


def finish(process: Process, *, data: bytes | None = None, timeout: float) -> Completed:
    """Writes `data` to a started program, waits for its end and returns what it wrote.

    Args:
        timeout: the time limit in seconds; after it the program is stopped.

    Raises:
        TimeLimit: it took longer.
    """
    try:
        stdout, stderr = process.communicate(data, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        stop(process)
        raise TimeLimit(f"a program did not finish within {timeout:g} s") from error
    except BaseException:
        stop(process)
        raise
    _told(process, f"exit {process.returncode}")
    return Completed(process.returncode, stdout, stderr)


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    data: bytes | None = None,
    timeout: float,
    memory: int | None = None,
) -> Completed:
    """Runs a program to its end; see `start` and `finish`."""
    process = start(argv, env=env, cwd=cwd, reads=data is not None, memory=memory)
    return finish(process, data=data, timeout=timeout)


def ask(process: Process, line: bytes) -> bytes | None:
    """Writes a line to a started program that reads, and returns the line that it answers.

    Returns:
        None where the program ended in place of an answer.
    """
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(line + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except BrokenPipeError:
        answer = b""
    except BaseException:
        stop(process)
        raise
    if answer.endswith(b"\n"):
        return answer
    stop(process)
    return None


def stop(process: Process) -> None:
    """Ends a program: asked first, so that it cleans up and ends its own children, then killed."""
    _told(process, "stopped")
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def stop_all() -> None:
    """Ends every program that still runs: the last thing before an interrupted command leaves."""
    for process in list(_running):
        stop(process)


def _told(process: Process, end: str) -> None:
    started = _running.pop(process, None)
    if trace.on and started is not None:
        # What was started here was started with a list of texts.
        trace.told(" ".join(map(str, process.args)), started, end)  # type: ignore[arg-type]
