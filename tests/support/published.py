"""Repositories whose charts are published in a registry, and pinned in each service's values."""

from collections.abc import Mapping, Sequence

from tests.support import changes
from tests.support import repositories as repo
from tests.support.registry import Registry

ENVIRONMENTS = ("dev", "staging", "prod")


def publish(registry: Registry, *versions: str, name: str = "charts/web", **templates: bytes) -> None:
    """Has a chart at some versions: a ConfigMap tells the version and the image."""
    for version in versions:
        told = f"data:\n  chart: '{version}'\n  image: '{{{{ .Values.image.tag }}}}'\n".encode()
        files = {
            "values.yaml": changes.VALUES,
            "templates/configmap.yaml": changes.CONFIGMAP,
            "templates/told.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: told\n" + told,
            **{f"templates/{file}.yaml": data for file, data in templates.items()},
        }
        registry.push(name, version, files)


def config(registry: Registry, more: bytes = b"", base: bytes = repo.CONFIG) -> bytes:
    """A gitops-tk.yaml for its `charts/web`."""
    return base + f"layout:\n  chart:\n    oci: oci://{registry.host}/charts/web\n".encode() + more


def values(service: str, env: str, tag: str, version: str) -> bytes:
    """A values file that pins a version."""
    return repo.values(service, env, tag) + f"global:\n  chart:\n    version: {version} # the chart\n".encode()


def repository(
    registry: Registry,
    services: Sequence[str] = ("a",),
    pins: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    more: bytes = b"",
) -> dict[str, bytes]:
    """A GitOps repository's files: every service in every environment, at v1.0.0 with chart 1.0.0."""
    files = {"gitops-tk.yaml": config(registry, more)}
    for service in services:
        for env in ENVIRONMENTS:
            tag, version = (tags or {}).get(env, "v1.0.0"), (pins or {}).get(env, "1.0.0")
            files[f"services/{service}/envs/{env}.yaml"] = values(service, env, tag, version)
    return files
