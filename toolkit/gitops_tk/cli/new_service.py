"""gitops-tk new-service."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

_Image = Annotated[
    str | None,
    typer.Option(envvar="GITOPS_TK_IMAGE", metavar="REPOSITORY", help="Where its images are, without a tag."),
]
_Profile = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_PROFILE",
        metavar="http|grpc|worker|cronjob",
        help="What kind of service it is. Default: http.",
    ),
]
_Port = Annotated[
    int | None,
    typer.Option(envvar="GITOPS_TK_PORT", metavar="N", help="The port that it listens on. Default: 8080."),
]
_Host = Annotated[
    list[str] | None,
    typer.Option(envvar="GITOPS_TK_HOST", metavar="HOST", help="A host name of its Ingress; more than once."),
]
_Owner = Annotated[str | None, typer.Option(envvar="GITOPS_TK_OWNER", metavar="TEAM", help="The team that owns it.")]
_AppDir = Annotated[
    Path | None,
    typer.Option(
        envvar="GITOPS_TK_APP_DIR",
        metavar="DIR",
        help="Write the application side there: a Dockerfile, and a Go starter where there is no go.mod.",
    ),
]
_Module = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_MODULE", metavar="PATH", help="The Go module's path. Default: as the git remote says."
    ),
]
_Var = Annotated[
    list[str] | None,
    typer.Option(envvar="GITOPS_TK_VAR", metavar="K=V", help="An answer that the skeleton asks for; more than once."),
]
_Answers = Annotated[
    Path | None,
    typer.Option(envvar="GITOPS_TK_ANSWERS", metavar="FILE", help="Answers in a YAML file; options win over it."),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("new-service")(new_service)


def new_service(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The service's name: a DNS label.")] = None,
    image: _Image = None,
    profile: _Profile = None,
    port: _Port = None,
    host: _Host = None,
    owner: _Owner = None,
    app_dir: _AppDir = None,
    module: _Module = None,
    var: _Var = None,
    answers: _Answers = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Scaffold a service: its chart, and values for environments.

    The chart comes from the skeleton; every environment gets a values file. In a terminal it asks for what is missing.

    Example: gitops-tk new-service mail-service --image registry.example.com/shop/mail-service --port 8080
    """

    def action() -> Result:
        from gitops_tk.charts.answers import Given, read_answers
        from gitops_tk.cli.questions import ask, may_ask
        from gitops_tk.workflows.new_service import new_service
        from gitops_tk.workflows.starting.suggestions import suggested

        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        given = Given(
            service=name,
            image=image,
            profile=profile,
            port=port,
            hosts=tuple(host) if host else None,
            owner=owner,
            module=module,
            vars=_pairs(var or ()),
        )
        if answers is not None:
            given = given.over(read_answers(answers))
        if (given.service is None or given.image is None) and may_ask():
            given = ask(given, suggested(options, app_dir))
        return new_service(given, app_dir, options)

    run("new-service", output, action)


def _pairs(pairs: Iterable[str]) -> dict[str, str]:
    from gitops_tk.errors import UsageError

    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--var takes K=V, not {pair!r}")
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
