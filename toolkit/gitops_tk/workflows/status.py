"""status: which version of each service is where, and what differs along the promotion order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, to_builtins

from gitops_tk.config.layout import Layout
from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import EditRefused
from gitops_tk.model import names
from gitops_tk.model.image import Image
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.policy.holds import Hold
from gitops_tk.repository.changed import folder_ids
from gitops_tk.workflows.chart_pins import written
from gitops_tk.workflows.holding import find_holds
from gitops_tk.workflows.images import images_of
from gitops_tk.workflows.layers import read_layers, unknown_service


class Running(Struct, frozen=True):
    """What git says a service runs in one environment.

    Attributes:
        images: its images by name; without a tag or digest it was never deployed here.
        differs_from: the environments it is promoted from that hold another image.
        readable: whether its values can be read; else there is a problem that says why not.
        chart_differs_from: the environments it is promoted from that hold another chart of it.
        chart: the version of its chart that is pinned, where charts are published elsewhere.
    """

    images: dict[str, Image]
    differs_from: tuple[str, ...] = ()
    readable: bool = True
    chart_differs_from: tuple[str, ...] = ()
    chart: str | None = None


class Held(Struct, frozen=True, kw_only=True):
    """A hold that stands.

    Attributes:
        file: where it is written.
        images: the versions that may not come; none where everything is held.
        fault: why the file cannot be understood, which holds everything; None for one that can.
    """

    service: str
    env: str
    file: str
    reason: str
    until: str | None
    by: str | None
    images: tuple[str, ...]
    fault: str | None


class Status(Struct, frozen=True):
    """The environments in promotion order, each service's state in those it is in, and what is held.

    Attributes:
        problems: the values files that cannot be read; the others are told all the same.
    """

    environments: tuple[str, ...]
    services: dict[str, dict[str, Running]]
    holds: tuple[Held, ...] = ()
    problems: tuple[Problem, ...] = ()


def status(snapshot: Snapshot, services: Sequence[str] = (), envs: Sequence[str] = (), *, now: float) -> Status:
    """Reads what every service, or the named ones, runs in every environment, or the named ones.

    Args:
        now: the time, in seconds since 1970 (UTC): holds that are over are left out.

    Raises:
        MissingFile: a named service is not there.
        UsageError: a named environment is not there.
    """
    config = load(snapshot)
    chosen = [config.environment(env).name for env in envs] or [env.name for env in config.environments]
    if services:
        candidates = [(names.service(service), env.name) for service in services for env in config.environments]
        layers = read_layers(snapshot, config, candidates)
        found = {key: value for key, value in layers.items() if value.own is not None}
        for service in services:
            if not any(key[0] == service for key in found):
                raise unknown_service(service, config.layout.find_services(snapshot))
    else:
        everywhere = config.layout.find_services(snapshot)
        pairs = [(service, env) for service, present in everywhere.items() for env in present]
        found = read_layers(snapshot, config, pairs)
    # Each parsed file is let go as soon as its image is known: there may be ten thousand.
    images: dict[tuple[str, str], dict[str, Image]] = {}
    pins: dict[tuple[str, str], str] = {}
    problems: dict[Problem, None] = {}
    table: dict[str, dict[str, Running]] = {}
    for service, env in list(found):
        try:
            read = found.pop((service, env))
            images[service, env] = images_of(config, read)
            if config.chart is not None and (pin := written(config.chart, read.document)) is not None:
                pins[service, env] = str(pin)
        except EditRefused as error:
            if env in chosen:
                problems[Problem.of(error)] = None
                table.setdefault(service, {})[env] = Running({}, readable=False)
    charts = pins or _charts(snapshot, config, images)
    for (service, env), running in images.items():
        if env in chosen:
            table.setdefault(service, {})[env] = Running(
                running,
                _behind(config, service, env, images),
                chart_differs_from=_behind(config, service, env, charts),
                chart=pins.get((service, env)),
            )
    holds = find_holds(snapshot, chosen)
    held = [
        _held(*key, hold) for key, hold in holds.items() if hold.stands(now) and (not services or key[0] in services)
    ]
    order = sorted(held, key=lambda one: (one.service, chosen.index(one.env)))
    return Status(tuple(chosen), dict(sorted(table.items())), tuple(order), tuple(problems))


def result(found: Status, live: Sequence[Struct] | None = None) -> Result:
    """The Result that a status is printed from.

    Args:
        live: what Argo CD says; None where it was not asked.
    """
    return Result(
        command="status",
        outcome="failed" if found.problems else "unchanged",
        problems=found.problems,
        details={
            "environments": list(found.environments),
            "services": to_builtins(found.services),
            "holds": to_builtins(found.holds),
            **({} if live is None else {"live": to_builtins(live)}),
        },
    )


def _held(service: str, env: str, hold: Hold) -> Held:
    return Held(
        service=service,
        env=env,
        file=Layout.hold_path(service, env),
        reason=hold.reason,
        until=hold.until or None,
        by=hold.by or None,
        images=() if hold.holds_all else tuple(one.tag or one.digest for one in hold.images),
        fault=hold.fault.message if hold.fault else None,
    )


def _charts(snapshot: Snapshot, config: Config, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The trees of charts where each environment has its own."""
    if not config.layout.chart_per_environment:
        return {}
    paths = {pair: config.layout.chart_path(pair[0], config.environment(pair[1])) for pair in pairs}
    trees = folder_ids(snapshot, paths.values())
    return {pair: trees[path] for pair, path in paths.items() if path in trees}


def _behind(config: Config, service: str, env: str, held: Mapping[tuple[str, str], Any]) -> tuple[str, ...]:
    return tuple(
        source
        for source in config.environment(env).from_
        if (service, source) in held and held[service, source] != held.get((service, env))
    )
