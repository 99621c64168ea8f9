"""gitops-tk explain."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.gates import judging
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("explain")(explain)


def explain(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The environment that runs it.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The environment that is to get it.")],
    service: opt.Service,
    allow_commands: opt.AllowCommands = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Say why a promotion is or is not allowed, and until when.

    Every rule and every gate with its answer. It ends with 0 whatever the answer is; --output json has
    "allowed" for programs.

    Example: gitops-tk explain staging prod user-service
    """

    def action() -> Result:
        from gitops_tk.workflows.explain import explain as answer
        from gitops_tk.workflows.views import look_back

        options = opt.shared(repo, branch, output=output)
        judge = judging({}, options, allow_commands=allow_commands)()
        with look_back(options) as views:
            return answer(views, source, target, service, judge)

    def text(result: Result) -> str:
        from gitops_tk.reports.gates import explained

        return explained(result)

    run("explain", output, action, text, doing="asking the gates")
