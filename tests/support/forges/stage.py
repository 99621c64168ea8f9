"""A forge of each kind with a repository, and the adapter that is connected to it as the program does it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gitops_tk.config.forge import ForgeKind
from gitops_tk.forges import registry
from gitops_tk.forges.place import API, find
from gitops_tk.forges.port import Forge, PullRequest, Wanted
from gitops_tk.http import Patience
from tests.support import repositories as repo
from tests.support.forges.azure import Azure, identity
from tests.support.forges.bitbucket import Bitbucket, uuid
from tests.support.forges.bitbucket_dc import BitbucketDC
from tests.support.forges.gitea import Gitea
from tests.support.forges.github import GitHub
from tests.support.forges.gitlab import GitLab
from tests.support.forges.server import TOKEN, Dialect, ForgeServer, serve
from tests.support.forges.state import Repository

BRANCH = "gitops-tk/prod/user-service"
OTHERS = tuple(f"gitops-tk/prod/service-{number}" for number in range(4))


class Case(NamedTuple):
    """A kind of forge, the path of a repository in its URLs, and the same repository's path on the forge."""

    dialect: type[Dialect]
    url: str
    path: str


CASES: dict[ForgeKind, Case] = {
    "github": Case(GitHub, "shop/gitops.git", "shop/gitops"),
    "gitlab": Case(GitLab, "shop/team/gitops.git", "shop/team/gitops"),
    "gitea": Case(Gitea, "shop/gitops.git", "shop/gitops"),
    "bitbucket": Case(Bitbucket, "shop/gitops.git", "shop/gitops"),
    "bitbucket-dc": Case(BitbucketDC, "scm/SHOP/gitops.git", "SHOP/gitops"),
    "azure": Case(Azure, "org/Shop/_git/gitops", "org/Shop/gitops"),
}


@dataclass
class Time:
    """A clock that goes on by waiting alone."""

    now: float = 1_800_000_000.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def patience(self, total: float = 120.0, read: float = 10.0) -> Patience:
        """As much patience as the program has, without the waiting."""
        return Patience(total=total, connect=5.0, read=read, sleep=self.sleep, clock=self.clock)


class Stage(NamedTuple):
    """A running forge, and the adapter."""

    kind: ForgeKind
    server: ForgeServer
    here: Repository
    forge: Forge
    time: Time
    url: str
    environ: dict[str, str]

    def again(self, patience: Patience | None = None) -> Forge:
        """The adapter once more, as another run of the program would have it."""
        return connect(self.kind, self.url, self.environ, patience or self.time.patience())

    def wanted(self, branch: str = BRANCH, **more: object) -> Wanted:
        """A pull request that is to be opened."""
        text = {"title": f"promote: {branch}", "body": "| service |\n|---|\n| user-service |\n"}
        return Wanted(branch=branch, base="main", **{**text, **more})  # type: ignore[arg-type]

    def opened(self, branch: str = BRANCH, **more: object) -> PullRequest:
        """A pull request that was opened by the adapter."""
        return self.forge.create(self.wanted(branch, **more))[0]

    def person(self, name: str) -> str:
        """A person as reviewers are called on this forge."""
        return {"bitbucket": uuid(name), "azure": identity(name)}.get(self.kind, name)


def connect(kind: ForgeKind, url: str, environ: dict[str, str], patience: Patience) -> Forge:
    """The adapter for a remote's URL."""
    place = find(url, environ, kind)
    return registry.connect(place, registry.login(place, environ), patience)


def template(folder: Path) -> Path:
    """A bare GitOps repository with proposals on branches, to be copied."""
    bare = repo.gitops(folder)
    shutil.rmtree(bare / "hooks", ignore_errors=True)
    for number, branch in enumerate((BRANCH, *OTHERS)):
        repo.git(bare, "branch", branch, "main")
        repo.commit(bare, {f"proposal-{number}.txt": b"yes\n"}, branch=branch, message=f"promote: {branch}")
    # Few files are quick to copy, and to take away.
    repo.git(bare, "repack", "-adq")
    repo.git(bare, "pack-refs", "--all")
    repo.git(bare, "prune-packed", "-q")
    return bare


@contextmanager
def staged(kind: ForgeKind, root: Path, bare: Path) -> Iterator[Stage]:
    """A forge with a copy of a bare repository on it."""
    case = CASES[kind]
    folder = root / case.url
    shutil.copytree(bare, folder)
    with serve(root, case.dialect) as server:
        here = server.add(case.path, folder)
        time, url = Time(), f"{server.root_url}/{case.url}"
        # Bitbucket Cloud has one address alone: another one is for the environment to name.
        environ = {"GITOPS_TK_TOKEN": TOKEN} | ({API: server.api} if kind == "bitbucket" else {})
        yield Stage(kind, server, here, connect(kind, url, environ, time.patience()), time, url, environ)
