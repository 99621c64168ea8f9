"""Progress on a terminal, for what takes longer than a moment; nothing at all elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

# What is done by then is done without a line, and without what draws it.
_DELAY = 0.7


def is_terminal() -> bool:
    """Whether a person watches standard error."""
    return sys.stderr.isatty() and "CI" not in os.environ


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is being done, as soon as it takes its time."""
    if not is_terminal():
        yield lambda _: None
        return
    from threading import Timer

    line = _Line(what)
    timer = Timer(_DELAY, line.begin)
    timer.daemon = True
    timer.start()
    try:
        yield line.tell
    finally:
        timer.cancel()
        line.end()


class _Line:
    def __init__(self, what: str) -> None:
        from threading import Lock

        self._what = what
        self._text = what
        self._lock = Lock()
        self._has_ended = False
        self._status: Status | None = None

    def begin(self) -> None:
        from rich.console import Console

        with self._lock:
            if not self._has_ended:
                self._status = Console(stderr=True, no_color="NO_COLOR" in os.environ).status(self._text)
                self._status.start()

    def tell(self, item: str) -> None:
        with self._lock:
            self._text = f"{self._what} {item}"
            if self._status is not None:
                self._status.update(self._text)

    def end(self) -> None:
        with self._lock:
            self._has_ended = True
            if self._status is not None:
                self._status.stop()
