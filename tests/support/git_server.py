"""A real smart-HTTP git server on 127.0.0.1, around `git http-backend`, that can be slow, strict or faulty."""

import base64
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@cache
def _backend() -> str:
    # Git's own file of it: `git http-backend` is one process more.
    folder = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{folder}/git-http-backend"


@dataclass
class Behaviour:
    """How the server treats its clients.

    Attributes:
        request_delay: seconds before each answer.
        connection_delay: seconds before a connection's first answer.
        password: what clients must send as a Basic password; None lets everybody in.
        before_push: called before a push is handled, with the number of pushes so far.
        before_refs: called before a client that will push is told the refs, with the number of pushes so far.
        drop_push_answers: how many pushes are carried out and then not answered.
        redirect_to: send every client to this base URL.
        status: answer everything with this status.
        old_protocol: speak git's first protocol alone, as behind a proxy that lets no header through.
    """

    request_delay: float = 0.0
    connection_delay: float = 0.0
    password: str | None = None
    before_push: Callable[[int], None] | None = None
    before_refs: Callable[[int], None] | None = None
    drop_push_answers: int = 0
    redirect_to: str | None = None
    status: int | None = None
    old_protocol: bool = False


@dataclass
class Counts:
    """What the server has seen."""

    requests: list[str] = field(default_factory=list)
    connections: int = 0
    pushes: int = 0
    authorizations: list[str] = field(default_factory=list)


class GitServer(ThreadingHTTPServer):
    """Serves the bare repositories of a folder."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, root: Path, behaviour: Behaviour, handler: "type[GitHandler] | None" = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or GitHandler)
        self.root = root
        self.behaviour = behaviour
        self.counts = Counts()
        self.lock = threading.Lock()

    def url(self, name: str) -> str:
        """A repository's address."""
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed break their pipes; that is no news."""


@contextmanager
def serve(root: Path, **behaviour: Any) -> Iterator[GitServer]:
    """A running server for the repositories below a folder."""
    server = GitServer(root, Behaviour(**behaviour))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class GitHandler(BaseHTTPRequestHandler):
    """Answers git; forges answer more."""

    protocol_version = "HTTP/1.1"
    # Head and body are two packets: the second must not wait until the first is acknowledged.
    disable_nagle_algorithm = True
    server: GitServer  # type: ignore[assignment]

    def setup(self) -> None:
        super().setup()
        self.first = True
        with self.server.lock:
            self.server.counts.connections += 1

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        behaviour = self.server.behaviour
        body = self._body()
        with self.server.lock:
            self.server.counts.requests.append(f"{self.command} {self.path}")
            self.server.counts.authorizations += self.headers.get_all("Authorization", [""])
        time.sleep(behaviour.request_delay + (behaviour.connection_delay if self.first else 0))
        self.first = False
        if behaviour.redirect_to:
            self._plain(302, {"Location": behaviour.redirect_to + self.path})
        elif behaviour.status:
            self._plain(behaviour.status, {})
        elif behaviour.password is not None and not self._allowed(behaviour.password):
            self._plain(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._serve(body)

    def _serve(self, body: bytes) -> None:
        behaviour = self.server.behaviour
        pushes = self.command == "POST" and self.path.endswith("/git-receive-pack")
        if behaviour.before_refs and self.path.endswith("service=git-receive-pack"):
            behaviour.before_refs(self.server.counts.pushes)
        if pushes:
            with self.server.lock:
                number = self.server.counts.pushes
                self.server.counts.pushes += 1
            if behaviour.before_push:
                behaviour.before_push(number)
        head, content = self._backend(body)
        if pushes and behaviour.drop_push_answers > 0:
            behaviour.drop_push_answers -= 1
            self.close_connection = True
            self.connection.close()
            return
        status = int(head.pop("Status", "200").split()[0])
        self._plain(status, head, content)

    def _backend(self, body: bytes) -> tuple[dict[str, str], bytes]:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.server.root),
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": "127.0.0.1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": "" if self.server.behaviour.old_protocol else self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run([_backend()], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n") if line]
        return {name: value for name, _, value in lines}, content

    def _allowed(self, password: str) -> bool:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return False
        return base64.b64decode(value).decode().partition(":")[2] == password

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _plain(self, status: int, head: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in head.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
