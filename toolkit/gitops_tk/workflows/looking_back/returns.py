"""Where a rollback goes back to: what ran before, or what it is told, found in what the environment has held."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct

from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError, MissingFile, UsageError
from gitops_tk.model import moments
from gitops_tk.model.image import Image
from gitops_tk.policy.holds import Hold
from gitops_tk.policy.order import older_by
from gitops_tk.values.merge import Merged
from gitops_tk.workflows.layers import Layers, read_layers
from gitops_tk.workflows.looking_back.credits import credit
from gitops_tk.workflows.looking_back.timeline import State, images_of, timelines, times_of
from gitops_tk.workflows.views import Views

Images = Mapping[str, Image]
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SHORTEST_REVISION = 7


class Goal(Struct, frozen=True):
    """What a service goes back to: images that it held, with all its values of that time.

    Attributes:
        service: its name then.
        commit: the last commit at which they were there; None for now.
    """

    images: Images
    merged: Merged
    service: str
    commit: str | None


class Returns:
    """Finds what services go back to in one environment; history is read when it is needed, and once.

    Args:
        env: the environment's name.
        services: all that may be asked for.
    """

    def __init__(self, views: Views, env: str, services: Sequence[str]) -> None:
        self._views = views
        self._env = env
        self._pairs = [(service, env) for service in services]
        self._known: dict[bool, dict[tuple[str, str], list[State]]] = {}
        self._commits: dict[str, tuple[Config | None, Mapping[tuple[str, str], Layers]]] = {}
        self._times: Mapping[str, float] | None = None

    def before(self, service: str, current: Images, hold: Hold | None) -> Goal:
        """What ran before.

        An image that was left for the current one by going back is no image that ran before it, and neither is one
        that a hold names.

        Raises:
            MissingFile: nothing did (code `nothing-before`).
        """

        def chosen(states: Sequence[State]) -> State | None:
            for state in _before(states, current, self._env):
                held = hold is not None and any(hold.lists(*one) for one in state.images.items())
                if state.images and state.images != current and not held:
                    return state
            return None

        goal = self._search(service, chosen)
        if goal is None:
            raise MissingFile(
                f"nothing of {service} ran before {_versions(current)} in {self._env}",
                code="nothing-before",
                hint=f"gitops-tk history {service} -e {self._env} shows what has run; --to TAG goes to any of that",
            )
        return goal

    def named(self, service: str, to: str) -> Goal:
        """What ran with a tag, a digest, a build's number or a source commit; or at a commit of the repository.

        Raises:
            MissingFile: that never ran (code `never-ran`).
            UsageError: it is the beginning of several commits (code `ambiguous-commit`).
        """
        for is_it in _meanings(to):
            goal = self._search(service, partial(_first, is_it=is_it))
            if goal is not None:
                return goal
        if _COMMIT.fullmatch(to):
            commits = [commit.oid for commit in self._views.history.commits() if commit.oid.startswith(to)]
            if len(commits) > 1:
                raise UsageError(f"{to} is the beginning of several commits", code="ambiguous-commit")
            if commits:
                return self._at(service, commits[0], f"at commit {to}")
        raise MissingFile(
            f"{service} has never run {to} in {self._env}",
            code="never-ran",
            hint=f"gitops-tk history {service} -e {self._env} shows what has",
        )

    def at_time(self, service: str, when: float) -> Goal:
        """What ran at a time, in seconds since 1970.

        Raises:
            MissingFile: nothing did (code `nothing-before`).
        """
        if self._times is None:
            self._times = times_of(self._views)
        times = self._times
        commit = next((one.oid for one in self._views.history.commits() if times[one.oid] <= when), None)
        if commit is None:
            began = moments.iso(min(times.values()))
            raise MissingFile(
                f"the repository begins at {began}, and what ran at {moments.iso(when)} was asked for",
                code="nothing-before",
                hint="name a later time",
            )
        return self._at(service, commit, "at that time")

    def _search(self, service: str, choose: Callable[[Sequence[State]], State | None]) -> Goal | None:
        # What is found quickly is enough, but for saying that there is nothing.
        for quick in (True, False):
            if quick not in self._known:
                self._known[quick] = timelines(self._views, self._pairs, quick=quick, renames=True)
            states = self._known[quick][service, self._env]
            state = choose(states)
            if state is not None:
                return _goal(state, states)
        return None

    def _at(self, service: str, commit: str, when: str) -> Goal:
        config, found = self._read(commit)
        layers = found.get((service, self._env))
        images = images_of(config, service, layers.merged) if config and layers and layers.own is not None else {}
        if layers is None or not images:
            raise MissingFile(
                f"{service} ran nothing in {self._env} {when}",
                code="nothing-before",
                hint=f"gitops-tk history {service} -e {self._env} shows what it has run",
            )
        return Goal(images, layers.merged, service, commit)

    def _read(self, commit: str) -> tuple[Config | None, Mapping[tuple[str, str], Layers]]:
        if commit not in self._commits:
            snapshot = self._views.history.at(commit)
            try:
                config = load(snapshot)
                config.environment(self._env)
            except GitopsTkError:
                # What was there before gitops-tk.yaml, or the environment, says nothing.
                self._commits[commit] = None, {}
            else:
                self._commits[commit] = config, read_layers(snapshot, config, self._pairs)
        return self._commits[commit]


def _goal(state: State, states: Sequence[State]) -> Goal:
    if state.merged is None:
        raise RuntimeError("a state with images has values")
    at = next(at for at, one in enumerate(states) if one is state)
    return Goal(state.images, state.merged, state.last_name, states[at - 1].version.parent if at else None)


def _first(states: Sequence[State], is_it: Callable[[Image], bool]) -> State | None:
    return next((state for state in states if any(is_it(image) for image in state.images.values())), None)


def _meanings(to: str) -> list[Callable[[Image], bool]]:
    """What a text may mean, the likeliest first: a tag, a digest, a build's number, a source commit."""
    return [
        lambda image: image.tag == to,
        lambda image: image.digest == to,
        lambda image: image.build is not None and str(image.build) == to,
        lambda image: len(to) >= _SHORTEST_REVISION and image.revision.startswith(to),
    ]


def _before(states: Sequence[State], current: Images, env: str) -> Sequence[State]:
    """The states before the current one, nearest first, without those that were left by going back to it."""
    if not states or states[0].images != current:
        return states
    at = 0
    while at + 1 < len(states) and _went_back(states[at], states[at + 1], env):
        earlier = next((one for one in range(at + 2, len(states)) if states[one].images == current), None)
        if earlier is None:
            break
        at = earlier
    return states[at + 1 :]


def _went_back(newer: State, older: State, env: str) -> bool:
    said = credit(newer.version, f"{env}/{newer.service}", older.images, newer.images)
    if said is not None and said.command == "rollback":
        return True
    return any(older_by(older.images[name], image) for name, image in newer.images.items() if name in older.images)


def _versions(images: Images) -> str:
    return ", ".join(image.version for image in images.values()) or "nothing"
