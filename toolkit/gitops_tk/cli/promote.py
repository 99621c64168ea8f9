"""gitops-tk promote."""

from typing import Annotated, Any

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.gates import judging, waiting
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

_Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="The environment that runs it.", autocompletion=opt.complete_environments),
]
_Target = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="The environment that gets it.", autocompletion=opt.complete_environments),
]
_Tag = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_TAG",
        metavar="TAG",
        help="An image that SOURCE holds or has held. Default: it holds.",
        autocompletion=opt.complete_tags,
    ),
]
_Only = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_ONLY",
        metavar="image|chart",
        help="What travels where environments have charts of their own, or pin them. Default: both.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("promote")(promote)


def promote(
    source: _Source,
    target: _Target,
    services: opt.AnyServices = None,
    tag: _Tag = None,
    only: _Only = None,
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
    """Bring what runs in one environment to the next.

    Without SERVICE, everything that differs.

    Example: gitops-tk promote staging prod user-service
    """

    def action() -> Result:
        from gitops_tk.workflows.deliver import deliver
        from gitops_tk.workflows.promote import PromoteRequest, plan

        request = PromoteRequest(
            source=source,
            target=target,
            services=tuple(services or ()),
            tag=tag,
            allow_older=allow_older,
            split=split,
            wait=wait_for_gates is not None,
            only=only,
        )
        request.check()
        options = opt.shared(
            repo,
            branch,
            local=local,
            dry_run=dry_run,
            message=message,
            retry_for=retry_for,
            auto_merge=auto_merge,
        )
        judge = judging(opt.overrides(override, reason), options, allow_commands=allow_commands)()

        def once(meant: Any) -> Result:
            return deliver("promote", lambda views, intent: plan(request, views, intent or meant, judge), options)

        return waiting(once, wait_for_gates, options)

    run("promote", output, action, doing="promoting")
