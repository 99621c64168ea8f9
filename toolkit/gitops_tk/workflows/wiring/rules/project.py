"""The AppProject of an Application: it is there, and allows what the Application needs."""

from collections.abc import Iterator

from gitops_tk.argocd.generate import Application
from gitops_tk.argocd.projects import allows_destination, allows_source
from gitops_tk.argocd.urls import shown
from gitops_tk.workflows.wiring.rules.model import Fault, Wiring


def project(wiring: Wiring, one: Application) -> Iterator[Fault]:
    """What an Application's project refuses it (`argocd-project`)."""
    name = str(one.spec.get("project"))
    found = wiring.projects.get(name)
    if found is None:
        yield wiring.fault("argocd-project", one, f"there is no project {name}")
        return
    for url in (str(source.get("repoURL")) for source in one.sources):
        if not allows_source(found, url):
            yield wiring.fault("argocd-project", one, f"{name} does not allow {shown(url)}")
    if not allows_destination(found, one.destination):
        destination = one.destination
        where = f"{destination.get('namespace')} in {destination.get('name') or destination.get('server')}"
        yield wiring.fault("argocd-project", one, f"{name} does not allow the namespace {where}")
