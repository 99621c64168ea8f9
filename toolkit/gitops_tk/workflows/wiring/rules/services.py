"""An Application for each service whose image is set, and for nothing else."""

from collections.abc import Iterator

from gitops_tk.argocd.generate import Application, Manifest, NotEvaluated, taken
from gitops_tk.argocd.selectors import selected_keys
from gitops_tk.config.argocd import environment_file
from gitops_tk.config.model import Config
from gitops_tk.workflows.wiring.generated import deployed
from gitops_tk.workflows.wiring.rules.model import Fault, Wiring
from gitops_tk.workflows.wiring.rules.names import later


def one_each(wiring: Wiring) -> Iterator[Fault]:
    """Services without an Application, and Applications of nobody (`argocd-missing`, `argocd-unexpected`)."""
    config = wiring.config
    by_place: dict[tuple[str, str], Application] = {}
    images = deployed(wiring.snapshot, config)
    for one in wiring.found.applications:
        place = wiring.place(one)
        if place is None:
            message = f"it is generated from {one.values}, which is no service's"
            yield wiring.fault("argocd-unexpected", one, message)
        elif images.get(place) is False and _can_tell(config, place[0]):
            yield wiring.fault("argocd-unexpected", one, "it is generated though no image is set")
        if place is not None:
            by_place[place] = one
    broken = wiring.found.faults
    for (service, env), is_set in images.items():
        if is_set and (service, env) not in by_place and environment_file(env) not in broken:
            message = f"{service} in {env}: an image is set, and there is no Application"
            path = config.layout.values_path(service, config.environment(env))
            yield Fault("argocd-missing", message, path, service, env)
        if (service, env) not in by_place:
            yield from later(wiring, service, env)


def globbing(wiring: Wiring, manifest: Manifest) -> Iterator[Fault]:
    """Files that an ApplicationSet takes in one of Argo CD's two globbing modes alone (`argocd-globbing`)."""
    try:
        narrow = {path for paths in taken(manifest, wiring.tree, "doublestar") for path in paths}
    except NotEvaluated as error:
        yield Fault("argocd-not-evaluated", str(error), manifest.file)
        return
    greedy = {path for paths in taken(manifest, wiring.tree, "greedy") for path in paths}
    for path in sorted(greedy ^ narrow)[:5]:
        mode = "the default globbing" if path in greedy else "the new globbing"
        yield Fault("argocd-globbing", f"{path} is taken by {mode} alone", manifest.file)


def _can_tell(config: Config, service: str) -> bool:
    """Whether a selector can say that a service has no image; a whole reference is there before it has a tag."""
    images = config.image_keys(service)
    return bool(selected_keys(images)) and not any(keys.reference for keys in images.values())
