"""Runs the program inside the error boundary: nobody but us ever sees a traceback."""

import gc
import os
import sys
from collections.abc import Sequence


def main() -> None:
    """Runs `gitops-tk` with the process's arguments and leaves with its exit code."""
    from gitops_tk.repository import early

    # What is read stays until the end, and is no garbage: looking through it again and again took half of a
    # status over 9,000 files.
    gc.set_threshold(500_000, 20, 100)
    # A clone that is sure to be needed runs while Python still imports.
    early.begin(sys.argv[1:], os.environ)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; every failure is told, none is raised."""
    from gitops_tk.cli.boundary import guarded

    return guarded(list(arguments))


if __name__ == "__main__":
    main()
