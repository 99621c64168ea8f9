"""Runs the program inside the error boundary: nobody but us ever sees a traceback."""

import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main() -> None:
    """Runs `gitops-tk` with the process's arguments and leaves with its exit code."""
    try:
        status = _start()
    except KeyboardInterrupt:
        # Before the boundary stands, and while it takes its things away, nobody else would tell it.
        status = 130
    sys.exit(status)


def _start() -> int:
    _open_streams()
    from gitops_tk import process, scratch, trace
    from gitops_tk.repository import early

    scratch.install_signal_handlers()
    # What is read stays until the end, and is no garbage: looking through it again and again took half of a
    # status over 9,000 files.
    gc.set_threshold(500_000, 20, 100)
    trace.on = trace.begins(sys.argv[1:], os.environ.get("GITOPS_TK_VERBOSE"))
    # A clone that is sure to be needed runs while Python still imports.
    try:
        early.begin(sys.argv[1:], os.environ)
        return run(sys.argv[1:])
    except KeyboardInterrupt:
        process.stop_all()
        scratch.clean()
        raise


def _open_streams() -> None:
    # A caller may close them (`>&-`): what is opened next would take their place.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - open until the end
    for stream in (sys.stdout, sys.stderr):
        # What is not UTF-8, such as a file's name, is written as an escape, which JSON has as well.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; every failure is told, none is raised."""
    from gitops_tk.cli.boundary import guarded

    return guarded(list(arguments))


if __name__ == "__main__":
    main()
