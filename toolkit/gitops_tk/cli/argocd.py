"""gitops-tk argocd."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

app = typer.Typer(help="The manifests for Argo CD, and what it makes of them.", no_args_is_help=True)


@app.command("apps")
def apps(
    globbing: Annotated[
        str,
        typer.Option(
            envvar="GITOPS_TK_GLOBBING",
            metavar="greedy|doublestar",
            help="How Argo CD reads patterns: by default, or with its new globbing.",
        ),
    ] = "greedy",
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """List the Applications that Argo CD would generate.

    It is asked of the manifests as they are.

    Example: gitops-tk argocd apps -o json
    """

    def action() -> Result:
        from gitops_tk.workflows.views import look
        from gitops_tk.workflows.wiring.generated import listed

        with look(opt.shared(repo, branch)) as snapshot:
            return listed(snapshot, globbing)

    def text(result: Result) -> str:
        from gitops_tk.reports.table import applications_table

        return applications_table(result)

    run("argocd apps", output, action, text)


@app.command("write")
def write(
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Write the manifests in argocd/ anew, as gitops-tk.yaml says.

    Example: gitops-tk argocd write --dry-run
    """

    def action() -> Result:
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.wiring.manifests import write as plan

        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return author("argocd write", lambda views, _: plan(views), options)

    run("argocd write", output, action)
