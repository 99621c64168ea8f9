"""A GitOps repository on a local forge, and promotions to prod, where changes are proposed, run in this process."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gitops_tk.config.forge import ForgeKind
from gitops_tk.forges.place import API
from gitops_tk.model.changes import Plan
from gitops_tk.model.result import Result
from gitops_tk.workflows.deliver import deliver
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.promote import PromoteRequest, plan
from gitops_tk.workflows.views import Views
from tests.support import repositories as repo
from tests.support.forges.server import TOKEN, ForgeServer, serve
from tests.support.forges.stage import CASES
from tests.support.forges.state import Pull, Repository

CONFIG = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n")


class Shop:
    """A GitOps repository on a forge.

    Attributes:
        server: the forge.
        folder: the bare repository.
        here: what the forge keeps about it.
        url: the remote's address.
    """

    def __init__(self, kind: ForgeKind, server: ForgeServer, folder: Path, here: Repository) -> None:
        self.kind = kind
        self.server = server
        self.folder = folder
        self.here = here
        self.url = server.url(CASES[kind].url)
        # Bitbucket Cloud has one address alone: another one is for the environment to name.
        api = {API: server.api} if kind == "bitbucket" else {}
        self.environ = {**os.environ, "GITOPS_TK_TOKEN": TOKEN, **api}

    def set(self, env: str, **tags: str) -> None:
        """Somebody sets images: `a="v2"` that of the service a."""
        files = {_path(name, env): repo.values(name, env, tag) for name, tag in tags.items()}
        repo.commit(self.folder, files)

    def configure(self, text: str) -> None:
        """Somebody adds lines to gitops-tk.yaml's `forge`."""
        before = repo.show(self.folder, "gitops-tk.yaml")
        repo.commit(self.folder, {"gitops-tk.yaml": before + text.encode()})

    def promote(self, *services: str, **options: Any) -> Result:
        """Promotes from staging to prod."""
        asked = {key: options.pop(key) for key in ("split", "tag") if key in options}
        request = PromoteRequest(source="staging", target="prod", services=services, **asked)

        def planner(views: Views, intent: Any) -> Plan:
            return plan(request, views, intent)

        given = {"repo": self.url, "cwd": self.folder.parent, "environ": self.environ, "body": _body, **options}
        return deliver("promote", planner, Options(**given))

    def pull(self, number: int) -> Pull:
        """A pull request, as it is now."""
        self.here.refresh()
        return self.here.pulls[number]

    def opened(self) -> list[Pull]:
        """Those that are open, the oldest first."""
        self.here.refresh()
        return self.here.opened()[::-1]

    def proposed(self, pull: Pull, service: str) -> bytes:
        """What a pull request has for a service in prod."""
        return repo.show(self.folder, _path(service, "prod"), pull.branch)

    def written(self) -> list[str]:
        """The requests that may have changed something, since the last time they were asked for."""
        seen, self.server.seen.requests = self.server.seen.requests, []
        return [one for one in seen if not one.startswith("GET ")]


@contextmanager
def shop(root: Path, kind: ForgeKind = "github", services: Sequence[str] = ("a", "b")) -> Iterator[Shop]:
    """A forge with a repository of services, all at v1.0.0."""
    case = CASES[kind]
    folder = repo.gitops(root / case.url, services, CONFIG + f"forge:\n  kind: {kind}\n".encode())
    with serve(root, case.dialect) as server:
        yield Shop(kind, server, folder, server.add(case.path, folder))


def _path(service: str, env: str) -> str:
    return f"services/{service}/envs/{env}.yaml"


def _body(views: Views, plan: Plan, dialect: Any) -> str:
    return "\n".join(f"- {change.service} {change.from_} -> {change.to}" for change in plan.changeset.changes)
