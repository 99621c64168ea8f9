"""Runs the benchmarks that are named, or all, and prints their tables."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import concurrency, delivery, evidence, looking_back, rendering, validating

_BENCHMARKS: dict[str, Callable[[Path], list[str]]] = {
    "bump": delivery.bump,
    "http": delivery.http,
    "promote": delivery.promote,
    "charts": delivery.charts,
    "status": delivery.status,
    "fifty": concurrency.fifty,
    "one-file": concurrency.one_file,
    "killed": concurrency.killed,
    "history": looking_back.looking_back,
    "render": rendering.render,
    "validate": validating.validate,
    "evidence": evidence.evidence,
}


def main() -> None:
    """Runs in a home and with an identity of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[user]\n\tname = Bench\n\temail = bench@example.com\n")
        os.environ.update(HOME=str(home), GIT_CONFIG_NOSYSTEM="1")
        for name in sys.argv[1:] or _BENCHMARKS:
            for row in _BENCHMARKS[name](Path(folder)):
                print(row, flush=True)


main()
