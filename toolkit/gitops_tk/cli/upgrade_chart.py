"""gitops-tk upgrade-chart."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

_Conflict = Annotated[
    str | None,
    typer.Option(
        "--conflict",
        envvar="GITOPS_TK_CONFLICT",
        metavar="ours|theirs|markers",
        help="Lines that the team and the skeleton both changed: keep the team's, take the skeleton's, or write both "
        "between markers. Default: refuse, and write nothing.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("upgrade-chart")(upgrade_chart)


def upgrade_chart(
    services: opt.AnyServices = None,
    conflict: _Conflict = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Bring charts to the current skeleton, keeping local edits.

    Every chart, or those of the named services. Where each environment has its own charts, the first one's;
    promotions carry them on.

    Example: gitops-tk upgrade-chart user-service --dry-run
    """

    def action() -> Result:
        from gitops_tk.workflows.upgrade_chart import UpgradeRequest
        from gitops_tk.workflows.upgrade_chart import upgrade_chart as upgrade

        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        return upgrade(UpgradeRequest.of(services or (), conflict, options), options)

    run("upgrade-chart", output, action)
