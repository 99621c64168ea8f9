"""One service checked: its values against the chart's schema, its manifests against the rules.

What goes in and out is plain data, so that another process can do it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct

from gitops_tk.charts import crds, kubernetes
from gitops_tk.charts.crds import Definitions
from gitops_tk.charts.rules import check
from gitops_tk.charts.rules.model import Finding
from gitops_tk.charts.rules.objects import Object, Objects, parse
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.load import parse as parse_config
from gitops_tk.config.model import Environment
from gitops_tk.errors import GitopsTkError, ToolMissing, UsageError
from gitops_tk.model.result import Problem
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.chart_pins import missing
from gitops_tk.workflows.checking.places import Place, place
from gitops_tk.workflows.images import images_of
from gitops_tk.workflows.releases import Charts, Release, Renderer, Target

# Finding where a value comes from costs renders: beyond so many findings the template has to do.
_MOST_TRACED = 20


class Job(Struct, frozen=True, kw_only=True):
    """A service to check.

    Attributes:
        envs: the names of the environments to check it in.
        files: all of the repository that it needs.
        others: the modes of what is no regular file.
    """

    service: str
    envs: tuple[str, ...]
    files: Mapping[str, bytes]
    others: Mapping[str, int]


class Settings(Struct, frozen=True, kw_only=True):
    """What is the same for every service.

    Attributes:
        config: the bytes of gitops-tk.yaml.
        definitions: the custom resource definitions that are known for all charts.
        environ: the process's environment.
    """

    config: bytes
    target: Target
    definitions: Definitions
    environ: Mapping[str, str]


class Report(Struct, frozen=True):
    """What was found in a service.

    Attributes:
        off: how many findings each entry of `validate.off` has switched off, by its index.
        without_chart: of how many releases values alone were looked at.
    """

    problems: tuple[Problem, ...]
    off: Mapping[int, int]
    without_chart: int


class Checker:
    """Checks services, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._config = parse_config(settings.config)
        self._charts = Charts(settings.environ)

    def __call__(self, job: Job) -> Report:
        """Checks a service in its environments.

        Raises:
            ToolMissing: the check cannot be made: no engine, no schemas.
            UsageError: the same, for an option.
        """
        snapshot = MemorySnapshot({**job.files, CONFIG_FILE: self._settings.config}, job.others)
        renderer = Renderer(snapshot, self._config, self._charts)
        problems: list[Problem] = []
        off: Counter[int] = Counter()
        bare: list[str] = []
        for env in job.envs:
            problems += self._release(renderer, job.service, self._config.environment(env), off, bare)
        return Report(tuple(problems), dict(off), len(bare))

    def _release(
        self, renderer: Renderer, service: str, env: Environment, off: Counter[int], bare: list[str]
    ) -> Iterator[Problem]:
        try:
            if not renderer.has_chart(service, env):
                # Values alone are read, so that a file that Helm could not read is found.
                bare.append(env.name)
                layers = renderer.layers(service, env)
                deployed = any(image.version for image in images_of(self._config, layers).values())
                if deployed and self._config.chart is not None:
                    raise missing(self._config.chart, layers)
                return
            release = renderer.release(service, env)
            refused = list(_value_problems(release))
            yield from refused
            if not refused:
                yield from self._manifest_problems(renderer, release, off)
        except (ToolMissing, UsageError):
            # The check itself cannot be made; that is no fault of the service.
            raise
        except GitopsTkError as error:
            problem = Problem.of(error)
            message = f"{service} in {env.name}: {problem.message}"
            yield Problem(code=problem.code, message=message, hint=problem.hint, file=problem.file, line=problem.line)

    def _manifest_problems(self, renderer: Renderer, release: Release, off: Counter[int]) -> Iterator[Problem]:
        target = self._settings.target
        objects = parse(release.manifest(target), release.chart_path)
        again = renderer.again(release, target)
        version = kubernetes.version(target.kube_version)
        known = self._settings.definitions | crds.definitions(_located(release))
        second = Objects(parse(again, release.chart_path), version) if again is not None else None
        traced = 0
        for finding in check(Objects(objects, version, known, second, release.namespace_for(target))):
            by = self._switched_off(finding, release)
            if by is not None:
                off[by] += 1
                continue
            traced += 1
            yield _problem(release, target, objects, finding, trace=traced <= _MOST_TRACED)

    def _switched_off(self, finding: Finding, release: Release) -> int | None:
        entries = enumerate(self._config.validate.off)
        covers = (at for at, one in entries if one.covers(finding.rule, release.service, release.environment.name))
        return next(covers, None)


def _located(release: Release) -> dict[str, bytes]:
    return {f"{release.chart_path}/{path}": data for path, data in crds.in_chart(release.files).items()}


def _problem(release: Release, target: Target, objects: list[Object], finding: Finding, *, trace: bool) -> Problem:
    where = place(release, target, objects, finding) if trace else Place()
    return Problem(
        code=finding.rule,
        severity=finding.severity,
        message=f"{release.service} in {release.environment.name}: {finding.object}: {finding.message}",
        hint=finding.fix,
        file=where.file,
        line=where.line,
    )


def _value_problems(release: Release) -> Iterator[Problem]:
    for finding in release.chart.schema_findings(release.layers.merged.given):
        origin = release.layers.merged.nearest(finding.pointer)
        yield Problem(
            code="values-schema",
            message=f"{release.service} in {release.environment.name}: {finding.message}",
            hint=f"the rule is in {release.chart_path}/values.schema.json",
            file=origin.file if origin else release.layers.own_path,
            line=origin.line if origin else None,
        )
