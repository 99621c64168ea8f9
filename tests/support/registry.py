"""A registry on 127.0.0.1 that has charts, over TLS, as the OCI distribution specification describes pulling them."""

import hashlib
import io
import json
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.http_server import certificate, running

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


class Registry(ThreadingHTTPServer):
    """What it has, and what it was asked.

    Attributes:
        login: `user:password` that it asks for; None for everybody.
        asked: each request's path with its Authorization.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.login: str | None = None
        self.asked: list[tuple[str, str | None]] = []
        self._blobs: dict[str, bytes] = {}
        self._tags: dict[str, str] = {}

    @property
    def host(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def push(self, name: str, version: str, files: Mapping[str, bytes], archive: bytes | None = None) -> None:
        """Has a chart at a version from now on.

        Args:
            name: its path in the registry, such as `charts/web`.
            files: its files by their paths inside it; Chart.yaml is made where there is none.
            archive: what it hands out in place of them.
        """
        about = f"apiVersion: v2\nname: {name.rpartition('/')[2]}\nversion: {version}\n".encode()
        packed = archive if archive is not None else pack({"Chart.yaml": about, **files}, name.rpartition("/")[2])
        config = json.dumps({"name": name.rpartition("/")[2], "version": version, "apiVersion": "v2"}).encode()
        layers = [{"mediaType": _CHART, "digest": self._kept(packed), "size": len(packed)}]
        described = {"mediaType": _CONFIG, "digest": self._kept(config), "size": len(config)}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": described, "layers": layers})
        self._tags[f"{name}:{version.replace('+', '_')}"] = self._kept(manifest.encode())

    def found(self, path: str) -> tuple[bytes, str, str] | None:
        """What is at a path below /v2/, its type and its digest."""
        name, _, what = path.partition("/manifests/")
        digest = what if what.startswith("sha256:") else self._tags.get(f"{name}:{what}", "")
        kind = _MANIFEST
        if not what:
            digest, kind = path.partition("/blobs/")[2], "application/octet-stream"
        return (self._blobs[digest], kind, digest) if digest in self._blobs else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""

    def _kept(self, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self._blobs[digest] = data
        return digest


def pack(files: Mapping[str, bytes], folder: str) -> bytes:
    """An archive of some files in a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@contextmanager
def serve(folder: Path) -> Iterator[Registry]:
    """A running registry; whoever asks it has to trust the certificate in `folder/server.pem`."""
    with running(Registry(), certificate(folder)) as registry:
        yield registry


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Registry  # type: ignore[assignment]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self) -> None:
        login = self.headers.get("Authorization")
        self.server.asked.append((self.path, login))
        if self.server.login and login != f"Basic {b64encode(self.server.login.encode()).decode()}":
            self._send(401, b"{}", {"WWW-Authenticate": 'Basic realm="charts"'})
            return
        found = self.server.found(self.path.removeprefix("/v2/"))
        if found is None:
            self._send(404, b'{"errors": [{"code": "NAME_UNKNOWN"}]}', {"Content-Type": "application/json"})
            return
        self._send(200, found[0], {"Content-Type": found[1], "Docker-Content-Digest": found[2]})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = _answer
