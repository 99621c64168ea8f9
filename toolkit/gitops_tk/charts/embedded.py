"""The Helm 4 engine in this process: the one module that touches helm_python.

Its `render` does not take a Kubernetes version, check the schema, or order what it returns, so one private
function of it is called; the version is pinned, and tests hold the result against `helm template`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import helm_python
import yaml

from gitops_tk import scratch
from gitops_tk.charts import manifest
from gitops_tk.charts.engine import (
    ChartFiles,
    Dependency,
    SchemaFinding,
    check_release,
    laid_out,
    placed_error,
    pulled,
)
from gitops_tk.errors import ChartError, UsageError

_FINDING = re.compile(r"^\s*- at '(?P<pointer>[^']*)': (?P<message>.+)$", re.MULTILINE)
# Asks Helm itself whether a version satisfies Chart.yaml's kubeVersion: rendering alone does not.
_PROBE = {
    "Chart.yaml": b"apiVersion: v2\nname: probe\nversion: 0.1.0\n",
    "templates/probe.yaml": b"{{ semverCompare .Values.constraint .Capabilities.KubeVersion.Version }}",
}


class EmbeddedEngine:
    """The library's engine."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"embedded Helm {helm_python.EXPECTED_HELM_SDK_VERSION}"

    def load(self, chart: ChartFiles, *, root: str) -> "_Chart":
        """Reads a chart.

        Raises:
            ChartError: it is no chart.
        """
        with laid_out(chart, root) as folder, _quiet():
            try:
                handle = helm_python.Chart.load(str(folder))
            except helm_python.HelmError as error:
                raise _chart_error(error, root, "chart-load") from error
        return _Chart(handle, chart, root)

    def pull(self, dependency: Dependency) -> bytes:
        """Fetches a chart's archive."""
        registry = dependency.repository.startswith("oci://")
        what = f"{dependency.repository.rstrip('/')}/{dependency.name}" if registry else dependency.name
        failed = None
        with scratch.folder() as folder, _quiet():
            try:
                helm_python.pull(
                    what,
                    destination=str(folder),
                    version=dependency.version,
                    repo_url=None if registry else dependency.repository,
                )
            except helm_python.HelmError as error:
                failed = str(error)
            return pulled(folder, dependency, failed)


class _Chart:
    def __init__(self, handle: Any, files: ChartFiles, root: str) -> None:
        self._handle = handle
        self._root = root
        self._constraint = _kube_constraint(files)

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
        findings = self.schema_findings(values)
        if findings:
            raise ChartError(
                f"values do not fit {self._root}/values.schema.json: "
                + "; ".join(f"{'.'.join(one.pointer) or 'values'}: {one.message}" for one in findings),
                code="values-schema",
                file=f"{self._root}/values.schema.json",
            )
        options: dict[str, Any] = {"name": release, "namespace": namespace}
        if kube_version:
            options["kube_version"] = kube_version
        if api_versions:
            options["api_versions"] = list(api_versions)
        self._check_kube_version(options)
        return manifest.printed(_render(self._handle, values, options, self._root), self._root)

    def schema_findings(self, values: Mapping[str, Any]) -> list[SchemaFinding]:
        with _quiet():
            try:
                self._handle.validate_schema(dict(values))
            except helm_python.HelmValuesError as error:
                found = [
                    SchemaFinding(tuple(part for part in match["pointer"].split("/") if part), match["message"])
                    for match in _FINDING.finditer(str(error))
                ]
                return found or [SchemaFinding((), re.sub(r"\s+", " ", str(error)))]
            except helm_python.HelmError as error:
                raise _chart_error(error, self._root, "chart-schema") from error
        return []

    def _check_kube_version(self, options: Mapping[str, Any]) -> None:
        if self._constraint is None:
            return
        with laid_out(_PROBE, self._root) as folder, _quiet():
            probe = helm_python.Chart.load(str(folder))
        constraint = {"constraint": self._constraint}
        answer = _render(probe, constraint, {"name": "probe", "namespace": "default", **options}, self._root)
        if "false" in answer.values():
            version = options.get("kube_version", "the engine's default version")
            raise ChartError(
                f"the chart needs Kubernetes {self._constraint}, and is rendered for {version}",
                code="kube-version",
                hint="choose another with --kube-version, or change kubeVersion in Chart.yaml",
                file=f"{self._root}/Chart.yaml",
            )


def _render(handle: Any, values: Mapping[str, Any], options: Mapping[str, Any], root: str) -> dict[str, str]:
    with _quiet():
        try:
            text = helm_python._native.call_string(
                "helm_render", handle._raw(), json.dumps(values), json.dumps(dict(options))
            )
        except helm_python.HelmInvalidArgError as error:
            raise UsageError(f"Helm does not take an option: {error}", code="bad-helm-option") from error
        except helm_python.HelmError as error:
            raise _chart_error(error, root, "render") from error
    found: dict[str, str] = json.loads(text)
    return found


def _kube_constraint(files: ChartFiles) -> str | None:
    try:
        about = yaml.safe_load(files["Chart.yaml"])
    except yaml.YAMLError:
        return None
    constraint = about.get("kubeVersion") if isinstance(about, dict) else None
    return constraint if isinstance(constraint, str) and constraint else None


def _chart_error(error: Exception, root: str, code: str) -> ChartError:
    return placed_error(re.sub(r"/\S*gitops-tk-\w+/chart", root, str(error)), root, code)


@contextmanager
def _quiet() -> Iterator[None]:
    # Go writes its log to file descriptor 2, past Python: it would end up among the diagnostics.
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
