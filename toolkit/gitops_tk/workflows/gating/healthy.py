"""The gate `healthy`: whether an environment that images come from runs them, synced and healthy, as Argo CD says."""

from collections.abc import Mapping

from gitops_tk.argocd.client import Server, address, connect
from gitops_tk.argocd.live import LiveApplication
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.http import Patience
from gitops_tk.model.changes import Gate
from gitops_tk.model.image import Image
from gitops_tk.policy.gates import Arrival
from gitops_tk.workflows.wiring.manifests import required


class Healthy:
    """Asks the Argo CD that the environment names; where it cannot be asked, the gate is not evaluated.

    Args:
        environ: the process's environment: where Argo CD is, and the token.
    """

    def __init__(self, environ: Mapping[str, str], patience: Patience | None = None) -> None:
        self._environ = environ
        self._patience = patience
        self._server: Server | None = None

    def __call__(self, arrival: Arrival, config: Config) -> Gate:
        """The gate's answer about images that are to come."""
        try:
            if address(self._environ) is None:
                return arrival.answer("healthy", "not-evaluated", "ARGOCD_SERVER does not say where Argo CD is")
            faults = [self._fault(arrival, source, config) for source in arrival.sources]
        except GitopsTkError as error:
            return arrival.answer("healthy", "not-evaluated", error.message)
        if None in faults:
            well = arrival.sources[faults.index(None)]
            return arrival.answer("healthy", "passed", f"{arrival.version} is synced and healthy in {well}")
        return arrival.answer("healthy", "waiting", "; ".join(fault for fault in faults if fault))

    def _fault(self, arrival: Arrival, source: str, config: Config) -> str | None:
        argocd = required(config)
        if self._server is None:
            self._server = connect(
                self._environ, namespace=argocd.installed_in, project=argocd.project, patience=self._patience
            )
        name = argocd.name_of(arrival.service, source)
        application = self._server.application(name)
        if application is None:
            return f"Argo CD has no Application {name}"
        missing = [image.version for image in arrival.images.values() if not runs(application, image)]
        if missing:
            return f"Argo CD does not run {' and '.join(missing)} of {arrival.service} in {source}"
        if arrival.chart and arrival.chart not in application.revisions:
            return f"Argo CD does not run the chart {arrival.chart} of {arrival.service} in {source}"
        if application.is_busy:
            return f"{name} is being synced"
        status = application.status
        if (status.sync.status, status.health.status) != ("Synced", "Healthy"):
            return f"{name} is {status.sync.status} and {status.health.status}"
        return None


def runs(application: LiveApplication, image: Image) -> bool:
    """Whether an image is among those that Argo CD sees running: its digest decides if it has one, else its tag."""
    if image.digest:
        return any(one.endswith(f"@{image.digest}") for one in application.images)
    return any(one.partition("@")[0].endswith(f":{image.tag}") for one in application.images)
