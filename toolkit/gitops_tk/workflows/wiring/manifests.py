"""The wiring to Argo CD, planned: manifests that are missing are written, those that are there are the team's own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_tk.argocd import manifests
from gitops_tk.config.argocd import (
    BOOTSTRAP_FILE,
    FILL_IN,
    PROJECT_FILE,
    Argocd,
    environment_file,
    environment_of,
    is_repository,
)
from gitops_tk.config.load import CONFIG_FILE, load
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import EditRefused, MissingFile
from gitops_tk.model.changes import Change, ChangeSet, Delete, Operation, Plan, Write
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit, apply, same
from gitops_tk.values.keys import Index
from gitops_tk.values.splice import DELETE
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.views import Views

NOT_FILLED_IN = (
    f"Argo CD: fill in argocd.repository in {CONFIG_FILE}, the URL by which Argo CD reads this repository, "
    "then run gitops-tk argocd write"
)


def write(views: Views) -> Plan:
    """Plans all manifests as gitops-tk.yaml says, over what is there.

    Raises:
        MissingFile: gitops-tk.yaml has no `argocd` section.
    """
    config = load(views.snapshot)
    files = configured(config, views)
    there = views.snapshot.read([path for path, entry in views.snapshot.entries(files).items() if entry.is_file])
    operations = tuple(Write(path, data) for path, data in files.items() if there.get(path) != data)
    changes = tuple(
        Change(
            kind="file",
            env=environment_of(one.path),
            file=one.path,
            from_="other" if one.path in there else None,
            to="written",
        )
        for one in operations
    )
    return Plan(
        changeset=ChangeSet(operations, changes),
        subject="argocd write: the manifests of Argo CD",
        trailers=trailers("argocd write", changes),
        publish=publish_by(config, operations),
        proposal=proposal_branch("_", ["argocd"]),
        advice=advice(config, views),
    )


def configured(config: Config, views: Views) -> dict[str, bytes]:
    """All manifests as a configuration says, by their paths.

    Raises:
        MissingFile: it has no `argocd` section.
    """
    return wanted(config, required(config), views, _Files(views.snapshot, ()))


def required(config: Config) -> Argocd:
    """The section of gitops-tk.yaml.

    Raises:
        MissingFile: there is none.
    """
    if config.argocd is None:
        raise MissingFile(
            f"{CONFIG_FILE} has no argocd section",
            code="no-argocd",
            hint="add one: argocd: {repository: URL}; docs/argocd.md says more",
            file=CONFIG_FILE,
        )
    return config.argocd


def completed(config: Config, views: Views, writes: Sequence[Operation], new: Environment | None = None) -> ChangeSet:
    """What the wiring needs beside a change: manifests that are missing, and what is new in those that are there.

    Args:
        config: the configuration after the change.
        writes: the change.
        new: an environment that the change adds.

    Raises:
        EditRefused: a manifest that has to be changed cannot be edited exactly.
    """
    if config.argocd is None:
        return ChangeSet()
    files = _Files(views.snapshot, writes)
    made = wanted(config, config.argocd, views, files)
    there = files.read(made)
    missing = [path for path in made if path not in there]
    edits = dict(_edits(config, config.argocd, there, made, new))
    return ChangeSet(
        (
            *(Write(path, made[path]) for path in missing),
            *(Write(path, apply(there[path], [edit], path)) for path, (edit, _) in edits.items()),
        ),
        (
            *(Change(kind="file", env=environment_of(path), file=path, to="added") for path in missing),
            *(change for _, change in edits.values()),
        ),
    )


def withdrawn(config: Config, env: str, snapshot: Snapshot) -> ChangeSet:
    """What the wiring loses with an environment: its ApplicationSet, and what the project allowed for it alone."""
    argocd = config.argocd
    if argocd is None:
        return ChangeSet()
    path = environment_file(env)
    there = snapshot.read([PROJECT_FILE, path])
    operations: list[Operation] = []
    changes: list[Change] = []
    if path in there:
        operations.append(Delete(path))
        changes.append(Change(kind="file", env=env, file=path, from_="removed"))
    gone = manifests.destination(argocd, env)
    shared = any(manifests.destination(argocd, other) == gone for other in argocd.environments if other != env)
    allowed = _listed(there, PROJECT_FILE, "destinations") if PROJECT_FILE in there else []
    if gone in allowed and not shared:
        edit = Edit(("spec", "destinations", Index(allowed.index(gone))), DELETE)
        operations.append(Write(PROJECT_FILE, apply(there[PROJECT_FILE], [edit], PROJECT_FILE)))
        changes.append(Change(kind="file", env=env, file=PROJECT_FILE, key="spec.destinations", from_=gone))
    return ChangeSet(tuple(operations), tuple(changes))


def advice(config: Config, views: Views) -> tuple[str, ...]:
    """What is left to do for people."""
    return (NOT_FILLED_IN,) if config.argocd and repository(config.argocd, views) == FILL_IN else ()


def repository(argocd: Argocd, views: Views) -> str:
    """The URL by which Argo CD reads the repository; a placeholder where nobody knows."""
    return argocd.repository or readable(views) or FILL_IN


def readable(views: Views) -> str | None:
    """The remote's URL, where Argo CD could read by it; a folder of this machine it could not."""
    home = views.home()
    return home if home and is_repository(home) else None


def wanted(config: Config, argocd: Argocd, views: Views, files: "_Files") -> dict[str, bytes]:
    """All manifests as the configuration says, by their paths."""
    url = repository(argocd, views)
    found = {BOOTSTRAP_FILE: manifests.bootstrap(argocd, url), PROJECT_FILE: manifests.project(config, argocd, url)}
    for environment in config.environments:
        shared = config.layout.shared_path(environment)
        found[environment_file(environment.name)] = manifests.application_set(
            config,
            argocd,
            environment,
            url,
            files.services(config, environment) if manifests.needs_names(config, environment) else (),
            shared=shared is not None and shared in files,
        )
    return found


class _Files:
    """The repository with a change that is planned."""

    def __init__(self, snapshot: Snapshot, writes: Iterable[Operation]) -> None:
        self._snapshot = snapshot
        self._new = {one.path for one in writes if isinstance(one, Write)}

    def __contains__(self, path: str) -> bool:
        return path in self._new or path in self._snapshot.entries([path])

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of those that are there."""
        return self._snapshot.read(paths)

    def services(self, config: Config, environment: Environment) -> list[str]:
        """The services of an environment."""
        found = set(config.layout.find_services(self._snapshot, [environment]))
        matches = [match for path in self._new if (match := config.layout.match_values(path))]
        return sorted(found | {service for service, env in matches if env == environment.name})


def _edits(
    config: Config, argocd: Argocd, there: Mapping[str, bytes], made: Mapping[str, bytes], new: Environment | None
) -> Iterator[tuple[str, tuple[Edit, Change]]]:
    if new is not None and PROJECT_FILE in there:
        allowed = _listed(there, PROJECT_FILE, "destinations")
        wished = manifests.destination(argocd, new.name)
        if wished not in allowed:
            change = Change(kind="file", env=new.name, file=PROJECT_FILE, key="spec.destinations", to=wished)
            yield PROJECT_FILE, (Edit(("spec", "destinations", Index(len(allowed))), wished), change)
    for environment in config.environments:
        path = environment_file(environment.name)
        # Where services are named one by one, a new one is named, too.
        if path not in there or not manifests.needs_names(config, environment):
            continue
        now, then = _listed(there, path, "generators"), _listed(made, path, "generators")
        if not same(now, then):
            change = Change(kind="file", env=environment.name, file=path, key="spec.generators", to="all services")
            yield path, (Edit(("spec", "generators"), then), change)


def _listed(files: Mapping[str, bytes], path: str, key: str) -> list[Any]:
    spec = Document.read(files[path], path).data.get("spec")
    found = spec.get(key) if isinstance(spec, dict) else None
    if not isinstance(found, list):
        raise EditRefused(
            f"{path} has no list spec.{key}", code="argocd-manifest", hint="gitops-tk argocd write", file=path
        )
    return found
