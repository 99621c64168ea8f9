"""gitops-tk new-service."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("new-service")(new_service)


def new_service(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The service's name: a DNS label.")],
    image: Annotated[
        str,
        typer.Option(envvar="GITOPS_TK_IMAGE", metavar="REPOSITORY", help="Where its images are, without a tag."),
    ],
    profile: Annotated[
        str, typer.Option(envvar="GITOPS_TK_PROFILE", metavar="http", help="What kind of service it is.")
    ] = "http",
    port: Annotated[
        int, typer.Option(envvar="GITOPS_TK_PORT", metavar="N", help="The port that it listens on.")
    ] = 8080,
    host: Annotated[
        list[str] | None,
        typer.Option(envvar="GITOPS_TK_HOST", metavar="HOST", help="A host name of its Ingress; more than once."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option(envvar="GITOPS_TK_OWNER", metavar="TEAM", help="The team that owns it.")
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="An answer that the skeleton asks for; more than once."),
    ] = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Scaffold a service: its chart from the skeleton, and its values for every environment.

    Example: gitops-tk new-service user-service --image registry.example.com/user-service --port 8080
    """

    def action() -> Result:
        from gitops_tk.charts.answers import Answers
        from gitops_tk.errors import UsageError
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.new_service import plan

        for pair in var or ():
            if "=" not in pair:
                raise UsageError(f"--var takes K=V, not {pair!r}")
        answers = Answers(
            service=name,
            image=image,
            profile=profile,
            port=port,
            hosts=tuple(host or ()),
            owner=owner,
            vars={key: value for key, _, value in (pair.partition("=") for pair in var or ())},
        )
        answers.check()
        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return author("new-service", lambda views, intent: plan(answers, views, intent), options)

    run("new-service", output, action)
