"""validate: configuration, values against the charts' schemas, manifests against Kubernetes."""

from collections.abc import Callable, Iterator, Sequence

from gitops_tk.charts import kubernetes
from gitops_tk.config.load import load
from gitops_tk.config.model import Environment
from gitops_tk.errors import ConfigError, GitopsTkError, ToolMissing, UsageError
from gitops_tk.model import names
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.layers import unknown_service
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.releases import Release, Renderer, Target

Progress = Callable[[str], None]


def validate(
    snapshot: Snapshot,
    services: Sequence[str],
    envs: Sequence[str],
    target: Target,
    options: Options,
    progress: Progress = lambda _: None,
) -> Result:
    """Checks every release, or those of the named services and environments.

    Returns:
        A Result with the outcome `invalid` (exit 5) and the problems, or `unchanged` where there are none.

    Raises:
        GitopsTkError: the check itself could not be made: no repository, no engine, no schemas.
    """
    try:
        config = load(snapshot)
    except ConfigError as error:
        if error.code == "config-missing":
            raise
        return Result(command="validate", outcome="invalid", problems=(Problem.of(error),), details={"releases": 0})
    chosen = [config.environment(env) for env in envs] or list(config.environments)
    found = config.layout.find_services(snapshot)
    for service in services:
        if names.service(service) not in found:
            raise unknown_service(service, found)
    renderer = Renderer(snapshot, config, options.environ)
    problems: list[Problem] = []
    checked = 0
    for service, present in found.items():
        if services and service not in services:
            continue
        for env in chosen:
            if env.name in present:
                progress(f"{service} in {env.name}")
                problems += _release_problems(renderer, service, env, target)
                checked += 1
    return Result(
        command="validate",
        outcome="invalid" if problems else "unchanged",
        problems=tuple(problems),
        details={"releases": checked},
    )


def _release_problems(renderer: Renderer, service: str, env: Environment, target: Target) -> Iterator[Problem]:
    try:
        if not renderer.has_chart(service, env):
            # Values alone are read, so that a file that Helm could not read is found.
            _ = renderer.layers(service, env).merged
            return
        release = renderer.release(service, env)
        findings = list(_value_problems(release))
        yield from findings
        if not findings:
            yield from _manifest_problems(release, target)
    except (ToolMissing, UsageError):
        # The check itself cannot be made; that is no fault of the service.
        raise
    except GitopsTkError as error:
        problem = Problem.of(error)
        yield Problem(
            code=problem.code,
            message=f"{service} in {env.name}: {problem.message}",
            hint=problem.hint,
            file=problem.file,
            line=problem.line,
        )


def _value_problems(release: Release) -> Iterator[Problem]:
    for finding in release.chart.schema_findings(release.layers.merged.data):
        origin = release.layers.merged.nearest(finding.pointer)
        yield Problem(
            code="values-schema",
            message=f"{release.service} in {release.environment.name}: {finding.message}",
            hint=f"the rule is in {release.chart_path}/values.schema.json",
            file=origin.file if origin else release.layers.own_path,
            line=origin.line if origin else None,
        )


def _manifest_problems(release: Release, target: Target) -> Iterator[Problem]:
    manifest = release.manifest(target)
    for finding in kubernetes.validate(manifest, target.kube_version):
        yield Problem(
            code=finding.code,
            message=f"{release.service} in {release.environment.name}: {finding.message}",
            file=_template(release, finding.template),
        )


def _template(release: Release, source: str | None) -> str | None:
    # Helm names templates from the chart's name; people look for the file in the repository.
    return f"{release.chart_path}/{source.partition('/')[2]}" if source else None
