"""The wiring to Argo CD checked: what it would make of the manifests, against what gitops-tk.yaml says."""

from collections.abc import Iterator

from msgspec.structs import replace

from gitops_tk.config.argocd import BOOTSTRAP_FILE, PROJECT_FILE, Argocd, environment_file, environment_of
from gitops_tk.config.model import Config
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.wiring.rules.model import Fault, Wiring
from gitops_tk.workflows.wiring.rules.names import duplicates, names
from gitops_tk.workflows.wiring.rules.project import project
from gitops_tk.workflows.wiring.rules.render import paths, refresh, render
from gitops_tk.workflows.wiring.rules.repository import repository
from gitops_tk.workflows.wiring.rules.services import globbing, one_each


def check(snapshot: Snapshot, config: Config, argocd: Argocd) -> list[Fault]:
    """All faults of the wiring."""
    # What is wrong with an environment's manifest is wrong there alone.
    return [
        one if one.env is not None else replace(one, env=environment_of(one.file))
        for one in _faults(Wiring(snapshot, config, argocd))
    ]


def _faults(wiring: Wiring) -> Iterator[Fault]:
    found = wiring.found
    wanted = [BOOTSTRAP_FILE, PROJECT_FILE, *map(environment_file, wiring.argocd.environments)]
    there = wiring.snapshot.entries(wanted)
    yield from (Fault("argocd-manifest", f"{path} is not there", path) for path in wanted if path not in there)
    yield from repository(wiring.snapshot, wiring.config, wiring.argocd, found.manifests, found.applications)
    yield from (Fault("argocd-not-evaluated", message, path) for path, message in found.faults.items())
    for manifest in found.manifests:
        if manifest.kind == "ApplicationSet" and manifest.file not in found.faults:
            yield from globbing(wiring, manifest)
    yield from one_each(wiring)
    yield from duplicates(wiring)
    for one in found.applications:
        for rule in (names, paths, render, project, refresh):
            yield from rule(wiring, one)
