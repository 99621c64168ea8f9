"""Commit messages: what changed and why for people, trailers for programs (git-interpret-trailers(1))."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from gitops_tk.model.changes import Change, Skipped
from gitops_tk.model.foreign import acts, disarmed, line, literal

Trailers = tuple[tuple[str, str], ...]
_PLAIN_LIMIT = 200
_LONGEST_REASON = 500


def shown(value: Any) -> str:
    """A value on one line: as it is if it is a plain word, else as JSON, cut when it is long."""
    if value is None:
        return "(none)"
    if isinstance(value, str) and _is_plain(value):
        return value if len(value) <= _PLAIN_LIMIT else value[:_PLAIN_LIMIT] + "…"
    text = literal(json.dumps(value, ensure_ascii=True))
    return text if len(text) <= _PLAIN_LIMIT else text[:_PLAIN_LIMIT] + "…"


def described(change: Change) -> str:
    """A change on one line: `prod/user-service image.tag v1.2.3 -> v1.3.0`."""
    place = "/".join(part for part in (change.env, change.service) if part)
    if change.key is not None:
        values = f"{shown(change.from_)} -> {shown(change.to)}"
        # A key may begin what its value ends.
        plain = change.key.isprintable() and not acts(f"{change.key} {values}")
        return f"{place} {change.key if plain else _quoted(change.key)} {values}".strip()
    verb = "removed" if change.to is None and change.from_ is not None else "changed" if change.from_ else "added"
    return f"{place} {change.file or change.kind} {verb}".strip()


def left_alone(skipped: Iterable[Skipped]) -> list[str]:
    """What a message says of services that are left alone: the reasons are others' words."""
    return [f"- {one.service}: {disarmed(line(one.message, _LONGEST_REASON))}" for one in skipped]


def trailers(command: str, changes: Iterable[Change], *more: tuple[str, str]) -> Trailers:
    """The trailers of a commit that the tool makes: the command, each change, and what files cannot say."""
    return (
        ("Gitops-Tk-Command", command),
        *(("Gitops-Tk-Change", described(change)) for change in changes),
        *more,
    )


def counted(names: Sequence[str], what: str = "services") -> str:
    """One name, two joined, or how many."""
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} {what}"


def _is_plain(value: str) -> bool:
    return bool(value) and value.isprintable() and not any(mark in value for mark in ' "\\') and not acts(value)


def _quoted(key: str) -> str:
    # Its first letter by its code: no word is one any more.
    return f'"\\u{ord(key[0]):04x}{json.dumps(key[1:])[1:]}' if key else '""'


def proposal_branch(environment: str, names: Sequence[str], command: str = "") -> str:
    """The branch of a proposal, derived from what is proposed: the environment and the services.

    Args:
        command: set where the proposal stands beside that of a new image, and does not take its place.
    """
    end = f".{command}" if command else ""
    if len(names) == 1:
        return f"gitops-tk/{environment}/{names[0]}{end}"
    return f"gitops-tk/{environment}/{len(names)}-services-{digest(names)}{end}"


def digest(names: Iterable[str]) -> str:
    """What stands for many names where there is room for one."""
    # Few commands need it, and it loads OpenSSL.
    import hashlib

    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:10]
