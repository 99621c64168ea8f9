"""gitops-tk verify-pr."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("verify-pr")(verify_pr)


def verify_pr(
    base: Annotated[
        str,
        typer.Option(envvar="GITOPS_TK_BASE", metavar="REF", help="What it is to be merged into: its policy counts."),
    ],
    head: Annotated[str, typer.Option(envvar="GITOPS_TK_HEAD", metavar="REF", help="The tip of the pull request.")],
    number: Annotated[
        int | None,
        typer.Option(
            "--comment",
            envvar="GITOPS_TK_COMMENT",
            metavar="NUMBER",
            min=1,
            help="The pull request to comment on: one comment, kept up to date, with the evidence of the change.",
        ),
    ] = None,
    allow_commands: opt.AllowCommands = False,
    repo: opt.Repo = None,
    output: opt.ReportOutput = "text",
) -> None:
    """Check a pull request against the base's policy.

    What it changes is sorted, and what the policy does not allow is refused.

    Example: gitops-tk verify-pr --base origin/main --head HEAD
    """

    def action() -> Result:
        from gitops_tk.reports.verdict import page
        from gitops_tk.workflows.reviewing.comment import Comment
        from gitops_tk.workflows.verify import verify_between

        asked = Comment(number, page) if number is not None else None
        return verify_between(base, head, opt.shared(repo), allow_commands=allow_commands, asked=asked)

    def github(result: Result) -> str:
        from gitops_tk.reports.annotations import annotations

        return annotations(result)

    def text(result: Result) -> str:
        from gitops_tk.reports.gates import verified

        return verified(result)

    run("verify-pr", output, action, text, {"github": github}, doing="reviewing")
