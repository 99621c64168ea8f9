"""A checkout: its files as they are, written in place, and committed by git itself."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from gitops_tk import scratch
from gitops_tk.errors import GitopsTkError, RepositoryError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Operation, Plan, Write
from gitops_tk.model.snapshot import FOLDER
from gitops_tk.process import Completed
from gitops_tk.repository.git import Git, check_version, failure
from gitops_tk.repository.location import RemoteLocation, is_url, remote
from gitops_tk.repository.objects import Objects
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.repository.worktree import Undo, WorktreeSnapshot, check_target, write

# What a checkout's own configuration says about reaching its remote and about who commits holds for delivery too.
_CARRIED = re.compile(
    r"(credential|http|url|user|author|committer|gpg)\.|core\.sshcommand$|commit\.gpgsign$|ssh\.variant$"
)
# A folder of the checkout's content that looks like a bare repository is none: its configuration could run programs.
# And nobody commits under a name that git makes up from the machine's.
_SETTINGS = (("safe.bareRepository", "explicit"), ("user.useConfigOnly", "true"))
_ARGUMENTS = 500


class Checkout:
    """A folder with a GitOps repository's files; a git work tree, or not one yet.

    What git says of where it stands is asked once: a command's checkout is not switched while it runs.

    Args:
        root: the folder that holds gitops-tk.yaml.
        environ: the process's environment.
    """

    def __init__(self, root: Path, environ: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.environ = os.environ if environ is None else environ
        self._git = Git.from_environment(self.environ, _SETTINGS, root)
        self._objects = Objects(self._git)

    @property
    def git(self) -> Git:
        """Git in the checkout."""
        return self._git

    @property
    def home(self) -> RemoteLocation | None:
        """Where its remote is; None where it has none."""
        try:
            return self.remote()[0]
        except GitopsTkError:
            return None

    @property
    def is_git(self) -> bool:
        """Whether it is a git work tree.

        Raises:
            RepositoryError: git does not say, for instance because it belongs to somebody else.
        """
        return self._inside is not None

    @cached_property
    def branch(self) -> str | None:
        """The branch that is checked out; None on a detached HEAD or outside git."""
        if not self.root.is_dir():
            return None
        done = self._git.run("symbolic-ref", "--quiet", "--short", "HEAD")
        return done.stdout.decode().strip() if done.status == 0 else None

    @property
    def main_branch(self) -> str | None:
        """The branch that origin has as its default, else the one that is checked out."""
        if not self.root.is_dir():
            return None
        done = self._git.run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        return done.stdout.decode().strip().removeprefix("origin/") if done.status == 0 else self.branch

    @property
    def author(self) -> str:
        """Who commits here, as `Name <email>`.

        Raises:
            RepositoryError: git has no identity (`no-identity`).
        """
        done = self._git.run("var", "GIT_AUTHOR_IDENT")
        if done.status:
            raise _not_committed(done)
        return done.stdout.decode("utf-8", "replace").rpartition(">")[0] + ">"

    def start(self) -> None:
        """Makes the folder, and a git repository of it where it is in none.

        Raises:
            RepositoryError: it cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RepositoryError(f"{self.root} cannot be made: {error.strerror}", code="disk") from error
        if not self.is_git:
            self._git.read("init", "--quiet", "--initial-branch=main")
        for known in ("branch", "_inside", "_settings"):
            self.__dict__.pop(known, None)

    def snapshot(self) -> WorktreeSnapshot:
        """The files as they lie there."""
        return WorktreeSnapshot(self.root)

    def at(self, commit: str) -> TreeSnapshot:
        """The files that a commit holds; of a checkout in a folder of a repository, those of the folder.

        Raises:
            RepositoryError: there is no such commit here, or its objects are not.
        """
        name = f"{commit}^{{commit}}"
        found = self._objects.commit(name) if "\n" not in name else None
        if found is None:
            raise failure(self._git.run("rev-parse", "--verify", "--end-of-options", name))
        oid, data = found
        whole = TreeSnapshot(self._objects, _not_here, oid, data[5:45].decode())
        folder = (self._inside or "").rstrip("/")
        if not folder:
            return whole
        entry = whole.entries([folder]).get(folder)
        tree = entry.oid if entry is not None and entry.mode == FOLDER else None
        return TreeSnapshot(self._objects, _not_here, oid, tree)

    def close(self) -> None:
        """Ends the process that commits' files are read through; reading again starts another."""
        self._objects.close()

    def apply(self, changeset: ChangeSet) -> Undo:
        """Writes a ChangeSet into the files, and returns what puts them back.

        Raises:
            RepositoryError: a file has uncommitted changes, a link is in the way, or it cannot be written.
        """
        self.check(changeset)
        return write(self.root, self.spread(changeset))

    def spread(self, changeset: ChangeSet) -> ChangeSet:
        """The same change with files in place of copied objects: those that come, and those that go.

        Raises:
            RepositoryError: an object is not here.
        """
        if not any(isinstance(operation, Copy) for operation in changeset.operations):
            return changeset
        committed = self.at("HEAD")
        operations: list[Operation] = []
        for operation in changeset.operations:
            operations += self._copied(committed, operation) if isinstance(operation, Copy) else [operation]
        return ChangeSet(tuple(operations), changeset.changes)

    def _copied(self, committed: TreeSnapshot, copy: Copy) -> list[Operation]:
        if copy.mode != FOLDER:
            return [Write(copy.path, committed.content(copy.oid), copy.mode)]
        new = committed.below(copy.oid)
        entries = new.tree("")
        for entry in entries:
            if not entry.is_file:
                raise RepositoryError(
                    f"{copy.path}/{entry.path} would be a symbolic link or a submodule",
                    code="not-a-file",
                    hint="run the command without --local: a copy in git is of no concern to your files",
                    file=f"{copy.path}/{entry.path}",
                )
        files = new.read([entry.path for entry in entries])
        # What git does not know stays: it is nobody's but the person's own.
        there = {entry.path.removeprefix(f"{copy.path}/"): entry for entry in committed.tree(copy.path)}
        known = {path: there[path].oid for path in there}
        return [
            *(
                Write(f"{copy.path}/{entry.path}", files[entry.path], entry.mode)
                for entry in entries
                if known.get(entry.path) != entry.oid or there[entry.path].mode != entry.mode
            ),
            *(Delete(f"{copy.path}/{path}") for path in there if path not in files),
        ]

    def check(self, changeset: ChangeSet) -> None:
        """Looks whether a ChangeSet could be written, as far as that is known before.

        Raises:
            RepositoryError: a file has uncommitted changes, or a link is in the way.
        """
        changeset = self.spread(changeset)
        for operation in changeset.operations:
            check_target(self.root, operation)
        self._refuse_uncommitted(changeset)

    def check_commit(self) -> None:
        """Looks whether there is a git and a branch to commit with and on.

        Raises:
            RepositoryError: this is no git repository, or no branch is checked out.
            ToolMissing: git is too old.
        """
        check_version(self._git.run("--version").stdout)
        if not self.is_git:
            raise self._not_git()
        if self.branch is None:
            raise RepositoryError(
                "no branch is checked out (detached HEAD)",
                code="detached-head",
                hint="git switch to the branch that the commit is for",
            )

    def commit(self, plans: Sequence[Plan]) -> list[str]:
        """Writes each plan's files and commits those alone, on the current branch; returns the commits' ids.

        Raises:
            RepositoryError: no branch is checked out, or git cannot commit; all is then as before.
        """
        self.check_commit()
        made: list[str] = []
        for plan in plans:
            try:
                made.append(self._commit(plan.changeset, plan.message))
            except BaseException:
                if made:
                    # The files of the commits that go were clean before, so that nothing of anybody's is lost.
                    self._git.run("reset", "--quiet", "--keep", f"{made[0]}~1")
                raise
        return made

    def _commit(self, changeset: ChangeSet, message: str) -> str:
        changeset = self.spread(changeset)
        paths = [operation.path for operation in changeset.operations]
        there = self.snapshot().entries(paths)
        undo = self.apply(changeset)
        # Neither the paths nor the message of a large change would fit into an argument list.
        notes = scratch.create()
        try:
            (notes / "message").write_text(message, encoding="utf-8")
            # What git knows already is not added: after a commit that fails, the index is as it was.
            done = self._on_paths([path for path in paths if path not in there], "add", "--intent-to-add", "--force")
            if not done.status:
                options = ("--quiet", "--only", f"--file={notes / 'message'}", "--cleanup=verbatim")
                done = self._on_paths(paths, "commit", *options)
            if done.status:
                raise _not_committed(done)
        except BaseException as error:
            left = undo()
            self._on_paths(paths, "reset", "--quiet")
            if left:
                raise RepositoryError(
                    f"{left[0]} could not be put back after git did not commit it",
                    code="disk",
                    hint=f"git checkout HEAD -- {left[0]}",
                    file=str(left[0]),
                ) from error
            raise
        finally:
            scratch.remove(notes)
        return self._git.read("rev-parse", "HEAD")

    def _on_paths(self, paths: Sequence[str], *arguments: str) -> Completed:
        if not paths:
            return Completed(0, b"", b"")
        listed = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        options = ("--pathspec-from-file=-", "--pathspec-file-nul")
        return self._git.run("--literal-pathspecs", *arguments, *options, data=listed)

    def remote(self) -> tuple[RemoteLocation, str | None]:
        """Where delivery goes: the upstream's remote and branch, else `origin` and its default branch.

        Raises:
            RepositoryError: the checkout has no remote.
        """
        branch, settings = self.branch, dict(self._settings)
        name, upstream = "origin", None
        if branch is not None:
            configured = settings.get(f"branch.{branch}.remote", "")
            merge = settings.get(f"branch.{branch}.merge", "")
            if configured and configured != "." and merge.startswith("refs/heads/"):
                name, upstream = configured, merge.removeprefix("refs/heads/")
        url = settings.get(f"remote.{name}.url", "").strip()
        if not url and is_url(name):
            url = name
        if not url and not self.is_git:
            raise self._not_git()
        if not url:
            raise RepositoryError(
                f"the checkout {self.root} has no remote {name}",
                code="no-remote",
                hint="git remote add origin URL, or commit in the checkout with --local",
            )
        if not is_url(url):
            url = "file://" + quote(str((self._top() / url).resolve()))
        return remote(url), upstream

    def open_remote(self, branch: str | None) -> Remote:
        """The remote that the checkout tells of, read and changed with the checkout's own git settings.

        Args:
            branch: the branch to work on; None for the upstream, else the remote's default.
        """
        location, upstream = self.remote()
        carried = tuple((key, value) for key, value in self._settings if _CARRIED.match(key))
        return Remote(location, branch or upstream, self.environ, carried)

    @cached_property
    def _inside(self) -> str | None:
        """Where in its work tree the folder is: empty or `a/b/`; None where it is in none."""
        if not self.root.is_dir():
            return None
        done = self._git.run("rev-parse", "--is-inside-work-tree", "--show-prefix")
        if done.status and b"not a git repository" not in done.stderr:
            raise failure(done)
        inside, _, prefix = done.stdout.decode("utf-8", "surrogateescape").partition("\n")
        return prefix.removesuffix("\n") if inside == "true" else None

    @cached_property
    def _settings(self) -> tuple[tuple[str, str], ...]:
        """Git's settings here; of those with the same name the last one counts."""
        done = self._git.run("config", "--null", "--list")
        entries = (entry.partition("\n") for entry in done.stdout.decode("utf-8", "replace").split("\0") if entry)
        return tuple((key, value) for key, _, value in entries)

    def _not_git(self) -> RepositoryError:
        return RepositoryError(f"{self.root} is not a git repository", code="not-git", hint="git init")

    def _top(self) -> Path:
        return Path(self._git.read("rev-parse", "--show-toplevel"))

    def _refuse_uncommitted(self, changeset: ChangeSet) -> None:
        prefix = self._inside
        if prefix is None:
            return
        paths = {operation.path for operation in changeset.operations}
        # A long list would not fit into an argument list; the whole status then answers as well.
        named = sorted(paths) if len(paths) <= _ARGUMENTS else []
        status = self._git.read(
            *(
                "--no-optional-locks",
                "--literal-pathspecs",
                "status",
                "--porcelain",
                "-z",
                "--untracked-files=all",
                "--ignored",
                "--no-renames",
            ),
            *("--", *named),
        )
        dirty = sorted(paths & {entry[3:].removeprefix(prefix) for entry in status.split("\0")})
        if dirty:
            raise RepositoryError(
                f"{dirty[0]} has uncommitted changes",
                code="uncommitted-changes",
                hint="commit or stash them first; other local changes may stay",
                file=dirty[0],
            )


def _not_committed(done: Completed) -> GitopsTkError:
    if b"tell me who you are" in done.stderr or b"ident name" in done.stderr:
        return RepositoryError(
            "git does not know who commits",
            code="no-identity",
            hint="set GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL, "
            "or git config user.name and user.email",
        )
    return failure(done)


def _not_here(_oids: Iterable[str]) -> None:
    raise RepositoryError(
        "the checkout lacks objects of its history",
        code="missing-objects",
        hint="it is a partial clone: name the remote with --repo URL",
    )
