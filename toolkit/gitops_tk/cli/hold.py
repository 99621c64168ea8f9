"""gitops-tk hold and unhold."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run, until_merged
from gitops_tk.model.result import Result


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("hold")(hold)
    app.command("unhold")(unhold)


def hold(
    services: opt.Services,
    env: opt.Env,
    reason: Annotated[
        str, typer.Option(envvar="GITOPS_TK_REASON", metavar="TEXT", help="Why; everybody who is stopped reads it.")
    ],
    until: Annotated[
        str | None,
        typer.Option(
            envvar="GITOPS_TK_UNTIL",
            metavar="DATE",
            help="When it ends by itself: 2026-12-24, to the end of that day in UTC, or 2026-12-24T18:00+01:00.",
        ),
    ] = None,
    push_now: opt.PushNow = False,
    split: opt.Split = False,
    local: opt.Local = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Hold services back in one environment.

    bump and promote leave them alone until unhold, or the date.

    Example: gitops-tk hold user-service -e prod --reason "incident 42" --until 2026-12-24
    """

    def action() -> Result:
        from gitops_tk.workflows.deliver import deliver
        from gitops_tk.workflows.hold import HoldRequest, plan_hold

        request = HoldRequest(
            services=tuple(services), env=env, reason=reason, until=until, push_now=push_now, split=split
        )
        request.check()
        options = opt.shared(repo, branch, local=local, dry_run=dry_run, message=message, retry_for=retry_for)
        done = deliver("hold", lambda views, intent: plan_hold(request, views, intent), options)
        return until_merged(done, "Nothing is held")

    run("hold", output, action)


def unhold(
    services: opt.Services,
    env: opt.Env,
    push_now: opt.PushNow = False,
    split: opt.Split = False,
    local: opt.Local = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Let services go on that are held, also after a rollback.

    Example: gitops-tk unhold user-service -e prod
    """

    def action() -> Result:
        from gitops_tk.workflows.deliver import deliver
        from gitops_tk.workflows.hold import UnholdRequest, plan_unhold

        request = UnholdRequest(services=tuple(services), env=env, push_now=push_now, split=split)
        options = opt.shared(repo, branch, local=local, dry_run=dry_run, message=message, retry_for=retry_for)
        done = deliver("unhold", lambda views, intent: plan_unhold(request, views, intent), options)
        return until_merged(done, "What is held stays held")

    run("unhold", output, action)
