"""status --history: since when each version is there, how far it is behind, what drifts, and what is proposed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment
from gitops_tk.config.patterns import takes, with_below
from gitops_tk.model import moments
from gitops_tk.policy.keys import leaves
from gitops_tk.values.image import image_leaves
from gitops_tk.values.keys import format_key
from gitops_tk.workflows.looking_back.timeline import Pair, State, each_timeline
from gitops_tk.workflows.status import Status
from gitops_tk.workflows.views import Views


class Drift(Struct, frozen=True):
    """A key that holds something else than in the environment that is promoted from; None where it holds nothing."""

    key: str
    source: str
    there: Any
    here: Any


class Lately(Struct, frozen=True, kw_only=True):
    """What history adds to what a service runs in an environment.

    Attributes:
        since: when its images came, in UTC (ISO 8601); None where it has none.
        seconds: for how long they have been there.
        commit: the commit that brought them.
        behind: for how many seconds the environment that it is promoted from has had others; None where it has not.
        drift: the keys beside the images that differ from that environment, and are not protected here.
    """

    service: str
    env: str
    since: str | None
    seconds: int | None
    commit: str | None
    behind: int | None
    drift: tuple[Drift, ...]


def lately(views: Views, found: Status) -> list[Lately]:
    """What history adds, for every service and environment that a status has.

    Raises:
        GitopsTkError: the history cannot be read.
    """
    config = load(views.snapshot)
    pairs = [(service, env.name) for service in found.services for env in config.environments]
    told: list[Lately] = []
    for service, its in groupby(each_timeline(views, pairs), lambda one: one[0][0]):
        states = dict(its)
        for env in config.environments:
            if env.name in found.services[service]:
                told.append(_lately(config, env, service, states, views.now))
    return told


def proposals(views: Views, envs: Sequence[str]) -> list[dict[str, str]]:
    """The branches with proposals for these environments that are on the remote."""
    parts = ((branch, branch.split("/")) for branch in views.proposals())
    return [
        {"branch": branch, "env": found[1], "about": "/".join(found[2:])}
        for branch, found in parts
        if len(found) > 2 and found[1] in envs
    ]


def _lately(
    config: Config, env: Environment, service: str, states: Mapping[Pair, Sequence[State]], now: float
) -> Lately:
    mine = states[service, env.name]
    newest = mine[0] if mine and mine[0].images else None
    sources = [(source, states[service, source]) for source in env.from_ if states[service, source]]
    ages = [age for _, source in sources if (age := _behind(mine, source, now)) is not None]
    return Lately(
        service=service,
        env=env.name,
        since=moments.iso(newest.since) if newest else None,
        seconds=int(now - newest.since) if newest else None,
        commit=newest.version.commit if newest else None,
        behind=max(ages, default=None),
        drift=tuple(one for name, source in sources for one in _drift(config, env, service, name, mine, source)),
    )


def _behind(mine: Sequence[State], source: Sequence[State], now: float) -> int | None:
    # Counted from when the source left what is here; where it never held that, from its newest.
    images = mine[0].images if mine else {}
    if not source[0].images or source[0].images == images:
        return None
    left = next((at for at, state in enumerate(source) if state.images == images), 1)
    return int(now - source[left - 1].since)


def _drift(
    config: Config, env: Environment, service: str, source: str, mine: Sequence[State], theirs: Sequence[State]
) -> Iterator[Drift]:
    if not mine or mine[0].merged is None or theirs[0].merged is None:
        return
    here, there = dict(leaves(mine[0].merged.data)), dict(leaves(theirs[0].merged.data))
    images = {leaf for keys in config.image_keys(service).values() for leaf in image_leaves(keys)}
    protected = with_below(env.policy.protected)
    for key in dict.fromkeys((*there, *here)):
        differs = key not in here or key not in there or repr(here[key]) != repr(there[key])
        if differs and key not in images and not (protected and takes(protected, key)):
            yield Drift(format_key(key), source, there.get(key), here.get(key))
