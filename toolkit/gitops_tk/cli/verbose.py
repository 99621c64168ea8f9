"""`--verbose`, which every command takes and none needs to know of: see trace.py."""

from typing import Any

from typer import Typer
from typer.core import TyperCommand, TyperGroup, TyperOption


def _option() -> TyperOption:
    return TyperOption(
        param_decls=["--verbose"],
        is_flag=True,
        default=False,
        expose_value=False,
        envvar="GITOPS_TK_VERBOSE",
        show_envvar=True,
        help="Tell each git process and each request with its time, on standard error.",
    )


class Command(TyperCommand):
    """A command that takes `--verbose`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params.append(_option())


class Group(TyperGroup):
    """The program itself takes it, too."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params.append(_option())


def add_to(app: Typer) -> None:
    """Has all commands of an app and of those below it take the option."""
    for one in app.registered_commands:
        one.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_to(group.typer_instance)
