"""What `doctor` finds: a rule, how it stands, and what to do about it."""

from typing import Literal

from msgspec import Struct

from gitops_tk.errors import GitopsTkError

State = Literal["ok", "warning", "error", "not-checked"]


class Finding(Struct, frozen=True, kw_only=True):
    """How one rule stands.

    Attributes:
        rule: its stable name.
        message: what was seen, or why it was not looked at.
        fix: the command or setting that mends it; None where nothing is to be done.
    """

    rule: str
    state: State
    message: str
    fix: str | None = None


def ok(rule: str, message: str) -> Finding:
    """Nothing is wrong."""
    return Finding(rule=rule, state="ok", message=message)


def warning(rule: str, message: str, fix: str) -> Finding:
    """Something that some commands will meet."""
    return Finding(rule=rule, state="warning", message=message, fix=fix)


def error(rule: str, message: str, fix: str) -> Finding:
    """Something that keeps commands from their work."""
    return Finding(rule=rule, state="error", message=message, fix=fix)


def unchecked(rule: str, reason: str, fix: str | None = None) -> Finding:
    """It was not looked at, and why."""
    return Finding(rule=rule, state="not-checked", message=reason, fix=fix)


def failed(rule: str, fault: GitopsTkError, fix: str) -> Finding:
    """What a fault means for a rule; its own hint says more than the rule's."""
    place = f"{fault.file}:{fault.line}: " if fault.file and fault.line else ""
    return error(rule, f"{place}{fault.message}", fault.hint or fix)
