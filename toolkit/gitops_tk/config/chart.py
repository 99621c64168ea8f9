"""Charts that are published elsewhere: where, and which key of a service's values pins the version."""

from typing import Annotated, Any

from msgspec import Meta, Struct

VERSION_KEY = "global.chart.version"
_SERVICE = "{service}"


def _text(description: str) -> Any:
    return Meta(description=description)


class FilePublishedChart(Struct, kw_only=True, forbid_unknown_fields=True):
    """A chart that is published elsewhere, for all services; {service} may be in its name."""

    oci: Annotated[str | None, _text("Its address in an OCI registry: oci://registry.example.com/charts/web.")] = None
    repository: Annotated[str | None, _text("The https:// address of a chart repository that has it.")] = None
    name: Annotated[str | None, _text("Its name in that repository.")] = None
    version: Annotated[str, _text("The key of a service's own values that pins its version.")] = VERSION_KEY


class PublishedChart(Struct, frozen=True, kw_only=True):
    """A chart that is published elsewhere.

    Attributes:
        repository: what has it: `oci://registry.example.com/charts`, or `https://charts.example.com`.
        name: what it is called there. In both, {service} stands for a service's name.
        version: the dotted key that pins its version.
    """

    repository: str
    name: str
    version: str

    @property
    def key(self) -> tuple[str, ...]:
        """The key that pins the version, step by step; its names are plain ones."""
        return tuple(self.version.split("."))

    @property
    def is_oci(self) -> bool:
        """Whether a registry has it; else a chart repository."""
        return self.repository.startswith("oci://")

    @property
    def repo_url(self) -> str:
        """What Argo CD calls the registry or repository: a registry is written without its scheme."""
        return self.repository.removeprefix("oci://")

    @property
    def address(self) -> str:
        """Where it is, as people write it; it takes the place of the chart's folder, and is no path."""
        return f"{self.repository}/{self.name}"

    def of(self, service: str) -> "PublishedChart":
        """The chart of one service."""
        repository, name = (text.replace(_SERVICE, service) for text in (self.repository, self.name))
        return PublishedChart(repository=repository, name=name, version=self.version)


def to_builtins(chart: PublishedChart) -> dict[str, str]:
    """The chart under the keys of the file."""
    if chart.is_oci:
        return {"oci": chart.address, "version": chart.version}
    return {"repository": chart.repository, "name": chart.name, "version": chart.version}
