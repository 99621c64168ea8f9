"""The wiring to Argo CD checked: what it would make of the manifests, against what gitops-tk.yaml says."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from posixpath import join, normpath
from typing import Any

from msgspec import Struct

from gitops_tk.argocd.generate import Application, Manifest, NotEvaluated, Tree, is_reference, taken
from gitops_tk.argocd.manifests import PATHS
from gitops_tk.argocd.projects import allows_destination, allows_source
from gitops_tk.argocd.selectors import selected_keys
from gitops_tk.charts.dependencies import neighbours
from gitops_tk.config.argocd import BOOTSTRAP_FILE, FILL_IN, PROJECT_FILE, Argocd, environment_file
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.names import DNS_LABEL
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.document import Document
from gitops_tk.workflows.layers import layer_paths
from gitops_tk.workflows.pins import written
from gitops_tk.workflows.wiring.generated import Generated, deployed, generated

_RELEASE = 53
_LABEL = 63
_NAME = re.compile(rf"{DNS_LABEL}(?:\.{DNS_LABEL})*")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


class Fault(Struct, frozen=True):
    """What breaks a rule.

    Attributes:
        service: the service that it is about; None for the wiring itself.
        env: the environment; None for all.
    """

    rule: str
    message: str
    file: str
    service: str | None = None
    env: str | None = None


def check(snapshot: Snapshot, config: Config, argocd: Argocd) -> list[Fault]:
    """All faults of the wiring."""
    return list(_Check(snapshot, config, argocd).faults())


class _Check:
    def __init__(self, snapshot: Snapshot, config: Config, argocd: Argocd) -> None:
        self.snapshot = snapshot
        self.config = config
        self.argocd = argocd
        self.tree = Tree(snapshot)

    @cached_property
    def found(self) -> Generated:
        return generated(self.snapshot, tree=self.tree)

    def faults(self) -> Iterator[Fault]:
        if self.argocd.repository == FILL_IN:
            yield Fault("argocd-repository", "argocd.repository is not filled in", CONFIG_FILE)
        wanted = [BOOTSTRAP_FILE, PROJECT_FILE, *map(environment_file, self.argocd.environments)]
        there = self.snapshot.entries(wanted)
        for path in wanted:
            if path not in there:
                yield Fault("argocd-manifest", f"{path} is not there", path)
        for path, data in self.snapshot.read(path for path, entry in there.items() if entry.is_file).items():
            if self._is_stale(path, data.decode("utf-8", "replace")):
                message = f"{path} does not name {self.argocd.repository}, as {CONFIG_FILE} does"
                yield Fault("argocd-repository", message, path)
        for path, message in self.found.faults.items():
            yield Fault("argocd-not-evaluated", message, path)
        for manifest in self.found.manifests:
            if manifest.kind == "ApplicationSet" and manifest.file not in self.found.faults:
                yield from self._globbing(manifest)
        yield from self._one_each()
        yield from self._duplicates()
        for one in self.found.applications:
            for rule in (self._names, self._paths, self._render, self._project, self._refresh):
                yield from rule(one)

    def _is_stale(self, path: str, text: str) -> bool:
        """Whether a manifest was written before the repository's URL was set, or became another one."""
        repository = self.argocd.repository
        if repository in (None, FILL_IN):
            return False
        # A project may allow repositories by a pattern.
        return FILL_IN in text or (path != PROJECT_FILE and str(repository) not in text)

    def _globbing(self, manifest: Manifest) -> Iterator[Fault]:
        try:
            narrow = {path for paths in taken(manifest, self.tree, "doublestar") for path in paths}
        except NotEvaluated as error:
            yield Fault("argocd-not-evaluated", str(error), manifest.file)
            return
        greedy = {path for paths in taken(manifest, self.tree, "greedy") for path in paths}
        for path in sorted(greedy ^ narrow)[:5]:
            mode = "the default globbing" if path in greedy else "the new globbing"
            yield Fault("argocd-globbing", f"{path} is taken by {mode} alone", manifest.file)

    def _one_each(self) -> Iterator[Fault]:
        """An Application for each service whose image is set, and for nothing else."""
        by_place: dict[tuple[str, str], Application] = {}
        images = deployed(self.snapshot, self.config)
        for one in self.found.applications:
            place = self._place(one)
            if place is None:
                yield Fault(
                    "argocd-unexpected",
                    f"{one.name} is generated from {one.values}, which is no service's",
                    one.manifest,
                )
            elif images.get(place) is False and self._can_tell(place[0]):
                yield self._fault("argocd-unexpected", one, "it is generated though no image is set")
            if place is not None:
                by_place[place] = one
        broken = self.found.faults
        for (service, env), is_set in images.items():
            if is_set and (service, env) not in by_place and environment_file(env) not in broken:
                message = f"{service} in {env}: an image is set, and there is no Application"
                path = self.config.layout.values_path(service, self.config.environment(env))
                yield Fault("argocd-missing", message, path, service, env)
            if (service, env) not in by_place:
                yield from self._later(service, env)

    def _can_tell(self, service: str) -> bool:
        """Whether a selector can say that a service has no image; a whole reference is there before it has a tag."""
        images = self.config.image_keys(service)
        return bool(selected_keys(images)) and not any(keys.reference for keys in images.values())

    def _later(self, service: str, env: str) -> Iterator[Fault]:
        """What would not fit once an image is set."""
        path = self.config.layout.values_path(service, self.config.environment(env))
        for what, text, longest in (
            ("the Application's name", self.argocd.name_of(service, env), _LABEL),
            ("the release's name", service, _RELEASE),
            ("the namespace", self.argocd.namespace_of(service, env), _LABEL),
        ):
            if len(text) > longest:
                message = (
                    f"{service} in {env}: {what} {text} would have {len(text)} characters, and {longest} is the most"
                )
                yield Fault("argocd-name", message, path, service, env)

    def _duplicates(self) -> Iterator[Fault]:
        names = Counter(one.name for one in self.found.applications)
        places = Counter(map(_release_place, self.found.applications))
        for one in self.found.applications:
            if names[one.name] > 1:
                yield self._fault("argocd-duplicate", one, "there is another Application of this name")
            elif places[_release_place(one)] > 1:
                release, _, namespace = _release_place(one)
                message = f"another Application has a release {release} in the namespace {namespace} of this cluster"
                yield self._fault("argocd-duplicate", one, message)

    def _names(self, one: Application) -> Iterator[Fault]:
        release, namespace = one.helm.get("releaseName"), one.destination.get("namespace")
        named: list[tuple[str, Any, int, re.Pattern[str]]] = [
            ("the Application's name", one.name, _LABEL, _NAME),
            ("the release's name", release, _RELEASE, _NAME),
            ("the namespace", namespace, _LABEL, re.compile(DNS_LABEL)),
            *(
                (f"the label {key}", value, _LABEL, _LABEL_VALUE)
                for key, value in (one.metadata.get("labels") or {}).items()
            ),
        ]
        for what, text, longest, form in named:
            if len(str(text)) > longest:
                message = f"{what} {text} has {len(str(text))} characters, and {longest} is the most"
                yield self._fault("argocd-name", one, message)
            elif text is None or not form.fullmatch(str(text)):
                yield self._fault("argocd-name", one, f"{what} {text!r} is not well formed")

    def _paths(self, one: Application) -> Iterator[Fault]:
        wanted = [] if "chart" in one.source else [f"{one.source.get('path')}/Chart.yaml"]
        if not one.helm.get("ignoreMissingValueFiles"):
            wanted += self._value_files(one)
        there = self.snapshot.entries(wanted)
        for path in wanted:
            if path not in there:
                yield self._fault("argocd-path", one, f"{path} is not there")

    def _render(self, one: Application) -> Iterator[Fault]:
        place = self._place(one)
        if place is None:
            return
        service, env = place
        environment = self.config.environment(env)
        _, *layers = layer_paths(self.config, service, environment)
        there = self.snapshot.entries(layers)
        differ: list[tuple[str, Any, Any]] = [
            ("chart", *self._charts(one, service, environment)),
            ("value files", self._value_files(one), [path for path in layers if path in there]),
            ("release", one.helm.get("releaseName"), service),
            ("namespace", one.destination.get("namespace"), self.argocd.namespace_of(service, env)),
        ]
        for what, theirs, ours in differ:
            if theirs != ours:
                message = f"the {what}: Argo CD takes {_shown(theirs)}, and gitops-tk {_shown(ours)}"
                yield self._fault("argocd-render", one, message)
        for source in one.sources:
            if source is not one.source and not is_reference(source):
                yield self._fault("argocd-render", one, "there is another source, which gitops-tk does not know")
        for key in ("parameters", "values", "valuesObject", "fileParameters"):
            if one.helm.get(key):
                yield self._fault("argocd-render", one, f"helm.{key} is set, which gitops-tk does not know")

    def _charts(self, one: Application, service: str, environment: Environment) -> tuple[str, str]:
        """The chart that Argo CD takes, and the one that gitops-tk does; of published ones with their versions."""
        source = one.source
        theirs = str(source.get("path"))
        if "chart" in source:
            theirs = f"{source.get('repoURL')}/{source['chart']}:{source.get('targetRevision')}"
        if self.config.chart is None:
            return theirs, self.config.layout.chart_path(service, environment)
        chart = self.config.chart.of(service)
        data = self.snapshot.read([one.values]).get(one.values, b"")
        pin = written(self.config.chart, Document.read(data, one.values))
        return theirs, f"{chart.repo_url}/{chart.name}:{pin}"

    def _project(self, one: Application) -> Iterator[Fault]:
        name = one.spec.get("project")
        found = [spec for spec in self._projects.get(str(name), ()) if isinstance(spec, dict)]
        if not found:
            yield self._fault("argocd-project", one, f"there is no project {name}")
            return
        for source in one.sources:
            if not allows_source(found[0], str(source.get("repoURL"))):
                yield self._fault("argocd-project", one, f"{name} does not allow {source.get('repoURL')}")
        if not allows_destination(found[0], one.destination):
            destination = one.destination
            where = f"{destination.get('namespace')} in {destination.get('name') or destination.get('server')}"
            yield self._fault("argocd-project", one, f"{name} does not allow the namespace {where}")

    @cached_property
    def _projects(self) -> dict[str, list[Any]]:
        projects: dict[str, list[Any]] = {}
        for manifest in self.found.manifests:
            if manifest.kind == "AppProject":
                projects.setdefault(manifest.name, []).append(manifest.data.get("spec"))
        return projects

    def _refresh(self, one: Application) -> Iterator[Fault]:
        listed = (one.metadata.get("annotations") or {}).get(PATHS)
        if not isinstance(listed, str):
            return
        root = str(one.repository.get("path") or "")
        known = [normpath(path[1:] if path.startswith("/") else join(root, path)) for path in listed.split(";") if path]
        chart = [] if "chart" in one.source else [root, *self._neighbours(root)]
        needed = [*chart, *self._value_files(one)]
        for path in needed:
            if not any(path == one_known or path.startswith(f"{one_known}/") for one_known in known):
                yield self._fault("argocd-refresh", one, f"a commit that changes {path} does not refresh it")

    def _neighbours(self, root: str) -> list[str]:
        try:
            file = f"{root}/Chart.yaml"
            chart = self.snapshot.read([file])
            return neighbours({"Chart.yaml": chart[file]}, root) if chart else []
        except GitopsTkError:
            # Told when the chart is checked.
            return []

    def _value_files(self, one: Application) -> list[str]:
        root = str(one.source.get("path") or "")
        found = []
        for path in one.helm.get("valueFiles") or ():
            text = str(path)
            name, _, inside = text.removeprefix("$").partition("/")
            if text.startswith("$") and name in one.references:
                text = f"/{inside}"
            # What is named in no other way is in the chart, of whose files nobody knows here.
            elif "chart" in one.source:
                text = f"/{text} of the chart"
            found.append(normpath(text[1:] if text.startswith("/") else join(root, text)))
        return found

    def _place(self, one: Application) -> tuple[str, str] | None:
        return self.config.layout.match_values(one.values)

    def _fault(self, rule: str, one: Application, message: str) -> Fault:
        service, env = self._place(one) or (None, None)
        return Fault(rule, f"{one.name}: {message}", one.manifest, service, env)


def _release_place(one: Application) -> tuple[str, str, str]:
    destination = one.destination
    cluster = destination.get("server") or destination.get("name")
    return str(one.helm.get("releaseName")), str(cluster), str(destination.get("namespace"))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
