"""The Helm engine behind one interface: the embedded library if it is installed, else `helm` on PATH."""

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, Protocol

from msgspec import Struct

from gitops_tk import scratch
from gitops_tk.charts import references
from gitops_tk.errors import ChartError, ToolMissing, UsageError

ChartFiles = Mapping[str, bytes]

# What brings an engine.
INSTALL = "pip install 'gitops-tk[helm]', or install helm 3 or 4 so that it is on PATH"
# Helm's own limit for a chart's files (loader.MaxDecompressedChartSize).
_MOST_BYTES = 100 * 1024 * 1024
# What file systems say to names that they cannot have, or not at the same time.
_NO_PLACE = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EILSEQ)
# A template can ask for any amount of memory; no chart needs this much.
MEMORY = 4 * 1024**3
# What reaching a repository needs: proxies, certificates, and the logins that Helm and Docker keep.
_ONLINE = re.compile(r"HOME$|HELM_|XDG_|DOCKER_CONFIG$|SSL_CERT_|(?:HTTPS?|NO)_PROXY$", re.IGNORECASE)
_PLACE = re.compile(r"(?P<file>[\w./-]+\.(?:ya?ml|tpl|txt|json)):(?P<line>\d+)")


class SchemaFinding(Struct, frozen=True):
    """A value that the chart's schema refuses.

    Attributes:
        pointer: the path of the value in the merged values.
        message: what is wrong with it.
    """

    pointer: tuple[str, ...]
    message: str


class LoadedChart(Protocol):
    """A chart that the engine has read."""

    def render(
        self,
        values: Mapping[str, Any],
        *,
        release: str,
        namespace: str,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> str:
        """The manifests, as `helm template` prints them.

        Args:
            values: what the values files merge to; the engine adds the chart's defaults.
            release: the release's name, a DNS label of at most 53 characters.
            namespace: the release's namespace.
            kube_version: what the chart is told the cluster's version is, such as `1.34`.
            api_versions: APIs that it is told the cluster has, such as `monitoring.coreos.com/v1`.

        Raises:
            ChartError: the values break the chart's schema, or a template fails; with file and line.
        """

    def schema_findings(self, values: Mapping[str, Any]) -> list[SchemaFinding]:
        """The values that the chart's schema, or a subchart's, refuses."""


class Dependency(Struct, frozen=True):
    """A chart that another needs, at one version, from a chart repository (`https://`) or a registry (`oci://`)."""

    name: str
    version: str
    repository: str


class Engine(Protocol):
    """A Helm engine."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def version(self) -> str:
        """Helm's own version, such as `v4.2.3`; empty where it does not say."""

    def load(self, chart: ChartFiles, *, root: str) -> LoadedChart:
        """Reads a chart.

        Args:
            chart: its files, by their paths inside it.
            root: its folder in the repository, for messages.

        Raises:
            ChartError: it is no chart.
        """

    def pull(self, dependency: Dependency) -> bytes:
        """Fetches a chart's archive.

        Raises:
            ChartError: it is not there, or the repository cannot be reached (code `dependency-pull`).
        """


def find(environ: Mapping[str, str]) -> Engine:
    """The engine that is at hand; GITOPS_TK_HELM may say `embedded` or name an executable.

    Raises:
        ToolMissing: there is none.
    """
    chosen = environ.get("GITOPS_TK_HELM", "")
    found = _embedded() if chosen in ("", "embedded") else None
    if found is None and chosen != "embedded":
        found = _executable(chosen or "helm", environ)
    if found is None:
        raise ToolMissing("there is no Helm engine", code="helm-missing", hint=INSTALL)
    return found


def all_at_hand(environ: Mapping[str, str]) -> list[Engine]:
    """Every engine that is installed, the one that is used without a choice first."""
    chosen = environ.get("GITOPS_TK_HELM", "")
    named = "helm" if chosen in ("", "embedded") else chosen
    return [engine for engine in (_embedded(), _executable(named, environ)) if engine is not None]


def _embedded() -> Engine | None:
    if find_spec("helm_python") is None:
        return None
    from gitops_tk.charts.embedded import EmbeddedEngine

    return EmbeddedEngine()


def _executable(name: str, environ: Mapping[str, str]) -> Engine | None:
    program = which(name, path=environ.get("PATH"))
    if program is None:
        return None
    from gitops_tk.charts.executable import HelmExecutable

    return HelmExecutable(program, environ)


def endless(root: str) -> ChartError:
    """The error of a chart that an engine could not render within its time and memory."""
    return ChartError(
        f"the chart {root} takes too long or too much memory to render",
        code="chart-limit",
        hint="does a template, or a range of one, repeat itself?",
        file=root,
    )


def placed_error(text: str, root: str, code: str) -> ChartError:
    """The error that Helm's text tells of, with the file and line that it names.

    Args:
        root: the chart's folder in the repository.
    """
    text = re.sub(r"\s+", " ", text).strip().removeprefix("Error: ")
    place = _PLACE.search(text)
    if place is None:
        return ChartError(f"the chart {root}: {text}", code=code, file=root)
    # Helm names templates from the chart's name; people look for the file in the repository.
    inside = place["file"].partition("/")[2] or place["file"]
    return ChartError(text, code=code, file=f"{root}/{inside}", line=int(place["line"]))


def pulled(folder: Path, dependency: Dependency, failed: str | None) -> bytes:
    """The archive that a pull has put into a folder.

    Raises:
        ChartError: the pull failed, or there is none.
    """
    archives = sorted(folder.glob("*.tgz"))
    if failed is None and archives and archives[0].stat().st_size <= _MOST_BYTES:
        return archives[0].read_bytes()
    if failed is None and archives:
        failed = "it is larger than 100 MiB"
    said = re.sub(r"\s+", " ", failed or "Helm fetched nothing").strip().removeprefix("Error: ")
    raise ChartError(
        f"{dependency.name} {dependency.version} cannot be fetched from {dependency.repository}: {said}",
        code="dependency-pull",
        hint="run it again when the repository answers, or commit the chart's charts/ folder",
    )


def online(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The part of an environment that Helm gets to reach a repository; rendering does without it.

    Args:
        folder: where Helm may keep what it reads; the user's own cache may be one that cannot be written.
    """
    return {name: value for name, value in environ.items() if _ONLINE.match(name)} | {"HELM_CACHE_HOME": str(folder)}


def check_release(release: str, namespace: str) -> None:
    """Refuses names that Helm or Kubernetes would refuse.

    Raises:
        UsageError: the release's name is longer than 53 characters, or one of them is no DNS label.
    """
    from gitops_tk.model import names

    names.service(release)
    names.namespace(namespace)
    if len(release) > 53:
        raise UsageError(f"{release} is longer than the 53 characters that Helm allows a release", code="bad-release")


@contextmanager
def laid_out(chart: ChartFiles, root: str) -> Iterator[Path]:
    """The chart's files in a private folder of plain files, named as the chart is; removed afterwards.

    Raises:
        ChartError: a path leaves the chart or cannot be, it is larger than Helm takes, or a schema refers to other
            files.
    """
    if sum(len(data) for data in chart.values()) > _MOST_BYTES:
        raise ChartError(f"the chart {root} is larger than 100 MiB", code="chart-too-large", file=root)
    references.check(chart, root)
    with scratch.folder() as folder:
        base = folder / "chart"
        for path, data in chart.items():
            if {"", ".", ".."} & set(path.split("/")) or "\0" in path:
                raise ChartError(f"{path!r} leaves the chart", code="chart-path", file=root)
            target = base / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            except (OSError, UnicodeError) as error:
                if isinstance(error, OSError) and error.errno not in _NO_PLACE:
                    raise
                message = f"the chart {root} has a file {path[:100]!r}, for which there is no place beside the others"
                raise ChartError(message, code="chart-path", file=root) from error
        yield base
