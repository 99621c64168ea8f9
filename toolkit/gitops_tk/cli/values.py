"""gitops-tk values."""

from typing import Annotated

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.gates import judging
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

app = typer.Typer(help="Read and change a service's values in an environment.", no_args_is_help=True)


@app.command("get")
def get(
    service: opt.Service,
    env: opt.Env,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="A dotted path; default: everything.")] = None,
    origin: Annotated[
        bool, typer.Option("--origin", envvar="GITOPS_TK_ORIGIN", help="Say which file and line each value comes from.")
    ] = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Print the merged value, and with --origin where it comes from.

    Example: gitops-tk values get user-service -e prod image.tag --origin
    """

    def action() -> Result:
        from gitops_tk.workflows.values import get as find
        from gitops_tk.workflows.views import look

        with look(opt.shared(repo, branch)) as snapshot:
            return find(snapshot, service, env, key)

    def text(result: Result) -> str:
        from gitops_tk.reports import text as reports

        return reports.origins(result) if origin else reports.value(result.details["value"])

    run("values get", output, action, text)


@app.command("set")
def set_(
    service: opt.Service,
    env: opt.Env,
    assignments: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...")],
    override: opt.Override = None,
    reason: opt.OverrideReason = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Set values: only the bytes of the changed values change.

    Example: gitops-tk values set user-service -e prod autoscaling.maxReplicas=12
    """

    def action() -> Result:
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.values import ValuesRequest, plan

        request = ValuesRequest.set(service, env, assignments)
        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        judge = judging(opt.overrides(override, reason), options)()
        return author("values set", lambda views, intent: plan(request, views, intent, judge), options)

    run("values set", output, action)


@app.command("unset")
def unset(
    service: opt.Service,
    env: opt.Env,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...")],
    override: opt.Override = None,
    reason: opt.OverrideReason = None,
    commit: opt.Commit = False,
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    message: opt.Message = None,
    retry_for: opt.RetryFor = "5m",
    dry_run: opt.DryRun = False,
    output: opt.Output = "text",
) -> None:
    """Remove values from the service's own file.

    The shared ones and the chart's defaults hold again.

    Example: gitops-tk values unset user-service -e dev config.data.LOG_LEVEL
    """

    def action() -> Result:
        from gitops_tk.workflows.author import author
        from gitops_tk.workflows.values import ValuesRequest, plan

        request = ValuesRequest.unset(service, env, keys)
        options = opt.shared(repo, branch, commit=commit, dry_run=dry_run, message=message, retry_for=retry_for)
        judge = judging(opt.overrides(override, reason), options)()
        return author("values unset", lambda views, intent: plan(request, views, intent, judge), options)

    run("values unset", output, action)


@app.command("diff")
def diff(
    service: opt.Service,
    env: Annotated[
        list[str], typer.Option("--env", "-e", envvar="GITOPS_TK_ENV", metavar="ENV", help="Two environments.")
    ],
    repo: opt.Repo = None,
    branch: opt.Branch = None,
    output: opt.Output = "text",
) -> None:
    """Show what differs in a service's merged values.

    Example: gitops-tk values diff user-service -e staging -e prod
    """

    def action() -> Result:
        from gitops_tk.errors import UsageError
        from gitops_tk.workflows.values import diff as compare
        from gitops_tk.workflows.views import look

        if len(env) != 2:
            raise UsageError("values diff takes two environments", hint="-e staging -e prod")
        with look(opt.shared(repo, branch)) as snapshot:
            return compare(snapshot, service, env[0], env[1])

    def text(result: Result) -> str:
        from gitops_tk.reports import text as reports

        return reports.differences(result)

    run("values diff", output, action, text)
