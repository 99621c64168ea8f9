"""gitops-tk init."""

from pathlib import Path
from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

_Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        envvar="GITOPS_TK_ENV",
        metavar="ENV",
        help="An environment, in promotion order. Default: dev, staging, prod.",
    ),
]
_Propose = Annotated[
    list[str] | None,
    typer.Option(
        "--propose",
        envvar="GITOPS_TK_PROPOSE",
        metavar="ENV",
        help="An environment whose changes are proposed. Default: the last.",
    ),
]
_Forge = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_FORGE",
        metavar="KIND",
        help="git (no API), github, gitlab, gitea, ... Default: told from the remote.",
    ),
]
_ChartPerEnvironment = Annotated[
    bool,
    typer.Option(
        "--chart-per-environment",
        envvar="GITOPS_TK_CHART_PER_ENVIRONMENT",
        help="Each environment has its own copy of every chart.",
    ),
]
_ArgocdRepository = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_ARGOCD_REPOSITORY",
        metavar="URL",
        help="The URL by which Argo CD reads the repository. Default: the remote's.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("init")(init)


def init(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Default: the current folder.")] = None,
    env: _Env = None,
    propose: _Propose = None,
    forge: _Forge = None,
    chart_per_environment: _ChartPerEnvironment = False,
    argocd_repository: _ArgocdRepository = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Start a GitOps repository.

    Its configuration, the values that services share, and the manifests of Argo CD.

    Example: gitops-tk init my-gitops --env dev --env staging --env prod
    """

    def action() -> Result:
        from gitops_tk.workflows.init import DEFAULT_ENVIRONMENTS, InitRequest
        from gitops_tk.workflows.init import init as start

        request = InitRequest(
            environments=tuple(env or DEFAULT_ENVIRONMENTS),
            propose=tuple(propose) if propose is not None else None,
            forge=forge,
            chart_per_environment=chart_per_environment,
            repository=argocd_repository,
        )
        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return start(folder, request, options)

    run("init", output, action)
