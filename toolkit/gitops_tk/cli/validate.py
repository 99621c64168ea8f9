"""gitops-tk validate."""

from pathlib import Path
from typing import Annotated

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
    crds: Annotated[
        list[Path] | None,
        typer.Option(
            "--crds", envvar="GITOPS_TK_CRDS", metavar="PATH", help="A file or folder with CustomResourceDefinitions."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            envvar="GITOPS_TK_JOBS", metavar="NUMBER", min=1, help="Processes at most. Default: one a core, if it pays."
        ),
    ] = None,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.ReportOutput = "text",
) -> None:
    """Check configuration, values and manifests.

    Values against the charts' schemas, manifests against Kubernetes and the rules.

    Example: gitops-tk validate user-service -e prod --kube-version 1.34
    """

    def action() -> Result:
        from gitops_tk.cli.progress import progress
        from gitops_tk.workflows.releases import Target
        from gitops_tk.workflows.validate import validate as check
        from gitops_tk.workflows.views import look

        options = opt.shared(repo, branch)
        target = Target(kube_version=kube_version)
        with look(options) as snapshot, progress("validating") as step:
            return check(snapshot, services or (), env or (), target, options, step, crds=crds or (), jobs=jobs)

    def github(result: Result) -> str:
        from gitops_tk.reports.annotations import annotations

        return annotations(result)

    def text(result: Result) -> str:
        from gitops_tk.reports.text import validated

        return validated(result)

    run("validate", output, action, text, {"github": github})
