"""What Argo CD renders: the files are there, are those that gitops-tk renders, and a commit to them is noticed."""

from collections.abc import Iterator
from posixpath import join, normpath
from typing import Any

from gitops_tk.argocd.generate import Application, is_reference
from gitops_tk.argocd.manifests import PATHS
from gitops_tk.argocd.urls import shown
from gitops_tk.charts.dependencies import neighbours
from gitops_tk.config.model import Environment
from gitops_tk.errors import EditRefused, GitopsTkError
from gitops_tk.values.document import Document
from gitops_tk.workflows.chart_pins import written
from gitops_tk.workflows.layers import layer_paths
from gitops_tk.workflows.wiring.rules.model import Fault, Wiring, value_files


def paths(wiring: Wiring, one: Application) -> Iterator[Fault]:
    """Charts and value files that are not there (`argocd-path`)."""
    wanted = [] if "chart" in one.source else [f"{one.source.get('path')}/Chart.yaml"]
    if not one.helm.get("ignoreMissingValueFiles"):
        wanted += value_files(one)
    there = wiring.snapshot.entries(wanted)
    for path in wanted:
        if path not in there:
            yield wiring.fault("argocd-path", one, f"{path} is not there")


def render(wiring: Wiring, one: Application) -> Iterator[Fault]:
    """What Argo CD would deploy otherwise than it was reviewed (`argocd-render`)."""
    place = wiring.place(one)
    if place is None:
        return
    service, env = place
    environment = wiring.config.environment(env)
    _, *layers = layer_paths(wiring.config, service, environment)
    there = wiring.snapshot.entries(layers)
    differ: list[tuple[str, Any, Any]] = [
        ("chart", *_charts(wiring, one, service, environment)),
        ("value files", value_files(one), [path for path in layers if path in there]),
        ("release", one.helm.get("releaseName"), service),
        ("namespace", one.destination.get("namespace"), wiring.argocd.namespace_of(service, env)),
    ]
    for what, theirs, ours in differ:
        if theirs != ours:
            message = f"the {what}: Argo CD takes {_listed(theirs)}, and gitops-tk {_listed(ours)}"
            yield wiring.fault("argocd-render", one, message)
    for source in one.sources:
        if source is not one.source and not is_reference(source):
            yield wiring.fault("argocd-render", one, "there is another source, which gitops-tk does not know")
    for key in ("parameters", "values", "valuesObject", "fileParameters"):
        if one.helm.get(key):
            yield wiring.fault("argocd-render", one, f"helm.{key} is set, which gitops-tk does not know")


def refresh(wiring: Wiring, one: Application) -> Iterator[Fault]:
    """What an Application is made from, and is not refreshed by (`argocd-refresh`)."""
    listed = (one.metadata.get("annotations") or {}).get(PATHS)
    if not isinstance(listed, str):
        return
    root = str(one.repository.get("path") or "")
    known = [normpath(path[1:] if path.startswith("/") else join(root, path)) for path in listed.split(";") if path]
    chart = [] if "chart" in one.source else [root, *_neighbours(wiring, root)]
    for path in [*chart, *value_files(one)]:
        if not any(path == one_known or path.startswith(f"{one_known}/") for one_known in known):
            yield wiring.fault("argocd-refresh", one, f"a commit that changes {path} does not refresh it")


def _charts(wiring: Wiring, one: Application, service: str, environment: Environment) -> tuple[str, str]:
    """The chart that Argo CD takes, and the one that gitops-tk does; of published ones with their versions."""
    config, source = wiring.config, one.source
    theirs = str(source.get("path"))
    if "chart" in source:
        theirs = f"{shown(str(source.get('repoURL')))}/{source['chart']}:{source.get('targetRevision')}"
    if config.chart is None:
        return theirs, config.layout.chart_path(service, environment)
    chart = config.chart.of(service)
    data = wiring.snapshot.read([one.values]).get(one.values, b"")
    try:
        pin = written(config.chart, Document.read(data, one.values))
    except EditRefused:
        # What cannot be read is told where values are checked.
        return theirs, theirs
    return theirs, f"{chart.repo_url}/{chart.name}:{pin}"


def _neighbours(wiring: Wiring, root: str) -> list[str]:
    try:
        file = f"{root}/Chart.yaml"
        chart = wiring.snapshot.read([file])
        return neighbours({"Chart.yaml": chart[file]}, root) if chart else []
    except GitopsTkError:
        # Told when the chart is checked.
        return []


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
