"""--wait-for-gates: a change that gates hold back now is planned again when they may have opened."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from gitops_tk.errors import WaitedInVain
from gitops_tk.model.durations import exact, rough
from gitops_tk.model.refusals import GateClosed
from gitops_tk.policy.gates import timestamp

Done = TypeVar("Done")
# How often a gate is asked that does not say when it opens; and the longest sleep, after which it is asked anyway.
_ASK_AGAIN = 30.0
_LONGEST = 600.0


class Clock(Struct, frozen=True, kw_only=True):
    """Time, so that tests can hold it still."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def wait_for_gates(
    action: Callable[[Any], Done], length: float, tell: Callable[[str], None], clock: Clock | None = None
) -> Done:
    """Runs an action until no gate holds it back, or one has refused for good, or the time is up.

    Args:
        action: plans and publishes; takes what the first plan meant, or None.
        length: how long to wait, in seconds.
        tell: told each time what is waited for.

    Raises:
        GateClosed: a gate has refused, and time changes nothing.
        WaitedInVain: the gates would not open in time (exit 6, with the first one's name as the code).
    """
    clock = clock or Clock()
    deadline = clock.now() + length
    intent: Any = None
    while True:
        try:
            return action(intent)
        except GateClosed as closed:
            now = clock.now()
            if not closed.may_open:
                raise
            if now >= deadline or (closed.until is not None and closed.until > deadline):
                raise _in_vain(closed, length) from closed
            intent = closed.intent
            pause = _ASK_AGAIN if closed.until is None else max(closed.until - now, 1.0)
            tell(f"waiting {rough(pause)}: {closed.message}")
            clock.sleep(min(pause, _LONGEST, deadline - now))


def _in_vain(closed: GateClosed, length: float) -> WaitedInVain:
    when = f", which open at {timestamp(closed.until)}" if closed.until is not None else ""
    return WaitedInVain(
        f"{exact(length)} were not enough for the gates{when}: {closed.message}",
        code=closed.code,
        hint="wait longer, or run the command again then",
    )
