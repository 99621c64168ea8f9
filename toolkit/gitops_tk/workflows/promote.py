"""promote: what runs in one environment goes to the next, exactly as it runs there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import GitopsTkError, MissingFile, RefusedByPolicy, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Gate, Operation, Plan, Skipped, Write
from gitops_tk.model.image import Image
from gitops_tk.model.refusals import ChartDiverged
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit, apply
from gitops_tk.values.image import read_image
from gitops_tk.workflows import chart_pins
from gitops_tk.workflows.affected import publish_by, reviewed
from gitops_tk.workflows.chart_copies import Carry, carries, chart_files, diverged, step, trees_now
from gitops_tk.workflows.each_service import plan_each
from gitops_tk.workflows.gating.gates import Judge, arrival, refusal, said
from gitops_tk.workflows.holding import refuse_held, refuse_left
from gitops_tk.workflows.images import Move, changes_of, edits_for, images_of
from gitops_tk.workflows.intent import Meant
from gitops_tk.workflows.layers import Layers, read_layers, require
from gitops_tk.workflows.looking_back.held import Held, held_image
from gitops_tk.workflows.messages import counted, described, left_alone, proposal_branch, shown, trailers
from gitops_tk.workflows.promotion_keys import Travel, key_changes, key_edits, travels
from gitops_tk.workflows.split import split_by_service
from gitops_tk.workflows.views import Views

# What policy or the state of the service itself says; in a promotion of everything it is reported, not fatal.
_SKIPS = (
    "older-build",
    "moved",
    "held",
    "protected",
    "chart-diverged",
    "bad-chart-version",
    "never-deployed",
    "no-image",
    "tag-not-held",
    "service-not-in-environment",
)


class PromoteRequest(Struct, frozen=True, kw_only=True):
    """From where to where, and which services; none named means every one that differs.

    Attributes:
        tag: an image that the source holds or has held; None for what it holds now.
        split: a commit, or a proposal, for each service.
        wait: what waits for a gate is not left alone, but refused, so that it can be waited for.
        only: `image` or `chart`: which of the two travels; None for both.
    """

    source: str
    target: str
    services: tuple[str, ...] = ()
    tag: str | None = None
    allow_older: bool = False
    split: bool = False
    wait: bool = False
    only: str | None = None

    def check(self) -> None:
        """Refuses what could not be asked for.

        Raises:
            UsageError: a tag is none, or only something else than an image or a chart is to travel.
        """
        if self.tag is not None:
            names.tag(self.tag)
        if self.only not in (None, "image", "chart"):
            raise UsageError(f"--only is image or chart, not {self.only!r}", code="bad-only")


class Promotion(Struct, frozen=True):
    """What the command means for one service: its images, its travelling keys, and its chart if that differs.

    The version of a chart that is published elsewhere is among the keys.
    """

    moves: tuple[Move, ...]
    keys: tuple[Travel, ...]
    chart: Carry | None = None


class _Planned(Struct, frozen=True):
    promotion: Promotion
    operations: tuple[Operation, ...]
    changes: tuple[Change, ...]
    # What comes new, by the images' names: what the gates are asked about.
    images: dict[str, Image]
    gates: tuple[Gate, ...] = ()


def plan(request: PromoteRequest, views: Views, intent: Any, judge: Judge | None = None) -> Plan:
    """Plans a promotion.

    Args:
        intent: None, or what the first plan meant, when a race was lost.
        judge: answers for the gates; the same on every try. None for one that runs no program.
    """
    return _Planner(request, views, intent, judge or Judge()).plan()


class _Planner:
    def __init__(self, request: PromoteRequest, views: Views, intent: Meant[Promotion] | None, judge: Judge) -> None:
        self.request = request
        self.views = views
        self.intent = intent.services if intent else None
        self.left = intent.skipped if intent else ()
        self.judge = judge
        self.config = load(views.snapshot)
        self.source = self.config.environment(request.source)
        self.target = self.config.environment(request.target)
        check_order(self.config, self.source, self.target)
        judge.check(self.target)
        request.check()
        travelling = self.config.layout.chart_per_environment or self.config.chart is not None
        self.carries_charts = travelling and request.only != "image"
        if request.only == "chart" and not self.carries_charts:
            raise UsageError(
                "all environments share their charts: an edit is in all of them at once",
                code="shared-charts",
                hint="with {env} in layout.chart each environment has its own; published charts are pinned in each",
            )
        self.charts: dict[str, Carry] = {}
        self.now: dict[str, str] = {}
        self.diverged: dict[str, ChartDiverged] = {}

    def plan(self) -> Plan:
        services = self._services()
        pairs = [(service, env.name) for service in services for env in (self.source, self.target)]
        self.layers = read_layers(self.views.snapshot, self.config, pairs, schema=True, holds=True)
        if self.carries_charts and self.config.chart is None:
            self._look_at_charts(services)
        named = bool(self.request.services)
        planned, left = plan_each(services, self.target.name, self._service, _SKIPS, named=named)
        skipped = [*self.left, *left]
        return self._plan_of(planned, skipped, self._pass_gates(planned, skipped))

    def _pass_gates(self, planned: dict[str, _Planned], skipped: list[Skipped]) -> tuple[Gate, ...]:
        """Takes out what the gates hold back; returns all their answers."""
        arrivals = [
            arrival(self.config, service, self.target.name, [self.source.name], one.images, chart, here)
            for service, one in planned.items()
            if one.operations
            for chart in [chart_pins.coming(self.config.chart, one.promotion.keys)]
            for here in [images_of(self.config, self.layers[service, self.target.name])]
        ]
        judged = self.judge.judge(self.views, self.config, self.target, arrivals, self.target.publish)
        closed = [one for one in judged.values() if one.closed]
        refused = [one for one in closed if self.request.services or (self.request.wait and one.may_open)]
        if refused:
            error = refusal(refused, judged.values(), self.target.policy.override, self.views.now)
            error.intent = self._intent(planned, skipped)
            raise error
        for one in closed:
            service = one.arrival.service
            del planned[service]
            code, message = one.closed[0].name, said(one, self.views.now)
            skipped.append(Skipped(service=service, env=self.target.name, code=code, message=message))
        for service in planned:
            if service in judged:
                planned[service] = replace(planned[service], gates=planned[service].gates + judged[service].answers)
        return tuple(gate for one in planned.values() for gate in one.gates) + tuple(
            gate for one in closed for gate in one.answers
        )

    @staticmethod
    def _intent(planned: Mapping[str, _Planned], skipped: Iterable[Skipped]) -> Meant[Promotion]:
        return Meant({service: one.promotion for service, one in planned.items()}, tuple(skipped))

    def _services(self) -> list[str]:
        return self._asked() if self.intent is None else list(self.intent)

    def _asked(self) -> list[str]:
        if self.request.services:
            return [names.service(service) for service in dict.fromkeys(self.request.services)]
        found = self.config.layout.find_services(self.views.snapshot, [self.source, self.target])
        return [service for service, envs in found.items() if self.source.name in envs]

    def _look_at_charts(self, services: Sequence[str]) -> None:
        if self.intent is not None:
            self.charts = {service: one.chart for service, one in self.intent.items() if one.chart}
        else:
            self.charts = carries(self.views, self.config, self.source, self.target, services)
        self.now = trees_now(self.views, self.charts.values())
        if self.intent is None:
            self.diverged = diverged(self.views, self.source, list(self.charts.values()))

    def _service(self, service: str) -> _Planned:
        source = self.layers[service, self.source.name]
        before = self.layers[service, self.target.name]
        own = require(before, self.views.snapshot, self.config, self.target)
        if self.intent is not None:
            promotion = self.intent[service]
        else:
            require(source, self.views.snapshot, self.config, self.source)
            promotion = self._meaning(source, before)
        gates: tuple[Gate, ...] = ()
        if service in self.diverged:
            gates = self.judge.drop(self.diverged[service], service, self.target.name)
        operations, changes, target = self._carried(promotion.chart, source, before)
        edits: list[Edit] = []
        images: dict[str, Image] = {}
        keys = self.config.image_keys(service)
        for move in promotion.moves:
            steps = edits_for(
                move,
                target,
                keys[move.name],
                retry=self.intent is not None,
                allow_older=self.request.allow_older,
            )
            edits += steps
            changes += changes_of(move, before, steps)
            images |= {move.name: move.wanted} if steps else {}
        steps = key_edits(promotion.keys, target, retry=self.intent is not None)
        edits += steps
        changes += key_changes(self.config, before, steps)
        if edits:
            operations.append(Write(target.own_path, apply(own, edits, target.own_path)))
        if not operations:
            return _Planned(promotion, (), (), {})
        wanted = {move.name: move.wanted for move in promotion.moves} if edits else {}
        refuse_held(before, wanted, self.views.now)
        refuse_left(source, images, self.views.now)
        after = target.with_own(operations[-1].data) if isinstance(operations[-1], Write) else target
        gates += self.judge.protect(self.config, before, after)
        return _Planned(promotion, tuple(operations), tuple(changes), images, gates)

    def _carried(
        self, chart: Carry | None, source: Layers, target: Layers
    ) -> tuple[list[Operation], list[Change], Layers]:
        """What carries a chart, and the target's layers over the one that comes: it may have what an image masks."""
        found = step(chart, self.now.get(chart.service)) if chart else None
        if chart is None or found is None:
            return [], [], target
        operation, change = found
        here = self.intent is None and chart == self.charts.get(chart.service)
        return [operation], [change], target.with_chart(source.chart if here else chart_files(self.views, chart))

    def _meaning(self, source: Layers, target: Layers) -> Promotion:
        chart, pin = self.charts.get(source.service), self._pin(source, target)
        if self.request.only == "chart":
            return Promotion((), pin, chart)
        moves = []
        for name, keys in self.config.image_keys(source.service).items():
            image = read_image(source.merged, keys)
            if self.request.tag is not None and (image is None or image.tag != self.request.tag):
                held = held_image(self.views, source.service, source.env, name, self.request.tag)
                image = held.image if held else None
                if held is not None and self.carries_charts:
                    chart, pin = self._chart_then(source, target, held)
            if image is None or not image.version:
                continue
            _check_image(source, image)
            seen = read_image(target.merged, keys)
            moves.append(Move(service=source.service, env=target.env, name=name, seen=seen, wanted=image))
        if not moves:
            raise self._no_image(source)
        return Promotion(tuple(moves), (*travels(self.config, source.merged, target), *pin), chart)

    def _pin(self, source: Layers, target: Layers, then: Document | None = None) -> tuple[Travel, ...]:
        """The version of a chart that is published elsewhere, where that travels."""
        chart = self.config.chart if self.carries_charts else None
        pin = chart_pins.promoted(chart, source, target, then) if chart is not None else None
        if chart is None or pin is None:
            return ()
        error = chart_pins.diverged(self.views, chart, source, target, pin)
        self.diverged |= {source.service: error} if error else {}
        return (pin,)

    def _chart_then(self, source: Layers, target: Layers, held: Held) -> tuple[Carry | None, tuple[Travel, ...]]:
        """The chart that an image had when the source held it."""
        if self.config.chart is not None:
            return None, self._pin(source, target, held.own)
        service = source.service
        found = carries(self.views, self.config, self.source, self.target, [service], held.commit).get(service)
        if found is not None and service not in self.now and found.seen is not None:
            self.now[service] = found.seen
        return found, ()

    def _no_image(self, source: Layers) -> GitopsTkError:
        if self.request.tag is not None:
            return MissingFile(
                f"{source.service} has never run {self.request.tag} in {source.env}",
                code="tag-not-held",
                hint=f"--tag takes what gitops-tk history {source.service} -e {source.env} shows",
                file=source.own_path,
            )
        return MissingFile(
            f"{source.service} has no image in {source.env} yet",
            code="never-deployed",
            hint=f"gitops-tk bump {source.service} -e {source.env} --tag TAG",
            file=source.own_path,
        )

    def _plan_of(self, planned: Mapping[str, _Planned], skipped: Sequence[Skipped], gates: tuple[Gate, ...]) -> Plan:
        operations = tuple(operation for one in planned.values() for operation in one.operations)
        changes = tuple(change for one in planned.values() for change in one.changes)
        moving = [service for service, one in planned.items() if one.operations]
        whole = self._said(ChangeSet(operations, changes), moving, planned, skipped)
        whole = replace(
            whole,
            intent=self._intent(planned, skipped),
            gates=gates,
            proposal=proposal_branch(self.target.name, self.request.services or ["_all"]),
            releases=reviewed(self.target, self._asked() if self.target.publish == "pull-request" else ()),
        )
        if not self.request.split:
            return whole
        return split_by_service(whole, lambda part, services: self._said(part, services, planned, []))

    def _said(
        self,
        changeset: ChangeSet,
        services: Sequence[str],
        planned: Mapping[str, _Planned],
        skipped: Sequence[Skipped],
    ) -> Plan:
        what = _what(changeset.changes, services, [planned[name].promotion for name in services])
        older = (("Gitops-Tk-Override", "older-build"),) if self.request.allow_older else ()
        override = (*older, *self.judge.trailers(gate for name in services for gate in planned[name].gates))
        return Plan(
            changeset=changeset,
            subject=f"promote: {what} from {self.source.name} to {self.target.name}",
            body=_review(changeset.changes, skipped) if len(services) > 1 or skipped else "",
            trailers=trailers("promote", changeset.changes, ("Gitops-Tk-Source", self.source.name), *override),
            publish=publish_by(self.config, changeset.operations),
            proposal=proposal_branch(self.target.name, services),
            skipped=tuple(skipped),
        )


def _check_image(source: Layers, image: Image) -> None:
    # What a file holds may be anything, and what no registry has runs nowhere.
    try:
        if image.tag:
            names.tag(image.tag)
        if image.digest:
            names.digest(image.digest)
    except UsageError as error:
        raise MissingFile(
            f"{source.service} has no image in {source.env} that could be promoted: {error.message}",
            code="no-image",
            hint="a tag that looks like a number is one to Helm: put it in quotes",
            file=source.own_path,
        ) from error


def _what(changes: Iterable[Change], services: Sequence[str], promotions: Iterable[Promotion]) -> str:
    versions = {move.wanted.version for one in promotions for move in one.moves}
    version = f" {shown(versions.pop())}" if len(versions) == 1 else ""
    kinds = {change.kind for change in changes}
    if kinds == {"chart"}:
        return f"the {'chart' if len(services) == 1 else 'charts'} of {counted(services)}"
    charts = f" and {'its chart' if len(services) == 1 else 'charts'}" if "chart" in kinds else ""
    return f"{counted(services)}{version}{charts}"


def check_order(config: Config, source: Environment, target: Environment) -> None:
    """Refuses a promotion that gitops-tk.yaml's order does not have.

    Raises:
        UsageError: source and target are the same.
        RefusedByPolicy: against the order, or skipping an environment (code `order`).
    """
    if source.name == target.name:
        raise UsageError(f"{source.name} cannot be promoted to itself", code="same-environment")
    if source.name in target.from_:
        return
    position = [environment.name for environment in config.environments]
    against = position.index(source.name) > position.index(target.name)
    how = "is against the promotion order" if against else "skips the promotion order"
    allowed = " or ".join(target.from_)
    raise RefusedByPolicy(
        f"promoting {source.name} to {target.name} {how}",
        code="order",
        hint=f"{target.name} is promoted from {allowed}" if allowed else f"nothing is promoted to {target.name}",
    )


def _review(changes: Iterable[Change], skipped: Iterable[Skipped]) -> str:
    lines = [described(change) for change in changes]
    left = left_alone(skipped)
    return "\n".join(lines + (["", "Left alone:", *left] if left else []))
