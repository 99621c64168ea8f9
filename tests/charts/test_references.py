"""Schemas read nothing but themselves: no file of this machine, and nothing from the network."""

import io
import json
import tarfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gitops_tk.charts import engine
from gitops_tk.charts.engine import Dependency
from gitops_tk.errors import ChartError

_CHART = {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\n"}


def _render(files: dict[str, bytes]) -> str:
    loaded = engine.find({"GITOPS_TK_HELM": "embedded"}).load({**_CHART, **files}, root="c")
    return loaded.render({"a": 1}, release="r", namespace="n")


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "SECRET"},
        {"properties": {"a": {"allOf": [{"$ref": "SECRET"}]}}},
        {"$ref": "secret.json"},
        {"$id": "http://example.com/x.json", "$ref": "secret.json"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$dynamicRef": "SECRET"},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveRef": "SECRET"},
        {"$schema": "SECRET"},
    ],
)
@pytest.mark.parametrize("place", ["values.schema.json", "charts/sub/values.schema.json", "archive", "nested archive"])
def test_a_schema_that_refers_to_a_file_is_refused(schema: dict[str, Any], place: str, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"enum": ["the secret"]}')
    text = json.dumps(schema).replace("SECRET", (tmp_path / "secret.json").as_uri()).encode()
    sub = {"sub/Chart.yaml": _CHART["Chart.yaml"], "sub\\values.schema.json": text}
    files = {
        "archive": {"charts/sub-1.0.0.tgz": _archive(sub)},
        "nested archive": {"charts/b-1.0.0.tgz": _archive({"b/charts/sub-1.0.0.tgz": _archive(sub)})},
    }.get(place, {place: text})
    with pytest.raises(ChartError) as refused:
        _render(files)
    assert refused.value.code == "schema-reference"
    assert "the secret" not in refused.value.message


def test_a_schema_asks_no_server() -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/x.json"
        with pytest.raises(ChartError):
            _render({"values.schema.json": json.dumps({"$ref": address}).encode()})
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/x", "$defs": {"x": {"type": "object"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"$ref": {"type": "string"}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
    ],
)
def test_a_schema_may_refer_to_itself(schema: dict[str, Any]) -> None:
    template = b"kind: A\n"
    assert "kind: A" in _render({"values.schema.json": json.dumps(schema).encode(), "templates/a.yaml": template})


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"values.schema.json": b"{"}, "chart-schema"),
        ({"values.schema.json": b"[" * 200_000}, "chart-schema"),
        ({"charts/a-1.tgz": b"no archive"}, "chart-load"),
    ],
)
def test_what_cannot_be_looked_through_is_refused(files: dict[str, bytes], code: str) -> None:
    with pytest.raises(ChartError) as refused:
        _render(files)
    assert refused.value.code == code


def _nested(files: dict[str, bytes], *counts: int) -> dict[str, bytes]:
    """Archives of these files, so many beside each other, in archives of archives."""
    for count in counts:
        files = dict.fromkeys((f"a/charts/{number}.tgz" for number in range(count)), _archive(files))
    return {name.removeprefix("a/"): data for name, data in files.items()}


@pytest.mark.parametrize(
    ("size", "counts", "code"),
    [
        (101 << 20, (1,), "chart-too-large"),
        # A few kilobytes, looked through for an hour.
        (30 << 20, (30, 30), "chart-too-large"),
        (1, (1, 1, 1, 1, 1), "chart-load"),
    ],
)
def test_an_archive_that_becomes_too_large_is_refused(size: int, counts: tuple[int, ...], code: str) -> None:
    with pytest.raises(ChartError) as refused:
        _render(_nested({"a/x": b"\0" * size}, *counts))
    assert refused.value.code == code


def test_a_chart_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "_MOST_BYTES", 10)
    (tmp_path / "a-1.0.0.tgz").write_bytes(b"x" * 11)
    needed = Dependency(name="a", version="1.0.0", repository="https://charts.example.com")
    for refuse, code in (
        (lambda: _render({}), "chart-too-large"),
        (lambda: engine.pulled(tmp_path, needed, None), "dependency-pull"),
    ):
        with pytest.raises(ChartError) as refused:
            refuse()
        assert refused.value.code == code
