"""new-service: a chart from the skeleton, and values for every environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitops_tk.charts.answers import Answers, Given
from gitops_tk.charts.scaffold import environment_values, scaffold
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.changes import Change, ChangeSet, Plan, Write
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.edit import Edit, apply
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.author import author
from gitops_tk.workflows.layers import CHART_VALUES
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.starting.application import Application
from gitops_tk.workflows.starting.skeletons import of_repository, skeleton_of
from gitops_tk.workflows.views import Views
from gitops_tk.workflows.wiring import manifests


class ServiceExists(GitopsTkError):
    """A service's files are there already and say something else."""

    default_code = "service-exists"


def new_service(given: Given, app_dir: Path | None, options: Options) -> Result:
    """Scaffolds a service in the repository, and its application in a folder of its own.

    Args:
        given: what was answered; the repository's own answers and defaults stand behind it.
        app_dir: where the application side goes; None for none.

    Raises:
        GitopsTkError: an answer is not what it should be, or the service is there and differs.
    """
    application = Application(app_dir) if app_dir is not None else None

    def planner(views: Views, intent: Any) -> Plan:
        return plan(given, views, intent, application)

    result = author("new-service", planner, options)
    return application.finish(result, write_files=not options.dry_run) if application else result


def plan(given: Given, views: Views, intent: Any, application: Application | None = None) -> Plan:
    """Plans the service's files; those that are there already with the same bytes are left alone.

    Raises:
        UsageError: an answer is missing, or not what it should be.
        ServiceExists: the service is there and differs; nothing is ever overwritten.
    """
    config = load(views.snapshot)
    answers = Answers.of(given.over(of_repository(config)))
    answers.check()
    skeleton = skeleton_of(config, views)
    if application is not None:
        application.plan(skeleton, answers)
    files = _files(config, answers, skeleton)
    operations = _missing(views.snapshot, config, answers.service, files)
    connected = manifests.completed(config, views, operations)
    changes = (*_changes(config, answers.service, operations), *connected.changes)
    return Plan(
        changeset=ChangeSet((*operations, *connected.operations), changes),
        intent=intent,
        subject=f"new-service: {answers.service}",
        body=_body(config, answers),
        trailers=trailers("new-service", changes),
        publish=publish_by(config, operations),
        proposal=proposal_branch("_", [f"new-service-{answers.service}"]),
        advice=(*_advice(config, answers.service), *manifests.advice(config, views)),
    )


def _files(config: Config, answers: Answers, skeleton: Skeleton) -> dict[str, bytes]:
    # A chart that is published elsewhere is there already.
    chart = scaffold(skeleton, answers) if config.chart is None else {}
    files: dict[str, bytes] = {}
    for environment in config.environments:
        folder = config.layout.chart_path(answers.service, environment)
        files |= {f"{folder}/{name}": data for name, data in chart.items()}
        own = config.layout.values_path(answers.service, environment)
        files[own] = environment_values(answers, environment.name)
        if config.chart is not None:
            files[own] = apply(files[own], [Edit(config.chart.key, "")], own)
    return files


def _body(config: Config, answers: Answers) -> str:
    if config.chart is not None:
        where = config.chart.of(answers.service).address
        return f"Values for {answers.image} in every environment; its chart is {where}."
    return f"A chart for {answers.image}, profile {answers.profile}, with values for every environment."


def _advice(config: Config, service: str) -> tuple[str, ...]:
    if config.chart is None:
        return ()
    first = next(env.name for env in config.environments if not env.from_)
    return (f"pin its chart: gitops-tk values set {service} -e {first} {config.chart.version}=VERSION",)


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
