"""A remote's newest commit in a private bare repository: no work tree, no index, and only the top of its tree."""

from collections.abc import Mapping
from pathlib import Path

from gitops_tk import process, scratch
from gitops_tk.errors import GitopsTkError, RepositoryError
from gitops_tk.process import Completed, Process
from gitops_tk.repository import credentials
from gitops_tk.repository.git import Git, check_version, failure
from gitops_tk.repository.location import RemoteLocation

# Two levels bring the configuration and the folders' listings; what is below is fetched by id when it is known.
# A server may limit the depth (uploadpackfilter.tree.maxDepth), or know no filters at all.
_FILTERS = ("--filter=tree:2", "--filter=blob:none", "--no-tags")

Settings = tuple[tuple[str, str], ...]


class Clone:
    """A clone that has been started, and is a repository once `finish` was called.

    Args:
        location: the remote.
        branch: the branch, or None for the remote's default.
        environ: the process's environment.
        settings: further git settings, such as those of a checkout.
    """

    def __init__(
        self,
        location: RemoteLocation,
        branch: str | None,
        environ: Mapping[str, str],
        settings: Settings = (),
    ) -> None:
        login = credentials.settings(location.url, location.login, environ)
        self.location = location
        self.branch = branch
        self.settings = settings
        self.folder = scratch.create()
        # What is written here may be lost: nobody waits for the disk. A remote does as its own configuration says.
        quiet = (("core.hooksPath", "/dev/null"), ("core.fsync", "none"), ("fastimport.unpackLimit", "1"))
        self.git = Git.from_environment(environ, (*settings, *login, *quiet), self.folder)
        self._filter = 0
        self._process = self._start("repository", _FILTERS[0], "--depth=1")
        # Not waited for before the clone has ended.
        self._version: Process | None = self.git.start("--version")
        # Git's identity and signing settings: asked for now, read when there is something to commit.
        self._variables: Process | None = self.git.start("var", "-l")
        self._repository = self.folder / "repository"

    @property
    def filter(self) -> str:
        """The filter that the server took, as an option of git fetch."""
        return _FILTERS[self._filter]

    @property
    def filters_trees(self) -> bool:
        """Whether the server took the filter that leaves out trees."""
        return self._filter == 0

    def finish(self) -> Path:
        """Waits for the clone and returns its folder.

        Raises:
            GitopsTkError: the remote cannot be read; told apart by class and code.
        """
        done = self.git.finish(self._process)
        if self._version is not None:
            check_version(self.git.finish(self._version).stdout)
            self._version = None
        while done.status and b"filter" in done.stderr and self._filter + 1 < len(_FILTERS):
            import shutil

            self._filter += 1
            shutil.rmtree(self._repository, ignore_errors=True)
            done = self.git.finish(self._start("repository", self.filter, "--depth=1"))
        if done.status:
            raise self._failure(done)
        self.forget_promises()
        return self._repository

    def whole(self) -> Path:
        """Clones again without any filter, for servers that do not hand out objects by id."""
        self._filter = len(_FILTERS) - 1
        return self._again("whole", "--depth=1")

    def deep(self) -> Path:
        """Clones again with all history: commits and trees, contents only where the server knows no filters."""
        return self._again("deep", *_FILTERS[1:2] if self._filter < len(_FILTERS) - 1 else ())

    def _again(self, name: str, *options: str) -> Path:
        self._process = self._start(name, *options)
        self._repository = self.folder / name
        return self.finish()

    def variables(self) -> dict[str, str]:
        """What `git var -l` says: the configuration and git's idea of who commits."""
        if self._variables is None:
            raise RuntimeError("the variables were read already")
        done = self.git.finish(self._variables)
        self._variables = None
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def forget_promises(self) -> None:
        """Makes a missing object missing: git would fetch each one by itself, in a connection of its own."""
        (self._repository / "config").write_text(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
            f'[remote "origin"]\n\turl = {_quoted(self.location.url)}\n',
            encoding="utf-8",
        )

    def close(self) -> None:
        """Stops what still runs and takes the folder away."""
        for running in (self._process, self._variables, self._version):
            if running is not None:
                process.stop(running)
        scratch.remove(self.folder)

    def _start(self, name: str, *options: str) -> Process:
        branch = [f"--branch={self.branch}"] if self.branch else []
        return self.git.start(
            *("clone", "--quiet", "--bare", "--single-branch", "--no-tags", "--template="),
            *(*options, *branch, "--", self.location.url, name),
        )

    def _failure(self, done: Completed) -> GitopsTkError:
        if self.branch and b"Remote branch" in done.stderr and b"not found" in done.stderr:
            own = self.branch.removeprefix("origin/")
            new = f"check --branch; if it is new, git push origin {self.branch} first"
            return RepositoryError(
                f"the remote {self.location.url} has no branch {self.branch}",
                code="unknown-branch",
                hint=new if own == self.branch else f"the remote itself calls it {own}",
            )
        return failure(done, self.location.url)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
