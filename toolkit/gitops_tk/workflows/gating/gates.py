"""Judging gates between plan and publish, on every try; what a command has said of an image is remembered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.model import Config, Environment
from gitops_tk.config.policy import Command
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Gate, Publish
from gitops_tk.model.durations import rough
from gitops_tk.model.refusals import GateClosed
from gitops_tk.policy.gates import Arrival, earliest, judge, soaked, timestamp
from gitops_tk.policy.keys import changed
from gitops_tk.policy.order import older_by
from gitops_tk.policy.past import Images, Past, holds, same
from gitops_tk.values.image import without_images
from gitops_tk.values.keys import format_key
from gitops_tk.workflows.layers import Layers
from gitops_tk.workflows.looking_back.past import pasts, proven
from gitops_tk.workflows.views import Views

# Asks Argo CD whether the source of images that are to come runs them, and answers for it.
Health = Callable[[Arrival, Config], Gate]
# Runs a gate's program for images that are to come, from what the views show, and answers for it.
Runner = Callable[[Command, Arrival, Views], Gate]


class Judged(Struct, frozen=True, kw_only=True):
    """What the gates say of images that are to come.

    Attributes:
        answers: of every gate.
        closed: those that stand in the way.
        until: when they all would pass; None where nobody knows.
        instead: the newest images that have soaked, where these have not; None for none.
    """

    arrival: Arrival
    answers: tuple[Gate, ...] = ()
    closed: tuple[Gate, ...] = ()
    until: float | None = None
    instead: str | None = None

    @property
    def may_open(self) -> bool:
        """Whether waiting may help: nothing that stands in the way has refused for good."""
        return all(gate.answer == "waiting" for gate in self.closed)


class Judge:
    """Answers for the gates of an environment, with what a person has overridden.

    Args:
        overrides: the reasons for going on, by the gates' names.
        runner: runs the gates' programs; None leaves them not evaluated.
        health: asks Argo CD; None leaves the gate `healthy` not evaluated.
        lenient: a program that was not run does not stand in the way (`--dry-run`).
    """

    def __init__(
        self,
        overrides: Mapping[str, str] | None = None,
        runner: Runner | None = None,
        health: Health | None = None,
        *,
        lenient: bool = False,
    ) -> None:
        self._overrides = dict(overrides or {})
        self._runner = runner
        self._health = health
        self._lenient = lenient
        self._said: dict[tuple[Any, ...], Gate] = {}

    def check(self, environment: Environment) -> None:
        """Refuses overrides that gitops-tk.yaml does not allow in an environment.

        Raises:
            RefusedByPolicy: code `override-not-allowed`.
        """
        for name in self._overrides:
            if name not in environment.policy.override:
                allowed = ", ".join(environment.policy.override)
                raise RefusedByPolicy(
                    f"{name} may not be overridden in {environment.name}",
                    code="override-not-allowed",
                    hint=f"gitops-tk.yaml allows {allowed}" if allowed else "gitops-tk.yaml allows no override there",
                )

    def judge(
        self, views: Views, config: Config, environment: Environment, arrivals: Sequence[Arrival], publish: Publish
    ) -> dict[str, Judged]:
        """What the gates say of each of the images that are to come to an environment, by their services.

        Args:
            publish: what waits may be proposed, and not be pushed.
        """
        gates = environment.policy.gates
        past = self._pasts(views, config, environment, arrivals)
        # A freeze that is overridden holds nobody back when a soak ends.
        open_gates = replace(gates, freeze=()) if "freeze" in self._overrides else gates
        found = {}
        for arrival in arrivals:
            answers = judge(gates, arrival, past[arrival.service])
            if gates.healthy and (arrival.images or arrival.chart):
                answers.append(self._healthy(arrival, config))
            if arrival.images:
                answers += [self._command(command, arrival, views) for command in gates.commands]
            answers = [self._overridden(gate) for gate in answers]
            closed = tuple(gate for gate in answers if self._is_closed(gate, publish))
            found[arrival.service] = Judged(
                arrival=arrival,
                answers=tuple(answers),
                closed=closed,
                until=earliest(open_gates, closed, views.now),
                instead=_instead(gates.soak, arrival, past[arrival.service]),
            )
        return found

    def protect(self, config: Config, layers: Layers, changed_layers: Layers) -> tuple[Gate, ...]:
        """Refuses to change protected keys, as the layers merge to them.

        Args:
            layers: a service's values in an environment, before the change.
            changed_layers: the same after it.

        Returns:
            An answer for each key that is changed because a person has overridden it.

        Raises:
            RefusedByPolicy: a protected key would change (code `protected`).
        """
        patterns = config.environment(layers.env).policy.protected
        if not patterns:
            return ()
        images = config.image_keys(layers.service).values()
        before, after = (without_images(one.merged.data, images) for one in (layers, changed_layers))
        keys = [format_key(key) for key in changed(patterns, before, after)]
        reason = self._overrides.get("protected")
        if keys and reason is None:
            allowed = "protected" in config.environment(layers.env).policy.override
            raise RefusedByPolicy(
                f"{', '.join(keys)} of {layers.service} is protected in {layers.env}",
                code="protected",
                hint="--override protected --reason TEXT changes it all the same"
                if allowed
                else f"take it out of `protected` of {layers.env} in gitops-tk.yaml first, by a change of its own",
                file=layers.own_path,
            )
        return tuple(
            Gate(
                gate=f"protected: {key}",
                service=layers.service,
                env=layers.env,
                answer="refused",
                message=f"{key} is protected",
                override=reason,
            )
            for key in keys
        )

    def drop(self, error: RefusedByPolicy, service: str, env: str) -> tuple[Gate, ...]:
        """Goes on over a refusal if a person has overridden it.

        Returns:
            The answer that was overridden, of a gate that is called as the refusal's code.

        Raises:
            RefusedByPolicy: the refusal; nobody has overridden it.
        """
        reason = self._overrides.get(error.code)
        if reason is None:
            raise error
        return (
            Gate(gate=error.code, service=service, env=env, answer="refused", message=error.message, override=reason),
        )

    def trailers(self, gates: Iterable[Gate]) -> tuple[tuple[str, str], ...]:
        """The trailers of a commit for which gates were overridden."""
        names = dict.fromkeys(gate.name for gate in gates if gate.override is not None)
        return tuple(("Gitops-Tk-Override", f"{name} {self._overrides[name]}") for name in names)

    def _pasts(
        self, views: Views, config: Config, environment: Environment, arrivals: Sequence[Arrival]
    ) -> dict[str, Past]:
        images = {arrival.service: arrival.images for arrival in arrivals if arrival.images}
        sources = {source for arrival in arrivals for source in arrival.sources}
        gates = environment.policy.gates
        envs = sorted(sources | all_before(config, sources) if gates.order else sources)
        found = {arrival.service: Past(now=views.now, environments={}) for arrival in arrivals}
        if images and gates.soak is not None:
            return found | proven(views, images, envs, sources, gates.soak)
        return found | pasts(views, images, envs) if images and gates.order else found

    def _is_closed(self, gate: Gate, publish: Publish) -> bool:
        if gate.override is not None or gate.answer == "passed":
            return False
        if publish == "pull-request":
            return gate.answer == "refused"
        unasked = gate.name == "healthy" or (gate.name == "commands" and not self._lenient)
        return gate.closed or unasked

    def _healthy(self, arrival: Arrival, config: Config) -> Gate:
        if self._health is None:
            return arrival.answer("healthy", "not-evaluated", "Argo CD is not asked here")
        about = (arrival.service, arrival.env, tuple(arrival.sources), arrival.chart, tuple(arrival.images.items()))
        known = ("healthy", *about)
        if known not in self._said:
            found = self._health(arrival, config)
            if found.answer != "passed":
                return found
            self._said[known] = found
        return self._said[known]

    def _command(self, command: Command, arrival: Arrival, views: Views) -> Gate:
        name = f"commands: {command.name}"
        if self._runner is None:
            return arrival.answer(name, "not-evaluated", f"{command.name} was not run: --allow-commands runs it")
        known = (command, arrival.service, arrival.env, tuple(arrival.sources), tuple(arrival.images.items()))
        if known not in self._said:
            found = self._runner(command, arrival, views)
            if found.answer == "waiting":
                return found
            self._said[known] = found
        return self._said[known]

    def _overridden(self, gate: Gate) -> Gate:
        reason = self._overrides.get(gate.name)
        return replace(gate, override=reason) if reason and gate.answer != "passed" else gate


def pass_gates(
    judge: Judge,
    views: Views,
    config: Config,
    environment: Environment,
    images: Mapping[str, Images],
    publish: Publish,
    intent: Any = None,
    here: Mapping[str, Images] | None = None,
) -> tuple[Gate, ...]:
    """The answers of all gates of an environment about images that are all to come, or none.

    Args:
        images: what comes new of each service, by the images' names; empty where it is something else that changes.
        publish: what waits may be proposed, and not be pushed.
        intent: what the plan means, for whoever waits.
        here: what the environment holds of each service now, where the command could be told another image.

    Raises:
        GateClosed: some may not come now.
    """
    held = here or {}
    arrivals = [
        arrival(config, service, environment.name, environment.from_, one, here=held.get(service))
        for service, one in images.items()
    ]
    judged = judge.judge(views, config, environment, arrivals, publish).values()
    refused = [one for one in judged if one.closed]
    if refused:
        error = refusal(refused, judged, environment.policy.override, views.now)
        error.intent = intent
        raise error
    return tuple(gate for one in judged for gate in one.answers)


def arrival(
    config: Config,
    service: str,
    env: str,
    sources: Sequence[str],
    images: Images,
    chart: str = "",
    here: Images | None = None,
) -> Arrival:
    """Images, and the version of a published chart, that are to come, with the order of the environments."""
    before = {environment.name: environment.from_ for environment in config.environments}
    return Arrival(
        service=service, env=env, sources=tuple(sources), images=images, before=before, chart=chart, here=here
    )


def said(judged: Judged, now: float) -> str:
    """Why images may not come now, and when they may."""
    reasons = "; ".join(gate.message for gate in judged.closed)
    when = f"; it would pass at {timestamp(judged.until)}, in {rough(judged.until - now)}" if judged.until else ""
    one = judged.arrival
    return f"{one.service} {one.version} may not come to {one.env} now: {reasons}{when}"


def refusal(refused: Sequence[Judged], judged: Iterable[Judged], override: Sequence[str], now: float) -> GateClosed:
    """The error for images that may not come now.

    Args:
        refused: those that may not.
        judged: all that were looked at.
        override: what `--override` may name.
    """
    closed = [gate for one in refused for gate in one.closed]
    times = [one.until for one in refused]
    until = max((time for time in times if time), default=None) if None not in times else None
    return GateClosed(
        "\n".join(said(one, now) for one in refused),
        gates=[gate for one in judged for gate in one.answers],
        closed=closed,
        until=until,
        hint=_hint(refused, override),
    )


def _hint(refused: Sequence[Judged], override: Sequence[str]) -> str | None:
    closed = [gate for one in refused for gate in one.closed]
    names = {gate.name for gate in closed}
    hints = []
    if len(refused) == 1 and refused[0].instead and names == {"soak"}:
        hints.append(f"--tag {refused[0].instead} has soaked")
    unasked = {gate.name for gate in closed if gate.answer == "not-evaluated"}
    if "healthy" in unasked:
        hints.append("ARGOCD_SERVER and ARGOCD_AUTH_TOKEN say where Argo CD can be asked")
    if "commands" in unasked:
        hints.append("--allow-commands runs the programs that gitops-tk.yaml names")
    if all(gate.answer == "waiting" for gate in closed):
        hints.append("--wait-for-gates DURATION waits")
    if names <= set(override):
        options = " ".join(f"--override {name}" for name in sorted(names))
        hints.append(f"in an emergency {options} --reason TEXT goes on all the same")
    return "; ".join(hints) or None


def _instead(length: float | None, arrival: Arrival, past: Past) -> str | None:
    if length is None or arrival.here is None:
        return None
    for source in arrival.sources:
        found = soaked(length, source, past)
        if found is None or len(found.images) != 1 or holds(found.images, arrival.images):
            continue
        ((name, image),) = found.images.items()
        # What is there already, or would take its place as an older build, helps nobody.
        there = arrival.here.get(name)
        if there is None or not (same(there, image) or older_by(there, image)):
            return image.tag or None
    return None


def all_before(config: Config, envs: Iterable[str]) -> set[str]:
    """These environments, and all that images pass on the way to them."""
    found: set[str] = set()
    left = set(envs)
    while left:
        found |= left
        left = {source for env in left for source in config.environment(env).from_} - found
    return found
