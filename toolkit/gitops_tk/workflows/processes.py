"""Checks spread over processes, each with an engine of its own: the engine does not use two cores in one.

Processes are spawned, never forked: a fork after the Helm library was loaded hangs.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import FrameType

from gitops_tk import scratch
from gitops_tk.errors import GitopsTkError
from gitops_tk.workflows.checks import Checker, Job, Report, Settings

# A process needs about a second until it has loaded engine and schemas: fewer releases are checked sooner without.
_WORTH_IT = 24

_checker: Checker | None = None


def run(jobs: Sequence[Job], settings: Settings, processes: int | None) -> Iterator[Report]:
    """Checks all, and yields what was found in the order of the jobs.

    Args:
        processes: how many at most; None for one a core, where that is sooner.

    Raises:
        GitopsTkError: a process was ended from outside, or the check cannot be made.
    """
    wanted = processes or _sensible(sum(len(job.envs) for job in jobs))
    if min(wanted, len(jobs)) <= 1:
        checker = Checker(settings)
        yield from map(checker.check, jobs)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(wanted, len(jobs)), context, _begin, (settings,))
    try:
        yield from pool.map(_check, jobs)
    except BrokenProcessPool as error:
        raise GitopsTkError("a process of the check was ended from outside", code="process-ended") from error
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
            child.join()
        raise
    finally:
        pool.shutdown()


def _begin(settings: Settings) -> None:
    global _checker
    # Ctrl-C goes to all processes of a terminal: the parent alone decides, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_follow, daemon=True).start()
    _checker = Checker(settings)


def _check(job: Job) -> Report:
    if _checker is None:
        raise RuntimeError("the process was not begun")
    return _checker.check(job)


def _end(_signal: int, _frame: FrameType | None) -> None:
    scratch.clean()
    os._exit(1)


def _follow() -> None:
    # A parent that is killed ends nobody: its children do it themselves.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    scratch.clean()
    os._exit(1)


def _sensible(releases: int) -> int:
    if releases < _WORTH_IT:
        return 1
    return min(_cores(), 2 * releases // _WORTH_IT)


def _cores() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
