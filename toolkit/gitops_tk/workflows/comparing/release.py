"""One service compared before and after a change: images, values, and what its charts render to.

What goes in and out is plain data, so that another process can do it.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from gitops_tk.charts import crds, fields
from gitops_tk.charts.compare import Compared, Version, compare, without
from gitops_tk.charts.masks import Mask, revealed, secrets
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.load import parse as parse_config
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.evidence import HIDDEN, Caution, FieldChange, ImageChange, ReleaseChange
from gitops_tk.model.image import Image
from gitops_tk.policy.order import older_by
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.values.edit import same
from gitops_tk.values.image import read_image
from gitops_tk.workflows.checking.checks import Job
from gitops_tk.workflows.layers import Layers
from gitops_tk.workflows.releases import DEFAULT_NAMESPACE, Charts, Release, Renderer, Target


class Pair(Struct, frozen=True, kw_only=True):
    """A service to compare.

    Attributes:
        envs: the names of the environments to compare it in.
        before: all of the repository that it needs, as it is; its environments are those that it is in.
        after: the same with the change.
    """

    service: str
    envs: tuple[str, ...]
    before: Job
    after: Job


class Sides(Struct, frozen=True, kw_only=True):
    """What is the same for every service.

    Attributes:
        before: the bytes of gitops-tk.yaml as they are.
        after: the same with the change.
        environ: the process's environment, which may name a Helm engine.
    """

    before: bytes
    after: bytes
    target: Target
    environ: Mapping[str, str]


class Found(Struct, frozen=True):
    """What was found in a service.

    Attributes:
        releases: what changes, environment by environment; those in which nothing does are left out.
        about: the Chart.yaml of its chart, where that is published elsewhere and was fetched.
    """

    releases: tuple[ReleaseChange, ...]
    about: bytes | None = None


class Comparer:
    """Compares services, one at a time."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._configs = parse_config(sides.before), parse_config(sides.after)
        self._charts = Charts(sides.environ)

    def __call__(self, pair: Pair) -> Found:
        """What changes for a service."""
        old = _Side(self._sides.before, self._configs[0], pair.before, self._charts)
        new = _Side(self._sides.after, self._configs[1], pair.after, self._charts)
        found = [self._release(pair.service, env, old, new) for env in pair.envs]
        return Found(tuple(one for one in found if one is not None), new.about)

    def _release(self, service: str, env: str, before: "_Side", after: "_Side") -> ReleaseChange | None:
        mask = Mask()
        try:
            old, new = before.layers(env), after.layers(env)
            images = list(_images(before, after, old, new))
            values = list(_values(before, after, old, new, mask)) if old and new else []
        except GitopsTkError as error:
            return ReleaseChange(service=service, env=env, not_rendered=_reason(error))
        versions = [_version(image) for image in images]
        reason, compared = None, Compared()
        try:
            compared = self._compared(env, before, after, versions, mask)
        except GitopsTkError as error:
            reason = _reason(error, old, new)
        if not images and not values and not compared.objects and reason is None:
            return None
        return ReleaseChange(
            service=service,
            env=env,
            images=tuple(images),
            values=tuple(values),
            objects=compared.objects,
            cautions=(*_downgrades(images), *compared.cautions),
            not_rendered=reason,
        )

    def _compared(self, env: str, before: "_Side", after: "_Side", versions: list[Version], mask: Mask) -> Compared:
        old, new = before.release(env), after.release(env)
        target = self._sides.target
        sides = [_documents(release, target) for release in (old, new)]
        last, renderer = (new, after.renderer) if new else (old, before.renderer)
        namespace = last.namespace_for(target) if last else DEFAULT_NAMESPACE
        found = compare(sides[0], sides[1], namespace=namespace, versions=versions, mask=mask)
        again = renderer.again(last, target) if last and found.objects else None
        if again is None:
            return found
        # What differs from one render to the next is no change.
        noise = compare(sides[1] if new else sides[0], [again], namespace=namespace, mask=mask)
        return without(found, noise)


class _Side:
    """A service on one side of a change."""

    def __init__(self, config_file: bytes, config: Config, job: Job, charts: Charts) -> None:
        snapshot = MemorySnapshot({**job.files, CONFIG_FILE: config_file}, job.others)
        self.config = config
        self.job = job
        self.renderer = Renderer(snapshot, config, charts)
        self.about: bytes | None = None

    def layers(self, env: str) -> Layers | None:
        """The service's values; None where it is not in the environment."""
        return self.renderer.layers(self.job.service, self.config.environment(env)) if env in self.job.envs else None

    def release(self, env: str) -> Release | None:
        """The service's release; None where it is not in the environment, or has no chart."""
        if env not in self.job.envs or not self.renderer.has_chart(self.job.service, self.config.environment(env)):
            return None
        release = self.renderer.release(self.job.service, self.config.environment(env))
        self.about = release.files["Chart.yaml"] if self.config.chart is not None else None
        return release


def _images(before: _Side, after: _Side, old: Layers | None, new: Layers | None) -> Iterator[ImageChange]:
    ours, theirs = (side.config.image_keys(side.job.service) for side in (before, after))
    for name in dict.fromkeys((*ours, *theirs)):
        one = read_image(old.merged, ours[name]) if old and name in ours else None
        other = read_image(new.merged, theirs[name]) if new and name in theirs else None
        if one != other:
            yield ImageChange(image=name, before=one, after=other)


def _values(before: _Side, after: _Side, old: Layers, new: Layers, mask: Mask) -> Iterator[FieldChange]:
    ours, theirs = (mask.value("", data) for data in _unlike(old.merged.data, new.merged.data))
    told = {
        key
        for side in (before, after)
        for keys in side.config.image_keys(side.job.service).values()
        for key in (keys.tag, keys.digest, keys.build, keys.revision, keys.reference)
    }
    found = fields.compare("", ours, theirs, known=False, follows_image=lambda *_: False)
    return (field for field in found if field.path not in told)


def _unlike(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two maps without what is the same in both: values are many, and few of them change."""
    ours, theirs = dict(before), dict(after)
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        if isinstance(one, dict) and isinstance(other, dict):
            ours[key], theirs[key] = _unlike(one, other)
        if same(ours[key], theirs[key]):
            del ours[key], theirs[key]
    return ours, theirs


def _version(image: ImageChange) -> Version:
    sides = [_parts(one) if one else ("",) * 4 for one in (image.before, image.after)]
    return Version(sides[0], sides[1])


def _parts(image: Image) -> tuple[str, ...]:
    return (image.tag, image.digest, image.revision, "" if image.build is None else str(image.build))


def _downgrades(images: list[ImageChange]) -> Iterator[Caution]:
    for image in images:
        older = older_by(image.before, image.after) if image.before and image.after else None
        if older:
            yield Caution(code="downgrade", message=older)


def _documents(release: Release | None, target: Target) -> list[str]:
    """What a release is made of: what is rendered, and the definitions that come along with the chart."""
    if release is None:
        return []
    definitions = (data.decode("utf-8", "replace") for data in crds.in_chart(release.files).values())
    return [release.manifest(target), *definitions]


def _reason(error: GitopsTkError, *sides: Layers | None) -> str:
    """What an error says, without the values that a mask hides."""
    place = f"{error.file}:{error.line}" if error.file and error.line else error.file
    said = error.message if place is None or (error.file or "") in error.message else f"{place}: {error.message}"
    hidden = {one for layers in sides if layers for one in secrets(layers.merged.data)}
    hidden |= {b64encode(one.encode()).decode() for one in hidden}
    for one in sorted(hidden, key=len, reverse=True):
        said = said.replace(one, HIDDEN)
    return str(revealed(said))
