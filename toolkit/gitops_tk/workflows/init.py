"""init: start a GitOps repository with its configuration and the values that services share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk import resources
from gitops_tk.charts.scaffold import shared_values
from gitops_tk.config.argocd import is_repository
from gitops_tk.config.load import CONFIG_FILE, parse
from gitops_tk.config.model import Config, ForgeKind, InitialEnvironment, initial
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Plan, Publish, Write
from gitops_tk.model.result import Result
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import is_remote
from gitops_tk.workflows.author import author
from gitops_tk.workflows.deliver import in_checkout
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.starting.forge import forge_of
from gitops_tk.workflows.views import Views
from gitops_tk.workflows.wiring import manifests

DEFAULT_ENVIRONMENTS = ("dev", "staging", "prod")


class InitRequest(Struct, frozen=True, kw_only=True):
    """What a new GitOps repository starts with.

    Attributes:
        environments: their names, in promotion order.
        propose: those whose changes are proposed; None for the last one of several.
        forge: the forge's kind, or None to tell it from the remote, now or later.
        repository: the URL by which Argo CD reads the repository; None for the remote's.
    """

    environments: tuple[str, ...] = DEFAULT_ENVIRONMENTS
    propose: tuple[str, ...] | None = None
    forge: str | None = None
    chart_per_environment: bool = False
    repository: str | None = None

    def check(self) -> None:
        """Refuses names that are none, and a URL that Argo CD could not read by.

        Raises:
            UsageError: an environment, a forge or the URL is not what it has to be.
        """
        for name in self.environments:
            names.environment(name)
            if self.environments.count(name) > 1:
                raise UsageError(f"there are two environments {name}", code="duplicate-environment")
        for name in self.propose or ():
            if name not in self.environments:
                raise UsageError(
                    f"--propose names {name!r}, which is none of the environments",
                    code="unknown-environment",
                    hint=f"there are {', '.join(self.environments)}",
                )
        if self.forge is not None and self.forge not in get_args(ForgeKind):
            raise UsageError(
                f"{self.forge!r} is not a kind of forge",
                code="bad-forge",
                hint=f"it is one of {', '.join(get_args(ForgeKind))}",
            )
        if self.repository is not None and not is_repository(self.repository):
            raise UsageError(
                "--argocd-repository is not the URL of a repository that Argo CD could read",
                code="bad-repository",
                hint="use https:// or ssh://, without a password: Argo CD keeps its own login",
            )


def init(folder: Path | None, request: InitRequest, options: Options) -> Result:
    """Writes the repository's first files into a folder, or publishes them on the remote that `--repo` names.

    Raises:
        ConfigError: the folder has a gitops-tk.yaml that says something else.
    """

    def planner(views: Views, intent: Any) -> Plan:
        return plan(request, views, intent)

    if folder is None and options.repo is not None:
        if is_remote(options.repo, options.cwd):
            return author("init", planner, options)
        folder = Path(options.repo)
    root = (options.cwd / (folder or Path())).resolve()
    checkout = Checkout(root, options.environ)
    # Planned once before: what cannot be started leaves no folder behind.
    plan(request, Views.of(checkout, checkout.snapshot()), None)
    if not options.dry_run:
        checkout.start()
    # A dry run makes no repository of the folder, so there may be none to commit in.
    commits = options.commit and checkout.is_git
    return in_checkout("init", planner, checkout, options, commit=commits)


def plan(request: InitRequest, views: Views, intent: Any) -> Plan:
    """Plans the first files; the same call twice plans nothing."""
    request.check()
    files = _files(replace(request, forge=request.forge or forge_of(views.home())), manifests.readable(views))
    config = parse(files[CONFIG_FILE])
    there = views.snapshot.read([path for path in files if views.snapshot.entries([path])])
    before = there.get(CONFIG_FILE)
    if before is not None and before != files[CONFIG_FILE]:
        raise ConfigError(
            f"there is a {CONFIG_FILE} already, and it says something else",
            code="config-exists",
            hint="edit it, or use gitops-tk env add and env remove",
            file=CONFIG_FILE,
        )
    # Shared values that are there already are the team's own; they stay.
    operations = tuple(Write(path, data) for path, data in files.items() if path not in there)
    connected = manifests.completed(config, views, operations)
    changes = tuple(
        Change(kind="config" if op.path == CONFIG_FILE else "environment", file=op.path, to="added")
        for op in operations
    )
    changes += connected.changes
    empty = not views.snapshot.children([""]).get("")
    publish: Publish = "push" if empty or not _proposes(config) else "pull-request"
    return Plan(
        changeset=ChangeSet((*operations, *connected.operations), changes),
        intent=intent,
        subject="init: start the GitOps repository",
        body="Environments, in promotion order: " + ", ".join(request.environments) + ".",
        trailers=trailers("init", changes),
        publish=publish,
        proposal=proposal_branch("_", ["init"]),
        advice=manifests.advice(config, views),
    )


def _files(request: InitRequest, remote: str | None) -> dict[str, bytes]:
    proposed = _proposed(request.environments, request.propose)
    environments = [
        InitialEnvironment(name=name, publish="pull-request" if name in proposed else "push")
        for name in request.environments
    ]
    text = initial(environments, request.forge, request.chart_per_environment, request.repository or remote)
    config = parse(text)
    files = {CONFIG_FILE: text}
    for environment in config.environments:
        path = config.layout.shared_path(environment)
        if path:
            files[path] = shared_values(resources.folder("envs"), environment.name)
    return files


def _proposed(environments: Sequence[str], chosen: Sequence[str] | None) -> Sequence[str]:
    if chosen is not None:
        return chosen
    return environments[-1:] if len(environments) > 1 else ()


def _proposes(config: Config) -> bool:
    return any(environment.publish == "pull-request" for environment in config.environments)
