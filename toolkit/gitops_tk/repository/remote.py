"""A remote: its newest commit as a Snapshot, a commit made on it, and the push of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from gitops_tk import scratch
from gitops_tk.errors import LoginFailed, RepositoryError
from gitops_tk.model.changes import Copy, Operation, Plan
from gitops_tk.model.history import Commit
from gitops_tk.model.snapshot import FOLDER
from gitops_tk.repository import early
from gitops_tk.repository.clone import Clone, Settings
from gitops_tk.repository.fastimport import Identity, stream
from gitops_tk.repository.git import Git, failure, unsigned
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.log import read_log
from gitops_tk.repository.objects import Objects, TreeEntry
from gitops_tk.repository.push import Pushed, classify
from gitops_tk.repository.tree import TreeSnapshot

# How long git's object ids are, in hex digits.
_ID = 40


class Remote:
    """A remote repository; use it in a `with` statement, which takes the temporary clone away.

    Attributes:
        made: the commits that were made here, whether their push was answered or not.
        environ: the process's environment.

    Args:
        location: where it is.
        branch: the branch to read and change; None for the remote's default.
        environ: the process's environment: git's identity, tokens, time limits.
        settings: git settings of a checkout that hold for its remote, too.
    """

    def __init__(
        self,
        location: RemoteLocation,
        branch: str | None,
        environ: Mapping[str, str],
        settings: Settings = (),
    ) -> None:
        self.location = location
        self._asked = branch
        self.environ = environ
        self._settings = settings
        self._clone: Clone | None = None
        self._branch = branch
        self._variables: dict[str, str] | None = None
        self._brought: set[str] = set()
        self.made: list[str] = []
        self._deep = False
        self._commits: dict[str, list[Commit]] = {}
        self._git = Git.from_environment(environ)
        self._objects = Objects(self._git)

    def __enter__(self) -> "Remote":
        self._clone = None if self._settings else early.adopt(self.location, self._asked)
        if self._clone is None:
            self._clone = Clone(self.location, self._asked, self.environ, self._settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._clone is not None:
            self._objects.close()
            self._clone.close()
            self._clone = None
        scratch.sweep()

    @property
    def home(self) -> RemoteLocation:
        """Where it is."""
        return self.location

    @property
    def branch(self) -> str:
        """The branch's name, known once a snapshot was taken."""
        return self._branch or ""

    @property
    def author(self) -> str:
        """Who commits here, as `Name <email>`.

        Raises:
            RepositoryError: git has no identity (`no-identity`).
        """
        return self._identity().author.rpartition(">")[0] + ">"

    @property
    def git(self) -> Git:
        """Git in the temporary clone."""
        return self._git

    def snapshot(self) -> TreeSnapshot:
        """The branch's newest commit as it was cloned.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: it cannot be read, or there is no such branch.
        """
        self._open(self._running.finish())
        if self._branch is None:
            head = (self._folder / "HEAD").read_text(encoding="utf-8").strip()
            if not head.startswith("ref: refs/heads/"):
                raise RepositoryError(
                    f"the remote {self.location.url} has no default branch: its HEAD is a commit",
                    code="unknown-branch",
                    hint="name a branch with --branch",
                )
            self._branch = head.removeprefix("ref: refs/heads/")
        found = self.at(f"refs/heads/{self._branch}")
        if found.revision is None:
            self._require_empty()
        return found

    def revision(self, commit: str | None = None) -> TreeSnapshot:
        """What was cloned, be it a branch or a tag; or another commit of the remote, by its whole id.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: it cannot be read.
        """
        self._open(self._running.finish())
        if commit is None:
            return self.at("HEAD")
        self.fetch(commit, "--depth=1")
        return self.at(commit)

    def named(self, name: str) -> TreeSnapshot:
        """What a branch or a tag of the remote holds, or a commit by its whole id; the snapshot is taken already.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: it cannot be read, or is not there.
        """
        if len(name) == _ID and not name.strip("0123456789abcdef"):
            self.fetch(name, "--depth=1")
            return self.at(name)
        from hashlib import sha256

        local = f"refs/gitops-tk/named/{sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
        self.fetch(f"+{name}:{local}", "--depth=1")
        return self.at(f"{local}^{{commit}}")

    def refresh(self) -> TreeSnapshot:
        """The branch's newest commit, fetched again."""
        # What is here of the history stays whole: only what is new comes on top.
        depth = ["--depth=1"] if self.is_shallow else []
        self.fetch(f"+refs/heads/{self.branch}:refs/heads/{self.branch}", *depth)
        return self.at(f"refs/heads/{self.branch}")

    def at(self, name: str) -> TreeSnapshot:
        """The commit that a name of the temporary clone stands for; empty where there is none."""
        commit = self._objects.commit(name)
        if commit is None:
            return TreeSnapshot(self._objects, self._bring, None, None)
        oid, data = commit
        return TreeSnapshot(self._objects, self._bring, oid, data[5:45].decode())

    def message(self, name: str) -> str:
        """The message of the commit that a name stands for, or an empty text."""
        commit = self._objects.commit(name)
        return commit[1].partition(b"\n\n")[2].decode("utf-8", "replace") if commit else ""

    def fetch(self, refspec: str | Sequence[str], *options: str, limit: str | None = None) -> bool:
        """Fetches refs or a commit into the temporary clone.

        Args:
            refspec: what; or several, in one request.
            limit: the filter; None for the one that the server took.

        Returns:
            Whether there was anything to fetch: a pattern may match nothing.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: it cannot be read.
        """
        arguments = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", limit or self._running.filter)
        refspecs = [refspec] if isinstance(refspec, str) else refspec
        done = self.git.run(*arguments, *options, "origin", *refspecs)
        self._running.forget_promises()
        if (
            done.status
            and "*" in refspecs[0]
            and (not done.stderr.strip() or b"no matching remote head" in done.stderr)
        ):
            return False
        if done.status:
            raise failure(done, self.location.url)
        return True

    @property
    def takes_trees(self) -> bool:
        """Whether the server hands out commits without their trees, and trees one by one."""
        return self._running.filters_trees

    def commits(self, tip: str) -> list[Commit]:
        """The commits that lead to a commit of the branch along the first parents, newest first.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: they cannot be read.
        """
        if tip not in self._commits:
            if self.is_shallow:
                self.fetch(tip, "--unshallow", limit="--filter=tree:0" if self.takes_trees else None)
            self._commits[tip] = read_log(self.git, tip)
        return self._commits[tip]

    @property
    def is_shallow(self) -> bool:
        """Whether older commits are not here."""
        return (self._folder / "shallow").exists()

    def find_entries(self, names: Mapping[str, Collection[str]]) -> Iterator[tuple[str, Mapping[str, TreeEntry]]]:
        """What trees have under names, see `Objects.find`."""
        return self._objects.find(names)

    def bring_trees(self, oids: Iterable[str], depth: int) -> None:
        """Fetches trees and what they list, so many levels deep; 1 for the trees alone.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: they cannot be read.
        """
        self._fetch_by_id(set(oids), f"--filter=tree:{depth}")

    def bring_all_trees(self) -> None:
        """Brings the branch's whole history: commits and trees, no contents.

        Raises:
            RemoteUnreachable, LoginFailed, RepositoryError: it cannot be read.
        """
        if not self._deep:
            self._open(self._running.deep())
            self._deep = True

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of these files, by id; those that are not here are fetched in one request."""
        wanted = set(oids)
        missing = wanted - self._objects.blobs(wanted).keys()
        if missing:
            self._bring(missing)
        return self._objects.blobs(wanted)

    def commit(self, snapshot: TreeSnapshot, plans: Sequence[Plan], *, chained: bool = True) -> list[str]:
        """Makes a commit of each plan, signed if git's configuration says so; returns their ids.

        Args:
            snapshot: what the first is made on.
            chained: each is made on the one before; else all on the snapshot.

        Raises:
            RepositoryError: git has no identity (`no-identity`), or cannot make a commit.
        """
        operations = [operation for plan in plans for operation in plan.changeset.operations]
        paths = [operation.path for operation in operations if not isinstance(operation, Copy)]
        modes = {path: entry.mode for path, entry in snapshot.entries(paths).items()}
        self._bring_copied(operations)
        data = stream(plans, modes, self._identity(), snapshot.revision, chained=chained)
        done = self.git.run("fast-import", "--quiet", "--force", data=data)
        if done.status:
            raise failure(done)
        oids = done.stdout.decode().split()
        if self._signs():
            oids = self._signed(oids, plans, snapshot.revision, chained=chained)
        self.made += oids
        return oids

    def push(self, oids: Mapping[str, str], leases: Mapping[str, str], options: Iterable[str] = ()) -> Pushed:
        """Pushes commits to branches, in one request.

        Args:
            oids: the commit of each branch; empty if it is to be deleted.
            leases: the id that each branch must still be at; empty if it must not exist.
            options: push options for the server (git-push(1)), left out where it takes none.

        Returns:
            The remote's answer; of several the one that asks for most attention.

        Raises:
            LoginFailed: the remote lets us read and not write.
        """
        force = [f"--force-with-lease=refs/heads/{branch}:{lease}" for branch, lease in leases.items()]
        refspecs = [f"{oid}:refs/heads/{branch}" for branch, oid in oids.items()]
        asked = [f"--push-option={option}" for option in options]
        done = self.git.run("push", "--porcelain", *force, *asked, "origin", *refspecs)
        if asked and b"does not support push options" in done.stderr:
            done = self.git.run("push", "--porcelain", *force, "origin", *refspecs)
        pushed = classify(done)
        if pushed.answer == "unknown":
            error = failure(done, self.location.url)
            if isinstance(error, LoginFailed) or error.code == "object-format":
                raise error
        return pushed

    def _require_empty(self) -> None:
        # There is no commit, yet only a repository without branches may be started anew.
        there = self.git.read("ls-remote", "--heads", "origin").splitlines()
        if there and len(there[0].split()[0]) > _ID:
            raise RepositoryError(
                f"the remote {self.location.url} names objects by SHA-256, which gitops-tk cannot read",
                code="object-format",
            )
        if there:
            first = there[0].partition("refs/heads/")[2]
            raise RepositoryError(
                f"the remote {self.location.url} has no branch {self._branch}",
                code="unknown-branch",
                hint=f"name one with --branch: it has {first}" + (" and others" if there[1:] else ""),
            )

    def _bring_copied(self, operations: Iterable[Operation]) -> None:
        # fast-import copies what it can find here alone; of a folder it needs the listing.
        copies = [operation for operation in operations if isinstance(operation, Copy)]
        folders = {copy.oid for copy in copies if copy.mode == FOLDER}
        files = {copy.oid for copy in copies} - folders
        missing = (folders - self._objects.trees(folders).keys()) | (files - self._objects.blobs(files).keys())
        if missing:
            self._bring(missing)

    def _bring(self, oids: Iterable[str]) -> None:
        wanted = set(oids)
        if wanted & self._brought:
            raise RepositoryError("the remote does not hand out some of its objects", code="missing-objects")
        self._brought |= wanted
        self._fetch_by_id(wanted)

    def _fetch_by_id(self, oids: set[str], *options: str) -> None:
        done = self.git.run(
            *(
                "-c",
                "fetch.negotiationAlgorithm=noop",
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
            ),
            *(*options, "--stdin", "origin"),
            data="".join(oid + "\n" for oid in sorted(oids)).encode(),
        )
        if options:
            self._running.forget_promises()
        if not done.status:
            return
        if b"unadvertised" not in done.stderr and b"not our ref" not in done.stderr:
            raise failure(done, self.location.url)
        self._open(self._running.whole())

    def _open(self, folder: Path) -> None:
        self._folder = folder
        self._git = self._running.git._replace(folder=folder)
        self._objects.reopen(self._git)

    @property
    def _running(self) -> Clone:
        if self._clone is None:
            raise RuntimeError("a Remote is used in a `with` statement")
        return self._clone

    def _known(self) -> dict[str, str]:
        if self._variables is None:
            self._variables = self._running.variables()
        return self._variables

    def _identity(self) -> Identity:
        known, environ = self._known(), self.environ
        for who in ("author", "committer"):
            for what in ("name", "email"):
                explicit = environ.get(f"GIT_{who.upper()}_{what.upper()}")
                configured = known.get(f"{who}.{what}") or known.get(f"user.{what}")
                if not (explicit or configured or (what == "email" and environ.get("EMAIL"))):
                    raise RepositoryError(
                        f"git does not know the {who}'s {what}",
                        code="no-identity",
                        hint="set GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL, "
                        "or git config user.name and user.email",
                    )
        return Identity(author=self._ident("GIT_AUTHOR_IDENT"), committer=self._ident("GIT_COMMITTER_IDENT"))

    def _ident(self, name: str) -> str:
        ident = self._known().get(name, "")
        # Asked for alone, git says what is wrong with a name or a date that it cannot use.
        return self.git.read("var", name) if not ident or ident.lstrip().startswith("<") else ident

    def _signs(self) -> bool:
        return self._known().get("commit.gpgsign", "").lower() in ("true", "yes", "on", "1")

    def _signed(self, oids: Iterable[str], plans: Sequence[Plan], parent: str | None, *, chained: bool) -> list[str]:
        # fast-import cannot sign: the trees that it made are committed once more, by git itself.
        signed: list[str] = []
        for oid, plan in zip(oids, plans, strict=True):
            above = signed[-1] if chained and signed else parent
            onto = ["-p", above] if above else []
            done = self.git.run("commit-tree", "-S", f"{oid}^{{tree}}", *onto, "-F", "-", data=plan.message.encode())
            if done.status:
                raise unsigned(done)
            signed.append(done.stdout.decode().strip())
        return signed
