"""The starter of each profile: scaffolded, built, and run as a process."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from gitops_tk import resources
from gitops_tk.charts.answers import Answers
from gitops_tk.charts.scaffold import scaffold
from gitops_tk.charts.skeleton import Skeleton
from tests.support import golang

PROFILES = ("http", "grpc", "worker", "cronjob")
MODULE = "example.com/shop/user-service"


def write(folder: Path, profile: str) -> Path:
    """Scaffolds the application side of a profile."""
    skeleton = Skeleton.in_folder(resources.folder("chart-skeleton"))
    answers = Answers(service="user-service", image="x.example/u", profile=profile, module=MODULE, port=8080)
    for path, data in scaffold(skeleton, answers, part="app").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def build(folder: Path, profile: str) -> Path:
    """The program, built as the Dockerfile builds it."""
    source, program = write(folder / "src", profile), folder / "service"
    flags = ("-ldflags", "-s -w -X main.version=v9.8.7")
    done = golang.run(source, "build", *flags, "-o", str(program), ".", CGO_ENABLED="0")
    assert done.returncode == 0, done.stderr
    return program


class Running:
    """A starter that runs.

    Attributes:
        logs: its log lines so far.
    """

    def __init__(self, program: Path, environment: dict[str, str]) -> None:
        ports = {"PORT": "0", "GRPC_PORT": "0", "METRICS_PORT": "0"}
        self.process = subprocess.Popen(
            [str(program)], env={**ports, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.logs: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, message: str) -> dict[str, Any]:
        """The first log line with this message; fails if the process ends without it."""
        with self._news:
            while True:
                for line in self.logs:
                    if line["msg"] == message:
                        return line
                assert not self.logs or self.logs[-1]["msg"] != "(end)", self.logs
                assert self._news.wait(20), f"no {message!r} in {self.logs}"

    def port(self, which: int = 0) -> int:
        """The port of its first (HTTP) or second (metrics) server, once it is ready."""
        return int(self.wait_for("ready")["addresses"][which].rpartition(":")[2])

    def get(self, path: str, which: int = 0) -> tuple[int, str]:
        """Status and body of a GET request."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port(which)}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def end(self, sent: int) -> int:
        """Sends a signal and waits for the exit code."""
        self.process.send_signal(sent)
        return self.process.wait(timeout=30)

    def close(self) -> None:
        """Kills what still runs."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        if self.process.stdout is not None:
            with self.process.stdout as lines:
                for line in lines:
                    with self._news:
                        self.logs.append(json.loads(line) if line.startswith("{") else {"msg": line.rstrip()})
                        self._news.notify_all()
        with self._news:
            self.logs.append({"msg": "(end)"})
            self._news.notify_all()


@contextmanager
def running(program: Path, **environment: str) -> Iterator[Running]:
    """A starter for as long as the `with` statement lasts."""
    started = Running(program, environment)
    try:
        yield started
    finally:
        started.close()


def ask(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs one of its commands."""
    return subprocess.run(
        [str(program), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
