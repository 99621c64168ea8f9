"""The options that commands share, each declared once."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gitops_tk.errors import UsageError
from gitops_tk.model import names
from gitops_tk.workflows.options import Options

_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """Reads a duration such as `30s`, `5m`, `1h` or a plain number of seconds."""
    unit = _UNITS.get(text[-1:], 0)
    number = text[:-1] if unit else text
    try:
        value = float(number) * (unit or 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"{text!r} is not a duration", code="bad-duration", hint="write 30s, 5m or 1h")
    return value


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

PushNow = Annotated[
    bool,
    typer.Option("--push-now", help="Push where changes are proposed, if gitops-tk.yaml allows it there."),
]


def _complete_services(incomplete: str) -> list[str]:
    from gitops_tk.cli.completion import services

    return services(incomplete)


def _complete_environments(incomplete: str) -> list[str]:
    from gitops_tk.cli.completion import environments

    return environments(incomplete)


Service = Annotated[str, typer.Argument(metavar="SERVICE", autocompletion=_complete_services)]
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
        autocompletion=_complete_environments,
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
        autocompletion=_complete_environments,
    ),
]
EnvName = Annotated[str, typer.Argument(metavar="ENV", autocompletion=_complete_environments)]


def shared(
    repo: str | None = None,
    branch: str | None = None,
    *,
    local: bool = False,
    commit: bool = False,
    dry_run: bool = False,
    message: str | None = None,
    retry_for: str = "5m",
) -> Options:
    """The shared options as workflows take them.

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
        retry_for=seconds(retry_for),
        cwd=Path.cwd(),
        environ=os.environ,
    )
