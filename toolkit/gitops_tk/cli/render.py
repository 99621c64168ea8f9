"""gitops-tk render."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

KubeVersion = Annotated[
    str | None,
    typer.Option(envvar="GITOPS_TK_KUBE_VERSION", metavar="VERSION", help="The Kubernetes version, such as 1.34."),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("render")(render)


def render(
    service: opt.Service,
    env: opt.Env,
    namespace: Annotated[
        str | None,
        typer.Option(
            envvar="GITOPS_TK_NAMESPACE",
            metavar="NAMESPACE",
            help="The release's namespace. Default: where Argo CD deploys it, else default.",
        ),
    ] = None,
    kube_version: KubeVersion = None,
    api_versions: Annotated[
        list[str] | None,
        typer.Option(
            "--api-versions",
            envvar="GITOPS_TK_API_VERSIONS",
            metavar="API",
            help="An API that the cluster has, beside the built-in ones.",
        ),
    ] = None,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Print a service's manifests, as Helm renders them.

    Example: gitops-tk render user-service -e prod
    """

    def action() -> Result:
        from gitops_tk.workflows.releases import Target
        from gitops_tk.workflows.render import render as rendered
        from gitops_tk.workflows.views import look

        target = Target(namespace=namespace, kube_version=kube_version, api_versions=tuple(api_versions or ()))
        options = opt.shared(repo, branch)
        with look(options) as snapshot:
            return rendered(snapshot, service, env, target, options)

    run("render", output, action, lambda result: str(result.details["manifest"]), doing="rendering")
