"""What environments have held, read from history: what the files held at each commit decides."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_tk.config.model import Config
from gitops_tk.errors import EditRefused
from gitops_tk.model.history import Version
from gitops_tk.model.image import Image
from gitops_tk.policy.past import Holding, Past, monotone
from gitops_tk.values.document import Document
from gitops_tk.values.image import read_image
from gitops_tk.values.merge import Merged, merge
from gitops_tk.workflows.layers import layer_paths
from gitops_tk.workflows.views import Views


def pasts(views: Views, config: Config, services: Collection[str], envs: Iterable[str]) -> dict[str, Past]:
    """What each service's environments have held, along the first parents; one look into history for all of them."""
    look = Look(views, config, services, envs)
    return {service: look.past(service) for service in services}


def times_of(views: Views) -> dict[str, float]:
    """When each commit was made, in seconds since 1970; none is older than the one that it is made on."""
    commits = views.history.commits()[::-1]
    times = monotone((commit.time for commit in commits), views.now)
    return {commit.oid: time for commit, time in zip(commits, times, strict=True)}


class Look:
    """One look into history: what services' environments have held, along the first parents.

    Args:
        thorough: look at every commit, also at those whose trailers say that they are about something else.
    """

    def __init__(
        self,
        views: Views,
        config: Config,
        services: Collection[str],
        envs: Iterable[str],
        *,
        thorough: bool = False,
    ) -> None:
        self._views = views
        self._envs = [config.environment(env) for env in envs]
        self._paths = {
            (service, env.name): layer_paths(config, service, env) for service in services for env in self._envs
        }
        wanted = list(dict.fromkeys(path for layers in self._paths.values() for path in layers))
        places = None if thorough else [f"{env}/{service}" for service, env in self._paths]
        self._versions = list(views.history(wanted, places=places))[::-1] if wanted else []
        self._times = times_of(views) if wanted else {}
        self._reader = _Reader(config)

    def past(self, service: str) -> Past:
        """The images that its environments have held."""
        held = {env.name: self._holdings(service, env.name) for env in self._envs}
        return Past(now=self._views.now, environments=held)

    def values(self, service: str, env: str) -> Iterator[dict[str, Any]]:
        """What its values merged to in an environment, newest first."""
        for _, merged in self._merged(service, env)[::-1]:
            if merged is not None:
                yield merged.data

    def _holdings(self, service: str, env: str) -> list[Holding]:
        found: list[Holding] = []
        for version, merged in self._merged(service, env):
            images = self._reader.images(service, merged)
            time = self._times[version.commit]
            if found and found[-1].images == images:
                continue
            if found:
                last = found.pop()
                found.append(Holding(images=last.images, since=last.since, until=time, commit=last.commit))
            found.append(Holding(images=images, since=time, until=None, commit=version.commit))
        return found[::-1]

    def _merged(self, service: str, env: str) -> list[tuple[Version, Merged | None]]:
        paths = self._paths[service, env]
        found: list[tuple[Version, Merged | None]] = []
        before: tuple[bytes | None, ...] = ()
        for version in self._versions:
            files = tuple(version.files.get(path) for path in paths)
            if files != before:
                found.append((version, self._reader.merged(paths, files)))
            before = files
        return found


class _Reader:
    """Reads each version of a file once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._documents: dict[tuple[str, bytes], Document | None] = {}

    def images(self, service: str, merged: Merged | None) -> Mapping[str, Image]:
        if merged is None:
            return {}
        found = {name: read_image(merged, keys) for name, keys in self._config.image_keys(service).items()}
        return {name: image for name, image in found.items() if image is not None}

    def merged(self, paths: Sequence[str], files: Sequence[bytes | None]) -> Merged | None:
        # Without a file of its own a service is not in the environment; one that cannot be read says nothing.
        if files[-1] is None:
            return None
        layers = [self._document(path, data) for path, data in zip(paths, files, strict=True)]
        if any(data is not None and layer is None for data, layer in zip(files, layers, strict=True)):
            return None
        chart, *rest = layers
        return merge([one for one in rest if one], chart)

    def _document(self, path: str, data: bytes | None) -> Document | None:
        if data is None:
            return None
        if (path, data) not in self._documents:
            try:
                self._documents[path, data] = Document.read(data, path)
            except EditRefused:
                self._documents[path, data] = None
        return self._documents[path, data]
