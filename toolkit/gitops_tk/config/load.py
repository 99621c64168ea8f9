"""Reading gitops-tk.yaml: every fault is told with its line, and what was probably meant."""

import re
from collections.abc import Iterable, Sequence

from gitops_tk.config import model, requires, sections
from gitops_tk.config.argocd_reader import argocd
from gitops_tk.config.chart import PublishedChart
from gitops_tk.config.environments import environments
from gitops_tk.config.gates import check_patterns, check_travel
from gitops_tk.config.layout import Layout, LayoutError
from gitops_tk.config.lines import Path, read, shown
from gitops_tk.config.model import Config, Environment, ImageKeys
from gitops_tk.config.source import Source
from gitops_tk.errors import ConfigError
from gitops_tk.model import names
from gitops_tk.model.snapshot import Snapshot

CONFIG_FILE = "gitops-tk.yaml"
_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def load(snapshot: Snapshot) -> Config:
    """The configuration of a repository.

    Raises:
        ConfigError: there is none, or it does not work; with file and line.
    """
    found = snapshot.read([CONFIG_FILE])
    if CONFIG_FILE not in found:
        empty = not snapshot.children([""]).get("")
        raise ConfigError(
            "the repository is empty" if empty else f"the repository has no {CONFIG_FILE}",
            code="config-missing",
            hint="start it with gitops-tk init" if empty else "gitops-tk adopt writes it for a repository with values",
            file=CONFIG_FILE,
        )
    return parse(found[CONFIG_FILE])


def parse(data: bytes, file: str = CONFIG_FILE) -> Config:
    """The configuration that a file's bytes hold.

    Raises:
        ConfigError: see the codes `config-…`.
    """
    return _Reader(Source(*read(data, file))).config()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source

    def config(self) -> Config:
        self._check_version()
        found = environments(self.source)
        known = [one.name for one in found]
        chart = self._chart()
        layout = self._layout(found, chart)
        images = self._images(("images",), {"default": model.DEFAULT_IMAGE})
        protected = {one.policy.protected: None for one in found if one.from_}
        services, travelling = {}, {}
        for name in self.source.map(("services",)):
            place: Path = ("services", name)
            self.source.check(place, names.service, name)
            # What a service has of its own is read one by one; everything else in it is unknown, and said to be.
            self.source.convert(place, model.FileService, {"images", "promotion"})
            services[name] = self._images((*place, "images"), images)
            if "promotion" in self.source.map(place):
                travelling[name] = tuple(self._promotion((*place, "promotion"), protected).keys)
        self._check_apart(chart, [images, *services.values()])
        return Config(
            environments=tuple(found),
            layout=layout,
            chart=chart,
            images=images,
            services=services,
            promotion=self._promotion(("promotion",), protected),
            travelling=travelling,
            forge=sections.forge(self.source),
            skeleton=sections.skeleton(self.source),
            validate=sections.validation(self.source, known),
            verify=sections.verification(self.source, known),
            argocd=argocd(self.source, found, layout),
            requires=self.source.content.get("requires"),
        )

    def _check_version(self) -> None:
        required = self.source.content.get("requires")
        if required is not None:
            requires.check(self.source, required)
        version = self.source.content.get("apiVersion")
        if version != model.API_VERSION:
            said = "is missing" if version is None else f"{shown(str(version))} is unknown"
            place = ("apiVersion",) if "apiVersion" in self.source.content else ()
            raise self.source.error(
                place, "config-version", f"apiVersion {said}", f"this gitops-tk reads {model.API_VERSION}"
            )
        # Everything but what has maps or lists of its own, which are read one by one to know their lines.
        known = model.FileConfig.__struct_encode_fields__
        unknown = [key for key in self.source.content if key not in known]
        if unknown:
            first = min(unknown, key=lambda key: self.source.lines.of((key,)) or 0)
            raise self.source.unknown((), first, known)

    def _chart(self) -> PublishedChart | None:
        if not isinstance(self.source.at(("layout", "chart")), dict):
            return None
        from gitops_tk.config.chart_reader import published

        return published(self.source)

    def _check_apart(self, chart: PublishedChart | None, images: Iterable[dict[str, ImageKeys]]) -> None:
        keys = {key for one in images for image in one.values() for key in model.key_parts(image).values()}
        if chart is not None and chart.version in keys:
            message = f"layout.chart.version: {chart.version} is a key of an image"
            raise self.source.error(("layout", "chart", "version"), "config-value", message)

    def _layout(self, environments: list[Environment], chart: PublishedChart | None) -> Layout:
        written = self.source.convert(("layout",), model.FileLayout, {"chart"} if chart else None)
        folder = chart.address if chart else written.chart
        templates = {"chart": folder, "values": written.values, "shared": written.shared}
        try:
            return Layout(templates, environments, published=chart is not None)
        except LayoutError as error:
            raise self.source.error(("layout", error.key), "config-layout", f"layout.{error.key}: {error}") from error

    def _images(self, place: Path, inherited: dict[str, ImageKeys]) -> dict[str, ImageKeys]:
        images = dict(inherited)
        owners: dict[str, str] = {}
        for name in self.source.map(place):
            here = (*place, name)
            if not _IMAGE_NAME.fullmatch(name):
                raise self.source.error(here, "config-value", f"{shown(name)} is not an image's name")
            written = self.source.convert(here, model.FileImage)
            keys = {part: key for part in written.__struct_fields__ if isinstance(key := getattr(written, part), str)}
            if "reference" in keys and len(keys) > 1:
                message = f"{name} has a reference, so tag, digest, build and revision are in it"
                raise self.source.error(here, "config-value", message)
            for part, key in keys.items():
                self._check_key((*here, part), key)
            images[name] = model.image_keys(written, inherited.get(name))
            if not (images[name].tag or images[name].digest or images[name].reference):
                raise self.source.error(here, "config-value", f"{name} needs a tag, a digest or a reference")
        for name, image in images.items():
            for key in (getattr(image, part) for part in image.__struct_fields__):
                if key in owners:
                    message = f"{key} would hold two things: of {owners[key]} and of {name}"
                    raise self.source.error((*place, name), "config-value", message)
                if key is not None:
                    owners[key] = name
        return images

    def _promotion(self, place: Path, protected: Iterable[Sequence[str]]) -> model.FilePromotion:
        promotion: model.FilePromotion = self.source.convert(place, model.FilePromotion)
        check_patterns(self.source, (*place, "keys"), promotion.keys)
        check_travel(self.source, (*place, "keys"), promotion.keys, protected)
        return promotion

    def _check_key(self, place: Path, key: str) -> None:
        if not key or not key.isprintable():
            raise self.source.error(place, "config-value", f"{place[0]}: {key[:60]!r} is not a key of values")
        if {"{", "}"} & set(key.replace("{service}", "")):
            message = f"{shown(key)} has a placeholder other than {{service}}"
            raise self.source.error(place, "config-value", message)
