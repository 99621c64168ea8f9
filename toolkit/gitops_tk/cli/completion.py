"""What the shell may complete: services and environments of the checkout one is in."""

import os
from pathlib import Path

from gitops_tk.config.load import load
from gitops_tk.errors import GitopsTkError
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.views import look

# A remote is not asked while someone waits for a completion.
_HERE = {name: value for name, value in os.environ.items() if name != "GITOPS_TK_REPO"}


def services(incomplete: str) -> list[str]:
    """The services whose names begin as typed; none outside a GitOps repository."""
    try:
        with look(Options(cwd=Path.cwd(), environ=_HERE)) as snapshot:
            found = load(snapshot).layout.find_services(snapshot)
    except GitopsTkError:
        return []
    return [name for name in found if name.startswith(incomplete)]


def environments(incomplete: str) -> list[str]:
    """The environments whose names begin as typed; none outside a GitOps repository."""
    try:
        with look(Options(cwd=Path.cwd(), environ=_HERE)) as snapshot:
            known = load(snapshot).environments
    except GitopsTkError:
        return []
    return [environment.name for environment in known if environment.name.startswith(incomplete)]
