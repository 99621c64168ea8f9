"""A clone started while Python still imports: over a network it hides the start-up (docs/decisions)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_tk.repository.clone import Clone
    from gitops_tk.repository.location import RemoteLocation

_DELIVER = ("bump", "promote", "rollback", "hold", "unhold")
_LOOK = ("status", "history", "diff", "explain", "render", "validate")
# With these the remote is not asked, or nothing is.
_NOT_WITH = ("--help", "-h", "--local")

_started: "Clone | None" = None


def begin(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Starts the clone that a command is sure to need: its remote is plain in the arguments."""
    if not arguments or arguments[0] not in _DELIVER + _LOOK or any(option in arguments for option in _NOT_WITH):
        return
    repo = _value(arguments, "--repo") or environ.get("GITOPS_TK_REPO")
    if repo is None or environ.get("GITOPS_TK_LOCAL"):
        return
    # None of these imports msgspec, which takes as long as all of them.
    from gitops_tk.errors import GitopsTkError
    from gitops_tk.model import names
    from gitops_tk.repository.clone import Clone
    from gitops_tk.repository.location import RemoteLocation, is_url, locate

    global _started
    if not is_url(repo):
        return
    try:
        from pathlib import Path

        location = locate(repo, Path(), environ)
        branch = _value(arguments, "--branch") or environ.get("GITOPS_TK_BRANCH")
        if isinstance(location, RemoteLocation):
            _started = Clone(location, names.branch(branch) if branch else None, environ)
    except (GitopsTkError, OSError):
        # The command meets the same fault again, and tells it.
        return


def adopt(location: "RemoteLocation", branch: str | None) -> "Clone | None":
    """The started clone, if it is of this remote and branch; any other is stopped."""
    global _started
    clone, _started = _started, None
    if clone is not None and (clone.location, clone.branch) != (location, branch):
        clone.close()
        return None
    return clone


def discard() -> None:
    """Stops a started clone that nobody adopted, and takes it away."""
    global _started
    if _started is not None:
        _started.close()
        _started = None


def _value(arguments: Sequence[str], option: str) -> str | None:
    found = None
    for position, argument in enumerate(arguments):
        if argument == option and position + 1 < len(arguments):
            found = arguments[position + 1]
        elif argument.startswith(option + "="):
            found = argument.partition("=")[2]
    return found
