"""new-service: a chart from the skeleton, and values for every environment."""

from collections.abc import Mapping
from typing import Any

from gitops_tk import resources
from gitops_tk.charts.answers import Answers
from gitops_tk.charts.scaffold import environment_values, scaffold
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.changes import Change, ChangeSet, Plan, Write
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.layers import CHART_VALUES
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.views import Views


class ServiceExists(GitopsTkError):
    """A service's files are there already and say something else."""

    default_code = "service-exists"


def plan(answers: Answers, views: Views, intent: Any) -> Plan:
    """Plans the service's files; those that are there already with the same bytes are left alone.

    Raises:
        UsageError: an answer is not what it should be.
        ServiceExists: the service is there and differs; nothing is ever overwritten.
    """
    answers.check()
    config = load(views.snapshot)
    files = _files(config, answers)
    operations = _missing(views.snapshot, config, answers.service, files)
    changes = _changes(config, answers.service, operations)
    return Plan(
        changeset=ChangeSet(operations, changes),
        intent=intent,
        subject=f"new-service: {answers.service}",
        body=f"A chart for {answers.image}, profile {answers.profile}, with values for every environment.",
        trailers=trailers("new-service", changes),
        publish=publish_by(config, operations),
        proposal=proposal_branch("_", [f"new-service-{answers.service}"]),
    )


def _files(config: Config, answers: Answers) -> dict[str, bytes]:
    chart = scaffold(Skeleton.in_folder(resources.folder("chart-skeleton")), answers)
    files: dict[str, bytes] = {}
    for environment in config.environments:
        folder = config.layout.chart_path(answers.service, environment)
        files |= {f"{folder}/{name}": data for name, data in chart.items()}
        own = config.layout.values_path(answers.service, environment)
        files[own] = environment_values(answers, environment.name)
    return files


def _missing(snapshot: Snapshot, config: Config, service: str, files: Mapping[str, bytes]) -> tuple[Write, ...]:
    entries = snapshot.entries(files)
    there = snapshot.read([path for path, entry in entries.items() if entry.is_file])
    differing = sorted(path for path in entries if there.get(path) != files[path])
    # A second run after the image was set, or a value: the service is there, and it is theirs now.
    if differing:
        charts = {config.layout.chart_path(service, env) + "/" + CHART_VALUES for env in config.environments}
        known = "its chart" if charts & entries.keys() else "files of its own"
        raise ServiceExists(
            f"{service} has {known} already, and {differing[0]} differs from what would be written",
            hint="choose another name, or change the service with gitops-tk values set",
            file=differing[0],
        )
    return tuple(Write(path, data) for path, data in files.items() if path not in entries)


def _changes(config: Config, service: str, operations: tuple[Write, ...]) -> tuple[Change, ...]:
    changes: list[Change] = []
    charts: dict[str, None] = {}
    for operation in operations:
        values = config.layout.match_values(operation.path)
        if values:
            changes.append(Change(kind="service", service=service, env=values[1], file=operation.path, to="added"))
        else:
            charts[operation.path] = None
    roots = {config.layout.chart_path(service, env): env.name for env in config.environments}
    per_environment = config.layout.chart_per_environment
    added = [root for root in roots if any(path.startswith(root + "/") for path in charts)]
    head = [
        Change(kind="chart", service=service, env=roots[root] if per_environment else None, file=root, to="added")
        for root in added
    ]
    return (*head, *changes)
