"""The application side of a new service: a folder of its own, checked first and written after the repository."""

import os
import re
from pathlib import Path

from msgspec.structs import replace

from gitops_tk.charts.answers import Answers
from gitops_tk.charts.scaffold import scaffold
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.changes import Change, ChangeSet, Write
from gitops_tk.model.result import Result
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.diff import unified
from gitops_tk.repository.worktree import WorktreeSnapshot, check_target, write

GO_MOD = "go.mod"
_MODULE_LINE = re.compile(rb'^\s*module\s+"?([^\s"]+)', re.MULTILINE)
# A remote on another host, as a URL or as scp writes it (git-clone(1), "GIT URLS").
_REMOTE = re.compile(
    r"(?:(?:https?|ssh)://(?:[^@/]+@)?|[^@/:]+@(?=[^/]+:))(?P<host>[A-Za-z0-9][\w.-]*)(?::\d+/|[:/])(?P<path>[\w./~-]+)"
)


class ApplicationExists(GitopsTkError):
    """A file of the application is there already and says something else."""

    default_code = "app-exists"


class Application:
    """The files of a new service's application.

    Args:
        folder: where they go. A Go module that is there is left alone but for what builds its image.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._snapshot = WorktreeSnapshot(folder)
        self._changeset = ChangeSet()
        self._left: list[str] = []

    def plan(self, skeleton: Skeleton, answers: Answers) -> None:
        """Plans the files, and refuses what could not be written later.

        Raises:
            ApplicationExists: a file of the starter is there and differs.
            GitopsTkError: a symbolic link or folder is in the way.
        """
        module = answers.module or module_of(self.folder) or answers.service
        files = scaffold(skeleton, replace(answers, module=module), part="app")
        image = skeleton.for_module(files)
        if self._snapshot.entries([GO_MOD]):
            files = image
        there = self._snapshot.read(files)
        self._left = sorted(path for path in there if there[path] != files[path])
        for path in self._left:
            if path not in image:
                raise ApplicationExists(
                    f"{self.folder / path} is there already, and is not what would be written",
                    hint="choose an empty folder, or one with a go.mod: such a module is left alone",
                    file=str(self.folder / path),
                )
        # go.mod comes last: a folder that has it was written whole.
        missing = sorted((path for path in files if path not in there), key=lambda path: (path == GO_MOD, path))
        self._changeset = ChangeSet(
            tuple(Write(path, files[path]) for path in missing),
            tuple(
                Change(kind="app", service=answers.service, file=os.path.normpath(self.folder / path), to="added")
                for path in missing
            ),
        )
        for operation in self._changeset.operations:
            check_target(self.folder, operation)

    def finish(self, result: Result, *, write_files: bool) -> Result:
        """Writes the files, if they are to be, and adds them to what the command did.

        Raises:
            RepositoryError: they cannot be written; the repository's part is done then.
        """
        if self._left:
            left = ", ".join(str(self.folder / path) for path in self._left)
            result = replace(result, advice=(*result.advice, f"Left as it is: {left}"))
        if not self._changeset.operations:
            return result
        result = replace(result, changes=(*result.changes, *self._changeset.changes))
        if not write_files:
            diff = (result.diff or "") + unified(self._snapshot, self._changeset)
            return replace(result, outcome="planned", diff=diff)
        write(self.folder, self._changeset)
        return replace(result, outcome="written") if result.outcome == "unchanged" else result


def module_of(folder: Path) -> str | None:
    """The path of the Go module in a folder, or the one that its git remote suggests."""
    declared = WorktreeSnapshot(folder).read([GO_MOD]).get(GO_MOD)
    match = _MODULE_LINE.search(declared) if declared is not None else None
    return match[1].decode("utf-8", "replace") if match else repository_of(folder)


def repository_of(folder: Path) -> str | None:
    """Where a folder's git remote is, as `host/path`; None where there is none on another machine."""
    if not folder.is_dir():
        return None
    done = Checkout(folder).git.run("config", "--get", "remote.origin.url")
    return address_of(done.stdout.decode("utf-8", "replace").strip())


def address_of(url: str) -> str | None:
    """What a remote's URL leads to, as `host/path`; None where it is on no other machine."""
    match = _REMOTE.fullmatch(url)
    return f"{match['host']}/{match['path'].strip('/').removesuffix('.git')}" if match else None
