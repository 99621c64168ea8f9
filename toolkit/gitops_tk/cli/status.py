"""gitops-tk status."""

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

        with look(opt.shared(repo, branch)) as snapshot:
            return result(find(snapshot, services or (), env or (), now=time.time()))

    def text(found: Result) -> str:
        from gitops_tk.reports.table import status_table

        return status_table(found)

    run("status", output, action, text)
