"""bump: a build is done, and its image goes to one environment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment, ImageKeys
from gitops_tk.errors import UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Gate, Plan, Write
from gitops_tk.model.image import Image
from gitops_tk.values.edit import apply
from gitops_tk.values.image import read_image
from gitops_tk.workflows.affected import publish_by, reviewed
from gitops_tk.workflows.each_service import plan_each
from gitops_tk.workflows.holding import refuse_held
from gitops_tk.workflows.images import Move, changes_of, edits_for
from gitops_tk.workflows.layers import Layers, read_layers, require
from gitops_tk.workflows.messages import Trailers, counted, described, proposal_branch, trailers
from gitops_tk.workflows.split import split_by_service
from gitops_tk.workflows.views import Views

if TYPE_CHECKING:
    from gitops_tk.workflows.gating.gates import Judge

# What may be said against a service's image; of several services all of it is told at once.
_REFUSALS = ("older-build", "moved", "held")


class BumpRequest(Struct, frozen=True, kw_only=True):
    """Which services get which image where.

    Attributes:
        image: the image; a part that is empty or None is one that it does not have.
        name: which of the services' images.
        overrides: the gates that a person overrides.
        split: a commit, or a proposal, for each service.
    """

    services: tuple[str, ...]
    env: str
    image: Image
    name: str = "default"
    allow_older: bool = False
    overrides: tuple[str, ...] = ()
    split: bool = False

    def check(self) -> None:
        """Refuses names, tags and digests that could not be ones.

        Raises:
            UsageError: something is not what its option takes.
        """
        for service in self.services:
            names.service(service)
        names.tag(self.image.tag)
        if self.image.digest:
            names.digest(self.image.digest)
        if self.image.revision:
            names.revision(self.image.revision)


def plan(request: BumpRequest, views: Views, intent: Any, judges: Callable[[], "Judge"] | None = None) -> Plan:
    """Plans a bump.

    Args:
        intent: None, or the moves of the first plan when a race was lost.
        judges: gives who answers for the gates, the same on every try; None for one that runs no program.
    """
    request.check()
    snapshot = views.snapshot
    config = load(snapshot)
    environment = config.environment(request.env)
    services = list(dict.fromkeys(request.services))
    layers = read_layers(
        snapshot,
        config,
        [(service, environment.name) for service in services],
        schema=_needs_schema(request.image),
        holds=True,
    )

    def one(service: str) -> tuple[Move, list[Write], list[Change]]:
        values = layers[service, environment.name]
        own = require(values, snapshot, config, environment)
        keys = _keys(config, service, request.name)
        move = intent[service] if intent else _first_move(request, values, keys)
        edits = edits_for(move, values, keys, retry=intent is not None, allow_older=request.allow_older)
        if not edits:
            return move, [], []
        refuse_held(values, {move.name: move.wanted}, views.now)
        return move, [Write(values.own_path, apply(own, edits, values.own_path))], changes_of(move, values, edits)

    planned, _ = plan_each(services, environment.name, one, _REFUSALS, named=True)
    moves = {service: move for service, (move, _, _) in planned.items()}
    operations = [write for _, writes, _ in planned.values() for write in writes]
    changes = [change for _, _, told in planned.values() for change in told]
    coming = [move for move, _, told in planned.values() if told]
    gates, overridden = _pass_gates(request, judges, views, config, environment, moves, coming)

    def said(changeset: ChangeSet, services: Sequence[str]) -> Plan:
        return Plan(
            changeset=changeset,
            intent=moves,
            gates=gates,
            subject=f"bump: {counted(services)} {request.image.version} in {environment.name}",
            body="\n".join(map(described, changeset.changes)) if len(services) > 2 else "",
            trailers=trailers("bump", changeset.changes, *_override(request), *overridden),
            publish=publish_by(config, operations),
            proposal=proposal_branch(environment.name, services),
            releases=reviewed(environment, services),
        )

    whole = said(ChangeSet(tuple(operations), tuple(changes)), services)
    return split_by_service(whole, said) if request.split else whole


def _pass_gates(
    request: BumpRequest,
    judges: Callable[[], "Judge"] | None,
    views: Views,
    config: Config,
    environment: Environment,
    moves: Mapping[str, Move],
    coming: Iterable[Move],
) -> tuple[tuple[Gate, ...], Trailers]:
    if not environment.policy.gates.names and not request.overrides:
        return (), ()
    from gitops_tk.workflows.gating.gates import Judge, pass_gates

    judge = judges() if judges else Judge()
    judge.check(environment)
    images = {move.service: {move.name: move.wanted} for move in coming}
    here = {move.service: {move.name: move.seen} if move.seen else {} for move in coming}
    gates = pass_gates(judge, views, config, environment, images, environment.publish, moves, here)
    return gates, judge.trailers(gates)


def _first_move(request: BumpRequest, layers: Layers, keys: ImageKeys) -> Move:
    return Move(
        service=layers.service,
        env=layers.env,
        name=request.name,
        seen=read_image(layers.merged, keys),
        wanted=request.image,
    )


def _keys(config: Config, service: str, name: str) -> ImageKeys:
    known: Mapping[str, ImageKeys] = config.image_keys(service)
    if name not in known:
        raise UsageError(
            f"{service} has no image called {name!r}",
            code="unknown-image",
            hint=f"gitops-tk.yaml knows {', '.join(known)}",
        )
    return known[name]


def _needs_schema(image: Image) -> bool:
    return image.build is not None or bool(image.revision)


def _override(request: BumpRequest) -> tuple[tuple[str, str], ...]:
    return (("Gitops-Tk-Override", "older-build"),) if request.allow_older else ()
