"""bump: a build is done, and its image goes to one environment."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from gitops_tk.config.load import load
from gitops_tk.config.model import Config, ImageKeys
from gitops_tk.errors import UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Plan, Write
from gitops_tk.model.image import Image
from gitops_tk.values.edit import apply
from gitops_tk.values.image import read_image
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.holding import refuse_held
from gitops_tk.workflows.images import Move, changes_of, edits_for
from gitops_tk.workflows.layers import Layers, read_layers, require
from gitops_tk.workflows.messages import counted, described, proposal_branch, trailers
from gitops_tk.workflows.split import split_by_service
from gitops_tk.workflows.views import Views


class BumpRequest(Struct, frozen=True, kw_only=True):
    """Which services get which image where.

    Attributes:
        image: the image; a part that is empty or None is one that it does not have.
        name: which of the services' images.
        split: a commit, or a proposal, for each service.
    """

    services: tuple[str, ...]
    env: str
    image: Image
    name: str = "default"
    allow_older: bool = False
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


def plan(request: BumpRequest, views: Views, intent: Any) -> Plan:
    """Plans a bump; `intent` is None, or the moves of the first plan when a race was lost."""
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
    moves: dict[str, Move] = {}
    operations: list[Write] = []
    changes: list[Change] = []
    for service in services:
        values = layers[service, environment.name]
        own = require(values, snapshot, config, environment)
        keys = _keys(config, service, request.name)
        move = intent[service] if intent else _first_move(request, values, keys)
        moves[service] = move
        edits = edits_for(move, values, keys, retry=intent is not None, allow_older=request.allow_older)
        if edits:
            refuse_held(values, {move.name: move.wanted}, views.now)
            operations.append(Write(values.own_path, apply(own, edits, values.own_path)))
            changes += changes_of(move, values, edits)

    def said(changeset: ChangeSet, services: Sequence[str]) -> Plan:
        return Plan(
            changeset=changeset,
            intent=moves,
            subject=f"bump: {counted(services)} {request.image.version} in {environment.name}",
            body="\n".join(map(described, changeset.changes)) if len(services) > 2 else "",
            trailers=trailers("bump", changeset.changes, *_override(request)),
            publish=publish_by(config, operations),
            proposal=proposal_branch(environment.name, services),
        )

    whole = said(ChangeSet(tuple(operations), tuple(changes)), services)
    return split_by_service(whole, said) if request.split else whole


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
