"""What the shell may complete: services, environments and tags of the checkout one is in; silence where it cannot."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.views import Views, look_back

# A remote is not asked while someone waits for a completion, and git not for long.
_HERE = {
    **{name: value for name, value in os.environ.items() if name != "GITOPS_TK_REPO"},
    "GITOPS_TK_GIT_TIMEOUT": "2",
}
# More services than these are not looked back at while someone waits.
_MOST = 20


def services(incomplete: str) -> list[str]:
    """The services whose names begin as typed; none outside a GitOps repository."""
    found: Sequence[str] = ()
    try:
        with _here() as (views, config):
            found = list(config.layout.find_services(views.snapshot))
    except (GitopsTkError, OSError):
        return []
    return [name for name in found if name.startswith(incomplete)]


def environments(incomplete: str) -> list[str]:
    """The environments whose names begin as typed; none outside a GitOps repository."""
    try:
        with _here() as (_, config):
            known = config.environments
    except (GitopsTkError, OSError):
        return []
    return [environment.name for environment in known if environment.name.startswith(incomplete)]


def tags(given: Mapping[str, Any], words: Sequence[str], incomplete: str) -> list[str]:
    """The tags that an environment holds or has held, the newest first, as the checkout's own history has it.

    Args:
        given: the options that the command line has already.
        words: its arguments, which are not told apart while an option has no value: environments, if the command takes
            a source and a target, and services.
    """
    env, services = (words[0] if words else None, words[2:]) if "source" in given else (given.get("env"), words)
    from gitops_tk.workflows.looking_back.timeline import timelines

    try:
        with _here() as (views, config):
            environment = config.environment(env or "")
            named = services or config.layout.find_services(views.snapshot, [environment])
            found = timelines(views, [(service, environment.name) for service in list(named)[:_MOST]])
    except (GitopsTkError, OSError):
        return []
    states = sorted((state for states in found.values() for state in states), key=lambda one: -one.since)
    held = dict.fromkeys(image.tag for state in states for image in state.images.values() if image.tag)
    return [tag for tag in held if tag.startswith(incomplete)]


@contextmanager
def _here() -> Iterator[tuple[Views, Config]]:
    with look_back(Options(cwd=Path.cwd(), environ=_HERE)) as views:
        yield views, load(views.snapshot)
