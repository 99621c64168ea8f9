"""What `--verbose` tells: each program and each request with its time and its end, on standard error.

Nobody's secrets: no headers, no bodies, no query, and no login in a URL.
"""

import sys
import time

_LONGEST = 300

on = False


def begins(argument_list: list[str], variable: str | None) -> bool:
    """Whether it is asked for, before the command line is parsed: a clone may start before that."""
    return "--verbose" in argument_list or (variable or "").lower() in ("1", "true", "t", "yes", "y", "on")


def told(what: str, started: float, end: str) -> None:
    """Tells of something that has ended.

    Args:
        started: by the monotonic clock.
        end: how it ended, in a word or two.
    """
    from gitops_tk.logins import redact

    seconds = time.monotonic() - started
    text = "".join(character if character.isprintable() else "?" for character in redact(f"{what}: {end}"))
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    sys.stderr.write(f"[{seconds:.3f} s] {shown}\n")
    sys.stderr.flush()
