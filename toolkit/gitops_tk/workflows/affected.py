"""Which environments a change reaches, and so whether it is pushed or proposed."""

from collections.abc import Iterable

from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.model.changes import Operation, Publish


def environments(config: Config, operations: Iterable[Operation]) -> set[str]:
    """The names of the environments whose releases these operations may change."""
    everywhere = {environment.name for environment in config.environments}
    reached: set[str] = set()
    for operation in operations:
        path = operation.path
        if path == CONFIG_FILE:
            return everywhere
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


def publish_by(config: Config, operations: Iterable[Operation]) -> Publish:
    """How a change is published: proposed if any environment that it reaches asks for it."""
    reached = environments(config, operations)
    proposed = any(
        environment.publish == "pull-request" for environment in config.environments if environment.name in reached
    )
    return "pull-request" if proposed else "push"
