"""The programs that the tool stands on: git and Helm."""

from collections.abc import Mapping

from gitops_tk.charts import engine
from gitops_tk.errors import GitopsTkError, ToolMissing
from gitops_tk.model.findings import Finding, error, failed, ok, warning
from gitops_tk.repository.git import OLDEST, Git, check_version, shown_version

_INSTALL_GIT = f"install git {OLDEST[0]}.{OLDEST[1]} or newer so that it is on PATH"
_PROBE = {
    "Chart.yaml": b"apiVersion: v2\nname: probe\nversion: 0.1.0\n",
    "templates/probe.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n",
}
_NAME = "gitops-tk-doctor"


def git(environ: Mapping[str, str]) -> Finding:
    """Whether git can be used."""
    try:
        done = Git.from_environment(environ).run("--version")
        check_version(done.stdout)
    except GitopsTkError as fault:
        return failed("git", fault, _INSTALL_GIT)
    if done.status:
        return error("git", f"git --version ended with {done.status}", _INSTALL_GIT)
    return ok("git", shown_version(done.stdout))


def helm(environ: Mapping[str, str]) -> Finding:
    """Whether the Helm engine renders a chart; without one all that needs no chart works."""
    chosen = environ.get("GITOPS_TK_HELM", "")
    try:
        found = engine.find(environ)
    except ToolMissing:
        if chosen:
            return error("helm", f"GITOPS_TK_HELM is {chosen!r}, and there is none", engine.INSTALL)
        return warning("helm", "there is no Helm engine: render, validate and diff need one", engine.INSTALL)
    try:
        made = found.load(_PROBE, root="probe").render({"name": _NAME}, release="probe", namespace="probe")
    except GitopsTkError as fault:
        return failed("helm", fault, engine.INSTALL)
    if _NAME not in made:
        return error("helm", f"{found.name} does not render a chart as Helm does", engine.INSTALL)
    return ok("helm", f"{found.name} renders a chart")
