"""A chart's dependencies: vendored, from the same repository, or from a chart repository by Chart.lock."""

import functools
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import helm_python
import pytest
from tests.support import engines

from gitops_tk.charts import dependencies, executable
from gitops_tk.charts.dependencies import cached, complete
from gitops_tk.charts.engine import Dependency, Engine
from gitops_tk.errors import ChartError

ROOT = "services/a/chart"


def nothing(_: object) -> None:
    return None


def never(dependency: Dependency) -> bytes:
    raise AssertionError(f"fetched {dependency}")


def chart(*dependencies: str) -> dict[str, bytes]:
    listed = "".join(
        f"  - {{name: {name}, version: 1.0.0, repository: '{where}'}}\n"
        for name, where in (one.split("=") for one in dependencies)
    )
    return {"Chart.yaml": f"apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n{listed or '  []'}".encode()}


def test_vendored_dependencies_are_used_as_they_are() -> None:
    files = chart("db=https://charts.example.com", "cache=https://charts.example.com")
    files |= {"charts/db/Chart.yaml": b"name: db", "charts/cache-1.0.0.tgz": b"archive"}
    assert complete(files, ROOT, nothing, never) == files


def test_a_dependency_in_the_repository_is_taken_from_there() -> None:
    asked = []

    def read(folder: str) -> dict[str, bytes]:
        asked.append(folder)
        return {"Chart.yaml": b"apiVersion: v2\nname: lib\nversion: 1.0.0\n"}

    files = complete(chart("lib=file://../../../charts/lib"), ROOT, read, never)
    assert asked == ["charts/lib"]
    assert "charts/lib/Chart.yaml" in files


@pytest.mark.parametrize("where", ["https://charts.example.com", "file://../../../../outside", "oci://x.example/y", ""])
def test_a_missing_dependency_is_an_error_and_never_a_silent_half(where: str) -> None:
    with pytest.raises(ChartError) as refused:
        complete(chart(f"db={where}"), ROOT, nothing, never)
    assert refused.value.code == "missing-dependency"


def test_dependencies_in_a_circle_are_told() -> None:
    with pytest.raises(ChartError) as refused:
        complete(chart("a=file://../a"), "charts/a", lambda _: chart("a=file://../a"), never)
    assert refused.value.code == "dependency-circle"


def test_dependencies_that_multiply_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "_MOST_FILES", 100)

    def below(folder: str) -> dict[str, bytes]:
        return chart(*(f"{name}=file://../{int(folder.rpartition('/')[2]) + 1}" for name in "abcdefghij"))

    with pytest.raises(ChartError) as refused:
        complete(
            below("charts/0"), "charts/0", lambda folder: chart() if folder.endswith("4") else below(folder), never
        )
    assert refused.value.code == "chart-too-large"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]


class Repository:
    """A chart repository with `lib` in two versions, served over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
        self.asked: list[str] = []
        self.server.asked = self.asked  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        for version in ("1.2.0", "2.0.0"):
            source = folder / "lib"
            (source / "templates").mkdir(parents=True)
            (source / "Chart.yaml").write_text(f"apiVersion: v2\nname: lib\nversion: {version}\n")
            template = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: lib-{version}}}\n"
            (source / "templates/a.yaml").write_text(template)
            helm_python.package(str(source), destination=str(folder))
            shutil.rmtree(source)
        helm_python.repo_index_generate(str(folder), base_url=self.url)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    (tmp_path / "repository").mkdir()
    served = Repository(tmp_path / "repository")
    yield served
    served.server.shutdown()
    served.server.server_close()


def locked_chart(folder: Path, dependencies: str) -> Mapping[str, bytes]:
    """A chart with the Chart.lock that Helm itself writes for its dependencies, and without their archives."""
    folder.mkdir()
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n{dependencies}")
    helm_python.dependency_update(str(folder))
    return {name: (folder / name).read_bytes() for name in ("Chart.yaml", "Chart.lock")}


@pytest.mark.parametrize("name", engines.NAMES)
def test_a_dependency_is_fetched_at_the_version_of_the_lock(name: str, repository: Repository, tmp_path: Path) -> None:
    found: Engine = engines.find(name, tmp_path)
    ranges = (
        f"- {{name: lib, version: '>=1.0 <2 || 9.*', repository: '{repository.url}', condition: 'x.on', tags: [é]}}\n"
        f"- {{name: lib, version: '^2', repository: '{repository.url}', alias: other, import-values: [data]}}\n"
    )
    files = complete(locked_chart(tmp_path / "chart", ranges), ROOT, nothing, found.pull)
    assert {path for path in files if path.startswith("charts/")} == {"charts/lib-1.2.0.tgz", "charts/lib-2.0.0.tgz"}
    text = found.load(files, root=ROOT).render({}, release="a", namespace="default")
    assert "name: lib-1.2.0" in text
    assert "name: lib-2.0.0" in text


def test_a_repository_that_never_answers_is_told_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(executable, "_TIMEOUT", 0.2)
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    engine = executable.HelmExecutable(str(program), os.environ)
    with pytest.raises(ChartError) as refused:
        engine.pull(Dependency("lib", "1.2.0", "https://charts.example.com"))
    assert refused.value.code == "dependency-pull"
    assert refused.value.message.endswith("from https://charts.example.com: it takes too long")


def test_what_was_fetched_once_is_kept_in_the_users_cache(repository: Repository, tmp_path: Path) -> None:
    files = locked_chart(tmp_path / "chart", f"- {{name: lib, version: ^1, repository: '{repository.url}'}}\n")
    first = complete(files, ROOT, nothing, cached(engines.find("embedded", tmp_path).pull))
    repository.asked.clear()
    assert complete(files, ROOT, nothing, cached(never)) == first
    assert repository.asked == []


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    files = locked_chart(tmp_path / "chart", f"- {{name: lib, version: ^1, repository: '{repository.url}'}}\n")
    pull = cached(engines.find("embedded", tmp_path).pull)
    assert "charts/lib-1.2.0.tgz" in complete(files, ROOT, nothing, pull)


def test_a_user_without_a_home_has_no_cache(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a container: no HOME, and no entry for the user that says where it would be.
    monkeypatch.delenv("HOME")
    monkeypatch.setitem(sys.modules, "pwd", None)
    files = locked_chart(tmp_path / "chart", f"- {{name: lib, version: ^1, repository: '{repository.url}'}}\n")
    pull = cached(engines.find("embedded", tmp_path).pull)
    assert "charts/lib-1.2.0.tgz" in complete(files, ROOT, nothing, pull)


def test_a_lock_that_was_made_for_others_is_refused(repository: Repository, tmp_path: Path) -> None:
    files = dict(locked_chart(tmp_path / "chart", f"- {{name: lib, version: ^1, repository: '{repository.url}'}}\n"))
    files["Chart.yaml"] = files["Chart.yaml"].replace(b"^1", b"^2")
    with pytest.raises(ChartError) as refused:
        complete(files, ROOT, nothing, never)
    assert (refused.value.code, refused.value.file) == ("lock-out-of-date", f"{ROOT}/Chart.lock")


@pytest.mark.parametrize(
    "lock",
    [
        b"",
        b"dependencies: 1",
        b"dependencies: []",
        b"dependencies: [1]",
        b"dependencies: [{name: lib, version: 1.0.0, repository: 'https://x.example'}]",
    ],
)
def test_a_lock_that_says_nothing_of_use_is_told(lock: bytes) -> None:
    with pytest.raises(ChartError) as refused:
        complete({**chart("lib=https://x.example"), "Chart.lock": lock}, ROOT, nothing, never)
    assert refused.value.code in ("missing-dependency", "lock-out-of-date")


@pytest.mark.parametrize(
    ("name", "version", "where"),
    [
        ("--debug", "1.0.0", "https://x.example"),
        ("../lib", "1.0.0", "https://x.example"),
        ("lib", "--debug", "https://x.example"),
        ("lib", "^1", "https://x.example"),
        ("lib", "1.0.0", "--repository-config=/etc/passwd"),
        ("lib", "1.0.0", "/etc"),
        ("lib", "1.0.0", "https://user:password@x.example"),
    ],
)
def test_nothing_hostile_is_handed_to_helm(name: str, version: str, where: str) -> None:
    from gitops_tk.charts.lock import digest

    entry = {"name": name, "version": version, "repository": where}
    lock = f"dependencies:\n- {{name: '{name}', version: '{version}', repository: '{where}'}}\n"
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: a\nversion: 1.0.0\n{lock}".encode(),
        "Chart.lock": f"{lock}digest: {digest([entry], [entry])}\n".encode(),
    }
    with pytest.raises(ChartError) as refused:
        complete(files, ROOT, nothing, never)
    assert refused.value.code == "missing-dependency"


@pytest.mark.parametrize("name", engines.NAMES)
@pytest.mark.parametrize("version", ["1.2.0", "7.0.0"])
def test_a_repository_that_does_not_answer_or_lacks_the_version_is_told(
    name: str, version: str, repository: Repository, tmp_path: Path
) -> None:
    where = repository.url if version == "7.0.0" else "http://127.0.0.1:1"
    with pytest.raises(ChartError) as refused:
        engines.find(name, tmp_path).pull(Dependency("lib", version, where))
    assert refused.value.code == "dependency-pull"
    assert where in refused.value.message


@pytest.mark.parametrize("text", [b"x: !!int x\n", b"- a\n", b"a: [\n", b"\xff", b"a: &a {b: *a}\n"])
def test_a_chart_yaml_that_cannot_be_read_is_told(text: bytes) -> None:
    with pytest.raises(ChartError) as refused:
        complete({"Chart.yaml": text}, ROOT, nothing, never)
    assert (refused.value.code, refused.value.file) == ("chart-load", f"{ROOT}/Chart.yaml")


def test_a_lock_that_is_no_map_is_told() -> None:
    with pytest.raises(ChartError) as refused:
        complete({**chart("lib=https://x.example"), "Chart.lock": b"[]"}, ROOT, nothing, never)
    assert (refused.value.code, refused.value.file) == ("chart-load", f"{ROOT}/Chart.lock")
