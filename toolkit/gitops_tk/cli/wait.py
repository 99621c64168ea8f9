"""gitops-tk wait."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("wait")(wait)


def wait(
    env: opt.Env,
    services: opt.AnyServices = None,
    timeout: Annotated[
        str,
        typer.Option("--timeout", envvar="GITOPS_TK_TIMEOUT", metavar="DURATION", help="How long to wait."),
    ] = "10m",
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            envvar="GITOPS_TK_AT",
            metavar="COMMIT",
            help="The commit of the GitOps repository that is waited for. Default: the branch's newest.",
        ),
    ] = None,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Wait until Argo CD reports services synced and healthy.

    Ends with 6 if they are not in time, with 1 if they have failed. Without SERVICE all that have an image in
    the environment.

    ARGOCD_SERVER says where Argo CD is, ARGOCD_AUTH_TOKEN holds a token that may get applications.

    Example: gitops-tk wait user-service -e prod --timeout 5m
    """

    def action() -> Result:
        from gitops_tk.model.durations import seconds
        from gitops_tk.workflows.wait import WaitRequest
        from gitops_tk.workflows.wait import wait as until_there

        request = WaitRequest(services=tuple(services or ()), env=env, revision=at, timeout=seconds(timeout))
        with _told() as tell:
            return until_there(request, opt.shared(repo, branch), tell)

    def text(result: Result) -> str:
        from gitops_tk.reports.text import waited

        return waited(result)

    run("wait", output, action, text)


@contextmanager
def _told() -> Iterator[Callable[[str], None]]:
    """On a terminal one line that changes; elsewhere a line for each change."""
    from gitops_tk.cli.progress import is_terminal, progress

    if is_terminal():
        with progress("waiting:") as tell:
            yield tell
        return

    def tell_all(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    yield tell_all
