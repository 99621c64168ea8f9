"""gitops-tk argocd."""

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

app = typer.Typer(help="The wiring to Argo CD: its manifests, and what it makes of them.", no_args_is_help=True)


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
    """Write the manifests in argocd/ as gitops-tk.yaml says, over what is there.

    Example: gitops-tk argocd write --dry-run
    """

    def action() -> Result:
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.wiring import write as plan

        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return author("argocd write", lambda views, _: plan(views), options)

    run("argocd write", output, action)
