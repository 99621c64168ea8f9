"""Reading the `argocd` section of gitops-tk.yaml."""

import re
from collections.abc import Sequence

from gitops_tk.config.argocd import (
    FOLDER,
    IN_CLUSTER,
    Argocd,
    ArgocdEnvironment,
    FileArgocd,
    FileArgocdEnvironment,
    is_repository,
)
from gitops_tk.config.layout import Layout
from gitops_tk.config.lines import Path, shown
from gitops_tk.config.model import Environment, nearest
from gitops_tk.config.source import ABSENT, Source
from gitops_tk.model.names import DNS_LABEL

_NAME = re.compile(DNS_LABEL)
_PLACEHOLDERS = re.compile(r"\{(service|env)\}")
_SERVER = re.compile(r"https?://[A-Za-z0-9\[][^\s@{}]*")
_CLUSTER = re.compile(r"[A-Za-z0-9][\w.:@/-]{0,200}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def argocd(source: Source, environments: Sequence[Environment], layout: Layout) -> Argocd | None:
    """The section, or None where the file has none.

    Raises:
        ConfigError: it does not work.
    """
    if source.at(("argocd",)) is ABSENT:
        return None
    written: FileArgocd = source.convert(("argocd",), FileArgocd, {"environments"})
    _check(source, written)
    for key, text in layout.templates.items():
        if text.split("/")[0] == FOLDER:
            message = f"layout.{key}: {text!r} is in {FOLDER}/, where Argo CD's manifests are"
            raise source.error(("layout", key), "config-layout", message)
    place: Path = ("argocd", "environments")
    for name in source.map(place):
        known = [environment.name for environment in environments]
        if name not in known:
            hint = nearest(name, known) or f"there are {', '.join(known)}"
            message = f"argocd.environments has {shown(name)}, which is no environment"
            raise source.error((*place, name), "config-unknown-environment", message, hint)
    promoted = {before for environment in environments for before in environment.from_}
    return Argocd(
        repository=written.repository,
        revision=written.revision,
        installed_in=written.installed_in,
        project=written.project,
        application=written.application,
        pod_security=written.pod_security,
        reads=tuple(path.rstrip("/") for path in written.reads),
        environments={
            one.name: _environment(source, one, written, last=one.name not in promoted) for one in environments
        },
    )


def _environment(source: Source, environment: Environment, section: FileArgocd, *, last: bool) -> ArgocdEnvironment:
    place: Path = ("argocd", "environments", environment.name)
    written: FileArgocdEnvironment = source.convert(place, FileArgocdEnvironment)
    if written.server is not None and written.cluster is not None:
        message = f"the cluster of {environment.name} has a server or a name, not both"
        raise source.error((*place, "cluster"), "config-value", message)
    _match(source, (*place, "server"), written.server, _SERVER, "the URL of an API server")
    _match(source, (*place, "cluster"), written.cluster, _CLUSTER, "a cluster's name")
    if written.namespace is not None:
        _template(source, (*place, "namespace"), written.namespace)
    proposed = environment.publish == "pull-request"
    return ArgocdEnvironment(
        server=(written.server or IN_CLUSTER) if written.cluster is None else None,
        cluster=written.cluster,
        namespace=section.namespace if written.namespace is None else written.namespace,
        prune=written.prune,
        self_heal=written.self_heal,
        protect=proposed or last if written.protect is None else written.protect,
    )


def _check(source: Source, written: FileArgocd) -> None:
    if written.repository is not None and not is_repository(written.repository):
        # It is not shown: it may hold a password.
        message = "argocd.repository is not the URL of a repository that Argo CD could read"
        hint = "use https:// or ssh://, without a password: Argo CD keeps its own login"
        raise source.error(("argocd", "repository"), "config-value", message, hint)
    _match(source, ("argocd", "revision"), written.revision, _REVISION, "a branch")
    _match(source, ("argocd", "installed-in"), written.installed_in, _NAME, "a namespace")
    _match(source, ("argocd", "project"), written.project, _NAME, "a project's name")
    if written.project == "default":
        message = "argocd.project: the project `default` allows everything"
        raise source.error(("argocd", "project"), "config-value", message, "choose another name, such as gitops")
    _template(source, ("argocd", "namespace"), written.namespace)
    _template(source, ("argocd", "application"), written.application)
    if sorted(_PLACEHOLDERS.findall(written.application)) != ["env", "service"]:
        message = "argocd.application needs {service} and {env}, once each: no two Applications have the same name"
        raise source.error(("argocd", "application"), "config-value", message)
    for position, path in enumerate(written.reads):
        if not path.isprintable() or {"", ".", ".."} & set(path.rstrip("/").split("/")) or {";", "{"} & set(path):
            message = f"argocd.reads: {shown(path)} is not a file or folder of the repository"
            raise source.error(("argocd", "reads", position), "config-value", message)


def _match(source: Source, place: Path, value: str | None, form: re.Pattern[str], what: str) -> None:
    if value is not None and not form.fullmatch(value):
        label = ".".join(map(str, place))
        raise source.error(place, "config-value", f"{label}: {shown(value)} is not {what}")


def _template(source: Source, place: Path, template: str) -> None:
    if not _NAME.fullmatch(_PLACEHOLDERS.sub("x", template)):
        label = ".".join(map(str, place))
        message = f"{label}: {shown(template)} is not a name with the placeholders {{service}} and {{env}}"
        raise source.error(place, "config-value", message)
