"""argocd apps: the Applications that Argo CD would generate from the repository as it is."""

from typing import Any

from msgspec import Struct

from gitops_tk.argocd.generate import Application, Manifest, NotEvaluated, Tree, applications, manifests
from gitops_tk.argocd.globs import Globbing
from gitops_tk.config.argocd import FOLDER
from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError, UsageError
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.image import read_image
from gitops_tk.workflows.layers import Layers, read_layers
from gitops_tk.workflows.wiring.manifests import required


class Generated(Struct, frozen=True):
    """What the manifests in `argocd/` make.

    Attributes:
        manifests: all objects there.
        faults: for each file that could not be evaluated, why.
        applications: what is generated, in the order of the manifests.
    """

    manifests: list[Manifest]
    faults: dict[str, str]
    applications: list[Application]


def objects(snapshot: Snapshot) -> tuple[list[Manifest], dict[str, str]]:
    """The objects in `argocd/`, and for each file that cannot be read, why."""
    files = [one.path for one in snapshot.children([FOLDER]).get(FOLDER, ()) if one.is_file]
    content = snapshot.read([path for path in files if path.endswith((".yaml", ".yml", ".json"))])
    found: list[Manifest] = []
    faults: dict[str, str] = {}
    for path, data in content.items():
        try:
            found += manifests({path: data})
        except NotEvaluated as error:
            faults[path] = str(error)
    return found, faults


def generated(snapshot: Snapshot, globbing: Globbing = "greedy", tree: Tree | None = None) -> Generated:
    """Evaluates all ApplicationSets; what cannot be evaluated is told, and the others go on."""
    found = Generated(*objects(snapshot), [])
    tree = tree or Tree(snapshot)
    for one in found.manifests:
        if one.kind == "ApplicationSet" and one.file not in found.faults:
            try:
                found.applications.extend(applications(one, tree, globbing))
            except NotEvaluated as error:
                found.faults[one.file] = str(error)
    return found


def listed(snapshot: Snapshot, globbing: str) -> Result:
    """The Applications of all generators, and the services that have none yet.

    Raises:
        MissingFile: gitops-tk.yaml has no `argocd` section.
        GitopsTkError: a manifest cannot be evaluated.
    """
    config = load(snapshot)
    required(config)
    found = generated(snapshot, _mode(globbing))
    for path, fault in found.faults.items():
        raise GitopsTkError(fault, code="argocd-not-evaluated", hint="gitops-tk validate says more", file=path)
    return Result(
        command="argocd apps",
        outcome="unchanged",
        details={
            "applications": [_shown(config, one) for one in sorted(found.applications, key=lambda one: one.name)],
            "waiting": [
                {"service": service, "env": env}
                for (service, env), is_set in deployed(snapshot, config).items()
                if is_set is False
            ],
        },
    )


def deployed(snapshot: Snapshot, config: Config) -> dict[tuple[str, str], bool | None]:
    """For each service and each environment that it is in, whether an image is set there; None if nobody can tell."""
    pairs = [(service, env) for service, envs in config.layout.find_services(snapshot).items() for env in envs]
    layers = read_layers(snapshot, config, pairs)
    # Each parsed file is let go as soon as its image is known.
    return {pair: _has_image(config, layers.pop(pair)) for pair in pairs}


def _has_image(config: Config, layers: Layers) -> bool | None:
    try:
        images = [read_image(layers.merged, keys) for keys in config.image_keys(layers.service).values()]
    except GitopsTkError:
        # A values file that cannot be read is told where values are checked.
        return None
    return any(image is not None and image.version for image in images)


def _mode(text: str) -> Globbing:
    if text == "greedy":
        return "greedy"
    if text == "doublestar":
        return "doublestar"
    raise UsageError(f"--globbing is greedy or doublestar, not {text!r}", code="bad-globbing")


def _shown(config: Config, one: Application) -> dict[str, Any]:
    match = config.layout.match_values(one.values)
    destination = one.destination
    return {
        "name": one.name,
        "service": match[0] if match else None,
        "env": match[1] if match else None,
        "project": one.spec.get("project"),
        "cluster": destination.get("name") or destination.get("server"),
        "namespace": destination.get("namespace"),
        "repository": one.repository.get("repoURL"),
        "revision": one.repository.get("targetRevision"),
        "path": one.source.get("path"),
        "chart": f"{one.source.get('repoURL')}/{one.source['chart']}" if "chart" in one.source else None,
        "version": one.source.get("targetRevision") if "chart" in one.source else None,
        "release": one.helm.get("releaseName"),
        "value_files": one.helm.get("valueFiles", []),
        "values": one.values,
        "manifest": one.manifest,
    }
