"""values: what a service's configuration is in an environment, and exact changes to it."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import MissingFile, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Gate, Plan, Write
from gitops_tk.model.refusals import moved
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.compare import differences
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit, apply, same
from gitops_tk.values.keys import format_key, parse_key
from gitops_tk.values.literal import Assignment, parse_assignment
from gitops_tk.values.splice import DELETE
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.chart_pins import refuse_unpinned
from gitops_tk.workflows.gating.gates import Judge, pass_gates
from gitops_tk.workflows.gating.places import keep_places
from gitops_tk.workflows.images import changed_images, refuse_emptied
from gitops_tk.workflows.layers import Layers, read_layers, require
from gitops_tk.workflows.messages import digest, proposal_branch, trailers
from gitops_tk.workflows.redaction import key_change
from gitops_tk.workflows.views import Views


class ValuesRequest(Struct, frozen=True):
    """Keys of one service in one environment to set, or to remove where the wanted value is DELETE."""

    service: str
    env: str
    wanted: tuple[Assignment, ...]

    @classmethod
    def set(cls, service: str, env: str, assignments: Sequence[str]) -> "ValuesRequest":
        """From `KEY=VALUE` arguments.

        Raises:
            UsageError: an argument is not one, or two of them are about the same value.
        """
        wanted = tuple(parse_assignment(text) for text in assignments)
        for one, other in combinations(sorted((assignment.path for assignment in wanted), key=len), 2):
            if one == other[: len(one)]:
                raise UsageError(f"{format_key(one)} is set twice", code="set-twice", hint="which value is meant?")
        return cls(service, env, wanted)

    @classmethod
    def unset(cls, service: str, env: str, keys: Sequence[str]) -> "ValuesRequest":
        """From keys alone.

        Raises:
            UsageError: a key is not well formed.
        """
        return cls(service, env, tuple(Assignment(parse_key(key), DELETE, "") for key in keys))

    @property
    def command(self) -> str:
        """The command's name in messages and trailers."""
        return "values unset" if self.wanted[0].value is DELETE else "values set"


def plan(request: ValuesRequest, views: Views, intent: Any, judge: Judge | None = None) -> Plan:
    """Plans the edits; after a lost race, a key that someone else changed is refused (`moved`).

    Args:
        judge: answers for protected keys, and for gates where the change is published.
    """
    judge = judge or Judge()
    names.service(request.service)
    config = load(views.snapshot)
    environment = config.environment(request.env)
    judge.check(environment)
    layers = read_layers(views.snapshot, config, [(request.service, environment.name)])
    values = layers[request.service, environment.name]
    own = require(values, views.snapshot, config, environment)
    document = Document.read(own, values.own_path)
    edits: list[Edit] = []
    changes: list[Change] = []
    seen = {}
    for edit in _as_edits(request, config):
        found = document.find(edit.path)
        current = DELETE if found is None else found.value
        seen[edit.path] = current
        if same(current, edit.value, ordered=False):
            continue
        if intent and not same(current, intent[edit.path], ordered=False):
            raise moved(f"{format_key(edit.path)} changed", values.own_path)
        edits.append(edit)
        changes.append(key_change("value", values, edit, current))
    operations = (Write(values.own_path, apply(own, edits, values.own_path)),) if edits else ()
    gates: tuple[Gate, ...] = ()
    for operation in operations:
        after = values.with_own(operation.data)
        gates = judge.protect(config, values, after) + keep_places(judge, views, config, values, after)
        refuse_emptied(config, values, after)
        refuse_unpinned(config, values, after)
        images = changed_images(config, values, after)
        # In a checkout files are written: what waits is looked at again when they are proposed.
        publish = environment.publish if views.snapshot.revision else "pull-request"
        gates += pass_gates(judge, views, config, environment, {request.service: images}, publish)
    verb = "unset" if request.command.endswith("unset") else "set"
    keys = ", ".join(format_key(edit.path) for edit in edits)
    return Plan(
        changeset=ChangeSet(operations, tuple(changes)),
        intent=intent or seen,
        subject=f"values: {verb} {keys} of {request.service} in {environment.name}",
        trailers=trailers(request.command, changes, *judge.trailers(gates)),
        gates=gates,
        publish=publish_by(config, operations),
        # Beside the proposals of images: neither takes the other's place.
        proposal=proposal_branch(environment.name, [request.service], f"values-{digest(map(format_key, seen))}"),
    )


def _as_edits(request: ValuesRequest, config: Config) -> list[Edit]:
    # What names an image is text, whatever it looks like: a tag 1.10 is not the number 1.1.
    images = config.image_keys(request.service).values()
    tags = {parse_key(keys.tag) for keys in images if keys.tag}
    texts = {parse_key(key) for keys in images for key in (keys.digest, keys.revision, keys.reference) if key} | tags
    texts |= {config.chart.key} if config.chart else set()

    def value(one: Assignment) -> Any:
        is_text = one.path in texts and isinstance(one.value, int | float)
        # A digest may be none, a tag may be called null.
        return one.text if is_text or (one.path in tags and one.value is None) else one.value

    return [Edit(one.path, value(one)) for one in request.wanted]


def get(snapshot: Snapshot, service: str, env: str, key: str | None) -> Result:
    """The merged value of a key, or all of them, with the file and line each comes from.

    Raises:
        MissingFile: the service or the key is not there.
    """
    path = parse_key(key) if key else ()
    layers = _required(snapshot, service, env)
    merged = layers.merged
    if path and not merged.has(path):
        raise MissingFile(
            f"{service} has no {key} in {env}",
            code="missing-key",
            hint=f"gitops-tk values get {service} -e {env}",
        )
    details: dict[str, Any] = {"value": merged.get(path) if path else merged.data}
    origins = [
        {"key": format_key(leaf), "value": value, "file": origin.file, "line": origin.line}
        for leaf, value, origin in merged.origins(path)
    ]
    return Result(command="values get", outcome="unchanged", details=details | {"origins": origins})


def diff(snapshot: Snapshot, service: str, first: str, second: str) -> Result:
    """What differs between a service's merged values in two environments, key by key."""
    one, other = _required(snapshot, service, first), _required(snapshot, service, second)
    found = [
        {"key": difference.key, first: difference.before, second: difference.after}
        for difference in differences(one.merged.data, other.merged.data)
    ]
    return Result(
        command="values diff",
        outcome="unchanged",
        details={"environments": [first, second], "differences": found},
    )


def _required(snapshot: Snapshot, service: str, env: str) -> Layers:
    names.service(service)
    config = load(snapshot)
    environment = config.environment(env)
    layers = read_layers(snapshot, config, [(service, env)])[service, env]
    require(layers, snapshot, config, environment)
    return layers
