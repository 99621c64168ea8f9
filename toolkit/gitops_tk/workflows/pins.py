"""Charts that are published elsewhere: a service's own values pin the version, environment by environment."""

from typing import Any

from gitops_tk.config.chart import PublishedChart
from gitops_tk.errors import ChartError, UsageError
from gitops_tk.model import names
from gitops_tk.values.keys import KeyPath, parse_key
from gitops_tk.workflows.layers import Layers


def key_of(chart: PublishedChart) -> KeyPath:
    """The key that pins the version, step by step."""
    return parse_key(chart.version)


def pinned(chart: PublishedChart, layers: Layers) -> str | None:
    """The version that a service pins in an environment; None where it pins none yet.

    Its own file says so, and no other layer: Argo CD is told by what generates the Application.

    Raises:
        ChartError: it is no exact version (code `bad-chart-version`).
    """
    found = layers.document.find(key_of(chart))
    if found is None or found.value in (None, ""):
        return None
    return _checked(chart, layers, found.value, found.line)


def missing(chart: PublishedChart, layers: Layers) -> ChartError:
    """The error for a service that needs a chart in an environment, and pins no version of it."""
    return ChartError(
        f"{layers.service} in {layers.env} pins no version of its chart",
        code="no-chart-version",
        hint=f"gitops-tk values set {layers.service} -e {layers.env} {chart.version}=VERSION",
        file=layers.own_path,
    )


def _checked(chart: PublishedChart, layers: Layers, value: Any, line: int) -> str:
    try:
        return names.chart_version(value if isinstance(value, str) else repr(value))
    except UsageError as error:
        raise ChartError(
            f"{chart.version} of {layers.service} in {layers.env}: {error.message}",
            code=error.code,
            hint=error.hint,
            file=layers.own_path,
            line=line,
        ) from error
