"""validate: configuration, values against the charts' schemas, manifests against Kubernetes and the rules."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gitops_tk.argocd.rules import BY_NAME
from gitops_tk.charts.rules import NAMES
from gitops_tk.config.layout import Layout
from gitops_tk.config.load import CONFIG_FILE, load
from gitops_tk.config.model import Config, Environment, nearest
from gitops_tk.errors import ChartError, ConfigError
from gitops_tk.model import names
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.checking import definitions, processes
from gitops_tk.workflows.checking.checks import Checker, Settings
from gitops_tk.workflows.checking.jobs import collect
from gitops_tk.workflows.holding import find_holds
from gitops_tk.workflows.layers import unknown_service
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.wiring import checks as wiring_checks
from gitops_tk.workflows.wiring.rules.model import Fault

RULES = (*NAMES, *BY_NAME)
Progress = Callable[[str], None]


def validate(
    snapshot: Snapshot,
    services: Sequence[str],
    envs: Sequence[str],
    target: Target,
    options: Options,
    progress: Progress = lambda _: None,
    *,
    crds: Sequence[Path] = (),
    jobs: int | None = None,
) -> Result:
    """Checks every release, or those of the named services and environments.

    Args:
        crds: files and folders of this machine with custom resource definitions.
        jobs: how many processes at most; None for one a core, where that is sooner.

    Returns:
        A Result with the outcome `invalid` (exit 5) where there are errors, else `unchanged`; with all problems.

    Raises:
        GitopsTkError: the check itself could not be made: no repository, no engine, no schemas.
    """
    given = definitions.given(crds)
    try:
        config = load(snapshot)
        _check_rules(config)
        known = definitions.configured(snapshot, config) | given
    except (ConfigError, ChartError) as error:
        if error.code == "config-missing":
            raise
        return _result([Problem.of(error)], {"releases": 0, "without_chart": 0, "off": []})
    wanted = _wanted(snapshot, config, services, envs)
    work = collect(snapshot, config, {service: present for service, present in wanted.items() if present})
    settings = Settings(
        config=snapshot.read([CONFIG_FILE])[CONFIG_FILE],
        target=target,
        definitions=known,
        environ=dict(options.environ),
    )
    problems = list(_faulty_holds(snapshot, config, services, envs))
    off: Counter[int] = Counter()
    progress(f"{len(work)} services")
    releases, without = sum(len(job.envs) for job in work), 0
    reports = processes.run(work, Checker, settings, releases=releases, processes=jobs)
    for number, (job, report) in enumerate(zip(work, reports, strict=True), 1):
        progress(f"{job.service}, {number} of {len(work)}")
        problems += report.problems
        off.update(report.off)
        without += report.without_chart
    if config.argocd is not None:
        progress("Argo CD")
        faults = wiring_checks.check(snapshot, config, config.argocd)
        problems += _wiring(config, faults, services, envs, off)
    entries = enumerate(config.validate.off)
    switched = [{"rule": one.rule, "reason": one.reason, "findings": off[at]} for at, one in entries]
    counted = {"releases": releases, "without_chart": without, "off": switched}
    return _result(problems, counted)


def _wanted(
    snapshot: Snapshot, config: Config, services: Sequence[str], envs: Sequence[str]
) -> dict[str, list[Environment]]:
    """The environments to check each service in."""
    chosen = [config.environment(env) for env in envs] or list(config.environments)
    found = config.layout.find_services(snapshot)
    for service in services:
        if names.service(service) not in found:
            raise unknown_service(service, found)
    return {
        service: [env for env in chosen if env.name in present]
        for service, present in found.items()
        if not services or service in services
    }


def _faulty_holds(
    snapshot: Snapshot, config: Config, services: Sequence[str], envs: Sequence[str]
) -> Iterator[Problem]:
    for (service, env), hold in find_holds(snapshot, envs or [one.name for one in config.environments]).items():
        if hold.fault is not None and (not services or service in services):
            yield Problem(
                code="unreadable",
                message=_printable(f"the hold of {service} in {env} holds everything: {hold.fault.message}"),
                hint=f"mend it, or gitops-tk unhold {service} -e {env}",
                file=Layout.hold_path(service, env),
                line=hold.fault.line,
            )


def _result(problems: list[Problem], counted: dict[str, Any]) -> Result:
    counts = Counter(problem.severity for problem in problems)
    return Result(
        command="validate",
        outcome="invalid" if counts["error"] else "unchanged",
        problems=tuple(problems),
        details={**counted, "errors": counts["error"], "warnings": counts["warning"]},
    )


def _wiring(
    config: Config, faults: Iterable[Fault], services: Sequence[str], envs: Sequence[str], off: Counter[int]
) -> Iterator[Problem]:
    for fault in faults:
        # What was named is looked at alone; what is of all environments is theirs that were named, too.
        if (services and fault.service not in services) or (envs and fault.env not in (None, *envs)):
            continue
        entries = enumerate(config.validate.off)
        by = next((at for at, one in entries if one.covers(fault.rule, fault.service, fault.env)), None)
        if by is not None:
            off[by] += 1
            continue
        rule = BY_NAME[fault.rule]
        yield Problem(
            code=rule.name,
            severity=rule.severity,
            message=_printable(fault.message),
            hint=rule.fix,
            file=fault.file,
            line=fault.line,
        )


def _printable(message: str) -> str:
    # What the repository says must not steer the terminal.
    return "".join(char if char.isprintable() else " " for char in message)[:400]


def _check_rules(config: Config) -> None:
    for one in config.validate.off:
        if one.rule not in RULES:
            raise ConfigError(
                f"validate.off: there is no rule {one.rule[:60]!r}",
                code="config-unknown-rule",
                hint=nearest(one.rule, RULES) or "docs/validate.md lists the rules",
                file=CONFIG_FILE,
                line=one.line,
            )
