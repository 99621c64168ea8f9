"""GitOps repositories as people have them, before gitops-tk: files in memory, and what adopt finds in them."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from gitops_tk.config.load import parse
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.adopt import AdoptRequest, Found, find
from gitops_tk.workflows.views import Views
from tests.support import argocd

SERVICES = ("billing", "user-service", "web")
ENVS = ("dev", "staging", "prod")


def values(service: str, tag: str = "v1") -> bytes:
    """Values as most charts take them."""
    return f"image:\n  repository: registry.example.com/shop/{service}\n  tag: {tag}\nreplicas: 2\n".encode()


def laid_out(template: str, services: Iterable[str] = SERVICES, envs: Iterable[str] = ENVS) -> dict[str, bytes]:
    """The values files of services in environments."""
    pairs = [(service, env) for service in services for env in envs]
    return {template.replace("{service}", one).replace("{env}", env): values(one) for one, env in pairs}


def adopted(files: Mapping[str, bytes], *envs: str, home: str | None = None, **options: str) -> Found:
    """What adopt finds, and checks: the file is read as the layout that it was made for."""
    found = find(AdoptRequest(environments=envs, **options), views(MemorySnapshot(files), home))
    assert (
        parse(found.text).layout.find_services(MemorySnapshot(files)).keys() == found.status.details["services"].keys()
    )
    return found


def told(found: Found, what: str) -> str:
    """What was found of something."""
    return next(one.value for one in found.report.found if one.what == what)


def views(snapshot: MemorySnapshot, home: str | None = None) -> Views:
    """The views of files that have no history."""
    return replace(argocd.views(snapshot), home=lambda: home)
