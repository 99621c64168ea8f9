"""Progress on a terminal; nothing at all elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def is_terminal() -> bool:
    """Whether a person watches standard error."""
    return sys.stderr.isatty() and "CI" not in os.environ


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is being done."""
    if not is_terminal():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True, no_color="NO_COLOR" in os.environ).status(what) as status:
        yield lambda item: status.update(f"{what} {item}")
