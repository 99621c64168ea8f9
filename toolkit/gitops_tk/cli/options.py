"""The options that commands share, each declared once."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_tk.errors import UsageError
from gitops_tk.model import durations, names
from gitops_tk.workflows.options import Options

if TYPE_CHECKING:
    from gitops_tk.model.changes import Plan
    from gitops_tk.model.dialect import Dialect
    from gitops_tk.workflows.views import Views

Repo = Annotated[
    str | None,
    typer.Option(
        "--repo",
        envvar="GITOPS_TK_REPO",
        metavar="URL|PATH",
        help="The GitOps repository. Default: the nearest parent folder with gitops-tk.yaml.",
    ),
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch",
        envvar="GITOPS_TK_BRANCH",
        metavar="BRANCH",
        help="The remote's branch. Default: the checkout's upstream, else the remote's default.",
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        envvar="GITOPS_TK_OUTPUT",
        metavar="text|json",
        help="Text for people or JSON for programs.",
    ),
]
ReportOutput = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        envvar="GITOPS_TK_OUTPUT",
        metavar="text|json|github",
        help="Text for people, JSON for programs, or annotations for GitHub Actions.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", envvar="GITOPS_TK_DRY_RUN", help="Print the diff and the commit message; write nothing."),
]
Message = Annotated[
    str | None,
    typer.Option(
        "--message",
        "-m",
        envvar="GITOPS_TK_MESSAGE",
        metavar="TEXT",
        help="The commit message; trailers are added.",
    ),
]
RetryFor = Annotated[
    str,
    typer.Option(
        "--retry-for",
        envvar="GITOPS_TK_RETRY_FOR",
        metavar="DURATION",
        help="How long to try again when others push first.",
    ),
]
AutoMerge = Annotated[
    bool | None,
    typer.Option(
        "--auto-merge/--no-auto-merge",
        envvar="GITOPS_TK_AUTO_MERGE",
        help="Have the forge merge pull requests once its own conditions are met. Default: as gitops-tk.yaml says.",
        show_default=False,
    ),
]
Local = Annotated[
    bool,
    typer.Option("--local", envvar="GITOPS_TK_LOCAL", help="Commit in the checkout, on its branch; push nothing."),
]
Commit = Annotated[
    bool,
    typer.Option("--commit", envvar="GITOPS_TK_COMMIT", help="Commit in the checkout what was written."),
]
Split = Annotated[
    bool,
    typer.Option("--split", envvar="GITOPS_TK_SPLIT", help="One commit, or one proposal, for each service."),
]
AllowOlder = Annotated[bool, typer.Option("--allow-older", help="Let an older build overwrite a newer one.")]
# No variable overrides a policy.
Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="GATE", help="Go on though this gate says no, where gitops-tk.yaml allows it."),
]
OverrideReason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why a gate is overridden; it stays in the commit."),
]
AllowCommands = Annotated[
    bool,
    typer.Option(
        "--allow-commands",
        envvar="GITOPS_TK_ALLOW_COMMANDS",
        help="Run the programs that gitops-tk.yaml names as gates.",
    ),
]

PushNow = Annotated[
    bool,
    typer.Option("--push-now", help="Push where changes are proposed, if gitops-tk.yaml allows it there."),
]

WaitForGates = Annotated[
    str | None,
    typer.Option(
        "--wait-for-gates",
        envvar="GITOPS_TK_WAIT_FOR_GATES",
        metavar="DURATION",
        help="How long to wait for gates to open.",
    ),
]


def _complete_services(incomplete: str) -> list[str]:
    from gitops_tk.cli.completion import services

    return services(incomplete)


def complete_environments(incomplete: str) -> list[str]:
    """The environments of the checkout."""
    from gitops_tk.cli.completion import environments

    return environments(incomplete)


def complete_tags(ctx: typer.Context, incomplete: str) -> list[str]:
    """The tags that the environment named before holds or has held."""
    from gitops_tk.cli.completion import tags

    return tags(ctx.params, ctx.args, incomplete)


Service = Annotated[
    str, typer.Argument(metavar="SERVICE", help="The service's name.", autocompletion=_complete_services)
]
Services = Annotated[list[str], typer.Argument(metavar="SERVICE...", autocompletion=_complete_services)]
AnyServices = Annotated[list[str] | None, typer.Argument(metavar="[SERVICE...]", autocompletion=_complete_services)]
Env = Annotated[
    str,
    typer.Option(
        "--env",
        "-e",
        envvar="GITOPS_TK_ENV",
        metavar="ENV",
        help="The environment.",
        autocompletion=complete_environments,
    ),
]
Envs = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        envvar="GITOPS_TK_ENV",
        metavar="ENV",
        help="Only these environments.",
        autocompletion=complete_environments,
    ),
]
EnvName = Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environments)]


def overrides(gates: list[str] | None, reason: str | None) -> dict[str, str]:
    """The gates to override, each with the reason.

    Raises:
        UsageError: a gate without a reason, a reason without a gate, or a gate that there is not.
    """
    if bool(gates) != (reason is not None):
        raise UsageError("--override and --reason go together", hint="--override soak --reason 'fixes incident 4711'")
    if not gates or reason is None:
        return {}
    from gitops_tk.config.model import nearest
    from gitops_tk.config.policy import OVERRIDES
    from gitops_tk.policy.holds import check_reason

    for gate in gates:
        if gate not in OVERRIDES:
            known = ", ".join(OVERRIDES)
            raise UsageError(
                f"there is no gate {gate!r}", code="unknown-gate", hint=nearest(gate, OVERRIDES) or f"there are {known}"
            )
    return dict.fromkeys(gates, check_reason(reason))


def shared(
    repo: str | None = None,
    branch: str | None = None,
    *,
    local: bool = False,
    commit: bool = False,
    dry_run: bool = False,
    message: str | None = None,
    retry_for: str = "5m",
    auto_merge: bool | None = None,
    output: str = "json",
) -> Options:
    """The shared options as workflows take them.

    Args:
        output: whom a command that only looks is for: `text` is told where it looks.

    Raises:
        UsageError: a branch or a duration is not one.
    """
    return Options(
        repo=repo,
        branch=names.branch(branch) if branch is not None else None,
        local=local,
        commit=commit,
        dry_run=dry_run,
        message=message,
        retry_for=durations.seconds(retry_for),
        auto_merge=auto_merge,
        tell=_tell if output == "text" else None,
        body=_body,
        cwd=Path.cwd(),
        environ=os.environ,
    )


def _tell(note: str) -> None:
    sys.stderr.write(f"{note}\n")


def _body(views: "Views", plan: "Plan", dialect: "Dialect") -> str:
    from gitops_tk.errors import GitopsTkError
    from gitops_tk.model.foreign import block, code
    from gitops_tk.reports.markdown import body
    from gitops_tk.workflows.comparing.evidence import evidence

    try:
        return body(evidence(views, plan, os.environ, ask=True), dialect)
    except GitopsTkError as error:
        # A proposal is reviewed without evidence rather than not at all.
        shown = block(plan.message)
        room = dialect.limit - 1000
        message = shown if len(shown.encode()) <= room else code(plan.subject)
        return f"There is no evidence for this change: {code(error.message)}\n\n{message}"
