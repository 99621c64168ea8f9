"""What services held in environments, from commit to commit: what the files said decides, under the layout of the time.

gitops-tk.yaml is read as it was at each commit, so that files that moved with their layout are followed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.load import CONFIG_FILE, load, parse
from gitops_tk.config.model import Config
from gitops_tk.errors import EditRefused, GitopsTkError
from gitops_tk.model.history import Version
from gitops_tk.model.image import Image
from gitops_tk.policy.past import monotone
from gitops_tk.values.document import Document
from gitops_tk.values.image import read_image
from gitops_tk.values.merge import Merged, merge
from gitops_tk.workflows.layers import layer_paths
from gitops_tk.workflows.looking_back.renames import renamed_from
from gitops_tk.workflows.views import Views

Pair = tuple[str, str]
# A service that was renamed more often than this has no history that anybody asks for.
_MOST_NAMES = 10
# So many files are kept, read: more than services share with each other, in all the editions that most have.
_KEPT = 1000


class State(Struct, frozen=True, kw_only=True):
    """What a service held in an environment, from a commit on.

    Attributes:
        service: its name when it came.
        last_name: its name at last.
        version: the commit that brought it, with the files.
        since: when it came, in seconds since 1970; never before the state that it took the place of.
        images: by their names; empty where the service was not there, or had no image yet.
        merged: what its values merged to at last; None where the service was not there.
    """

    service: str
    last_name: str
    version: Version
    since: float
    images: Mapping[str, Image]
    merged: Merged | None


def timelines(
    views: Views,
    pairs: Collection[Pair],
    *,
    quick: bool = False,
    renames: bool = False,
    values: bool = False,
    thorough: bool = False,
    doubted: Collection[str] = (),
) -> dict[Pair, list[State]]:
    """The states of services in environments, newest first; each holds other images than the one before it.

    Args:
        pairs: services with the names of environments.
        quick: see `History`.
        renames: follow a service to the name that it had before.
        values: tell of each change of the files, be it of images or not; where they cannot be read, of none.
        thorough: look at every commit, also at those whose trailers say that they are about something else.
        doubted: the ids of commits that are looked at all the same.

    Raises:
        GitopsTkError: the history cannot be read.
    """
    found = dict(each_timeline(views, pairs, quick=quick, values=values, thorough=thorough, doubted=doubted))
    if renames:
        found = {pair: _with_older_names(views, pair, states, quick=quick) for pair, states in found.items()}
    return found


def times_of(views: Views) -> dict[str, float]:
    """When each commit was made, in seconds since 1970; none is older than the one that it is made on."""
    commits = views.history.commits()[::-1]
    times = monotone((commit.time for commit in commits), views.now)
    return {commit.oid: time for commit, time in zip(commits, times, strict=True)}


def each_timeline(
    views: Views,
    pairs: Collection[Pair],
    *,
    quick: bool = False,
    values: bool = False,
    thorough: bool = False,
    doubted: Collection[str] = (),
) -> Iterator[tuple[Pair, list[State]]]:
    """The same, one pair after the other: of many services not all states are there at once.

    Raises:
        GitopsTkError: the history cannot be read.
    """
    configs = _Configs(load(views.snapshot))
    places = None if thorough else [f"{env}/{service}" for service, env in pairs]
    paths: list[str] = []
    versions: list[Version] = []
    # A configuration that is met on the way may say that files were elsewhere before.
    while (wanted := [CONFIG_FILE, *configs.paths(pairs)]) != paths:
        paths = wanted
        versions = list(views.history(paths, places=places, quick=quick, doubted=doubted))
        configs.meet(version.files.get(CONFIG_FILE) for version in versions)
    versions.reverse()
    changed: dict[str, list[int]] = {}
    for at, version in enumerate(versions):
        for path in version.changed:
            changed.setdefault(path, []).append(at)
    times = times_of(views)
    documents = _Documents()
    for pair in pairs:
        about = {at for path in (CONFIG_FILE, *configs.paths([pair])) for at in changed.get(path, ())}
        yield pair, _states(configs, documents, pair, [versions[at] for at in sorted(about)], times, values=values)


def _states(
    configs: "_Configs",
    documents: "_Documents",
    pair: Pair,
    versions: Sequence[Version],
    times: Mapping[str, float],
    *,
    values: bool,
) -> list[State]:
    """The states that some versions brought, oldest first, those of its files and of the configuration among them."""
    states: list[State] = []
    before: object = None
    config = configs.first(versions)
    for version in versions:
        # Under a configuration that does not work, files are where they were.
        config = configs.at(version.files.get(CONFIG_FILE)) or config
        paths = _paths(config, pair)
        files = (config, tuple(version.files.get(path) for path in paths))
        if files == before:
            continue
        before = files
        merged, images = None, {}
        if paths and version.files.get(paths[-1]) is not None:
            merged = documents.merged(paths, version.files)
            if merged is None and not values:
                # Nobody could render it: what ran went on.
                continue
            # Whoever asks what was there without a break is told that nobody knows: Helm reads more than is clear.
            images = images_of(config, pair[0], merged) if merged is not None else {}
        if values or images != (states[-1].images if states else {}):
            states.append(
                State(
                    service=pair[0],
                    last_name=pair[0],
                    version=version,
                    since=times[version.commit],
                    images=images,
                    merged=merged,
                )
            )
        elif states:
            states[-1] = replace(states[-1], merged=merged)
    return states[::-1]


def images_of(config: Config, service: str, merged: Merged) -> dict[str, Image]:
    """The images that a service's values name, by their names; those that say no version are left out."""
    found = {name: read_image(merged, keys) for name, keys in config.image_keys(service).items()}
    return {name: image for name, image in found.items() if image is not None and image.version}


def _with_older_names(views: Views, pair: Pair, states: list[State], *, quick: bool) -> list[State]:
    service, env = pair
    seen = {service}
    while states and len(seen) < _MOST_NAMES:
        first = states[-1].version
        if first.parent is None or not states[-1].images:
            break
        service_before = renamed_from(views.history.at(first.parent), views.history.at(first.commit), service, env)
        if service_before is None or service_before in seen:
            break
        seen.add(service_before)
        service = service_before
        older = dict(each_timeline(views, [(service, env)], quick=quick))[service, env]
        order = {commit.oid: at for at, commit in enumerate(views.history.commits())}
        older = [state for state in older if order[state.version.commit] > order[first.commit]]
        if older and older[0].images == states[-1].images:
            # The new name brought nothing new: what ran has gone on.
            older[0] = replace(older[0], last_name=states[-1].last_name, merged=states[-1].merged)
            states = states[:-1]
        states = states + older
    return states


class _Configs:
    """The configurations that the repository had; one that does not work says nothing."""

    def __init__(self, newest: Config) -> None:
        self._newest = newest
        self._known: dict[bytes, Config | None] = {}

    def meet(self, contents: Iterable[bytes | None]) -> None:
        for content in contents:
            if content is not None and content not in self._known:
                try:
                    self._known[content] = parse(content)
                except GitopsTkError:
                    self._known[content] = None

    def at(self, content: bytes | None) -> Config | None:
        return self._known.get(content) if content is not None else None

    def first(self, versions: Sequence[Version]) -> Config:
        # What was there before gitops-tk.yaml is read as its first one says.
        found = (self.at(version.files.get(CONFIG_FILE)) for version in versions)
        return next((config for config in found if config), self._newest)

    def paths(self, pairs: Collection[Pair]) -> list[str]:
        configs = [self._newest, *(config for config in self._known.values() if config)]
        return list(dict.fromkeys(path for config in configs for pair in pairs for path in _paths(config, pair)))


class _Documents:
    """Files read once, however many commits and services have them."""

    def __init__(self) -> None:
        # What one service alone has is not met again when the next one's turn has come.
        self._document = lru_cache(maxsize=_KEPT)(_document)

    def merged(self, paths: Sequence[str], files: Mapping[str, bytes]) -> Merged | None:
        layers = [self._document(path, files[path]) if path in files else None for path in paths]
        if any(layer is None and path in files for path, layer in zip(paths, layers, strict=True)):
            return None
        chart, *rest = layers
        return merge([one for one in rest if one], chart)


def _document(path: str, data: bytes) -> Document | None:
    try:
        return Document.read(data, path)
    except EditRefused:
        return None


def _paths(config: Config, pair: Pair) -> list[str]:
    service, name = pair
    for environment in config.environments:
        if environment.name == name:
            return layer_paths(config, service, environment)
    return []
