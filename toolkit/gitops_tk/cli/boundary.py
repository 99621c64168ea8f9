"""The error boundary: usage errors, interrupts and bugs leave by different doors (see errors.py)."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from gitops_tk import __version__, scratch
from gitops_tk.cli.run import failed, show
from gitops_tk.errors import GitopsTkError, Interrupted, UsageError
from gitops_tk.process import stop_all
from gitops_tk.repository import early

# Typer carries a copy of click from 0.26 on, and click itself before: this is its UsageError in either.
_CommandLineError: type[Exception] = typer.BadParameter.__mro__[1]


def guarded(arguments: list[str]) -> int:
    """Runs the app on the arguments and returns the exit code."""
    try:
        return _leave(lambda: _run(arguments), arguments)
    finally:
        early.discard()
        stop_all()
        scratch.clean()


def _run(arguments: list[str]) -> int:
    from gitops_tk.cli.app import app, narrowed

    command = typer.main.get_command(narrowed(arguments[0]) if arguments else app)
    found = command.main(arguments, prog_name="gitops-tk", standalone_mode=False)
    # Typer turns Ctrl-C into an exit code, of which nobody would be told, JSON or not.
    if found == Interrupted.exit_code:
        raise KeyboardInterrupt
    return found if isinstance(found, int) else 0


def _leave(work: Callable[[], int], arguments: list[str]) -> int:
    try:
        return work()
    except _CommandLineError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stdout.write(f"{error}\n")
            return 0
        problem: GitopsTkError = _usage(error, arguments)
    except GitopsTkError as raised:
        return show(failed(_command(arguments), raised), _output(arguments))
    except (KeyboardInterrupt, typer.Abort):
        problem = Interrupted("interrupted")
    except BrokenPipeError:
        # Whoever read our output has gone; what was to be said is said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as bug:
        installs = isinstance(bug, OSError | RuntimeError) and "--install-completion" in arguments
        problem = _not_installed(bug) if installs else _reported(bug, arguments)
    return show(failed(_command(arguments), problem), _output(arguments))


def _not_installed(error: Exception) -> GitopsTkError:
    return GitopsTkError(
        f"the completion cannot be installed: {error}",
        code="disk",
        hint="gitops-tk --show-completion prints it, for a place of your own",
    )


def _usage(error: Any, arguments: list[str]) -> UsageError:
    if error.ctx is None:
        # An option without its value is told by the parser, which knows no command.
        return UsageError(error.format_message(), hint=f"see {' '.join(['gitops-tk', _command(arguments)])} --help")
    command = error.ctx.command_path
    form = " ".join([command, *error.ctx.command.collect_usage_pieces(error.ctx)])
    told = "" if hasattr(error.ctx.command, "commands") else re.sub("[{}]", "", f"{form}; ")
    return UsageError(error.format_message(), hint=f"{told}see {command} --help")


def _output(arguments: list[str]) -> str:
    # The parser may be what failed, so the arguments are looked at as they are.
    chosen = os.environ.get("GITOPS_TK_OUTPUT", "text")
    for position, argument in enumerate(arguments):
        if argument in ("-o", "--output"):
            chosen = arguments[position + 1] if position + 1 < len(arguments) else "text"
        elif argument.startswith("--output="):
            chosen = argument.removeprefix("--output=")
        elif argument.startswith("-o") and argument[2:]:
            chosen = argument[2:].removeprefix("=")
    return "json" if chosen == "json" else "text"


def _command(arguments: list[str]) -> str:
    values = {at + 1 for at, argument in enumerate(arguments) if argument in ("-o", "--output")}
    words = [word for at, word in enumerate(arguments) if not word.startswith("-") and at not in values]
    groups = ("values", "env", "argocd", "config", "pipeline")
    return " ".join(words[:2] if words[:1] and words[0] in groups else words[:1])


def _reported(bug: Exception, arguments: list[str]) -> GitopsTkError:
    import platform
    import time
    import traceback

    from gitops_tk.logins import redact

    about = f"gitops-tk {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    text = about + f"arguments: {arguments}\n\n" + "".join(traceback.format_exception(bug))
    log = _kept(f"gitops-tk-bug-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log", redact(text))
    place = f"its details are in {log}" if log else "its details could not be written"
    return GitopsTkError(
        f"a bug in gitops-tk: {type(bug).__name__}; {place}",
        code="bug",
        hint="please report it with that file" if log else "set XDG_STATE_HOME to a folder that can be written",
        file=str(log) if log else None,
    )


def _kept(name: str, text: str) -> Path | None:
    for folder in _places():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("x", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
        except OSError:
            continue
        return folder / name
    return None


def _places() -> Iterator[Path]:
    state = os.environ.get("XDG_STATE_HOME")
    if state:
        yield Path(state) / "gitops-tk"
    else:
        # In a container there may be no home, or none that can be written.
        with contextlib.suppress(RuntimeError):
            yield Path.home() / ".local" / "state" / "gitops-tk"
    yield scratch.root()
