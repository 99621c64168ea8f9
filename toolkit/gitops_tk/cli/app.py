"""The program: every command's file adds itself here."""

import os
from copy import copy
from typing import Annotated

import typer

from gitops_tk import __version__
from gitops_tk.cli import (
    adopt,
    argocd,
    bump,
    config,
    diff,
    doctor,
    env,
    explain,
    history,
    hold,
    init,
    new_service,
    pipeline,
    promote,
    render,
    rollback,
    status,
    upgrade_chart,
    validate,
    values,
    verbose,
    verify_pr,
    wait,
)

_HELP = """Scaffold Helm charts for Go services; deliver them by commits and pull requests that Argo CD syncs.

Exit codes: 0 done or nothing to do, 1 failed, 2 wrong command line, 3 refused by policy, 4 lost the race,
5 problems found, 6 waited in vain, 130 interrupted."""

app = typer.Typer(
    name="gitops-tk",
    cls=verbose.Group,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from gitops_tk.workflows.engines import engines

        typer.echo("\n".join([f"gitops-tk {__version__}", *engines(os.environ)]))
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version, and which engines are at hand.",
        ),
    ] = False,
) -> None:
    pass


_COMMANDS = (
    *(init, adopt, new_service, upgrade_chart, bump, promote, rollback, hold, status, history, diff, explain),
    *(render, validate, verify_pr, wait, doctor),
)
for command in _COMMANDS:
    command.add_to(app)
app.add_typer(values.app, name="values")
app.add_typer(env.app, name="env")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(argocd.app, name="argocd")
app.add_typer(config.app, name="config")
verbose.add_to(app)


def narrowed(name: str) -> typer.Typer:
    """The program with one command or group alone, which is all that its command line needs; else all of it.

    Typer makes every option of every command before it reads a command line, which was a fifth of a short run.

    Args:
        name: the first argument.
    """
    commands = [one for one in app.registered_commands if one.name == name]
    groups = [one for one in app.registered_groups if one.name == name]
    if not commands and not groups:
        return app
    found = copy(app)
    found.registered_commands, found.registered_groups = commands, groups
    return found
