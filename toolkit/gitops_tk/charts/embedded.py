"""The Helm 4 engine that gitops-tk brings along, in a process of its own (`worker.py`).

It does not check Chart.yaml's kubeVersion when it renders, nor order what it returns; that is done here.
"""

import json
import os
import re
import sys
import weakref
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from gitops_tk import process, scratch
from gitops_tk.charts import manifest
from gitops_tk.charts.engine import (
    MEMORY,
    ChartFiles,
    Dependency,
    SchemaFinding,
    check_release,
    endless,
    laid_out,
    online,
    placed_error,
    pulled,
)
from gitops_tk.errors import ChartError, UsageError
from gitops_tk.helm_yaml import plain

_FINDING = re.compile(r"^\s*- at '(?P<pointer>[^']*)': (?P<message>.+)$", re.MULTILINE)
# Asks Helm itself whether a version satisfies Chart.yaml's kubeVersion: rendering alone does not.
_PROBE = {
    "Chart.yaml": b"apiVersion: v2\nname: probe\nversion: 0.1.0\n",
    "templates/probe.yaml": b"{{ semverCompare .Values.constraint .Capabilities.KubeVersion.Version }}",
}
# What Python needs to start; a chart gets no token to see, were there a way to look.
_KEPT = ("PATH", "LANG", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
# How Go collects its garbage: four times as seldom as it would, which was a fourth of a render, until memory grows.
_COLLECTING = {"GOGC": "400", "GOMEMLIMIT": "2GiB"}


class EmbeddedEngine:
    """The library's engine."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return "embedded Helm"

    @property
    def version(self) -> str:
        """Helm's own version; empty where it does not start."""
        worker = _Worker()
        try:
            return str(worker.ask("version", 0))
        except _Failed:
            return ""
        finally:
            worker.stop()

    def load(self, chart: ChartFiles, *, root: str) -> "_Chart":
        """Reads a chart.

        Raises:
            ChartError: it is no chart.
        """
        loaded = _Chart(chart, root)
        loaded.load()
        return loaded

    def pull(self, dependency: Dependency) -> bytes:
        """Fetches a chart's archive, with the user's own Helm logins: in a process that renders nothing."""
        registry = dependency.repository.startswith("oci://")
        what = f"{dependency.repository.rstrip('/')}/{dependency.name}" if registry else dependency.name
        where = None if registry else dependency.repository
        failed = None
        with scratch.folder() as folder:
            worker = _Worker(online(os.environ, folder))
            try:
                worker.ask("pull", 0, what=what, folder=str(folder), version=dependency.version, where=where)
            except _Failed as error:
                failed = "it takes too long" if error.kind == "ended" else str(error)
            finally:
                worker.stop()
            return pulled(folder, dependency, failed)


class _Failed(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Worker:
    """The process with the engine; a new one after one that had to end, or that somebody ended."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ or {}
        self._ended = 0
        self.numbers = count()
        self._dropped: list[int] = []
        self._process: process.Process | None = None

    @property
    def ended(self) -> int:
        """How many processes have ended by now: the charts that they knew have to be loaded again."""
        self._forget_ended()
        return self._ended

    def drop(self, chart: int) -> None:
        """Lets a chart go that nobody asks for any more."""
        self._dropped.append(chart)

    def ask(self, do: str, chart: int, **more: Any) -> Any:
        """What the engine answers.

        Raises:
            _Failed: the engine refused, or had to end (kind `ended`).
        """
        dropped = self._dropped[:]
        line = process.ask(self._started(), json.dumps({"do": do, "chart": chart, "dropped": dropped, **more}).encode())
        if line is None:
            raise _Failed("ended", "the engine had to end")
        del self._dropped[: len(dropped)]
        answer = json.loads(line)
        if "failed" in answer:
            raise _Failed(answer["failed"], answer["message"])
        return answer["found"]

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            process.stop(self._process)

    def _forget_ended(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None
            self._ended += 1

    def _started(self) -> process.Process:
        self._forget_ended()
        if self._process is None:
            kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
            env = {**kept, **_COLLECTING, **self._environ}
            # The folder that we are called in may be a checkout: nothing is imported from there (-P).
            arguments = [sys.executable, "-P", "-m", "gitops_tk.charts.worker"]
            self._process = process.start(arguments, env=env, reads=True, memory=MEMORY)
        return self._process


_worker = _Worker()


class _Chart:
    def __init__(self, files: ChartFiles, root: str) -> None:
        self._files = files
        self._root = root
        self._loaded_after = 0
        self._number = next(_worker.numbers)
        weakref.finalize(self, _worker.drop, self._number)

    def load(self) -> None:
        with laid_out(self._files, self._root) as folder:
            self._told("chart-load", "load", folder=str(folder))
        self._loaded_after = _worker.ended

    def render(
        self,
        values: Mapping[str, Any],
        *,
        release: str,
        namespace: str,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> str:
        check_release(release, namespace)
        options: dict[str, Any] = {"name": release, "namespace": namespace}
        if kube_version:
            options["kube_version"] = kube_version
        if api_versions:
            options["api_versions"] = list(api_versions)
        self._check_installable(options)
        try:
            return manifest.printed(self.rendered(values, options), self._root)
        except _Failed as error:
            raise ChartError(
                f"values do not fit {self._root}/values.schema.json: "
                + "; ".join(f"{'.'.join(one.pointer) or 'values'}: {one.message}" for one in _findings(error)),
                code="values-schema",
                file=f"{self._root}/values.schema.json",
            ) from error

    def rendered(self, values: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, str]:
        """What the engine makes of each template."""
        found: dict[str, str] = self._asked("render", "render", values=dict(values), options=dict(options))
        return found

    def schema_findings(self, values: Mapping[str, Any]) -> list[SchemaFinding]:
        try:
            self._asked("chart-schema", "check", values=dict(values))
        except _Failed as error:
            return _findings(error)
        return []

    def _asked(self, code: str, do: str, **more: Any) -> Any:
        if self._loaded_after != _worker.ended:
            # Another chart ended the process that knew this one.
            self.load()
        return self._told(code, do, **more)

    def _told(self, code: str, do: str, **more: Any) -> Any:
        try:
            return _worker.ask(do, self._number, **more)
        except _Failed as error:
            if error.kind == "values":
                raise
            if error.kind == "option":
                raise UsageError(f"Helm does not take an option: {error}", code="bad-helm-option") from error
            if error.kind == "ended":
                raise endless(self._root) from error
            raise _chart_error(error, self._root, code) from error

    def _check_installable(self, options: Mapping[str, Any]) -> None:
        about = _about(self._files)
        place = f"{self._root}/Chart.yaml"
        if about.get("type") == "library":
            raise ChartError(f"the chart {self._root} is a library, and no release", code="library-chart", file=place)
        constraint = about.get("kubeVersion")
        if not constraint:
            return
        probe = EmbeddedEngine().load(_PROBE, root=self._root)
        try:
            answer = probe.rendered({"constraint": constraint}, {**options, "name": "probe"})
        except ChartError as error:
            message = f"kubeVersion: {constraint!r} is not a range of versions"
            raise ChartError(message, code="kube-version", hint="write >=1.32.0-0", file=place) from error
        if "false" in answer.values():
            version = options.get("kube_version", "the engine's default version")
            raise ChartError(
                f"the chart needs Kubernetes {constraint}, and is rendered for {version}",
                code="kube-version",
                hint="choose another with --kube-version, or change kubeVersion in Chart.yaml",
                file=place,
            )


def _findings(error: _Failed) -> list[SchemaFinding]:
    found = [
        SchemaFinding(tuple(part for part in match["pointer"].split("/") if part), match["message"])
        for match in _FINDING.finditer(str(error))
    ]
    return sorted(found, key=lambda one: one.pointer) or [SchemaFinding((), re.sub(r"\s+", " ", str(error)))]


def _about(files: ChartFiles) -> dict[str, Any]:
    # Helm has read it already: what it took and this reader does not say nothing here.
    try:
        node = manifest.composed(files["Chart.yaml"].decode())
        return plain(node) if node is not None else {}
    except ValueError:
        return {}


def _chart_error(error: Exception, root: str, code: str) -> ChartError:
    return placed_error(re.sub(r"/\S*gitops-tk-\w+/chart", root, str(error)), root, code)
