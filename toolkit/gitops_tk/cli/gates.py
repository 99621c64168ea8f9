"""What commands that gates may hold back have in common."""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from gitops_tk.model import durations
from gitops_tk.model.result import Result
from gitops_tk.workflows.options import Options

if TYPE_CHECKING:
    from gitops_tk.workflows.gating.gates import Judge


def judging(overrides: Mapping[str, str], options: Options, *, allow_commands: bool = False) -> "Callable[[], Judge]":
    """Gives who answers for the gates, the same each time; a dry run runs no program of the repository."""

    @cache
    def judge() -> "Judge":
        from gitops_tk.workflows.gating.commands import Commands
        from gitops_tk.workflows.gating.gates import Judge
        from gitops_tk.workflows.gating.healthy import Healthy

        runner = Commands(options.environ) if allow_commands and not options.dry_run else None
        return Judge(overrides, runner, Healthy(options.environ), lenient=options.dry_run)

    return judge


def waiting(action: Callable[[Any], Result], length: str | None, options: Options) -> Result:
    """Runs an action, again and again for as long as gates may open; a dry run does not wait.

    Args:
        action: takes what the first plan meant, or None.
        length: how long to wait; None for not at all.
    """
    if length is None or options.dry_run:
        return action(None)
    from gitops_tk.workflows.gating.waiting import wait_for_gates

    return wait_for_gates(action, durations.seconds(length), _tell)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
