"""Temporary folders that leave with the program, however it leaves.

Each folder holds a locked file. A folder whose lock is free was left by a process that was
killed; one without a lock was made again by a child of a git that was stopped. Later runs sweep both.
"""

import contextlib
import fcntl
import os
import re
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from gitops_tk.errors import RepositoryError

_PREFIX = "gitops-tk-"
_NAME = re.compile(_PREFIX + "[0-9a-f]{16}")
_LOCK = "lock"
# In seconds.
_PAUSES = (0.02, 0.1, 0.5)
_open: dict[Path, int] = {}


def root() -> Path:
    """Where temporary folders are made: `TMPDIR`, or the system's."""
    return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the folders in it are private and unguessable


def create() -> Path:
    """Makes a private folder that `remove`, `clean` or a later `sweep` takes away.

    Raises:
        RepositoryError: the system's temporary folder cannot be written.
    """
    name = f"{_PREFIX}{os.urandom(8).hex()}"
    folder, unlocked = root() / name, root() / f".{name}"
    try:
        # Locked before it has the name that others sweep: none of them can find it unlocked.
        unlocked.mkdir(mode=0o700)
        lock = os.open(unlocked / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(folder)
    except OSError as error:
        raise RepositoryError(
            f"no temporary folder can be made in {root()}: {error.strerror}", code="disk", hint="set TMPDIR"
        ) from error
    _open[folder] = lock
    return folder


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A private folder for as long as the `with` statement lasts.

    Raises:
        RepositoryError: the system's temporary folder cannot be written.
    """
    made = create()
    try:
        yield made
    finally:
        remove(made)


def remove(folder: Path) -> None:
    """Takes a folder away; one that is gone already is fine."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    # The children of a git that was stopped may still write for a moment.
    for pause in _PAUSES if folder in _open else ():
        if not folder.exists():
            break
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
    # Known until it is gone: an interrupt in between leaves it to `clean`.
    lock = _open.pop(folder, None)
    if lock is not None:
        os.close(lock)


def clean() -> None:
    """Takes all folders of this process away."""
    for folder in list(_open):
        remove(folder)


def sweep() -> None:
    """Takes away what killed processes of this user left behind."""
    with contextlib.suppress(OSError), os.scandir(root()) as there:
        for entry in there:
            if _NAME.fullmatch(entry.name) and Path(entry.path) not in _open:
                _sweep(Path(entry.path))


def _sweep(folder: Path) -> None:
    with contextlib.suppress(OSError):
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
            return
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            remove(folder)
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(folder)
        finally:
            os.close(lock)


def install_signal_handlers() -> None:
    """Makes SIGTERM end the program as Ctrl-C does, so that nothing is left behind."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
