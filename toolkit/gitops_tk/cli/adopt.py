"""gitops-tk adopt."""

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
        metavar="NAME[=PATH]",
        help="An environment, in promotion order; PATH is what it is in paths. Default: told by their names.",
    ),
]
_Values = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_VALUES",
        metavar="TEMPLATE",
        help="Where values are, such as apps/{env}/{service}.yaml. Default: told by the files.",
    ),
]
_ImageKey = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_IMAGE_KEY",
        metavar="KEY",
        help="The key of an image's tag, or of a whole reference. Default: told by the files.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("adopt")(adopt)


def adopt(
    env: _Env = None,
    values: _Values = None,
    image_key: _ImageKey = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Write gitops-tk.yaml for a repository that exists already.

    It goes to the top of the checkout, or into the folder of --repo.

    Example: gitops-tk adopt --repo ../older --dry-run
    """

    def action() -> Result:
        from gitops_tk.workflows.adopt import AdoptRequest
        from gitops_tk.workflows.adopt import adopt as start

        request = AdoptRequest(environments=tuple(env or ()), values=values, image_key=image_key)
        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return start(request, options)

    def text(result: Result) -> str:
        from gitops_tk.reports.adopted import adopted

        return adopted(result)

    run("adopt", output, action, text, doing="reading")
