"""Whether values still fit a chart that changes, and it still renders."""

from collections.abc import Iterable, Iterator, Mapping

from gitops_tk.charts.engine import find
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import ChartError, GitopsTkError
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.releases import Charts, Renderer, Target


def misfits(
    before: Snapshot,
    after: Snapshot,
    config: Config,
    releases: Iterable[tuple[str, Environment]],
    environ: Mapping[str, str],
) -> list[GitopsTkError]:
    """What is wrong with releases after a change that was not wrong before.

    Args:
        releases: the services and environments to look at.
        environ: the process's environment.

    Raises:
        ToolMissing: no Helm engine is at hand.
    """
    find(environ)
    renderers = [Renderer(side, config, Charts(environ)) for side in (before, after)]
    found: list[GitopsTkError] = []
    for service, env in releases:
        wrong = list(_wrong(renderers[1], service, env))
        known = {_kind(fault) for fault in _wrong(renderers[0], service, env)} if wrong else set()
        found += [fault for fault in wrong if _kind(fault) not in known]
    return found


def _wrong(renderer: Renderer, service: str, env: Environment) -> Iterator[GitopsTkError]:
    try:
        release = renderer.release(service, env)
        findings = release.chart.schema_findings(release.layers.merged.given)
        for finding in findings:
            origin = release.layers.merged.nearest(finding.pointer)
            yield ChartError(
                f"{service} in {env.name} would no longer fit its chart: {finding.message}",
                code="chart-misfit",
                hint="change the value together with the chart: in a checkout, without --commit",
                file=origin.file if origin else release.layers.own_path,
                line=origin.line if origin else None,
            )
        if not findings:
            release.manifest(Target())
    except ChartError as error:
        yield ChartError(
            f"{service} in {env.name} would no longer render: {error.message}",
            code="chart-misfit",
            hint=error.hint,
            file=error.file,
            line=error.line,
        )
    except GitopsTkError:
        # Values that cannot be read are no matter of the chart's.
        return


def _kind(fault: GitopsTkError) -> str:
    # Where a chart did not render before, no other reason is news.
    return fault.message if "no longer fit" in fault.message else "render"
