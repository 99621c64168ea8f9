"""gitops-tk diff."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.render import KubeVersion
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

if TYPE_CHECKING:
    from gitops_tk.model.evidence import Evidence

_Places = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SOURCE TARGET] [SERVICE...]", help="The environments of a promotion; with --base services alone."
    ),
]
_Base = Annotated[
    str | None,
    typer.Option(envvar="GITOPS_TK_BASE", metavar="REF", help="Compare from this branch, tag or commit on."),
]
_Head = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_HEAD",
        metavar="REF",
        help="Compare to this one. Default: the checkout's files, or the remote's branch.",
    ),
]
_Tag = Annotated[
    str | None,
    typer.Option(envvar="GITOPS_TK_TAG", metavar="TAG", help="An image that SOURCE holds or has held."),
]
_Namespace = Annotated[
    str | None, typer.Option(envvar="GITOPS_TK_NAMESPACE", metavar="NAMESPACE", help="The releases' namespace.")
]
_Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        envvar="GITOPS_TK_OUTPUT",
        metavar="text|json|markdown",
        help="Text for people, JSON for programs, or the page of a pull request.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("diff")(diff)


def diff(
    places: _Places = None,
    base: _Base = None,
    head: _Head = None,
    tag: _Tag = None,
    allow_older: opt.AllowOlder = False,
    namespace: _Namespace = None,
    kube_version: KubeVersion = None,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: _Output = "text",
) -> None:
    """Show what a promotion would change, or what changed.

    Values and rendered objects of two environments, or of two revisions.

    Example: gitops-tk diff staging prod user-service
    """
    found: list[Evidence] = []

    def action() -> Result:
        from gitops_tk.errors import UsageError
        from gitops_tk.workflows.diff import Revisions, of_promotion, of_revisions, result
        from gitops_tk.workflows.promote import PromoteRequest
        from gitops_tk.workflows.releases import Target

        options = opt.shared(repo, branch, output=output)
        named = places or []
        target = Target(namespace=namespace, kube_version=kube_version)
        if base is not None:
            found.append(of_revisions(Revisions(base, head), named, target, options))
            return result(found[0])
        if head is not None or len(named) < 2:
            raise UsageError(
                "diff takes two environments, or --base",
                code="bad-diff",
                hint="gitops-tk diff staging prod, or gitops-tk diff --base main --head topic",
            )
        source, to, *services = named
        request = PromoteRequest(source=source, target=to, services=tuple(services), tag=tag, allow_older=allow_older)
        found.append(of_promotion(request, target, options))
        return result(found[0])

    def text(_: Result) -> str:
        from gitops_tk.reports.evidence import text as report

        return report(found[0])

    def markdown(result: Result) -> str:
        from gitops_tk.model.dialect import GITLAB
        from gitops_tk.reports.markdown import body
        from gitops_tk.reports.text import diagnostics

        if not found:
            sys.stderr.write(diagnostics(result))
            return ""
        return body(found[0], GITLAB)

    run("diff", output, action, text, {"markdown": markdown}, doing="comparing")
