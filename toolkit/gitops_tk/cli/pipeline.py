"""gitops-tk pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

app = typer.Typer(help="CI files that call the tool.", no_args_is_help=True)


@app.command("add")
def add(
    system: Annotated[str, typer.Argument(metavar="github|gitlab|jenkins|tekton", help="The CI system.")],
    app_dir: Annotated[
        Path | None,
        typer.Option(
            "--app-dir",
            envvar="GITOPS_TK_APP_DIR",
            metavar="DIR",
            help="Write the pipeline of the application there: test, build, scan, sign, bump.",
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option("--service", envvar="GITOPS_TK_SERVICE", metavar="SERVICE", help="The service that it builds."),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            "-e",
            envvar="GITOPS_TK_ENV",
            metavar="ENV",
            help="The environment that builds go to. Default: the first.",
        ),
    ] = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Write CI files for the GitOps repository, or an application's.

    Those of an application go to --app-dir. Files that are there and say something else are never overwritten.

    Example: gitops-tk pipeline add github --app-dir ../user-service --service user-service
    """

    def action() -> Result:
        from gitops_tk.workflows.pipelines import PipelineRequest
        from gitops_tk.workflows.pipelines import add as write

        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return write(PipelineRequest(system=system, app_dir=app_dir, service=service, env=env), options)

    run("pipeline add", output, action)
