"""The program, started from a process that has imported it already: `python -m tests.support.warm FD`.

A start of Python and the imports take five times as long as most commands do. Here they are made once, and each run
is a fork of that: a process of its own as before, with its own arguments, environment, folder and streams. The Helm
engine's process, which takes longer to start than all that, is lent to one run after the other; the one that fills a
team's templates in is a fork as well.
"""

import atexit
import contextlib
import gc
import importlib
import json
import mmap
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import gitops_tk
from gitops_tk import process, resources
from gitops_tk.charts import embedded, templates
from gitops_tk.charts.skeleton import Skeleton

_LIBRARIES = ("concurrent.futures.process", "jinja2.sandbox", "kubernetes_validate", "multiprocessing.spawn")
# What runs the program; and the engine's process alone, whose library makes each fork dear.
_NOT_IMPORTED = ("gitops_tk.__main__", "gitops_tk.charts.worker")
# The process that a team's templates are filled in by.
_FILLING = ("-P", "-m", "gitops_tk.charts.templates")
_ONE_STARTS = threading.Lock()


def run(arguments: Sequence[str], cwd: Path, environ: Mapping[str, str], timeout: float) -> tuple[int, bytes, bytes]:
    """Runs the program to its end; returns its exit code and what it wrote."""
    pipes = [os.pipe() for _ in range(3)]
    with Path(os.devnull).open() as nothing:
        request = json.dumps([list(arguments), str(cwd), dict(environ)]).encode()
        with _ONE_STARTS:
            server = _server()
        socket.send_fds(server.requests, [request], [nothing.fileno(), *(writer for _, writer in pipes)])
    for _, writer in pipes:
        os.close(writer)
    out, err, status = _read([reader for reader, _ in pipes], time.monotonic() + timeout)
    return int(status), out, err


def program(path: Path) -> int:
    """Writes a program that does the same for shells, with their streams, folder and environment.

    Returns:
        The file that those who start it have to let it inherit.
    """
    path.write_text(f"#!{sys.executable} -IS\n" + _CLIENT.format(inherited()))
    path.chmod(0o755)
    return inherited()


def inherited() -> int:
    """The file that those who start such a program have to let it inherit."""
    return _server().requests.fileno()


# No site, no path, four small modules: it starts in a tenth of the time.
_CLIENT = """
import json, os, socket, sys

reader, writer = os.pipe()
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(socket.socket(fileno={}), [request], [0, 1, 2, writer])
os.close(writer)
sys.exit(int(os.read(reader, 16)))
"""


def _read(readers: Sequence[int], deadline: float) -> list[bytes]:
    """What comes out of pipes until all are closed."""
    found = dict.fromkeys(readers, b"")
    with selectors.DefaultSelector() as waiting:
        for reader in readers:
            waiting.register(reader, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(deadline - time.monotonic())
            assert ready, "the program did not end in its time"
            for key, _ in ready:
                part = os.read(key.fd, 1 << 16)
                found[key.fd] += part
                if not part:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
    return list(found.values())


class _Server:
    """The process that has imported; it ends when this one does."""

    def __init__(self) -> None:
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        number = theirs.fileno()
        self.process = subprocess.Popen([sys.executable, "-m", __name__, str(number)], pass_fds=[number])
        theirs.close()
        atexit.register(self._end)

    def _end(self) -> None:
        self.requests.close()
        self.process.wait()


_server = cache(_Server)


class _Engine:
    """The Helm engine's process as a run sees it: it has started it itself, as far as it can tell."""

    def __init__(self) -> None:
        self._started = embedded._worker._started()
        # Nobody ends it with the programs that a run has started.
        process._running.clear()
        self.stdin, self.stdout, self.stderr = self._started.stdin, self._started.stdout, self._started.stderr
        self.files = {stream.fileno() for stream in (self.stdin, self.stdout, self.stderr) if stream is not None}
        self.returncode: int | None = None
        # Seen by all forks.
        self._free = mmap.mmap(-1, 1)
        self.borrower = 0
        self.give_back()

    def lent(self) -> bool:
        """Whether the next run gets it."""
        free = bool(self._free[0])
        self._free[0] = False
        return free

    def give_back(self) -> None:
        """The run that has had it is over, and has read each answer."""
        if self.returncode is None:
            self._free[0] = True

    def renewed(self) -> "_Engine":
        """Itself; another one where a run that had it was killed, or has ended it."""
        if self._free[0] or _lives(self.borrower):
            return self
        self._started.kill()
        self._started.communicate()
        embedded._worker._process = None
        return _Engine()

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        os.kill(self._started.pid, signal.SIGKILL)
        self.returncode = -signal.SIGKILL

    def wait(self, timeout: float | None = None) -> int | None:
        return self.returncode


class _Program(subprocess.Popen[bytes]):
    """A program that a run starts; the one that fills a team's templates in is a fork, and is held in like another."""

    def _execute_child(self, args: Any, *more: Any) -> None:
        if tuple(args[1:]) != _FILLING:
            super()._execute_child(args, *more)  # type: ignore[misc]
            return
        pipes = more[9:15]
        self.pid = os.fork()
        if not self.pid:
            _fill((pipes[0], pipes[3], pipes[5]))
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def _fill(streams: Sequence[int]) -> NoReturn:
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for known, stream in enumerate(streams):
            os.dup2(stream, known)
        os.closerange(3, 256)
        sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w", closefd=False)
        runpy.run_module(_FILLING[-1], run_name="__main__")
        sys.stdout.flush()
        status = 0
    finally:
        os._exit(status)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def _serve(requests: socket.socket) -> None:
    for module in pkgutil.walk_packages(gitops_tk.__path__, "gitops_tk."):
        if module.name not in _NOT_IMPORTED:
            importlib.import_module(module.name)
    for name in _LIBRARIES:
        importlib.import_module(name)
    skeleton = Skeleton.in_folder(resources.folder("chart-skeleton"))
    for path, data in skeleton.files.items():
        if skeleton._is_templated(path):
            templates.template(data.decode())
    engine = _Engine()
    subprocess.Popen = _Program  # type: ignore[misc]
    gc.freeze()
    # Nobody waits for the forks: each tells its end itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, streams, _, _ = socket.recv_fds(requests, 1 << 20, 4)
        if not request:
            return
        engine = engine.renewed()
        lent = engine.lent()
        run = os.fork()
        if not run:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _watch(*json.loads(request), streams, engine if lent else None)
        if lent:
            engine.borrower = run
        for stream in streams:
            os.close(stream)


def _watch(arguments: list[str], cwd: str, environ: dict[str, str], streams: list[int], engine: _Engine | None) -> None:
    """Forks once more, for the program itself, and tells how that ended."""
    program = os.fork()
    if program:
        for stream in streams[:3]:
            os.close(stream)
        status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])

        os.write(streams[3], b"%d" % status)
        os._exit(0)
    for known, stream in enumerate(streams[:3]):
        os.dup2(stream, known)
    for number in set(range(3, 256)) - (engine.files if engine else set()):
        with contextlib.suppress(OSError):
            os.close(number)
    embedded._worker._process = engine  # type: ignore[assignment]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(known, "rww"[known], closefd=False) for known in range(3))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["gitops-tk", *arguments]
    try:
        runpy.run_module("gitops_tk", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        # As Python ends, but for taking apart what was imported: that takes longer than most commands.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        if engine:
            engine.give_back()
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
