"""Whole processes measured: wall time, peak memory, and paired ratios."""

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# What pip installs is compiled. Containers may tell Python to keep nothing that it has compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

TOOL = str(Path(sys.executable).parent / "gitops-tk")
RECIPE = str(Path(__file__).parent / "recipe.sh")


@dataclass(frozen=True)
class Pair:
    """Two commands run in turn: medians, the median of the ratios pair by pair, and our peak in megabytes."""

    ours: float
    theirs: float
    ratio: float
    megabytes: float


def run(command: Sequence[str]) -> float:
    """Runs a command to its end and returns the seconds that it took; it has to succeed."""
    started = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.decode()}")
    return seconds


def peak(command: Sequence[str]) -> float:
    """The largest memory of a command's own process, in megabytes: its high-water mark as it was last seen."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        # A process that is just ending has no memory any more, or no entry.
        with contextlib.suppress(OSError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            most = max(most, int(status.partition("VmHWM:")[2].split()[0]))
        time.sleep(0.002)
    return most / 1024


def paired(ours: Callable[[int], Sequence[str]], theirs: Callable[[int], Sequence[str]], runs: int = 15) -> Pair:
    """Runs two commands in turn, after one of each that is not counted.

    Args:
        ours: the tool's command for a run's number, from 0.
        theirs: the command that it is measured against.
        runs: how many of each are counted.
    """
    run(ours(-1))
    run(theirs(-1))
    pairs = [(run(ours(number)), run(theirs(number))) for number in range(runs)]
    return Pair(
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(one / other for one, other in pairs),
        peak(ours(runs)),
    )
