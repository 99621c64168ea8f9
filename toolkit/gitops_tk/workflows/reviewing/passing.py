"""What commits of a pull request bring to an environment and later ones take out again.

A merge that keeps the commits, a rebase or a fast-forward, makes all of it the past of the base: what was there for a
moment would then count as what the environment has held.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_tk.config.load import CONFIG_FILE, load
from gitops_tk.config.model import Config
from gitops_tk.errors import EditRefused, GitopsTkError
from gitops_tk.model.image import Image
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.policy.past import vouches
from gitops_tk.policy.review.model import Passing
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.comparison import Brought, Comparison
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.values.keys import format_key
from gitops_tk.workflows.comparing.reach import Side, reached
from gitops_tk.workflows.gating.places import Places, moved
from gitops_tk.workflows.layers import Layers, read_layers
from gitops_tk.workflows.looking_back.past import Look
from gitops_tk.workflows.looking_back.timeline import images_of
from gitops_tk.workflows.reviewing.files import Pair, files_alone
from gitops_tk.workflows.views import Views

_States = Mapping[Pair, Layers]


def passing(comparison: Comparison, before: Side, after: Side, views: Views, *, thorough: bool) -> tuple[Passing, ...]:
    """What comes to environments that are promoted to, and goes again, each once, oldest first.

    Args:
        before: the base.
        after: the base with what the pull request brings.
        views: of the base.
        thorough: look at every commit of the past.
    """
    if len(comparison.commits) < 2:
        return ()
    config = before.config
    guarded = {one.name for one in config.environments if one.from_} & after.environments.keys()
    ends = [_reading(one.config, config) for one in (before, after)]
    found: dict[tuple[str, ...], Passing] = {}
    states: list[tuple[Brought, _States]] = []
    for commit in reversed(comparison.commits):
        parent, here = (Side(one, config) for one in _around(comparison, commit))
        paths = changed_paths(parent.snapshot, here.snapshot)
        if CONFIG_FILE in paths and len(commit.parents) < 2 and _reads_otherwise(here.snapshot, config, ends):
            said = f"a {CONFIG_FILE} by which images would be read elsewhere"
            found[CONFIG_FILE,] = Passing(commit=commit.oid, path=CONFIG_FILE, said=said)
        known = reached(parent, here, [path for path in paths if path != CONFIG_FILE])
        pairs = [(service, env) for service, envs in known.items() for env in envs if env in guarded]
        states.append((commit, read_layers(files_alone(here, pairs), config, pairs)))
    for one in _brought(states, before, after, views, thorough=thorough):
        found.setdefault((one.service or "", one.env or "", one.said), one)
    return tuple(found.values())


def _reads_otherwise(snapshot: Snapshot, base: Config, ends: Sequence[tuple[Any, ...]]) -> bool:
    try:
        return _reading(load(snapshot), base) not in ends
    except GitopsTkError:
        # What does not work says nothing about what was where.
        return False


def _reading(config: Config, base: Config) -> tuple[Any, ...]:
    """All by which a configuration says what an environment of the base held."""
    known = {one.name for one in base.environments}
    paths = {one.name: one.path for one in config.environments if one.name in known}
    return paths, config.layout.templates, config.images, config.services, config.chart


def _around(comparison: Comparison, commit: Brought) -> tuple[Snapshot, Snapshot]:
    at = comparison.repository.at
    return at(commit.parents[0]) if commit.parents else MemorySnapshot({}), at(commit.oid)


def _brought(
    states: Sequence[tuple[Brought, _States]], before: Side, after: Side, views: Views, *, thorough: bool
) -> Iterator[Passing]:
    config = before.config
    pairs = list(dict.fromkeys(pair for _, state in states for pair in state))
    old = read_layers(files_alone(before, pairs), config, pairs)
    new = read_layers(files_alone(after, pairs), config, pairs)
    coming = [
        (commit, layers, images, moved(config, old[pair], layers))
        for commit, state in states
        for pair, layers in state.items()
        for images in [_others(config, layers, (old[pair], new[pair]))]
    ]
    coming = [one for one in coming if one[2] or one[3]]
    services = sorted({layers.service for _, layers, _, _ in coming})
    envs = {layers.env for _, layers, _, _ in coming}
    known = [one for env in envs for one in (env, *config.environment(env).from_)]
    look = Look(views, services, list(dict.fromkeys(known)), thorough=thorough)
    places = Places(before.snapshot, config, look.values)
    for commit, layers, images, wanted in coming:
        pair = layers.service, layers.env
        past = look.past(layers.service).environments
        held = [one for env in (layers.env, *config.environment(layers.env).from_) for one in past[env]]
        said = [
            image.version
            for name, image in images.items()
            if not any(name in one.images and vouches(one.images[name], image) for one in held)
        ]
        stays = moved(config, old[pair], new[pair])
        wanted = {key: value for key, value in wanted.items() if stays.get(key) != value}
        foreign = places.foreign(old[pair], wanted) if wanted else {}
        said += [f"{format_key(key)} {value or 'of nothing'}" for key, value in foreign.items()]
        for one in said:
            yield Passing(commit=commit.oid, path=layers.own_path, said=one, service=layers.service, env=layers.env)


def _others(config: Config, layers: Layers, ends: Iterable[Layers]) -> dict[str, Image]:
    """The images that are there neither before nor after the pull request."""
    known = [_images(config, one) for one in ends]
    return {name: one for name, one in _images(config, layers).items() if one not in [end.get(name) for end in known]}


def _images(config: Config, layers: Layers) -> Mapping[str, Image]:
    if layers.own is None:
        return {}
    try:
        return images_of(config, layers.service, layers.merged)
    except EditRefused:
        # It deploys nothing, and so it holds nothing.
        return {}
