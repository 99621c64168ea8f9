"""Runs one command's action and prints its Result; every error becomes a Result too."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import typer

from gitops_tk.cli.progress import progress
from gitops_tk.errors import GitopsTkError, UsageError
from gitops_tk.model.refusals import ChartDiverged, GateClosed, SeveralFaults
from gitops_tk.model.result import Outcome, Problem, Result

Printer = Callable[[Result], str]


def run(
    command: str,
    output: str,
    action: Callable[[], Result],
    text: Printer | None = None,
    others: Mapping[str, Printer] | None = None,
    doing: str | None = None,
) -> None:
    """Runs an action, prints its Result as text or JSON and leaves with its exit code.

    Args:
        output: `text`, `json`, or one of the others.
        text: prints the Result for people; None for the common form.
        others: what else prints the Result of this command, by what it is called.
        doing: what a terminal shows when it takes its time; None where the action shows that itself.

    Raises:
        typer.Exit: always, with the exit code.
    """
    known = ("text", "json", *(others or {}))
    if output not in known:
        # Told to people: there is no telling what else was meant.
        said = f"{', '.join(known[:-1])} or {known[-1]}"
        raise typer.Exit(show(failed(command, UsageError(f"--output is {said}, not {output!r}")), "text"))
    try:
        with progress(doing) if doing else nullcontext():
            result = action()
    except GitopsTkError as error:
        result = failed(command, error)
    raise typer.Exit(show(result, output, text, others))


def until_merged(result: Result, said: str) -> Result:
    """The Result of what should happen at once: where it waits for a merge, it says that nothing has happened yet.

    Args:
        said: what is as it was.
    """
    waits = any(one.action != "merged" for one in result.pull_requests)
    if waits and result.outcome in ("proposed", "unchanged"):
        result.advice += (f"{said} until it is merged; --push-now pushes it at once, where gitops-tk.yaml allows it.",)
    return result


def failed(command: str, error: GitopsTkError) -> Result:
    """The Result of a command that ended in an error."""
    outcome: Outcome = error.outcome  # type: ignore[assignment]
    gates = error.gates if isinstance(error, GateClosed) else ()
    faults = error.faults if isinstance(error, SeveralFaults) else (error,)
    diffs = [fault.diff for fault in faults if isinstance(fault, ChartDiverged)]
    return Result(
        command=command,
        outcome=outcome,
        gates=gates,
        problems=tuple(Problem.of(fault) for fault in faults),
        diff="".join(diffs) if diffs else None,
        attempts=error.attempts,
        exit_code=error.exit_code,
    )


def show(result: Result, output: str, text: Printer | None = None, others: Mapping[str, Printer] | None = None) -> int:
    """Prints a Result and returns the exit code: data to standard output, the rest to standard error."""
    if output == "json":
        from gitops_tk.reports.json import document

        found, aside = document(result), ""
    elif others and output in others:
        found, aside = others[output](result), ""
    else:
        from gitops_tk.reports import text as reports

        # A command that looks tells what it saw, though it did not see all.
        found = text(result) if text and (result.details or not result.has_errors) else reports.summary(result)
        aside = reports.diagnostics(result)
    try:
        for stream, said in ((sys.stdout, found), (sys.stderr, aside)):
            if said:
                stream.write(said)
                stream.flush()
    except OSError as error:
        _unheard(error)
        return result.exit_status or 1
    return result.exit_status


def _unheard(error: OSError) -> None:
    # What could not be written must not be tried again when the program ends.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    try:
        # Whoever closed a pipe has read what they wanted.
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: the output cannot be written: {error.strerror} [output]\n")
            sys.stderr.flush()
    except OSError:
        os.dup2(nowhere, sys.stderr.fileno())
