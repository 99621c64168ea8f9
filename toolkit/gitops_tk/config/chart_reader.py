"""Reading `layout.chart` where a chart is published elsewhere.

Sources: OCI distribution specification, "Pulling manifests" (names); Helm, "The Chart Repository Guide".
"""

import re

from gitops_tk.config.chart import VERSION_KEY, FilePublishedChart, PublishedChart
from gitops_tk.config.lines import Path, shown
from gitops_tk.config.source import Source
from gitops_tk.logins import LOOPBACK

_SERVICE = "{service}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::[0-9]{{1,5}})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_OCI = re.compile(rf"oci://{_HOST}(?:/{_PART})+")
_HTTP = re.compile(rf"(?P<scheme>https?)://{_HOST}(?:/[\w.~-]+)*")
_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*")
# What a template of Argo CD's generators can name without quotes, and a selector as a label's key.
_KEY = re.compile(r"(?=.{1,63}\Z)[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*(?<=[A-Za-z0-9])")
_PLACE: Path = ("layout", "chart")


def published(source: Source) -> PublishedChart:
    """The chart that `layout.chart` names elsewhere.

    Raises:
        ConfigError: it could be no chart's address, or Argo CD could not be told the key of its version.
    """
    written: FilePublishedChart = source.convert(_PLACE, FilePublishedChart)
    named = (written.oci is not None, written.repository is not None, written.name is not None)
    if named not in ((True, False, False), (False, True, True)):
        message = "layout.chart is a folder of the repository, or has oci, or repository and name"
        raise source.error(_PLACE, "config-value", message, "oci: oci://registry.example.com/charts/web")
    if not _KEY.fullmatch(written.version) or written.version.split(".")[0] == "path":
        message = f"layout.chart.version: {shown(written.version)} is no dotted key of plain names"
        raise source.error((*_PLACE, "version"), "config-value", message, f"the default is {VERSION_KEY}")
    if written.oci is not None:
        if not _match(_OCI, written.oci):
            # Neither is shown: it may hold a password.
            message = "layout.chart.oci is not the address of a chart in a registry"
            hint = "oci://registry.example.com/charts/web: in lower case, without a version, a user or a password"
            raise source.error((*_PLACE, "oci"), "config-value", message, hint)
        repository, _, name = written.oci.rpartition("/")
        return PublishedChart(repository=repository, name=name, version=written.version)
    repository, name = str(written.repository).rstrip("/"), str(written.name)
    found = _match(_HTTP, repository)
    if found is None or (found["scheme"] == "http" and found["host"] not in LOOPBACK):
        message = "layout.chart.repository is not the address of a chart repository"
        hint = "https://charts.example.com, without a user or a password"
        raise source.error((*_PLACE, "repository"), "config-value", message, hint)
    if not _match(_NAME, name):
        raise source.error((*_PLACE, "name"), "config-value", f"layout.chart.name: {shown(name)} is no chart's name")
    return PublishedChart(repository=repository, name=name, version=written.version)


def _match(form: re.Pattern[str], text: str) -> re.Match[str] | None:
    # A service's name may be in a path, and says nothing of which host is asked.
    found = form.fullmatch(text.replace(_SERVICE, "x"))
    host = text.partition("://")[2].partition("/")[0]
    return None if "{" in host else found
