"""Which environments a change reaches, and so whether it is pushed or proposed."""

from collections.abc import Iterable

from gitops_tk.config.argocd import FOLDER, environment_of
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Operation, Publish


def environments(config: Config, operations: Iterable[Operation]) -> set[str]:
    """The names of the environments whose releases these operations may change."""
    everywhere = {environment.name for environment in config.environments}
    reached: set[str] = set()
    for operation in operations:
        path = operation.path
        if path == CONFIG_FILE:
            return everywhere
        if config.argocd is not None and path.startswith(f"{FOLDER}/"):
            env = environment_of(path)
            reached |= {env} if env in everywhere else everywhere
            continue
        values = config.layout.match_values(path) or config.layout.match_hold(path)
        shared = config.layout.match_shared(path)
        chart = config.layout.match_chart(path)
        if values:
            reached.add(values[1])
        elif shared:
            reached.add(shared)
        elif chart:
            reached |= {chart[1]} if chart[1] else everywhere
    return reached


def publish_now(
    config: Config, operations: Iterable[Operation], *, wanted: bool
) -> tuple[Publish, tuple[tuple[str, str], ...]]:
    """How a change is published, and the trailer that says so where it is pushed in place of a proposal.

    Args:
        wanted: `--push-now`: push where changes are proposed, if every environment that the change reaches allows it.

    Raises:
        RefusedByPolicy: one does not (code `push-now`).
    """
    listed = tuple(operations)
    by = publish_by(config, listed)
    if by == "push" or not wanted:
        return by, ()
    reached = environments(config, listed)
    proposing = [env for env in config.environments if env.name in reached and env.publish == "pull-request"]
    for env in proposing:
        if not env.push_now:
            raise RefusedByPolicy(
                f"--push-now is not allowed in {env.name}, where changes are proposed",
                code="push-now",
                hint=f"leave it out, or let gitops-tk.yaml allow it: push-now: true for {env.name}",
            )
    return "push", (("Gitops-Tk-Push-Now", ", ".join(env.name for env in proposing)),)


def publish_by(config: Config, operations: Iterable[Operation]) -> Publish:
    """How a change is published: proposed if any environment that it reaches asks for it."""
    reached = environments(config, operations)
    proposed = any(
        environment.publish == "pull-request" for environment in config.environments if environment.name in reached
    )
    return "pull-request" if proposed else "push"


def reviewed(environment: Environment, services: Iterable[str]) -> tuple[str, ...]:
    """The releases of services in an environment, as proposals name them; none where changes are pushed."""
    if environment.publish == "push":
        return ()
    return tuple(f"{environment.name}/{service}" for service in services)
