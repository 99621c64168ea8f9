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
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Show which version of each service is where, and what differs along the promotion order.

    Example: gitops-tk status user-service -e prod
    """

    def action() -> Result:
        import time

        from gitops_tk.workflows.status import result
        from gitops_tk.workflows.status import status as find
        from gitops_tk.workflows.views import look

        options = opt.shared(repo, branch)
        with look(options) as snapshot:
            found = find(snapshot, services or (), env or (), now=time.time())
            if not live:
                return result(found)
            from gitops_tk.config.load import load
            from gitops_tk.workflows.live import live as running

            return result(found, running(load(snapshot), found, options.environ))

    def text(found: Result) -> str:
        from gitops_tk.reports.table import status_table

        return status_table(found)

    run("status", output, action, text)
