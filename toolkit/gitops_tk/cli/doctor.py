"""gitops-tk doctor."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", envvar="GITOPS_TK_OFFLINE", help="Leave out what needs the network.")
    ] = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Look for what is wrong around the tool; change nothing.

    Git, Helm, credentials, remote, forge and Argo CD have to be as the tool needs them. Ends with 1
    where something is wrong. It works outside a repository, too, for what can be told there.

    Example: gitops-tk doctor --repo https://github.com/example/gitops
    """

    def action() -> Result:
        from gitops_tk.workflows.doctor import doctor as look

        return look(opt.shared(repo, branch), offline=offline)

    def text(result: Result) -> str:
        from gitops_tk.reports.doctor import findings

        return findings(result)

    run("doctor", output, action, text, doing="looking around")
