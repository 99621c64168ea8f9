"""status --live: what Argo CD says runs, beside what git says."""

from collections.abc import Mapping

from msgspec import Struct

from gitops_tk.argocd.client import connect
from gitops_tk.argocd.live import LiveApplication
from gitops_tk.config.model import Config
from gitops_tk.http import Patience
from gitops_tk.workflows.gating.healthy import runs
from gitops_tk.workflows.status import Status
from gitops_tk.workflows.wiring.manifests import required


class Live(Struct, frozen=True, kw_only=True):
    """What Argo CD says of a service in an environment.

    Attributes:
        application: what its Application is called.
        sync, health: as Argo CD has them; None where there is no Application.
        images: what runs, as whole references.
        differs: whether something else runs than git says, or it is not synced and healthy.
    """

    service: str
    env: str
    application: str
    sync: str | None = None
    health: str | None = None
    images: tuple[str, ...] = ()
    differs: bool = True


def live(config: Config, found: Status, environ: Mapping[str, str], patience: Patience | None = None) -> list[Live]:
    """What Argo CD says of every service that git says has been promoted, in one request.

    Raises:
        MissingFile: gitops-tk.yaml has no `argocd` section.
        UsageError, LoginFailed, ArgocdError, Unanswered: Argo CD cannot be asked.
    """
    argocd = required(config)
    server = connect(environ, namespace=argocd.installed_in, project=argocd.project, patience=patience)
    try:
        there = {one.metadata.name: one for one in server.applications()}
    finally:
        server.close()
    told = []
    for service, environments in found.services.items():
        for env, running in environments.items():
            images = [image for image in running.images.values() if image.version]
            name = argocd.name_of(service, env)
            seen = there.get(name)
            if seen is None and images:
                told.append(Live(service=service, env=env, application=name))
            elif seen is not None:
                chart = running.chart is None or running.chart in seen.revisions
                well = chart and all(runs(seen, image) for image in images)
                told.append(_live(service, env, seen, differs=not well))
    return told


def _live(service: str, env: str, seen: LiveApplication, *, differs: bool) -> Live:
    sync, health = seen.status.sync.status, seen.status.health.status
    return Live(
        service=service,
        env=env,
        application=seen.metadata.name,
        sync=sync,
        health=health,
        images=seen.images,
        differs=differs or (sync, health) != ("Synced", "Healthy"),
    )
