"""gitops-tk bump."""

from typing import Annotated, Any

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.gates import judging, waiting
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

_Tag = Annotated[str, typer.Option(envvar="GITOPS_TK_TAG", metavar="TAG", help="The image tag.")]
_Digest = Annotated[str | None, typer.Option(envvar="GITOPS_TK_DIGEST", metavar="sha256:...", help="The image digest.")]
_Build = Annotated[
    int | None,
    typer.Option(
        envvar="GITOPS_TK_BUILD", metavar="NUMBER", min=0, max=2**63 - 1, help="The build's number: orders builds."
    ),
]
_Revision = Annotated[str | None, typer.Option(envvar="GITOPS_TK_REVISION", metavar="SHA", help="The source commit.")]
_Image = Annotated[str, typer.Option(envvar="GITOPS_TK_IMAGE", metavar="NAME", help="Which of the service's images.")]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("bump")(bump)


def bump(
    services: opt.Services,
    env: opt.Env,
    tag: _Tag,
    digest: _Digest = None,
    build: _Build = None,
    revision: _Revision = None,
    image: _Image = "default",
    allow_older: opt.AllowOlder = False,
    override: opt.Override = None,
    reason: opt.OverrideReason = None,
    allow_commands: opt.AllowCommands = False,
    wait_for_gates: opt.WaitForGates = None,
    split: opt.Split = False,
    auto_merge: opt.AutoMerge = None,
    local: opt.Local = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Set a new image of services in one environment.

    One commit, or one proposal, however many services.

    Example: gitops-tk bump user-service -e dev --tag v1.3.0 --build 57 --revision 4f2a91c
    """

    def action() -> Result:
        from gitops_tk.model.image import Image
        from gitops_tk.workflows.bump import BumpRequest, plan
        from gitops_tk.workflows.deliver import deliver

        overrides = opt.overrides(override, reason)
        request = BumpRequest(
            services=tuple(services),
            env=env,
            image=Image(tag=tag, digest=digest or "", build=build, revision=revision or ""),
            name=image,
            allow_older=allow_older,
            overrides=tuple(overrides),
            split=split,
        )
        request.check()
        options = opt.shared(
            repo, branch, local=local, dry_run=dry_run, message=message, retry_for=retry_for, auto_merge=auto_merge
        )
        judges = judging(overrides, options, allow_commands=allow_commands)

        def once(meant: Any) -> Result:
            return deliver("bump", lambda views, intent: plan(request, views, intent or meant, judges), options)

        return waiting(once, wait_for_gates, options)

    run("bump", output, action, doing="bumping")
