"""gitops-tk env."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

app = typer.Typer(help="List, add and remove environments.", no_args_is_help=True)


@app.command("list")
def list_(repo: opt.Repo = None, branch: opt.Branch = None, output: opt.Output = "text") -> None:
    """List the environments in promotion order.

    Example: gitops-tk env list
    """

    def action() -> Result:
        from gitops_tk.workflows.environments import listed
        from gitops_tk.workflows.views import look

        with look(opt.shared(repo, branch)) as snapshot:
            return listed(snapshot)

    def text(result: Result) -> str:
        from gitops_tk.reports.table import environments_table

        return environments_table(result)

    run("env list", output, action, text)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    after: Annotated[
        str | None,
        typer.Option(
            envvar="GITOPS_TK_AFTER", metavar="ENV", help="The environment it comes after. Default: the last."
        ),
    ] = None,
    from_: Annotated[
        list[str] | None,
        typer.Option("--from", envvar="GITOPS_TK_FROM", metavar="ENV", help="Where promotions may come from."),
    ] = None,
    publish: Annotated[
        str, typer.Option(envvar="GITOPS_TK_PUBLISH", metavar="push|pull-request", help="How changes are published.")
    ] = "push",
    path: Annotated[
        str | None,
        typer.Option(envvar="GITOPS_TK_PATH", metavar="NAME", help="What {env} is in paths, if not the name."),
    ] = None,
    copy: Annotated[
        str | None,
        typer.Option(
            envvar="GITOPS_TK_COPY", metavar="ENV", help="Start with its shared values and services, without images."
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
    """Add an environment to gitops-tk.yaml, with shared values.

    Example: gitops-tk env add qa --after dev --copy dev --commit
    """

    def action() -> Result:
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.environments import AddRequest
        from gitops_tk.workflows.environments import add as plan

        request = AddRequest(name=name, after=after, from_=tuple(from_ or ()), publish=publish, path=path, copy=copy)
        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return author("env add", lambda views, _: plan(request, views), options)

    run("env add", output, action)


@app.command("remove")
def remove(
    name: opt.EnvName,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Remove an environment from gitops-tk.yaml.

    Its shared values, its services' values and its holds go with it.

    Example: gitops-tk env remove qa --dry-run
    """

    def action() -> Result:
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.environments import remove as plan

        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return author("env remove", lambda views, _: plan(name, views), options)

    run("env remove", output, action)
