"""hold and unhold: a service is left alone in an environment, until a person or the date lets it go on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.layout import Layout
from gitops_tk.config.load import load
from gitops_tk.errors import RefusedByPolicy, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Operation, Plan
from gitops_tk.policy.holds import Hold, check_reason, until_end
from gitops_tk.workflows.affected import publish_now, reviewed
from gitops_tk.workflows.holding import hold_changes, hold_operations
from gitops_tk.workflows.layers import read_layers, require
from gitops_tk.workflows.messages import counted, proposal_branch, trailers
from gitops_tk.workflows.split import split_by_service
from gitops_tk.workflows.views import Views


class HoldRequest(Struct, frozen=True, kw_only=True):
    """Which services are held where, and why.

    Attributes:
        until: a date, which counts to its end in UTC, or a time; None for no end.
        push_now: push where changes are proposed, if the environment allows it.
        split: a commit, or a proposal, for each service.
    """

    services: tuple[str, ...]
    env: str
    reason: str
    until: str | None = None
    push_now: bool = False
    split: bool = False

    def check(self) -> None:
        """Refuses what could be no name, reason or end.

        Raises:
            UsageError: something is not what its option takes.
        """
        for service in self.services:
            names.service(service)
        check_reason(self.reason)
        if self.until is not None:
            until_end(self.until)


class UnholdRequest(Struct, frozen=True, kw_only=True):
    """Which services go on where; the attributes are those of HoldRequest."""

    services: tuple[str, ...]
    env: str
    push_now: bool = False
    split: bool = False


class Turn(Struct, frozen=True):
    """What the command means for one service: the hold that the first plan found, and the one that it wants."""

    seen: Hold | None
    wanted: Hold | None


def plan_hold(request: HoldRequest, views: Views, intent: Any) -> Plan:
    """Plans a hold; `intent` is None, or the turns of the first plan when a race was lost."""
    request.check()
    reason, until = check_reason(request.reason), request.until or ""
    if intent is None and until and until_end(until) <= views.now:
        raise UsageError(f"--until {until} is over already", code="until-past")

    def wanted(seen: Hold | None) -> Hold:
        if seen is None or seen.fault:
            return Hold(reason=reason, until=until, by=views.author())
        # What a rollback left stays known: it says that the rollback was done.
        new = replace(seen, reason=reason, until=until, scope="all" if seen.images else "")
        return seen if new == seen else replace(new, by=views.author())

    body = f"Reason: {reason}" + (f"\nUntil: {until}" if until else "")
    return _plan("hold", request, views, intent, wanted, body)


def plan_unhold(request: UnholdRequest, views: Views, intent: Any) -> Plan:
    """Plans the end of holds; `intent` is None, or the turns of the first plan when a race was lost."""
    for service in request.services:
        names.service(service)
    return _plan("unhold", request, views, intent, lambda _: None)


def _plan(
    command: str,
    request: HoldRequest | UnholdRequest,
    views: Views,
    intent: Mapping[str, Turn] | None,
    wanted: Callable[[Hold | None], Hold | None],
    body: str = "",
) -> Plan:
    config = load(views.snapshot)
    env = config.environment(request.env)
    services = list(dict.fromkeys(request.services))
    layers = read_layers(views.snapshot, config, [(service, env.name) for service in services], holds=True)
    turns: dict[str, Turn] = {}
    operations: list[Operation] = []
    changes: list[Change] = []
    for service in services:
        values = layers[service, env.name]
        found = values.hold
        # A hold that is left of a service that has gone can be taken away.
        if command == "hold" or found is None:
            require(values, views.snapshot, config, env)
        turn = turns[service] = intent[service] if intent else Turn(found, wanted(found))
        if found == turn.wanted or (found is not None and found.means(turn.wanted)):
            continue
        if found != turn.seen:
            raise _moved(service, env.name, Layout.hold_path(service, env.name))
        operations += hold_operations(service, env.name, found, turn.wanted)
        changes += hold_changes(service, env.name, found, turn.wanted)
    publish, pushed_now = publish_now(config, operations, wanted=request.push_now)

    def said(changeset: ChangeSet, services: Sequence[str]) -> Plan:
        return Plan(
            changeset=changeset,
            intent=turns,
            subject=f"{command}: {counted(services)} in {env.name}",
            body=body,
            trailers=trailers(command, changeset.changes, *pushed_now),
            publish=publish,
            proposal=proposal_branch(env.name, services, command),
            releases=reviewed(env, services),
        )

    whole = said(ChangeSet(tuple(operations), tuple(changes)), services)
    return split_by_service(whole, said) if request.split else whole


def _moved(service: str, env: str, file: str) -> RefusedByPolicy:
    return RefusedByPolicy(
        f"the hold of {service} in {env} was changed by somebody else while this command ran",
        code="moved",
        hint="look at it with gitops-tk status, and run the command again if it is still what you want",
        file=file,
    )
