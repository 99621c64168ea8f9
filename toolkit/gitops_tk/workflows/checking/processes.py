"""Work on releases spread over processes, each with an engine of its own: the engine does not use two cores in one.

Processes are spawned, never forked: a fork after the Helm library was loaded hangs.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from gitops_tk import scratch
from gitops_tk.errors import GitopsTkError

# A process needs about a second until it has loaded engine and schemas: less work is done sooner without.
_WORTH_IT = 24
# https://docs.python.org/3/using/cmdline.html#envvar-PYTHONSAFEPATH
_SAFE = "PYTHONSAFEPATH"

Job = TypeVar("Job")
Answer = TypeVar("Answer")
Settings = TypeVar("Settings")

_worker: Callable[[Any], Any] | None = None


def run(
    jobs: Sequence[Job],
    begin: Callable[[Settings], Callable[[Job], Answer]],
    settings: Settings,
    *,
    releases: int,
    processes: int | None = None,
) -> Iterator[Answer]:
    """Does all jobs, and yields the answers in their order.

    Args:
        begin: makes, in each process, what does a job; a function or class of a module.
        settings: what it is made with.
        releases: how many releases are rendered in all.
        processes: how many at most; None for one a core, where that is sooner.

    Raises:
        GitopsTkError: a process was ended from outside, or the work cannot be done.
    """
    wanted = processes or _sensible(releases)
    if min(wanted, len(jobs)) <= 1:
        yield from map(begin(settings), jobs)
        return
    with _safe_imports():
        yield from _spread(jobs, begin, settings, min(wanted, len(jobs)))


def _spread(
    jobs: Sequence[Job], begin: Callable[[Settings], Callable[[Job], Answer]], settings: Settings, processes: int
) -> Iterator[Answer]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, (begin, settings))
    try:
        yield from pool.map(_do, jobs)
    except BrokenProcessPool as error:
        raise GitopsTkError("a process was ended from outside", code="process-ended") from error
    except BaseException:
        # Python before 3.11.5 waits for ever until somebody has read the jobs that nobody is left to read.
        queue = getattr(pool, "_call_queue", None)
        if queue is not None:
            queue.cancel_join_thread()
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
            child.join()
        raise
    finally:
        pool.shutdown()


@contextmanager
def _safe_imports() -> Iterator[None]:
    """Has no process of Python's import from the folder that we are called in: it may be a checkout."""
    before = os.environ.get(_SAFE)
    os.environ[_SAFE] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE, None)
        else:
            os.environ[_SAFE] = before


def _begin(begin: Callable[[Any], Callable[[Any], Any]], settings: Any) -> None:
    global _worker
    # Ctrl-C goes to all processes of a terminal: the parent alone decides, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_follow, daemon=True).start()
    _worker = begin(settings)


def _do(job: Any) -> Any:
    if _worker is None:
        raise RuntimeError("the process was not begun")
    return _worker(job)


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
