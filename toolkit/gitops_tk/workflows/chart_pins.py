"""Charts that are published elsewhere: a service's own values pin the version, environment by environment."""

from collections.abc import Iterable
from typing import Any

from gitops_tk.config.chart import PublishedChart
from gitops_tk.config.model import Config
from gitops_tk.errors import ChartError, EditRefused, RefusedByPolicy, UsageError
from gitops_tk.model import names
from gitops_tk.model.refusals import ChartDiverged
from gitops_tk.policy.order import is_older_chart
from gitops_tk.values.document import Document
from gitops_tk.values.merge import Merged
from gitops_tk.workflows.layers import Layers
from gitops_tk.workflows.promotion_keys import Travel
from gitops_tk.workflows.views import Views


def written(chart: PublishedChart, document: Document) -> Any:
    """What a service's own values have in the place of the version, be it one or not; None for nothing.

    No other layer counts: Argo CD is told by the file that generates the Application.
    """
    found = document.find(chart.key)
    return None if found is None or found.value == "" else found.value


def written_in(chart: PublishedChart, data: bytes, file: str) -> Any:
    """The same of a values file's bytes; None also where nobody can read them: then nothing is pinned.

    Args:
        file: its path in the repository.
    """
    try:
        return written(chart, Document.read(data, file))
    except EditRefused:
        return None


def pinned(chart: PublishedChart, layers: Layers) -> str | None:
    """The version that a service pins in an environment; None where it pins none yet.

    Raises:
        ChartError: it is no exact version (code `bad-chart-version`).
    """
    found = layers.document.find(chart.key)
    return _exact(chart, written(chart, layers.document), layers, found.line if found else None)


def missing(chart: PublishedChart, layers: Layers) -> ChartError:
    """The error for a service that needs a chart in an environment, and pins no version of it."""
    return ChartError(
        f"{layers.service} in {layers.env} pins no version of its chart",
        code="no-chart-version",
        hint=f"gitops-tk values set {layers.service} -e {layers.env} {chart.version}=VERSION",
        file=layers.own_path,
    )


def refuse_unpinned(config: Config, before: Layers, after: Layers) -> None:
    """Refuses a change after which a chart's version is none, or is gone: Argo CD would take the service away.

    Raises:
        ChartError: it is no exact version (code `bad-chart-version`).
        RefusedByPolicy: there was a version, and there will be none (code `chart-emptied`).
    """
    chart = config.chart
    if chart is None or written(chart, before.document) == written(chart, after.document):
        return
    if pinned(chart, after) is None:
        raise RefusedByPolicy(
            f"{before.service} would have no chart in {before.env} any more",
            code="chart-emptied",
            hint=f"pin another version; to take the service out, remove {before.own_path}",
            file=before.own_path,
        )


def promoted(chart: PublishedChart, source: Layers, target: Layers, then: Document | None = None) -> Travel | None:
    """The version that a promotion carries; None where the target has it, or the source pins none.

    Args:
        then: the source's own values at the time that counts; None for now.

    Raises:
        ChartError: it is no exact version (code `bad-chart-version`).
    """
    wanted = pinned(chart, source) if then is None else _exact(chart, written(chart, then), source)
    return _travel(chart, wanted, target)


def coming(chart: PublishedChart | None, keys: Iterable[Travel]) -> str:
    """The version among the keys that travel; empty where none is."""
    return next((str(one.wanted) for one in keys if chart is not None and one.key == chart.key), "")


def returning(chart: PublishedChart | None, values: Merged, layers: Layers) -> tuple[Travel, ...]:
    """The version that comes back with values of another time; nothing where there was none then.

    Raises:
        ChartError: it is no exact version (code `bad-chart-version`).
    """
    if chart is None:
        return ()
    found = _travel(chart, _exact(chart, written(chart, values.own), layers), layers)
    return (found,) if found else ()


def _travel(chart: PublishedChart, wanted: str | None, target: Layers) -> Travel | None:
    if wanted is None or wanted == written(chart, target.document):
        return None
    return Travel(chart.key, target.merged.get(chart.key), wanted)


def _exact(chart: PublishedChart, value: Any, layers: Layers, line: int | None = None) -> str | None:
    if value is None:
        return None
    try:
        return names.chart_version(value if isinstance(value, str) else repr(value))
    except UsageError as error:
        raise ChartError(
            f"{chart.version} of {layers.service} in {layers.env}: {error.message}",
            code="bad-chart-version",
            hint=error.hint,
            file=layers.own_path,
            line=line,
        ) from error


def diverged(views: Views, chart: PublishedChart, source: Layers, target: Layers, pin: Travel) -> ChartDiverged | None:
    """The error for a target that was pinned by itself to what a promotion would undo: a version that comes after the
    one that travels, and that the source never held. From what comes before, a promotion goes on.
    """
    here = written(chart, target.document)
    if not isinstance(here, str) or not is_older_chart(pin.wanted, here):
        return None
    path = source.own_path
    for version in views.history([path], places=[f"{source.env}/{source.service}"]):
        if path in version.files and written_in(chart, version.files[path], path) == here:
            return None
    return ChartDiverged(
        f"the chart of {target.service} in {target.env} was pinned by itself: {source.env} never had {here}, "
        f"and {pin.wanted} is older",
        diff="",
        hint=f"pin {here} in {source.env}, too, or promote with --only image; "
        "--override chart-diverged goes back where gitops-tk.yaml allows that",
        file=target.own_path,
    )
