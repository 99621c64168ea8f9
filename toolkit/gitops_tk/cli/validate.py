"""gitops-tk validate."""

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.render import KubeVersion
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("validate")(validate)


def validate(
    services: opt.AnyServices = None,
    env: opt.Envs = None,
    kube_version: KubeVersion = None,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Check configuration, values against the charts' schemas, and manifests against Kubernetes.

    Example: gitops-tk validate user-service -e prod --kube-version 1.34
    """

    def action() -> Result:
        from gitops_tk.cli.progress import progress
        from gitops_tk.workflows.releases import Target
        from gitops_tk.workflows.validate import validate as check
        from gitops_tk.workflows.views import look

        options = opt.shared(repo, branch)
        with look(options) as snapshot, progress("validating") as step:
            return check(snapshot, services or (), env or (), Target(kube_version=kube_version), options, step)

    def text(result: Result) -> str:
        return f"valid: {result.details['releases']} releases\n"

    run("validate", output, action, text)
