"""rollback: services go back to what ran before in one environment, and a hold keeps pipelines from undoing it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.load import load
from gitops_tk.errors import UsageError
from gitops_tk.model import moments, names
from gitops_tk.model.changes import Change, ChangeSet, Gate, Operation, Plan, Skipped, Write
from gitops_tk.model.image import Image
from gitops_tk.policy.holds import HeldImage, Hold, check_reason
from gitops_tk.values.edit import Edit, apply
from gitops_tk.workflows import chart_pins
from gitops_tk.workflows.affected import publish_now, reviewed
from gitops_tk.workflows.chart_copies import Carry, chart_files, returning, step, trees_now
from gitops_tk.workflows.each_service import plan_each
from gitops_tk.workflows.gating.gates import Judge
from gitops_tk.workflows.holding import hold_changes, hold_operations
from gitops_tk.workflows.images import Move, changes_of, edits_for
from gitops_tk.workflows.intent import Meant
from gitops_tk.workflows.layers import Layers, read_layers, require
from gitops_tk.workflows.looking_back.returns import Goal, Returns
from gitops_tk.workflows.looking_back.timeline import images_of
from gitops_tk.workflows.messages import counted, described, left_alone, proposal_branch, shown, trailers
from gitops_tk.workflows.promotion_keys import Travel, key_changes, key_edits, travels
from gitops_tk.workflows.split import split_by_service
from gitops_tk.workflows.views import Views

# Where all services go back to a time, these are reported, and the others go.
_SKIPS = ("moved", "bad-chart-version", "nothing-before", "protected", "service-not-in-environment")


class RollbackRequest(Struct, frozen=True, kw_only=True):
    """Which services go back where, and to what.

    Attributes:
        services: the services; empty for every one that has changed since a time.
        to: a tag, a digest, a build's number or a source commit that ran, or a commit of the repository.
        since: what ran at this time: a date, a time, or how long ago.
        reason: why, for the hold that stays; None for what was rolled back.
        push_now: push where changes are proposed, if the environment allows it.
        split: a commit, or a proposal, for each service.
    """

    services: tuple[str, ...]
    env: str
    to: str | None = None
    since: str | None = None
    reason: str | None = None
    push_now: bool = False
    split: bool = False

    def check(self) -> None:
        """Refuses what could be no name, reason or time, and options that do not go together.

        Raises:
            UsageError: something is not what its option takes.
        """
        for service in self.services:
            names.service(service)
        if self.to is not None and self.since is not None:
            raise UsageError("--to and --since name two places to go back to", code="two-goals")
        if not self.services and self.since is None:
            raise UsageError("name the services, or a time with --since", code="no-services")
        if self.to is not None and (not self.to or not self.to.isprintable()):
            raise UsageError("--to is no tag, digest, build or commit", code="bad-goal")
        if self.since is not None:
            moments.since(self.since, 0.0)
        if self.reason is not None:
            check_reason(self.reason)


class Return(Struct, frozen=True):
    """What the command means for one service: its images, keys and chart; nothing where it went back before."""

    moves: tuple[Move, ...] = ()
    keys: tuple[Travel, ...] = ()
    chart: Carry | None = None


class _Planned(Struct, frozen=True):
    meant: Return
    operations: tuple[Operation, ...] = ()
    changes: tuple[Change, ...] = ()
    gates: tuple[Gate, ...] = ()
    advice: tuple[str, ...] = ()


def plan(request: RollbackRequest, views: Views, intent: Any) -> Plan:
    """Plans a rollback; `intent` is None, or what the first plan meant when a race was lost."""
    request.check()
    return _Planner(request, views, intent).plan()


class _Planner:
    def __init__(self, request: RollbackRequest, views: Views, intent: Meant[Return] | None) -> None:
        self.request = request
        self.views = views
        self.intent = intent.services if intent else None
        self.left = intent.skipped if intent else ()
        self.config = load(views.snapshot)
        self.environment = self.config.environment(request.env)
        self.services = self._services()
        self.returns = Returns(views, self.environment.name, self.services)

    def plan(self) -> Plan:
        env = self.environment.name
        pairs = [(service, env) for service in self.services]
        layers = read_layers(self.views.snapshot, self.config, pairs, schema=True, holds=True)
        named = bool(self.request.services)
        planned, left = plan_each(
            self.services, env, lambda service: self._service(layers[service, env]), _SKIPS, named=named
        )
        return self._plan_of(planned, [*self.left, *left])

    def _services(self) -> list[str]:
        if self.intent is not None:
            return list(self.intent)
        if self.request.services:
            return list(dict.fromkeys(self.request.services))
        return list(self.config.layout.find_services(self.views.snapshot, [self.environment]))

    def _service(self, layers: Layers) -> _Planned:
        own = require(layers, self.views.snapshot, self.config, self.environment)
        if self.intent is not None:
            meant = self.intent[layers.service]
        elif self._is_done(layers):
            return self._done(layers)
        else:
            meant = self._meaning(layers)
        edits: list[Edit] = []
        operations, changes, over = self._chart(meant.chart, layers)
        keys = self.config.image_keys(layers.service)
        for move in meant.moves:
            # What runs meanwhile is told as moved; that it is newer is the point of going back.
            steps = edits_for(move, over, keys[move.name], retry=self.intent is not None, allow_older=True)
            edits += steps
            changes += changes_of(move, layers, steps)
        steps = key_edits(meant.keys, over, retry=self.intent is not None)
        edits += steps
        changes += key_changes(self.config, layers, steps)
        gates: tuple[Gate, ...] = ()
        data = apply(own, edits, layers.own_path) if edits else own
        if edits or operations:
            gates = Judge().protect(self.config, layers, over.with_own(data))
        operations += [Write(layers.own_path, data)] if edits else []
        hold = self._hold(layers, meant)
        operations += hold_operations(layers.service, layers.env, layers.hold, hold)
        changes += hold_changes(layers.service, layers.env, layers.hold, hold)
        return _Planned(meant, tuple(operations), tuple(changes), gates)

    def _chart(self, chart: Carry | None, layers: Layers) -> tuple[list[Operation], list[Change], Layers]:
        """What brings a chart back, and the layers over it."""
        if chart is None:
            return [], [], layers
        now = trees_now(self.views, [chart]).get(chart.service)
        found = step(chart, now)
        if found is None:
            return [], [], layers
        return [found[0]], [found[1]], layers.with_chart(chart_files(self.views, chart))

    def _is_done(self, layers: Layers) -> bool:
        """Whether the rollback was done: its hold stands, and what it put back is what there is."""
        hold = self._standing(layers)
        if self.request.to is not None or self.request.since is not None or hold is None:
            return False
        current = images_of(self.config, layers.service, layers.merged)
        restored = [one for one in hold.restored if one.name in current]
        return bool(restored) and all(one.is_(current[one.name]) for one in restored)

    def _standing(self, layers: Layers) -> Hold | None:
        return layers.hold if layers.hold and layers.hold.stands(self.views.now) else None

    def _done(self, layers: Layers) -> _Planned:
        service, env = layers.service, layers.env
        hint = (
            f"gitops-tk rollback {service} -e {env} --to TAG goes further back, gitops-tk unhold {service} -e {env} on"
        )
        said = f"{service} in {env} was rolled back already, and its hold stands: {hint}"
        return _Planned(Return(), advice=(said,))

    def _meaning(self, layers: Layers) -> Return:
        service = layers.service
        current = images_of(self.config, service, layers.merged)
        if self.request.since is not None and not current and not self.request.services:
            return Return()
        if self.request.since is not None:
            goal = self.returns.at_time(service, moments.since(self.request.since, self.views.now))
        elif self.request.to is not None:
            goal = self.returns.named(service, self.request.to)
        else:
            goal = self.returns.before(service, current, self._standing(layers))
        chart = returning(self.views, self.config, self.environment, service, goal.service, goal.commit)
        keys = (
            *travels(self.config, goal.merged, layers),
            *chart_pins.returning(self.config.chart, goal.merged, layers),
        )
        return Return(self._moves(layers, current, goal), keys, chart)

    def _moves(self, layers: Layers, current: Mapping[str, Image], goal: Goal) -> tuple[Move, ...]:
        return tuple(
            Move(service=layers.service, env=layers.env, name=name, seen=current.get(name), wanted=image)
            for name, image in goal.images.items()
            if name in self.config.image_keys(layers.service)
        )

    def _hold(self, layers: Layers, meant: Return) -> Hold | None:
        """The hold that stays: of everything where changes are proposed, else of the images that are left."""
        hold = self._standing(layers)
        back = tuple(HeldImage.of(move.name, move.wanted) for move in meant.moves)
        seen = (HeldImage.of(move.name, move.seen) for move in meant.moves if move.seen and move.seen.version)
        left = tuple(one for one in seen if one not in back)
        proposes = self.environment.publish == "pull-request"
        if not left and not (proposes and (meant.keys or meant.chart)):
            return layers.hold
        kept = tuple(one for one in (hold.images if hold else ()) if one not in left and one not in back)
        new = Hold(
            reason=self.request.reason or _reason(meant),
            by=self.views.author(),
            scope="all" if proposes or (hold and hold.holds_all) else "",
            images=(*kept, *left),
            restored=back,
        )
        if hold and not hold.fault and not hold.restored:
            # A person has said why already. What was left stays out until a person says otherwise: without an end.
            new = replace(new, reason=hold.reason, by=hold.by)
        return layers.hold if new.means(layers.hold) else new

    def _plan_of(self, planned: Mapping[str, _Planned], skipped: Sequence[Skipped]) -> Plan:
        operations = tuple(operation for one in planned.values() for operation in one.operations)
        changes = tuple(change for one in planned.values() for change in one.changes)
        publish, pushed_now = publish_now(self.config, operations, wanted=self.request.push_now)
        meant = {service: one.meant for service, one in planned.items()}

        def said(changeset: ChangeSet, services: Sequence[str]) -> Plan:
            return Plan(
                changeset=changeset,
                intent=Meant(meant, tuple(skipped)),
                subject=_subject(meant, services, self.environment.name),
                body=self._body(changeset, skipped),
                trailers=trailers("rollback", changeset.changes, *pushed_now),
                publish=publish,
                proposal=proposal_branch(self.environment.name, services, "rollback"),
                releases=reviewed(self.environment, services),
                skipped=tuple(skipped),
                gates=tuple(gate for one in planned.values() for gate in one.gates),
                advice=advice,
            )

        advice = (*(line for one in planned.values() for line in one.advice), *self._nothing_since(operations))
        going = [service for service, one in planned.items() if one.operations]
        whole = said(ChangeSet(operations, changes), going)
        return split_by_service(whole, said) if self.request.split else whole

    def _nothing_since(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        if operations or self.request.since is None:
            return ()
        since = moments.iso(moments.since(self.request.since, self.views.now))
        of = f" of {', '.join(self.services)}" if self.request.services else ""
        return (f"nothing{of} has changed in {self.environment.name} since {since} that a rollback could put back",)

    def _body(self, changeset: ChangeSet, skipped: Sequence[Skipped]) -> str:
        lines = [f"Reason: {self.request.reason}"] if self.request.reason else []
        images = [described(change) for change in changeset.changes if change.kind != "hold"]
        lines += images if len(images) > 1 else []
        left = left_alone(skipped)
        return "\n".join([*lines, *(["", "Left alone:", *left] if left else [])])


def _subject(meant: Mapping[str, Return], services: Sequence[str], env: str) -> str:
    versions = {move.wanted.version for service in services for move in meant[service].moves}
    to = f" to {shown(versions.pop())}" if len(versions) == 1 else ""
    return f"rollback: {counted(services)}{to} in {env}"


def _reason(meant: Return) -> str:
    moved = [move for move in meant.moves if move.seen != move.wanted]
    pairs = [f"{shown(move.seen.version if move.seen else '')} to {shown(move.wanted.version)}" for move in moved]
    return f"rolled back from {' and '.join(dict.fromkeys(pairs))}" if pairs else "rolled back"
