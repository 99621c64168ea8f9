"""The services that a pull request changes, in their environments: facts for the rules of verify-pr."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from gitops_tk.config.chart import PublishedChart
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Environment
from gitops_tk.config.patterns import takes
from gitops_tk.config.policy import Kind
from gitops_tk.model.changes import Gate
from gitops_tk.model.image import Image
from gitops_tk.model.names import is_chart_version
from gitops_tk.policy.holds import Hold
from gitops_tk.policy.order import older_by
from gitops_tk.policy.past import Images, Past, vouches
from gitops_tk.policy.review.model import DELIVERIES, Blind, Key, Move, Release, Touched, Unreadable
from gitops_tk.values.document import Document
from gitops_tk.values.merge import Merged
from gitops_tk.workflows.chart_pins import written, written_in
from gitops_tk.workflows.comparing.reach import Side, reached
from gitops_tk.workflows.gating.gates import Health, Judge, Runner, all_before, arrival
from gitops_tk.workflows.gating.places import Places
from gitops_tk.workflows.holding import read_holds
from gitops_tk.workflows.layers import Layers, layer_paths, read_layers
from gitops_tk.workflows.looking_back.past import Look
from gitops_tk.workflows.looking_back.timeline import State, timelines
from gitops_tk.workflows.reviewing.files import Pair, files_alone, not_files
from gitops_tk.workflows.reviewing.seen import Seen, blind, placed, seen, strays
from gitops_tk.workflows.views import Views


class Reviewer:
    """Gathers what the rules look at.

    Args:
        views: of the base.
        before: the base.
        after: the base with what the pull request brings.
        touched: the paths that it changes.
        overrides: the reasons for which gates are overridden, where the base's policy allows it.
        runner: runs the gates' programs; None leaves them not evaluated.
        health: asks Argo CD; None leaves the gate `healthy` not evaluated.
        thorough: look at every commit of the past.
    """

    def __init__(
        self,
        views: Views,
        before: Side,
        after: Side,
        touched: Collection[Touched],
        *,
        overrides: Mapping[str, str],
        runner: Runner | None,
        health: Health | None,
        thorough: bool,
    ) -> None:
        self._views = views
        self._before = before
        self._after = after
        self._paths = [one.path for one in touched]
        self._edited = [one.path for one in touched if one.place in ("chart", "other")]
        self._charts = {(one.service, one.env) for one in touched if one.place == "chart"}
        self._overrides = overrides
        self._runner = runner
        self._health = health
        self._thorough = thorough
        self._config = before.config

    def releases(self) -> tuple[list[Release], list[Blind]]:
        """Every service in every environment of the base that the pull request may change.

        Returns:
            What can be told of them, and those of which nothing can be told.
        """
        both = self._before.environments.keys() & self._after.environments.keys()
        touched = reached(self._before, self._after, self._paths)
        # gitops-tk.yaml reaches all, and changes what it makes other values of.
        files = reached(self._before, self._after, [path for path in self._paths if path != CONFIG_FILE])
        pairs, hidden = self._of_files([(one, env) for one, envs in touched.items() for env in envs if env in both])
        # What is no file there says nothing: to put one in its place says something new.
        old = read_layers(files_alone(self._before, pairs), self._config, pairs, holds=True)
        new = read_layers(self._after.snapshot, self._after.config, pairs)
        unread = [blind(self._config, one) for one in new.values()]
        hidden = [one for one in (*hidden, *unread) if one and one.env in files.get(one.service, ())]
        listed = [
            one
            for service, env in pairs
            if (one := seen(self._config, old[service, env], new[service, env])) is not None
            and (env in files.get(service, ()) or one.differs)
        ]
        past = self._look_back(listed)
        # A service that is new everywhere comes as its sources have it.
        coming = {(one.old.service, one.old.env): [one.new.merged] for one in listed if one.comes}

        def held(service: str, env: str) -> list[Merged]:
            return [*past.values(service, env), *coming.get((service, env), [])]

        charted = reached(self._before, self._after, self._edited) if self._edited else {}
        places = Places(self._before.snapshot, self._config, held)
        found = [self._release(one, past, places) for one in listed]
        known = [replace(one, charted=one.env in charted.get(one.service, ())) for one in found]
        return self._judged(known), hidden

    def _of_files(self, pairs: Collection[Pair]) -> tuple[list[Pair], list[Blind]]:
        """Those whose layers will be files, and those that have something else below their own values.

        Where a folder takes the place of a service's own values, they are gone, and that has its rule.
        """
        paths, others = not_files(self._after, pairs)
        hidden = []
        for (service, env), layers in paths.items():
            for path in layers[:-1]:
                if path in others:
                    fault = Unreadable(f"{path} is no file, and what it says is not read")
                    hidden.append(Blind(service=service, env=env, path=path, fault=fault))
        return [pair for pair, layers in paths.items() if others.isdisjoint(layers)], hidden

    def _look_back(self, listed: Iterable[Seen]) -> "_Past":
        asked = [one for one in listed if one.moves or one.own or one.places or self._changes_chart(one)]
        envs = {one.old.env for one in asked} | all_before(self._config, {one.old.env for one in asked})
        services = {one.old.service for one in asked}
        order = [one.name for one in self._config.environments if one.name in envs]
        return _Past(self._views, Look(self._views, sorted(services), order, thorough=self._thorough))

    def _release(self, one: Seen, past: "_Past", places: Places) -> Release:
        environment = self._config.environment(one.old.env)
        images = one.images
        sources = past.sources(environment, one.old.service, images) if images else ()
        own = self._travelling(one, environment, past)
        kind = self._kind(one, environment, sources, own, past)
        if kind == "rollback":
            # Keys come back as they were here, be it that they were set here alone.
            had = [key.held or past.had_here(environment.name, one.old.service, key) for key in own]
            own = tuple(replace(key, held=held) for key, held in zip(own, had, strict=True))
        delivered = kind in DELIVERIES
        guarded = bool(environment.from_)
        return Release(
            service=one.old.service,
            env=environment.name,
            path=one.new.own_path,
            kind=kind,
            guarded=guarded,
            fresh=one.comes,
            sources=sources,
            moves=tuple(past.judged(environment, one.old.service, move) for move in one.moves),
            keys=() if one.comes or one.goes else one.keys,
            own=own,
            protected=one.protected,
            foreign=tuple(placed(one, key, to) for key, to in places.foreign(one.old, one.places).items()),
            lower=self._lower(one, environment) if one.lower else None,
            stray=strays(one, delivered=delivered) if guarded else (),
            hold=one.old.hold,
            left=self._left(one, sources),
            chart=not guarded
            or (
                (not self._own_chart(one) or self._chart_is_known(one, environment, past))
                and (not self._repinned(one) or self._pin_is_known(one, environment, past))
            ),
        )

    def _kind(
        self, one: Seen, environment: Environment, sources: tuple[str, ...], own: Iterable[Key], past: "_Past"
    ) -> Kind:
        if one.goes:
            return "removal"
        images = one.images
        if images and not one.lower:
            before = past.held_here(environment.name, one.old.service, images, sources)
            forward = any(move.before and move.after and older_by(move.after, move.before) for move in one.moves)
            if before and not forward:
                return "rollback"
            direct = not environment.from_ or (not sources and "bump" in environment.accepted)
            return "bump" if direct else "promotion"
        if one.comes:
            return "service"
        listed = list(own)
        if listed and environment.from_ and all(key.travels and key.held for key in listed):
            return "promotion"
        if one.old.own != one.new.own:
            return "values"
        shared = self._config.layout.shared_path(environment)
        return "shared" if shared in self._paths else "chart"

    def _left(self, one: Seen, sources: Collection[str]) -> Hold | None:
        holds = read_holds(self._before.snapshot, [(one.old.service, source) for source in sources])
        naming = [hold for hold in holds.values() if hold.names(one.images, self._views.now)]
        return naming[0] if naming and len(naming) == len(sources) else None

    def _travelling(self, one: Seen, environment: Environment, past: "_Past") -> tuple[Key, ...]:
        patterns = self._config.promotion_keys(one.old.service)
        found = []
        for key in one.own:
            carried = takes(patterns, key.segments) or key.segments == self._pin_key
            travels = bool(environment.from_) and carried
            held = travels and past.had(environment.from_, one.old.service, key)
            found.append(replace(key, travels=travels, held=held))
        return tuple(found)

    def _lower(self, one: Seen, environment: Environment) -> str | None:
        *lower, _ = layer_paths(self._config, one.old.service, environment)
        return next((path for path in reversed(lower) if path in self._paths), lower[0])

    def _own_chart(self, one: Seen) -> bool:
        return (one.old.service, one.old.env) in self._charts

    def _chart_is_known(self, one: Seen, environment: Environment, past: "_Past") -> bool:
        """Whether the chart is one that a source has, or had with these images; or this environment had before."""
        layout, service = self._config.layout, one.old.service
        wanted = _files(self._after.snapshot, layout.chart_path(service, environment))
        for source in environment.from_:
            path = layout.chart_path(service, self._config.environment(source))
            if _files(self._before.snapshot, path) == wanted:
                return True
            for commit in past.commits(service, source):
                if _files(self._views.history.at(commit), path) == wanted:
                    return True
        own = layout.chart_path(service, environment)
        return any(
            _files(self._views.history.at(commit), own) == wanted
            for commit in past.commits(service, environment.name)[1:]
        )

    @cached_property
    def _pin_key(self) -> tuple[str, ...] | None:
        return self._config.chart.key if self._config.chart else None

    def _changes_chart(self, one: Seen) -> bool:
        return self._own_chart(one) or self._repinned(one)

    def _repinned(self, one: Seen) -> bool:
        """Whether a service will pin another version of its chart, or none."""
        if self._config.chart is None or one.goes:
            return False
        return bool(_pin(self._config.chart, one.old) != _pin(self._config.chart, one.new))

    def _pin_is_known(self, one: Seen, environment: Environment, past: "_Past") -> bool:
        """Whether a version is exact, and one that a source pins or has pinned; or this environment before.

        What comes new may be new in its source, too.
        """
        chart, service = self._config.chart, one.old.service
        if chart is None:
            return True
        pin = _pin(chart, one.new)
        if pin is None:
            return one.comes
        if not is_chart_version(pin):
            return False
        held = (own for env in (*environment.from_, environment.name) for own in past.own(service, env))
        if any(written(chart, own) == pin for own in held):
            return True
        pairs = [(service, source) for source in environment.from_] if one.comes else []
        there = read_layers(self._before.snapshot, self._config, pairs)
        beside = read_layers(self._after.snapshot, self._after.config, pairs)
        return any(there[pair].own is None and _pin(chart, beside[pair]) == pin for pair in pairs)

    def _judged(self, releases: list[Release]) -> list[Release]:
        """The releases with the gates' answers; of a change of many, by a lower layer, one is asked for all."""
        found: dict[tuple[str, str], tuple[Gate, ...]] = {}
        told: set[tuple[str, Kind]] = set()
        for environment in self._config.environments:
            arrivals = []
            for one in releases:
                if one.env != environment.name or one.kind == "rollback" or self._is_elsewhere(one):
                    continue
                if one.kind in ("shared", "chart"):
                    if (one.env, one.kind) in told:
                        continue
                    told.add((one.env, one.kind))
                images = one.images if one.kind in DELIVERIES else {}
                sources = one.sources or environment.from_
                chart = next((str(key.after) for key in one.own if key.segments == self._pin_key), "")
                arrivals.append(arrival(self._config, one.service, one.env, sources, images, chart))
            allowed = {str(name): why for name, why in self._overrides.items() if name in environment.policy.override}
            judge = Judge(allowed, self._runner, self._health)
            judged = judge.judge(self._views, self._config, environment, arrivals, "push")
            found |= {(environment.name, service): one.answers for service, one in judged.items()}
        return [replace(one, gates=found.get((one.env, one.service), ())) for one in releases]

    def _is_elsewhere(self, one: Release) -> bool:
        """Whether a service goes only because gitops-tk.yaml looks for its values elsewhere."""
        return one.kind == "removal" and one.path not in self._paths


class _Past:
    """What environments held, each service's read once."""

    def __init__(self, views: Views, look: Look) -> None:
        self._views = views
        self._look = look
        self._pasts: dict[str, Past] = {}
        self._values: dict[Pair, list[Merged]] = {}
        self._renamed: dict[Pair, list[State]] = {}

    def of(self, service: str) -> Past:
        if service not in self._pasts:
            self._pasts[service] = self._look.past(service)
        return self._pasts[service]

    def sources(self, environment: Environment, service: str, images: Images) -> tuple[str, ...]:
        """The environments that these images may come from, and have been in."""
        return tuple(source for source in environment.from_ if self.held(source, service, images))

    def held(self, env: str, service: str, images: Images) -> bool:
        """Whether an environment holds or has held all of these images at once, and all that they say of themselves."""
        return any(_vouch(holding.images, images) for holding in self.of(service).environments.get(env, ()))

    def held_here(self, env: str, service: str, images: Images, sources: Collection[str]) -> bool:
        """Whether the environment itself has, be it under an older name of the service, where no source knows them."""
        if self.held(env, service, images):
            return True
        return not sources and any(_vouch(state.images, images) for state in self._under_all_names(env, service))

    def judged(self, environment: Environment, service: str, move: Move) -> Move:
        """A move with what the past says of it."""
        return replace(
            move, foreign=self.foreign(environment, service, move), older=self._older(environment, service, move)
        )

    def foreign(self, environment: Environment, service: str, move: Move) -> bool:
        """Whether a source has held the tag, and never with this digest."""
        if move.after is None or not move.after.tag:
            return False
        after = move.after
        held = [image for image in self._known(environment, service, move.name) if image.tag == after.tag]
        return bool(held) and not any(vouches(image, after) for image in held)

    def _older(self, environment: Environment, service: str, move: Move) -> str | None:
        """Why the new image is an older build; one that leaves its number out has the one that it had in the source."""
        before, after = move.before, move.after
        if before is None or after is None or before.build is None or after.build is not None:
            return move.older
        held = [image for image in self._known(environment, service, move.name) if vouches(image, after)]
        return next((said for image in held if (said := older_by(before, image))), move.older)

    def _known(self, environment: Environment, service: str, name: str) -> list[Image]:
        """What the sources hold and have held of an image."""
        return [
            holding.images[name]
            for source in environment.from_
            for holding in self.of(service).environments.get(source, ())
            if name in holding.images
        ]

    def had(self, envs: Iterable[str], service: str, key: Key) -> bool:
        """Whether one of some environments has, or has had, a key with its new value."""
        wanted = repr(key.after)
        return any(repr(one.get(key.segments)) == wanted for source in envs for one in self.values(service, source))

    def had_here(self, env: str, service: str, key: Key) -> bool:
        """Whether the environment itself has, be it under an older name of the service."""
        if self.had([env], service, key):
            return True
        found = (state.merged for state in self._under_all_names(env, service))
        return any(one is not None and repr(one.get(key.segments)) == repr(key.after) for one in found)

    def _under_all_names(self, env: str, service: str) -> list[State]:
        # As rollback looks for what ran before.
        if (service, env) not in self._renamed:
            self._renamed |= timelines(self._views, [(service, env)], renames=True)
        return self._renamed[service, env]

    def values(self, service: str, env: str) -> list[Merged]:
        """What a service's values merge to in an environment, and have merged to, newest first."""
        if (service, env) not in self._values:
            self._values[service, env] = list(self._look.values(service, env))
        return self._values[service, env]

    def own(self, service: str, env: str) -> Iterator[Document]:
        """Its own values in an environment, newest first."""
        return self._look.own(service, env)

    def commits(self, service: str, env: str) -> list[str]:
        """The commits that brought what an environment has held, newest first."""
        return [holding.commit for holding in self.of(service).environments.get(env, ())]


def _vouch(held: Images, wanted: Images) -> bool:
    return all(name in held and vouches(held[name], image) for name, image in wanted.items())


def _pin(chart: PublishedChart, layers: Layers) -> Any:
    return written_in(chart, layers.own or b"", layers.own_path)


def _files(snapshot: Any, folder: str) -> list[tuple[str, int, str]]:
    return [(entry.path[len(folder) :], entry.mode, entry.oid) for entry in snapshot.tree(folder)]
