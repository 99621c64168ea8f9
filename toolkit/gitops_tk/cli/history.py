"""gitops-tk history."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import Printer, run
from gitops_tk.model.result import Result

_Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", envvar="GITOPS_TK_LIMIT", metavar="NUMBER", min=1, help="The newest so many."),
]
_Since = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_SINCE",
        metavar="TIME",
        help="Since 2026-12-24, 2026-12-24T18:00 (UTC), 7d or '2 weeks ago'.",
    ),
]
_Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        envvar="GITOPS_TK_OUTPUT",
        metavar="text|json|markdown|csv",
        help="Text for people, JSON for programs, or a table to pass on.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("history")(history)


def history(
    service: opt.Service,
    env: opt.Envs = None,
    limit: _Limit = None,
    since: _Since = None,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: _Output = "text",
) -> None:
    """Show each change of a service's images.

    When, by whom and how it came, and how long it stayed.

    Example: gitops-tk history user-service -e prod --limit 10
    """

    def action() -> Result:
        from gitops_tk.workflows.history import HistoryRequest, result
        from gitops_tk.workflows.history import history as find
        from gitops_tk.workflows.views import look_back

        request = HistoryRequest(service=service, envs=tuple(env or ()), limit=limit, since=since)
        request.check()
        options = opt.shared(repo, branch, output=output)
        with look_back(options) as views:
            return result(service, find(request, views))

    def text(found: Result) -> str:
        from gitops_tk.reports import history as reports

        places = f" in {', '.join(env)}" if env else ""
        return reports.text(found, places + (f" since {since}" if since else ""))

    def markdown(found: Result) -> str:
        from gitops_tk.reports import history as reports

        return reports.markdown(found)

    def comma_separated(found: Result) -> str:
        from gitops_tk.reports import history as reports

        return reports.comma_separated(found)

    others: dict[str, Printer] = {"markdown": markdown, "csv": comma_separated}
    # What goes wrong is told to people in each of these.
    told = "text" if output in others else output
    run("history", told, action, others.get(output, text), others, doing="reading history")
