"""gitops-tk rollback."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run, until_merged
from gitops_tk.model.result import Result

_To = Annotated[
    str | None,
    typer.Option(
        "--to",
        envvar="GITOPS_TK_TO",
        metavar="TAG|COMMIT",
        help="What ran: a tag, a digest, a build's number, a source commit, or a commit of the GitOps repository. "
        "Default: what ran before.",
        autocompletion=opt.complete_tags,
    ),
]
_Since = Annotated[
    str | None,
    typer.Option(
        envvar="GITOPS_TK_SINCE",
        metavar="TIME",
        help="Undo what changed since then: 2026-12-24T18:00 (UTC), 36h, '2 days ago'; without SERVICE everything.",
    ),
]
_Reason = Annotated[
    str | None,
    typer.Option(envvar="GITOPS_TK_REASON", metavar="TEXT", help="Why, for the hold that stays."),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("rollback")(rollback)


def rollback(
    env: opt.Env,
    services: opt.AnyServices = None,
    to: _To = None,
    since: _Since = None,
    reason: _Reason = None,
    push_now: opt.PushNow = False,
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
    """Put back what ran before in one environment.

    What was left is held, so that no pipeline brings it again.

    Example: gitops-tk rollback user-service -e prod
    """

    def action() -> Result:
        from gitops_tk.workflows.deliver import deliver
        from gitops_tk.workflows.rollback import RollbackRequest, plan

        request = RollbackRequest(
            services=tuple(services or ()),
            env=env,
            to=to,
            since=since,
            reason=reason,
            push_now=push_now,
            split=split,
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
        done = deliver("rollback", lambda views, intent: plan(request, views, intent), options)
        return until_merged(done, "Nothing goes back")

    run("rollback", output, action, doing="looking for what ran before")
