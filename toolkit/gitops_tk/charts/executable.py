"""A `helm` executable on PATH as the engine: 3.x or 4.x."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_tk import process, scratch
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
from gitops_tk.errors import ChartError, GitopsTkError

_TIMEOUT = 60.0
_FINDING = re.compile(r"^\s*- (?:at '(?P<slashes>[^']*)'|(?P<dots>[\w.()-]+)): (?P<message>.+)$", re.MULTILINE)
# What Helm's words are about, as the embedded engine tells it.
_CODES = (
    ("chart requires kubeVersion", "kube-version"),
    ("library charts are not installable", "library-chart"),
    ("YAML parse error", "manifest-yaml"),
    ("^Error: (?:cannot load|validation:|error unpacking|Chart.yaml file is missing|parse error)", "chart-load"),
    ("", "render"),
)
_ADVICE = "Use --debug flag to render out invalid YAML"
_KEPT = ("PATH", "LANG", "TMPDIR")


class HelmExecutable:
    """The engine of a program.

    Args:
        program: its path.
        environ: the process's environment, of which Helm gets what it needs and no token.
    """

    def __init__(self, program: str, environ: Mapping[str, str]) -> None:
        self._program = program
        self._environ = {name: environ[name] for name in _KEPT if name in environ}
        self._all = environ

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self._program

    @property
    def version(self) -> str:
        """Helm's own version; empty where it does not say."""
        try:
            done = process.run([self._program, "version", "--short"], env=self._environ, timeout=_TIMEOUT)
        except GitopsTkError:
            return ""
        found = re.search(rb"v\d[\w.+-]*", done.stdout)
        return found[0].decode() if found and not done.status else ""

    def load(self, chart: ChartFiles, *, root: str) -> "_Chart":
        """Takes a chart; Helm reads it when it renders."""
        return _Chart(self._program, self._environ, chart, root)

    def pull(self, dependency: Dependency) -> bytes:
        """Fetches a chart's archive, with the user's own Helm logins."""
        registry = dependency.repository.startswith("oci://")
        what = f"{dependency.repository.rstrip('/')}/{dependency.name}" if registry else dependency.name
        where = [] if registry else ["--repo", dependency.repository]
        with scratch.folder() as folder:
            try:
                done = process.run(
                    [
                        self._program,
                        "pull",
                        what,
                        "--version",
                        dependency.version,
                        *where,
                        "--destination",
                        str(folder),
                    ],
                    env={**self._environ, **online(self._all, folder)},
                    cwd=folder,
                    timeout=_TIMEOUT,
                )
                failed = done.stderr.decode("utf-8", "replace") if done.status else None
            except process.TimeLimit:
                failed = "it takes too long"
            return pulled(folder, dependency, failed)


class _Chart:
    def __init__(self, program: str, environ: Mapping[str, str], chart: ChartFiles, root: str) -> None:
        self._program = program
        self._environ = environ
        self._chart = chart
        self._root = root

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
        options = ["--kube-version", kube_version] if kube_version else []
        for version in api_versions:
            options += ["--api-versions", version]
        status, text, said = self._template(values, [release, "--namespace", namespace, *options])
        if status == 0:
            return text
        if "values don't meet the specifications of the schema" in said:
            raise ChartError(self._told(said), code="values-schema", file=f"{self._root}/values.schema.json")
        raise placed_error(said, self._root, next(code for words, code in _CODES if re.search(words, said)))

    def schema_findings(self, values: Mapping[str, Any]) -> list[SchemaFinding]:
        status, _, said = self._template(values, ["schema-check"])
        if status == 0 or "values don't meet the specifications of the schema" not in said:
            return []
        found = []
        for match in _FINDING.finditer(said):
            pointer = match["slashes"].split("/") if match["slashes"] is not None else match["dots"].split(".")
            found.append(SchemaFinding(tuple(part for part in pointer if part not in ("", "(root)")), match["message"]))
        return found or [SchemaFinding((), self._told(said))]

    def _template(self, values: Mapping[str, Any], arguments: list[str]) -> tuple[int, str, str]:
        with laid_out(self._chart, self._root) as folder:
            file = folder.parent / "values.json"
            file.write_text(json.dumps(values), encoding="utf-8")
            home = folder.parent / "home"
            env = {**self._environ, "HOME": str(home), "HELM_CONFIG_HOME": str(home), "HELM_CACHE_HOME": str(home)}
            release, *options = arguments
            try:
                done = process.run(
                    [self._program, "template", release, str(folder), "--values", str(file), *options],
                    env={**env, "HELM_DATA_HOME": str(home)},
                    cwd=Path(folder.parent),
                    timeout=_TIMEOUT,
                    memory=MEMORY,
                )
            except process.TimeLimit as error:
                raise endless(self._root) from error
            said = done.stderr.decode("utf-8", "replace").replace(str(folder), self._root).replace(_ADVICE, "")
        # A signal, or Go's own end of a program that has no memory or stack left.
        if done.status < 0 or "\ngoroutine " in said:
            raise endless(self._root)
        return done.status, done.stdout.decode("utf-8", "replace"), said

    def _told(self, said: str) -> str:
        return re.sub(r"\s+", " ", said).strip().removeprefix("Error: ")
