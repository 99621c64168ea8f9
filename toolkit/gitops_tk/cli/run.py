"""Runs one command's action and prints its Result; every error becomes a Result too."""

import sys
from collections.abc import Callable

import typer

from gitops_tk.errors import GitopsTkError, UsageError
from gitops_tk.model.result import Outcome, Problem, Result

Printer = Callable[[Result], str]


def run(command: str, output: str, action: Callable[[], Result], text: Printer | None = None) -> None:
    """Runs an action, prints its Result as text or JSON and leaves with its exit code.

    Args:
        output: `text` or `json`.
        text: prints the Result for people; None for the common form.

    Raises:
        typer.Exit: always, with the exit code.
    """
    if output not in ("text", "json"):
        # Told to people: there is no telling what else was meant.
        raise typer.Exit(show(failed(command, UsageError(f"--output is text or json, not {output!r}")), "text"))
    try:
        result = action()
    except GitopsTkError as error:
        result = failed(command, error)
    raise typer.Exit(show(result, output, text))


def failed(command: str, error: GitopsTkError) -> Result:
    """The Result of a command that ended in an error."""
    outcome: Outcome = error.outcome  # type: ignore[assignment]
    return Result(command=command, outcome=outcome, problems=(Problem.of(error),), exit_code=error.exit_code)


def show(result: Result, output: str, text: Printer | None = None) -> int:
    """Prints a Result and returns the exit code: data to standard output, the rest to standard error."""
    if output == "json":
        from gitops_tk.reports.json import document

        sys.stdout.write(document(result))
    else:
        from gitops_tk.reports import text as reports

        found = text(result) if text and not result.problems else reports.summary(result)
        sys.stdout.write(found)
        sys.stderr.write(reports.diagnostics(result))
    sys.stdout.flush()
    return result.exit_status
