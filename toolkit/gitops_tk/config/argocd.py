"""The `argocd` section of gitops-tk.yaml: how Argo CD reads the repository, and where its Applications go."""

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

FOLDER = "argocd"
PROJECT_FILE = f"{FOLDER}/project.yaml"
BOOTSTRAP_FILE = f"{FOLDER}/bootstrap.yaml"
IN_CLUSTER = "https://kubernetes.default.svc"
# What stands for the repository's URL until somebody fills it in.
_PLACEHOLDER = "FILL-IN"
FILL_IN = f"https://git.example.com/{_PLACEHOLDER}/gitops.git"
PodSecurity = Literal["restricted", "baseline", "privileged"]

# As git takes them, without a password; braces would be read as a template by Argo CD.
_REPOSITORY = re.compile(
    r"(?:https?|ssh)://(?:[\w.-]+@)?[A-Za-z0-9\[][^\s@{}]*|[A-Za-z0-9_.][\w.-]*@[A-Za-z0-9][\w.-]*:[^\s{}]+"
)


def _text(description: str) -> Any:
    return Meta(description=description)


class FileArgocdEnvironment(Struct, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Where one environment's Applications go, and how they are synced."""

    server: Annotated[str | None, _text(f"The URL of the cluster's API server. Default: {IN_CLUSTER}.")] = None
    cluster: Annotated[str | None, _text("The cluster's name in Argo CD, in place of server.")] = None
    namespace: Annotated[str | None, _text("The namespace of a service here; {service} and {env} may be in it.")] = None
    prune: Annotated[bool, _text("Whether what is gone from git is deleted from the cluster.")] = True
    self_heal: Annotated[bool, _text("Whether what was changed in the cluster is changed back.")] = True
    protect: Annotated[
        bool | None,
        _text("Whether Applications outlive their values files. Default: where changes are proposed, or come last."),
    ] = None


class FileArgocd(Struct, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How Argo CD reads the repository, and where it deploys to."""

    repository: Annotated[str | None, _text("The URL by which Argo CD reads this repository.")] = None
    revision: Annotated[str, _text("The branch that Argo CD follows. Default: the repository's own.")] = "HEAD"
    installed_in: Annotated[str, _text("The namespace that Argo CD runs in.")] = "argocd"
    project: Annotated[str, _text("The AppProject of all Applications, and what ApplicationSets begin with.")] = (
        "gitops"
    )
    application: Annotated[str, _text("What an Application is called.")] = "{service}-{env}"
    namespace: Annotated[str, _text("The namespace of a service; {service} and {env} may be in it.")] = (
        "{service}-{env}"
    )
    pod_security: Annotated[PodSecurity, _text("The Pod Security level of the namespaces.")] = "restricted"
    reads: Annotated[list[str], _text("Files and folders that charts read beside their own.")] = []
    environments: Annotated[dict[str, FileArgocdEnvironment], _text("What differs in an environment.")] = {}


class ArgocdEnvironment(Struct, frozen=True, kw_only=True):
    """Where one environment's Applications go, and how they are synced.

    Attributes:
        server: the URL of the cluster's API server; None where the cluster is named.
        cluster: the cluster's name in Argo CD; None where there is a URL.
        namespace: the namespace of a service, a template with {service} and {env}.
        prune: whether what is gone from git is deleted.
        self_heal: whether what was changed in the cluster is changed back.
        protect: whether Applications, and what they deployed, outlive their values files.
    """

    server: str | None
    cluster: str | None
    namespace: str
    prune: bool
    self_heal: bool
    protect: bool


class Argocd(Struct, frozen=True, kw_only=True):
    """The section with its defaults filled in.

    Attributes:
        repository: the URL by which Argo CD reads the repository; None to tell it from the remote.
        revision: the branch that Argo CD follows.
        installed_in: the namespace that Argo CD runs in.
        application: what an Application is called, a template with {service} and {env}.
        reads: files and folders that charts read beside their own.
        environments: what holds in each environment, by its name.
    """

    repository: str | None
    revision: str
    installed_in: str
    project: str
    application: str
    pod_security: PodSecurity
    reads: tuple[str, ...]
    environments: dict[str, ArgocdEnvironment]

    def name_of(self, service: str, env: str) -> str:
        """What the Application of a service in an environment is called."""
        return filled(self.application, service, env)

    def namespace_of(self, service: str, env: str) -> str:
        """The namespace that a service is deployed to in an environment."""
        return filled(self.environments[env].namespace, service, env)


def environment_file(env: str) -> str:
    """Where an environment's ApplicationSet is."""
    return f"{FOLDER}/apps-{env}.yaml"


def environment_of(path: str) -> str | None:
    """The environment whose ApplicationSet a path is, or None."""
    name = path.removeprefix(f"{FOLDER}/apps-").removesuffix(".yaml")
    return name if name and path == environment_file(name) else None


def filled(template: str, service: str, env: str) -> str:
    """A template of a name with its placeholders filled in."""
    return template.replace("{service}", service).replace("{env}", env)


def initial(repository: str | None) -> list[str]:
    """The lines of a new repository's section."""
    if repository is None:
        return ["argocd:", f"  repository: {FILL_IN}   # fill in the URL by which Argo CD reads it"]
    return ["argocd:", f"  repository: {repository}"]


def is_repository(url: str) -> bool:
    """Whether Argo CD could read a repository by this URL: no file of this machine, and no password in it."""
    return url.isprintable() and _REPOSITORY.fullmatch(url) is not None


def is_placeholder(url: str) -> bool:
    """Whether a URL stands for one that nobody has filled in yet, be it in part."""
    return _PLACEHOLDER in url


def to_builtins(argocd: Argocd) -> dict[str, Any]:
    """The section with its defaults, under the keys of the file."""
    return {
        **({"repository": argocd.repository} if argocd.repository else {}),
        "revision": argocd.revision,
        "installed-in": argocd.installed_in,
        "project": argocd.project,
        "application": argocd.application,
        "pod-security": argocd.pod_security,
        "reads": list(argocd.reads),
        "environments": {
            name: {
                **({"cluster": one.cluster} if one.cluster else {"server": one.server}),
                "namespace": one.namespace,
                "prune": one.prune,
                "self-heal": one.self_heal,
                "protect": one.protect,
            }
            for name, one in argocd.environments.items()
        },
    }
