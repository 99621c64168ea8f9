"""A release's values: the chart's, those the environment shares, the service's own; later wins."""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from gitops_tk.charts.schema import allows
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import EditRefused, MissingFile
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.document import Document
from gitops_tk.values.merge import Merged, merge
from gitops_tk.workflows.holding import read_holds

if TYPE_CHECKING:
    from gitops_tk.policy.holds import Hold

CHART_VALUES = "values.yaml"
CHART_SCHEMA = "values.schema.json"
# Shared values belong to every service, and a chart's to each of its environments: what was read last is kept.
_read = lru_cache(maxsize=16)(Document.read)


class ChartFiles(Struct, frozen=True):
    """What layers need of a chart."""

    values: bytes | None
    schema: bytes | None


def of_chart(files: Mapping[str, bytes]) -> ChartFiles:
    """What layers need of a chart's files, by their paths inside it."""
    return ChartFiles(files.get(CHART_VALUES), files.get(CHART_SCHEMA))


class Layers:
    """The values files of one service in one environment.

    Attributes:
        own_path: the service's own values file in the environment.
        own: its bytes, or None where the service is not in the environment.
        hold: the hold on the service in the environment, be it over or not; None where there is none, or was not read.
        paths: where the layers are, lowest first, whether they exist or not; the own one is the last.
    """

    def __init__(
        self,
        service: str,
        env: str,
        own_path: str,
        files: Mapping[str, bytes],
        lower: Iterable[str],
        schema: str,
        hold: "Hold | None" = None,
    ) -> None:
        self.service = service
        self.env = env
        self.own_path = own_path
        self.own = files.get(own_path)
        self.hold = hold
        self._files = files
        # The first of the lower ones is the chart's own, which Helm merges by a rule of its own.
        self.paths = [*lower, own_path]
        self._schema = schema

    @cached_property
    def document(self) -> Document:
        """The service's own values; empty where there is no file."""
        return Document.read(self.own or b"", self.own_path)

    @cached_property
    def merged(self) -> Merged:
        """What Helm merges the layers to."""
        chart, *lower = [self._document(path) for path in self.paths[:-1]]
        return merge([*(one for one in lower if one), self.document], chart)

    @cached_property
    def below(self) -> Merged:
        """What Helm merges the layers below the service's own file to."""
        chart, *lower = [self._document(path) for path in self.paths[:-1]]
        return merge([one for one in lower if one], chart)

    @cached_property
    def legible(self) -> Merged:
        """What those layers merge to that can be read; the service's own file has to be."""
        chart, *lower = [self._read_or_none(path) for path in self.paths[:-1]]
        return merge([*(one for one in lower if one), self.document], chart)

    def with_own(self, data: bytes) -> "Layers":
        """The same layers, with other bytes in the service's own file."""
        files = {**self._files, self.own_path: data}
        return Layers(self.service, self.env, self.own_path, files, self.paths[:-1], self._schema, self.hold)

    @property
    def chart(self) -> "ChartFiles":
        """The values and the schema of its chart, where they are there; the schema only if it was read."""
        return ChartFiles(self._files.get(self.paths[0]), self._files.get(self._schema))

    def with_chart(self, chart: "ChartFiles") -> "Layers":
        """The same layers, over another chart."""
        files = {path: self._files[path] for path in self.paths[1:] if path in self._files}
        if chart.values is not None:
            files[self.paths[0]] = chart.values
        if chart.schema is not None:
            files[self._schema] = chart.schema
        return Layers(self.service, self.env, self.own_path, files, self.paths[:-1], self._schema, self.hold)

    def _document(self, path: str) -> Document | None:
        return _read(self._files[path], path) if path in self._files else None

    def _read_or_none(self, path: str) -> Document | None:
        try:
            return self._document(path)
        except EditRefused:
            return None

    def allows(self, key: str, value: int | str) -> bool:
        """Whether the chart's schema, if there is one, lets this dotted key have a value."""
        return allows(self._files.get(self._schema), key, value)


def layer_paths(config: Config, service: str, environment: Environment) -> list[str]:
    """Where the layers of a service's values in an environment are, lowest first, whether they exist or not."""
    layout = config.layout
    shared = layout.shared_path(environment)
    chart = f"{layout.chart_path(service, environment)}/{CHART_VALUES}"
    return [chart, *([shared] if shared else []), layout.values_path(service, environment)]


def read_layers(
    snapshot: Snapshot,
    config: Config,
    pairs: Collection[tuple[str, str]],
    *,
    schema: bool = False,
    holds: bool = False,
) -> dict[tuple[str, str], Layers]:
    """Reads the layers of each `(service, environment name)` in one request.

    Args:
        schema: read the charts' schemas too, which `Layers.allows` needs.
        holds: read the holds too.
    """
    by_name = {environment.name: environment for environment in config.environments}
    paths: dict[tuple[str, str], tuple[str, list[str], str]] = {}
    for service, env in pairs:
        *lower, own = layer_paths(config, service, by_name[env])
        paths[service, env] = (own, lower, f"{config.layout.chart_path(service, by_name[env])}/{CHART_SCHEMA}")
    wanted: dict[str, None] = {}
    for own, lower, schema_path in paths.values():
        wanted |= dict.fromkeys((own, *lower, *([schema_path] if schema else [])))
    held = read_holds(snapshot, pairs, wanted) if holds else {}
    files = snapshot.read(wanted)
    return {
        (service, env): Layers(service, env, own, files, lower, schema_path, held.get((service, env)))
        for (service, env), (own, lower, schema_path) in paths.items()
    }


def require(layers: Layers, snapshot: Snapshot, config: Config, environment: Environment) -> bytes:
    """Returns the service's own values file, or explains that there is none.

    Raises:
        MissingFile: the service is unknown, or not in this environment.
    """
    if layers.own is not None:
        return layers.own
    known = config.layout.find_services(snapshot)
    if layers.service in known:
        there = ", ".join(known[layers.service])
        raise MissingFile(
            f"{layers.service} has no values in {environment.name}: {layers.own_path} is not there",
            code="service-not-in-environment",
            hint=f"it is in {there}; add the file to bring it to {environment.name}",
            file=layers.own_path,
        )
    raise unknown_service(layers.service, known, layers.own_path)


def unknown_service(service: str, known: Iterable[str], file: str | None = None) -> MissingFile:
    """The error for a service that the repository does not have, with the nearest name it has."""
    from difflib import get_close_matches

    nearest = get_close_matches(service, list(known), n=1)
    return MissingFile(
        f"there is no service {service}",
        code="unknown-service",
        hint=f"did you mean {nearest[0]}?" if nearest else "gitops-tk status lists the services",
        file=file,
    )
