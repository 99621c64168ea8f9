"""What commands that gates may hold back have in common."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from gitops_tk.model import durations
from gitops_tk.model.result import Result
from gitops_tk.workflows.gates import Judge
from gitops_tk.workflows.options import Options


def judge(overrides: Mapping[str, str], options: Options, *, allow_commands: bool) -> Judge:
    """Who answers for the gates; a dry run runs no program of the repository."""
    runner = None
    if allow_commands and not options.dry_run:
        from gitops_tk.workflows.commands import Commands

        runner = Commands(options.environ)
    return Judge(overrides, runner, lenient=options.dry_run)


def waiting(action: Callable[[Any], Result], length: str | None, options: Options) -> Result:
    """Runs an action, again and again for as long as gates may open; a dry run does not wait.

    Args:
        action: takes what the first plan meant, or None.
        length: how long to wait; None for not at all.
    """
    if length is None or options.dry_run:
        return action(None)
    from gitops_tk.workflows.waiting import wait_for_gates

    return wait_for_gates(action, durations.seconds(length), _tell)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
