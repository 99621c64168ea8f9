"""gitops-tk status."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("status")(status)


def status(
    services: opt.AnyServices = None,
    env: opt.Envs = None,
    live: Annotated[
        bool,
        typer.Option("--live", envvar="GITOPS_TK_LIVE", help="Ask Argo CD what runs, and how it is; see wait."),
    ] = False,
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            envvar="GITOPS_TK_HISTORY",
            help="Since when it is there, how far it is behind, which keys differ, and what is proposed.",
        ),
    ] = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Show which version is where, and what differs.

    Environments stand in promotion order, each compared with the one it is promoted from.

    Example: gitops-tk status user-service -e prod
    """

    def action() -> Result:
        from gitops_tk.workflows.status import result
        from gitops_tk.workflows.status import status as find
        from gitops_tk.workflows.views import look_back

        options = opt.shared(repo, branch, output=output)
        with look_back(options) as views:
            found = find(views.snapshot, services or (), env or (), now=views.now)
            if live:
                from gitops_tk.config.load import load
                from gitops_tk.workflows.live import live as running

                told = result(found, running(load(views.snapshot), found, options.environ))
            else:
                told = result(found)
            if history:
                from msgspec import to_builtins

                from gitops_tk.workflows.status_history import lately, proposals

                told.details["history"] = to_builtins(lately(views, found))
                told.details["proposals"] = proposals(views, found.environments)
            return told

    def text(found: Result) -> str:
        from gitops_tk.reports.table import status_table

        if "history" not in found.details:
            return status_table(found)
        from gitops_tk.reports.history import lately

        return f"{status_table(found)}\n{lately(found)}"

    run("status", output, action, text, doing="reading")
