"""env: list, add and remove environments; gitops-tk.yaml is edited, never rewritten."""

from typing import Any, get_args

from msgspec import Struct

from gitops_tk import resources
from gitops_tk.charts.scaffold import shared_values
from gitops_tk.config.layout import HOLDS
from gitops_tk.config.load import CONFIG_FILE, load, parse
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import ConfigError, RefusedByPolicy, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Delete, Operation, Plan, Publish, Write
from gitops_tk.model.image import Image
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit, apply
from gitops_tk.values.image import image_edits
from gitops_tk.values.keys import Index
from gitops_tk.values.splice import DELETE
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.layers import read_layers
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.views import Views
from gitops_tk.workflows.wiring import manifests


class AddRequest(Struct, frozen=True, kw_only=True):
    """A new environment.

    Attributes:
        after: the environment that it comes after in the file; None for the last.
        from_: where promotions may come from; empty for the one before it.
        publish: push or pull-request.
        path: what `{env}` is in paths, where that differs from the name.
        copy: the environment whose shared values and services it starts with, their images left out.
    """

    name: str
    after: str | None = None
    from_: tuple[str, ...] = ()
    publish: str = "push"
    path: str | None = None
    copy: str | None = None


def listed(snapshot: Snapshot) -> Result:
    """The environments in promotion order."""
    config = load(snapshot)
    environments = [
        {"name": env.name, "path": env.path, "from": list(env.from_), "publish": env.publish}
        for env in config.environments
    ]
    return Result(command="env list", outcome="unchanged", details={"environments": environments})


def add(request: AddRequest, views: Views) -> Plan:
    """Plans a new environment; one that is there already as asked is left alone.

    Raises:
        UsageError: a name is not one, or is not known, or what is asked for makes no working configuration.
        ConfigError: gitops-tk.yaml is none before.
    """
    config = load(views.snapshot)
    names.environment(request.name)
    if request.publish not in get_args(Publish):
        raise UsageError(
            f"--publish is push or pull-request, not {request.publish!r}", code="bad-publish", hint="see env add --help"
        )
    text = views.snapshot.read([CONFIG_FILE])[CONFIG_FILE]
    entry = _entry(request)
    position = _position(config, request.after)
    if any(env.name == request.name for env in config.environments):
        _same_or_refuse(request, config, text)
        return Plan(subject=f"env add: {request.name}")
    edited = apply(text, _insert(text, position, entry), CONFIG_FILE)
    after = _working(edited)
    environment = after.environment(request.name)
    operations: list[Operation] = [Write(CONFIG_FILE, edited)]
    operations += _first_files(views.snapshot, config, environment, request.copy)
    connected = manifests.completed(after, views, operations, environment)
    changes = [
        Change(
            kind="config" if op.path == CONFIG_FILE else "environment",
            env=request.name,
            file=op.path,
            key="environments" if op.path == CONFIG_FILE else None,
            to=request.name if op.path == CONFIG_FILE else "added",
        )
        for op in operations
        if after.layout.match_chart(op.path) is None
    ]
    changes += [*_charts(after, request.name, operations, added=True), *connected.changes]
    return _plan("env add", request.name, after, [*operations, *connected.operations], changes)


def remove(name: str, views: Views) -> Plan:
    """Plans the removal of an environment with its shared and services' values and its holds.

    Raises:
        UsageError: there is no such environment, or what is left makes no working configuration.
        RefusedByPolicy: another environment is promoted from it.
    """
    config = load(views.snapshot)
    environment = config.environment(name)
    text = views.snapshot.read([CONFIG_FILE])[CONFIG_FILE]
    entries = Document.read(text, CONFIG_FILE).data["environments"]
    dependent = [entry["name"] for entry in entries if name in (entry.get("from") or ())]
    if dependent:
        raise RefusedByPolicy(
            f"{' and '.join(dependent)} may be promoted from {name}",
            code="environment-in-use",
            hint=f"take {name} out of their `from` in {CONFIG_FILE} first",
            file=CONFIG_FILE,
        )
    position = [env.name for env in config.environments].index(name)
    edits = [Edit(("environments", Index(position)), DELETE), Edit(("argocd", "environments", name), DELETE)]
    edited = apply(text, edits if config.argocd else edits[:1], CONFIG_FILE)
    _working(edited)
    shared = config.layout.shared_path(environment)
    there = views.snapshot.entries([shared] if shared else [])
    services = config.layout.find_services(views.snapshot, [environment])
    holds = [entry.path for entry in views.snapshot.tree(f"{HOLDS}/{name}")]
    gone = [*there, *(config.layout.values_path(service, environment) for service in services), *holds]
    connected = manifests.withdrawn(config, name, views.snapshot)
    operations: list[Operation] = [Write(CONFIG_FILE, edited), *(Delete(path) for path in gone)]
    if config.layout.chart_per_environment:
        roots = [config.layout.chart_path(service, environment) for service in services]
        operations += [Delete(entry.path) for root in roots for entry in views.snapshot.tree(root)]
    charts = _charts(config, name, operations, added=False)
    operations += connected.operations
    changes = [
        Change(kind="config", env=name, file=CONFIG_FILE, key="environments", from_=name),
        *(Change(kind="environment", env=name, file=path, from_="removed") for path in gone),
        *charts,
        *connected.changes,
    ]
    return _plan("env remove", name, config, operations, changes)


def _working(edited: bytes) -> Config:
    """The configuration after an edit.

    Raises:
        UsageError: it is none.
    """
    try:
        return parse(edited)
    except ConfigError as error:
        # The file works as it is: what does not is what was asked for.
        raise UsageError(error.message, code=error.code, hint=error.hint) from error


def _charts(config: Config, env: str, operations: list[Operation], *, added: bool) -> list[Change]:
    """A reason for each chart that comes or goes with an environment, however many files it has."""
    services = dict.fromkeys(match[0] for op in operations if (match := config.layout.match_chart(op.path)))
    environment = config.environment(env)
    return [
        Change(
            kind="chart",
            service=service,
            env=env,
            file=config.layout.chart_path(service, environment),
            from_=None if added else "removed",
            to="added" if added else None,
        )
        for service in services
    ]


def _plan(command: str, name: str, config: Config, operations: list[Operation], changes: list[Change]) -> Plan:
    return Plan(
        changeset=ChangeSet(tuple(operations), tuple(changes)),
        subject=f"{command}: {name}",
        trailers=trailers(command, changes),
        publish=publish_by(config, operations),
        proposal=proposal_branch("_", [f"env-{name}"]),
    )


def _entry(request: AddRequest) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": request.name}
    if request.path:
        entry["path"] = request.path
    if request.from_:
        entry["from"] = list(request.from_)
    if request.publish != "push":
        entry["publish"] = request.publish
    return entry


def _position(config: Config, after: str | None) -> int:
    if after is None:
        return len(config.environments)
    return [env.name for env in config.environments].index(config.environment(after).name) + 1


def _same_or_refuse(request: AddRequest, config: Config, text: bytes) -> None:
    written = Document.read(text, CONFIG_FILE).data["environments"]
    there = [env.name for env in config.environments].index(request.name)
    is_placed = request.after is None or there >= _position(config, request.after)
    if not is_placed or _entry(request) not in written:
        raise UsageError(
            f"there is an environment {request.name} already, and it is not what was asked for",
            code="environment-exists",
            hint=f"edit {CONFIG_FILE}, or remove it first",
        )


def _insert(text: bytes, position: int, entry: dict[str, Any]) -> list[Edit]:
    entries = Document.read(text, CONFIG_FILE).data["environments"]
    return [Edit(("environments", Index(position)), entry, insert=position < len(entries))]


def _first_files(snapshot: Snapshot, config: Config, environment: Environment, copy: str | None) -> list[Write]:
    layout = config.layout
    files: dict[str, bytes] = {}
    modes: dict[str, int] = {}
    shared = layout.shared_path(environment)
    if copy is None:
        if shared:
            files[shared] = shared_values(resources.folder("envs"), environment.name)
    else:
        model = config.environment(copy)
        model_shared = layout.shared_path(model)
        values = snapshot.read([model_shared]).get(model_shared) if model_shared else None
        if shared and values is not None:
            files[shared] = values
        services = layout.find_services(snapshot, [model])
        for (service, _), layers in read_layers(snapshot, config, [(s, model.name) for s in services]).items():
            edits = [
                edit
                for keys in config.image_keys(service).values()
                for edit in image_edits(layers.merged, layers.document, keys, Image(), lambda *_: False)
            ]
            own = layers.own or b""
            files[layout.values_path(service, environment)] = apply(own, edits, layers.own_path) if edits else own
        if layout.chart_per_environment:
            charts = [
                (layout.chart_path(service, model), layout.chart_path(service, environment)) for service in services
            ]
            modes, copied = _copied(snapshot, charts)
            files |= copied
    there = snapshot.entries(files)
    return [Write(path, data, modes.get(path)) for path, data in files.items() if path not in there]


def _copied(snapshot: Snapshot, folders: list[tuple[str, str]]) -> tuple[dict[str, int], dict[str, bytes]]:
    """The modes and the contents of the files in some folders, under the paths that they get in others."""
    paths: dict[str, str] = {}
    modes: dict[str, int] = {}
    for source, target in folders:
        for entry in snapshot.tree(source):
            paths[entry.path] = target + entry.path.removeprefix(source)
            modes[paths[entry.path]] = entry.mode
    return modes, {paths[path]: data for path, data in snapshot.read(paths).items()}
