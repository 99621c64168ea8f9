"""Argo CD: does it answer, and does its token see the Applications."""

from collections.abc import Mapping

from gitops_tk.argocd.client import SERVER, TOKEN, address, connect
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.http import Patience
from gitops_tk.model.findings import Finding, failed, ok, unchecked, warning

_SET = f"set {SERVER} to Argo CD's address, and {TOKEN} to a token"


def argocd(config: Config, environ: Mapping[str, str], patience: Patience) -> Finding:
    """Whether Argo CD can be asked for what `wait`, `status --live` and the gate `healthy` want to know."""
    section = config.argocd
    if section is None:
        return unchecked("argocd", "gitops-tk.yaml has no argocd section")
    try:
        base = address(environ)
        if base is None:
            gated = [one.name for one in config.environments if one.policy.gates.healthy]
            if gated:
                return warning(
                    "argocd", f"{SERVER} is not set: the gate healthy of {', '.join(gated)} is not evaluated", _SET
                )
            return unchecked("argocd", f"{SERVER} is not set: wait and status --live cannot ask it", _SET)
        server = connect(environ, namespace=section.installed_in, project=section.project, patience=patience)
        try:
            seen = len(server.applications())
        finally:
            server.close()
    except GitopsTkError as fault:
        return failed("argocd", fault, _SET)
    return ok("argocd", f"{base} shows {seen} Applications of the project {section.project}")
