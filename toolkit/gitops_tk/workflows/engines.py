"""--version: which engines are at hand beside the tool itself."""

import platform
from collections.abc import Mapping

from gitops_tk.charts.engine import all_at_hand
from gitops_tk.errors import GitopsTkError
from gitops_tk.repository.git import Git, shown_version


def engines(environ: Mapping[str, str]) -> list[str]:
    """A line for Python, git and each Helm engine, with its version."""
    found = [f"Python {platform.python_version()}", _git(environ)]
    for engine in all_at_hand(environ):
        found.append(f"Helm {engine.version or 'that does not start'} ({engine.name})")
    return found if len(found) > 2 else [*found, "no Helm engine"]


def _git(environ: Mapping[str, str]) -> str:
    try:
        return shown_version(Git.from_environment(environ).run("--version").stdout)
    except GitopsTkError as fault:
        return f"no git: {fault.message}"
