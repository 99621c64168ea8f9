"""A gate's program: run as the base revision has it, told on its input what is to come, and without secrets.

It ends with 0 to agree, with 75 (EX_TEMPFAIL of sysexits(3)) to be asked again later, and with anything else to refuse.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, to_builtins

from gitops_tk import process, scratch
from gitops_tk.config.model import Config
from gitops_tk.config.policy import Command
from gitops_tk.errors import MissingFile, ToolMissing
from gitops_tk.model.changes import Gate
from gitops_tk.model.durations import exact
from gitops_tk.model.snapshot import EXECUTABLE, FOLDER, Entry, Snapshot
from gitops_tk.policy.gates import Arrival
from gitops_tk.process import Completed, TimeLimit
from gitops_tk.workflows.views import Views

SCHEMA = "gitops-tk/gate/v1"
_LATER = 75
# What a program needs to run at all; whoever runs the tool may pass on more, the repository may not ask for it.
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PREFIX = "GITOPS_TK_GATE_"
_LONGEST_SAYING = 200


class Commands:
    """Runs gates' programs.

    Args:
        environ: the process's environment; of it a program sees what it needs, and what begins with GITOPS_TK_GATE_.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value for name, value in environ.items() if name in _PASSED or name.startswith(_PREFIX)}

    def __call__(self, command: Command, arrival: Arrival, views: Views) -> Gate:
        """A program's answer for images that are to come.

        Raises:
            ToolMissing: there is no such program.
            MissingFile: it is to be a file of the repository, and is not there.
        """
        name = f"commands: {command.name}"
        if views.snapshot.revision is None:
            said = f"{command.name} was not run: a commit says what it is, not a checkout's files; see --branch"
            return arrival.answer(name, "not-evaluated", said)
        try:
            with scratch.folder() as folder:
                done = self._run(command, arrival, views.snapshot, folder)
        except TimeLimit:
            return arrival.answer(name, "refused", f"{command.name} did not end within {exact(command.timeout)}")
        except ToolMissing:
            if "/" not in command.run[0]:
                raise
            said = f"{command.run[0]} cannot be run: it is not executable, or what it is written for is not installed"
            return arrival.answer(name, "refused", said)
        if done.status == 0:
            return arrival.answer(name, "passed", f"{command.name} agrees")
        saying = _saying(done.stdout) or _saying(done.stderr) or f"exit code {done.status}"
        if done.status == _LATER:
            return arrival.answer(name, "waiting", f"{command.name} says not yet: {saying}")
        return arrival.answer(name, "refused", f"{command.name} refuses: {saying}")

    def _run(self, command: Command, arrival: Arrival, snapshot: Snapshot, folder: Path) -> Completed:
        home, files = folder / "home", folder / "repository"
        home.mkdir()
        _lay_out(snapshot, command, files)
        program = command.run[0]
        if "/" in program:
            program = str(files / program)
        env = {**self._environ, "HOME": str(home), "GITOPS_TK_GATE": command.name}
        argv = [program, *command.run[1:]]
        return process.run(argv, env=env, cwd=files, data=_told(command, arrival), timeout=command.timeout)


class Program(Struct, frozen=True, kw_only=True):
    """What a gate runs, and what is laid out with it.

    Attributes:
        env: the gate's environment.
        name: the command's.
        files: the files and folders that the command names.
        folders: of what these folders hold, all is laid out.
    """

    env: str
    name: str
    files: frozenset[str]
    folders: frozenset[str]

    def reads(self, path: str) -> bool:
        """Whether a path is laid out with it, or would be."""
        return path in self.files or any(path.startswith(f"{folder}/") for folder in self.folders)


def programs(snapshot: Snapshot, config: Config) -> list[Program]:
    """The programs of all gates, environment by environment."""
    found = []
    for environment in config.environments:
        for command in environment.policy.gates.commands:
            there, folders = _named(snapshot, command)
            found.append(
                Program(env=environment.name, name=command.name, files=frozenset(there), folders=frozenset(folders))
            )
    return found


def _named(snapshot: Snapshot, command: Command) -> tuple[Mapping[str, Entry], set[str]]:
    # What the words of the command name, and for a file the folder that it is in.
    there = snapshot.entries(word.removeprefix("./") for word in command.run if "/" in word)
    return there, {path if entry.mode == FOLDER else path.rpartition("/")[0] for path, entry in there.items()} - {""}


def _lay_out(snapshot: Snapshot, command: Command, folder: Path) -> None:
    # Links and submodules are left out.
    folder.mkdir()
    there, tops = _named(snapshot, command)
    program = command.run[0].removeprefix("./")
    if "/" in command.run[0] and (program not in there or not there[program].is_file):
        raise MissingFile(
            f"the gate {command.name} runs {program}, which is not a file of the repository",
            code="gate-command",
            file=program,
        )
    found = {path: entry for path, entry in there.items() if entry.is_file}
    found |= {entry.path: entry for top in tops for entry in snapshot.tree(top) if entry.is_file}
    for path, data in snapshot.read(found).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o700 if found[path].mode == EXECUTABLE else 0o600)


def _told(command: Command, arrival: Arrival) -> bytes:
    told = {
        "schema": SCHEMA,
        "gate": command.name,
        "service": arrival.service,
        "sources": list(arrival.sources),
        "target": arrival.env,
        "images": {name: to_builtins(image) for name, image in arrival.images.items()},
    }
    return (json.dumps(told) + "\n").encode()


def _saying(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    said = lines[-1].strip() if lines else ""
    return "".join(letter if letter.isprintable() else "?" for letter in said)[:_LONGEST_SAYING]
