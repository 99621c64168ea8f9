"""The manifests of `argocd/`, as data and as YAML: what a repository's configuration says, and nothing else.

Sources: Argo CD 3.5, "Automated Sync Policy", "Sync Options", "Controlling Resource Modification" (deletion),
"High Availability" (manifest-generate-paths), "Projects", "Cluster Bootstrapping", "Multiple Sources for an
Application", "Helm".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from gitops_tk.argocd.layout import VALUES, Expressions, Files, literal
from gitops_tk.argocd.selectors import Selector, selectors, with_key
from gitops_tk.config.argocd import FOLDER, IN_CLUSTER, Argocd
from gitops_tk.config.model import Config, Environment, ImageKeys

Manifest = dict[str, Any]

API_VERSION = "argoproj.io/v1alpha1"
SERVICE_LABEL = "gitops-tk/service"
ENVIRONMENT_LABEL = "gitops-tk/environment"
PATHS = "argocd.argoproj.io/manifest-generate-paths"
_CASCADE = "resources-finalizer.argocd.argoproj.io"
_WRITTEN = (
    "# Written by gitops-tk from gitops-tk.yaml, and yours to edit: `gitops-tk argocd apps` and `gitops-tk validate`\n"
    "# read it as it is. `gitops-tk argocd write` writes it anew.\n"
)
_BY_HAND = (
    "# Applied once by hand: kubectl apply -f argocd/bootstrap.yaml. From then on Argo CD applies what is in argocd/,\n"
    "# this file included.\n"
)


class Dumper(yaml.SafeDumper):
    """YAML as people write it: lists are indented, no line is broken, nothing is shortened to an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indents a list below its key."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, _data: Any) -> bool:
        """Writes out what is there twice."""
        return True


def project(config: Config, argocd: Argocd, repository: str) -> bytes:
    """The AppProject that all Applications are in: the repository, and that of published charts; the environments'
    namespaces, no cluster objects.
    """
    charts = [config.chart.of("*").repo_url] if config.chart is not None else []
    name = argocd.project
    policy = f"p, proj:{name}:ci, applications"
    return _text(
        _WRITTEN,
        _manifest(
            "AppProject",
            argocd,
            name,
            {
                "description": "The services of a GitOps repository, delivered by gitops-tk",
                "sourceRepos": [repository, *charts],
                "destinations": destinations(argocd),
                # For the namespaces that a sync creates.
                "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
                "namespaceResourceBlacklist": [
                    {"group": "", "kind": "LimitRange"},
                    {"group": "", "kind": "ResourceQuota"},
                ],
                "roles": [
                    {
                        "name": "ci",
                        "description": "For pipelines that wait until a service is synced and healthy",
                        "policies": [f"{policy}, {verb}, {name}/*, allow" for verb in ("get", "sync")],
                    }
                ],
            },
            # Before the ApplicationSets, which refuse to generate for a project that is not there.
            annotations={"argocd.argoproj.io/sync-wave": "-1"},
        ),
    )


def destinations(argocd: Argocd) -> list[dict[str, str]]:
    """The clusters and namespaces that the environments deploy to, none twice."""
    found: list[dict[str, str]] = []
    for env in argocd.environments:
        one = destination(argocd, env)
        if one not in found:
            found.append(one)
    return found


def destination(argocd: Argocd, env: str) -> dict[str, str]:
    """Where an environment's services go: the cluster, and a pattern of the namespaces."""
    return {**_cluster(argocd, env), "namespace": argocd.namespace_of("*", env)}


def bootstrap(argocd: Argocd, repository: str) -> bytes:
    """What is applied by hand: a project that allows the wiring alone, and the Application that reads `argocd/`."""
    name = f"{argocd.project}-bootstrap"
    here = {"server": IN_CLUSTER, "namespace": argocd.installed_in}
    return _text(
        _BY_HAND,
        _manifest(
            "AppProject",
            argocd,
            name,
            {
                "description": "What makes Argo CD read a GitOps repository",
                "sourceRepos": [repository],
                "destinations": [here],
                "namespaceResourceWhitelist": [
                    {"group": "argoproj.io", "kind": kind} for kind in ("Application", "ApplicationSet", "AppProject")
                ],
            },
        ),
        _manifest(
            "Application",
            argocd,
            name,
            {
                "project": name,
                "source": {
                    "repoURL": repository,
                    "targetRevision": argocd.revision,
                    "path": FOLDER,
                    "directory": {"recurse": False},
                },
                "destination": here,
                "syncPolicy": {
                    "automated": {"enabled": True, "prune": True, "selfHeal": True, "allowEmpty": False},
                    "syncOptions": ["ServerSideApply=true", "PruneLast=true"],
                    "retry": _retry(),
                },
            },
            annotations={PATHS: f"/{FOLDER}"},
        ),
    )


def application_set(
    config: Config, argocd: Argocd, environment: Environment, repository: str, services: Sequence[str], *, shared: bool
) -> bytes:
    """The ApplicationSet of an environment: an Application for each service whose image is set.

    Args:
        services: the services of the environment; asked for only where no pattern takes them all.
        shared: whether the environment's shared values are there.
    """
    settings = argocd.environments[environment.name]
    protect = settings.protect
    return _text(
        _WRITTEN,
        _manifest(
            "ApplicationSet",
            argocd,
            f"{argocd.project}-{environment.name}",
            {
                "goTemplate": True,
                "goTemplateOptions": ["missingkey=error"],
                "generators": generators(config, argocd, environment, repository, services),
                "syncPolicy": {
                    "applicationsSync": "create-update" if protect else "sync",
                    "preserveResourcesOnDeletion": protect,
                },
                "template": _template(config, argocd, environment, repository, shared=shared),
            },
            # A protected one is deleted by hand, and its Applications stay then.
            annotations={"argocd.argoproj.io/sync-options": "Prune=false"} if protect else {},
            finalizers=[_CASCADE] if protect else [],
        ),
    )


def generators(
    config: Config, argocd: Argocd, environment: Environment, repository: str, services: Iterable[str]
) -> list[Manifest]:
    """The generators of an environment: of all services' values files, and of those whose images have other keys."""
    where = Expressions(config.layout, environment, published=config.chart is not None)
    named: dict[str, list[Selector]] = {}
    made: list[Manifest] = []
    if needs_names(config, environment):
        named = {service: _selectors(config, config.image_keys(service)) for service in services}
    else:
        common = _selectors(config, config.images)
        own = {service: _selectors(config, config.image_keys(service)) for service in config.services}
        named = {service: found for service, found in own.items() if found != common}
        files = where.pattern
        left_out = [literal(config.layout.values_path(service, environment)) for service in sorted(named)]
        made += _git(argocd, repository, Files(files.taken, (*files.left_out, *left_out)), common)
    groups: dict[str, tuple[list[str], list[Selector]]] = {}
    for service in sorted(named):
        path = literal(config.layout.values_path(service, environment))
        groups.setdefault(repr(named[service]), ([], named[service]))[0].append(path)
    for paths, chosen in groups.values():
        made += _git(argocd, repository, Files(tuple(paths)), chosen)
    return made


def _selectors(config: Config, images: Mapping[str, ImageKeys]) -> list[Selector]:
    found = selectors(images)
    # Without a version the template would be an error, and one of them stops a whole ApplicationSet.
    return found if config.chart is None else [with_key(one, config.chart.version) for one in found]


def needs_names(config: Config, environment: Environment) -> bool:
    """Whether the generators name each service's values file, so that a new service is a change of the manifest."""
    keys = [
        key for image in config.images.values() for key in (image.tag, image.digest, image.reference) if key is not None
    ]
    return not Expressions(config.layout, environment).is_pattern or any("{service}" in key for key in keys)


def _git(argocd: Argocd, repository: str, files: Files, chosen: Sequence[Selector]) -> list[Manifest]:
    return [
        {
            "git": {
                "repoURL": repository,
                "revision": argocd.revision,
                "files": [
                    *({"path": path} for path in files.taken),
                    *({"path": path, "exclude": True} for path in files.left_out),
                ],
            },
            **({"selector": {"matchExpressions": list(selector)}} if selector else {}),
        }
        for selector in chosen
    ]


def _source(config: Config, argocd: Argocd, where: Expressions, repository: str, *, shared: bool) -> dict[str, Any]:
    """Where the chart is, and its values: one source, or the chart's and the repository's."""
    here = {"repoURL": repository, "targetRevision": argocd.revision}
    helm = {"releaseName": where.service, "valueFiles": where.value_files(shared=shared), "skipTests": True}
    if config.chart is None:
        return {"source": {**here, "path": where.chart, "helm": helm}}
    chart = config.chart.of(where.service)
    there = {"repoURL": chart.repo_url, "chart": chart.name, "targetRevision": f"{{{{ .{chart.version} }}}}"}
    return {"sources": [{**there, "helm": helm}, {**here, "ref": VALUES}]}


def _template(
    config: Config, argocd: Argocd, environment: Environment, repository: str, *, shared: bool
) -> dict[str, Any]:
    env, settings = environment.name, argocd.environments[environment.name]
    where = Expressions(config.layout, environment, published=config.chart is not None)
    # What is deleted with its Application: nothing where an environment is protected.
    finalizers = {} if settings.protect else {"finalizers": [_CASCADE]}
    return {
        "metadata": {
            "name": argocd.name_of(where.service, env),
            "labels": {SERVICE_LABEL: where.service, ENVIRONMENT_LABEL: env},
            "annotations": {
                PATHS: ";".join(f"/{path}" for path in (*where.read(shared=shared), *argocd.reads)),
            },
            **finalizers,
        },
        "spec": {
            "project": argocd.project,
            **_source(config, argocd, where, repository, shared=shared),
            "destination": {**_cluster(argocd, env), "namespace": argocd.namespace_of(where.service, env)},
            "syncPolicy": {
                "automated": {
                    "enabled": True,
                    "prune": settings.prune,
                    "selfHeal": settings.self_heal,
                    "allowEmpty": False,
                },
                "syncOptions": [
                    "CreateNamespace=true",
                    "ServerSideApply=true",
                    "PruneLast=true",
                    "ApplyOutOfSyncOnly=true",
                    "FailOnSharedResource=true",
                ],
                "managedNamespaceMetadata": {
                    "labels": {
                        f"pod-security.kubernetes.io/{mode}": argocd.pod_security for mode in ("enforce", "warn")
                    }
                },
                "retry": _retry(),
            },
            "revisionHistoryLimit": 5,
        },
    }


def _retry() -> dict[str, Any]:
    return {"limit": 5, "refresh": True, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}}


def _cluster(argocd: Argocd, env: str) -> dict[str, str]:
    settings = argocd.environments[env]
    if settings.cluster is not None:
        return {"name": settings.cluster}
    return {"server": settings.server or IN_CLUSTER}


def _manifest(
    kind: str,
    argocd: Argocd,
    name: str,
    spec: Mapping[str, Any],
    *,
    annotations: Mapping[str, str] | None = None,
    finalizers: Sequence[str] = (),
) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": argocd.installed_in,
            **({"annotations": dict(annotations)} if annotations else {}),
            **({"finalizers": list(finalizers)} if finalizers else {}),
        },
        "spec": dict(spec),
    }


def _text(comment: str, *manifests: Manifest) -> bytes:
    documents = [yaml.dump(one, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000) for one in manifests]
    return (comment + "---\n".join(documents)).encode()
