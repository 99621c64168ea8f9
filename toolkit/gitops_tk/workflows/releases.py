"""Releases rendered: a service's chart and merged values, through the Helm engine."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.charts import archive
from gitops_tk.charts.again import at_another_moment, may_differ
from gitops_tk.charts.dependencies import cached, complete
from gitops_tk.charts.engine import ChartFiles, Dependency, Engine, LoadedChart, find
from gitops_tk.config.chart import PublishedChart
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import ChartError
from gitops_tk.model.snapshot import EXECUTABLE, FILE, FOLDER, Entry, Snapshot
from gitops_tk.workflows.chart_pins import missing, pinned
from gitops_tk.workflows.layers import Layers, of_chart, read_layers, require

DEFAULT_NAMESPACE = "default"
_MOST_FETCHED = 7


class Target(Struct, frozen=True, kw_only=True):
    """What a release is rendered for.

    Attributes:
        namespace: the release's namespace; None for the one that Argo CD deploys it to, else `default`.
        kube_version: what the chart is told the cluster's version is; None for the engine's default.
        api_versions: APIs that the chart is told the cluster has, beside the built-in ones.
    """

    namespace: str | None = None
    kube_version: str | None = None
    api_versions: tuple[str, ...] = ()


class Release(Struct, frozen=True):
    """One service in one environment: its chart, loaded, and its layers.

    Attributes:
        chart_path: its chart's folder; of one that is published elsewhere its address with the version.
        files: the chart's files, its dependencies among them.
        namespace: where it is deployed to.
    """

    service: str
    environment: Environment
    chart_path: str
    files: ChartFiles
    chart: LoadedChart
    layers: Layers
    namespace: str

    def manifest(self, target: Target, values: Mapping[str, Any] | None = None) -> str:
        """The manifests, as `helm template` prints them.

        Args:
            values: others than those that the values files say.

        Raises:
            ChartError: the chart does not render with these values.
        """
        return self.chart.render(
            self.layers.merged.given if values is None else values,
            release=self.service,
            namespace=self.namespace_for(target),
            kube_version=target.kube_version,
            api_versions=target.api_versions,
        )

    def namespace_for(self, target: Target) -> str:
        """The namespace that it is rendered for."""
        return target.namespace or self.namespace


def no_chart(path: str) -> ChartError:
    """The error for a folder that should hold a chart."""
    return ChartError(
        f"there is no chart at {path}",
        code="no-chart",
        hint="layout.chart in gitops-tk.yaml says where charts are; gitops-tk new-service makes one",
        file=f"{path}/Chart.yaml",
    )


def refuse_links(entries: Iterable[Entry]) -> None:
    """Refuses what no chart may hold: it is rendered from plain files alone.

    Raises:
        ChartError: there is a symbolic link or a submodule (code `chart-not-plain`).
    """
    for entry in entries:
        if entry.mode not in (FOLDER, FILE, EXECUTABLE):
            raise ChartError(
                f"{entry.path} is a symbolic link or a submodule",
                code="chart-not-plain",
                hint="a chart is rendered from plain files alone: put the file itself there",
                file=entry.path,
            )


def chart_files(snapshot: Snapshot, path: str) -> dict[str, bytes]:
    """A chart's files by their paths inside it.

    Raises:
        ChartError: there is no chart, or it holds a symbolic link or a submodule.
    """
    entries = snapshot.tree(path)
    refuse_links((*snapshot.entries([path]).values(), *entries))
    files = snapshot.read([entry.path for entry in entries])
    if f"{path}/Chart.yaml" not in files:
        raise no_chart(path)
    return {name[len(path) + 1 :]: data for name, data in files.items()}


class Charts:
    """Charts that the engine has loaded: the last one is at hand for whoever renders the same files next.

    Args:
        environ: the process's environment, which may name a Helm engine.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: dict[str, tuple[str, ChartFiles, LoadedChart]] = {}
        self._fetched: dict[Dependency, Mapping[str, bytes]] = {}
        self._failed: dict[Dependency, str] = {}

    @cached_property
    def engine(self) -> Engine:
        """The engine; found when there is a chart to load: a repository of values alone needs no Helm."""
        return find(self._environ)

    def load(self, files: ChartFiles, path: str, variant: str = "") -> LoadedChart:
        """The chart of these files.

        Args:
            path: its folder in the repository, for messages.
            variant: which of the charts that are used beside each other it is.

        Raises:
            ChartError: it is broken.
        """
        known = self._known.get(variant)
        if known is None or known[:2] != (path, files):
            self._known[variant] = known = (path, files, self.engine.load(files, root=path))
        return known[2]

    def fetched(self, chart: Dependency, path: str) -> Mapping[str, bytes]:
        """The files of a chart that is published elsewhere, with all its dependencies.

        Args:
            path: its address with the version, for messages.

        Raises:
            ChartError: it cannot be fetched (`chart-pull`), or is broken.
        """
        if chart not in self._fetched:
            packed = self._packed(chart, path)
            # What it depends on by a path is in no repository of ours.
            files = complete(archive.chart(packed, path), path, lambda _: None, cached(self.engine.pull))
            # Two sides of a change are at hand, each with what it has gone through last.
            self._fetched = {**dict(list(self._fetched.items())[-_MOST_FETCHED:]), chart: files}
        return self._fetched[chart]

    def _packed(self, chart: Dependency, path: str) -> bytes:
        # A registry that does not answer would be waited for again by each of a hundred services.
        if chart not in self._failed:
            try:
                return cached(self.engine.pull)(chart)
            except ChartError as error:
                self._failed[chart] = error.message
        hint = "is the version published? does the registry answer? helm registry login, where it asks for one"
        raise ChartError(self._failed[chart], code="chart-pull", hint=hint, file=path)


class Renderer:
    """Renders releases; a chart that several environments share is loaded once.

    Args:
        snapshot: the repository.
        config: its configuration.
        charts: what loads its charts.
    """

    def __init__(self, snapshot: Snapshot, config: Config, charts: Charts) -> None:
        self._snapshot = snapshot
        self._config = config
        self._charts = charts
        self._path = ""
        self._files: ChartFiles = {}
        self._layers: dict[tuple[str, str], Layers] = {}

    def layers(self, service: str, environment: Environment) -> Layers:
        """The service's values in an environment, with its chart's schema.

        Raises:
            MissingFile: the service is unknown, or not in the environment.
        """
        pair = (service, environment.name)
        if pair not in self._layers:
            layers = read_layers(self._snapshot, self._config, [pair], schema=True)[pair]
            require(layers, self._snapshot, self._config, environment)
            self._layers = {pair: layers}
        return self._layers[pair]

    def has_chart(self, service: str, environment: Environment) -> bool:
        """Whether there is anything where the service's chart belongs, or a version of a published one is pinned.

        Raises:
            ChartError: what is pinned is no version.
            MissingFile: the service is unknown, or not in the environment.
        """
        if self._config.chart is not None:
            return pinned(self._config.chart, self.layers(service, environment)) is not None
        path = self._config.layout.chart_path(service, environment)
        return bool(self._snapshot.entries([path]))

    def release(self, service: str, environment: Environment) -> Release:
        """The release of a service in an environment.

        Raises:
            ChartError: the chart is missing or broken.
            MissingFile: the service is unknown, or not in the environment.
        """
        layers = self.layers(service, environment)
        path = self._config.layout.chart_path(service, environment)
        if self._config.chart is not None:
            layers, path = self._published(self._config.chart, layers)
        elif path != self._path:
            self._files, self._path = self._complete(path, self._charts.engine), path
        argocd = self._config.argocd
        namespace = argocd.namespace_of(service, environment.name) if argocd else DEFAULT_NAMESPACE
        chart = self._charts.load(self._files, path)
        return Release(service, environment, path, self._files, chart, layers, namespace)

    def again(self, release: Release, target: Target) -> str | None:
        """The release's manifests rendered once more, at another moment; None where they cannot differ.

        Raises:
            ChartError: the chart does not render.
        """
        if not may_differ(release.files):
            return None
        later = self._charts.load(at_another_moment(release.files), release.chart_path, "later")
        return replace(release, chart=later).manifest(target)

    def _published(self, chart: PublishedChart, layers: Layers) -> tuple[Layers, str]:
        """Takes the files of the chart that a release pins; returns the layers over it, and what to call it."""
        version = pinned(chart, layers)
        if version is None:
            raise missing(chart, layers)
        there = chart.of(layers.service)
        path = f"{there.address}:{version}"
        self._files = self._charts.fetched(Dependency(there.name, version, there.repository), path)
        return layers.with_chart(of_chart(self._files)), path

    def _complete(self, path: str, engine: Engine) -> Mapping[str, bytes]:
        def read_tree(folder: str) -> Mapping[str, bytes] | None:
            there = self._snapshot.entries([f"{folder}/Chart.yaml"])
            return chart_files(self._snapshot, folder) if there else None

        return complete(chart_files(self._snapshot, path), path, read_tree, cached(engine.pull))
