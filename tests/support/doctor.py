"""A repository with everything that doctor looks at as it should be, and for each rule what makes it wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gitops_tk.config.forge import ForgeKind
from gitops_tk.forges.place import API
from gitops_tk.http import Patience
from gitops_tk.model.findings import Finding
from gitops_tk.model.result import Result
from gitops_tk.workflows.doctor import doctor
from gitops_tk.workflows.options import Options
from tests.support import repositories as repo
from tests.support.argocd_server import App, ArgoCD, state
from tests.support.forges.server import TOKEN, ForgeServer, Response, serve
from tests.support.forges.server import Fault as Wrong
from tests.support.forges.stage import CASES, Time
from tests.support.forges.state import Repository

CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
    publish: pull-request
    gates: {soak: 1h}
forge: {kind: KIND}
argocd: {repository: "https://git.example.com/shop/gitops.git"}
"""
# What the checkout's own git settings are: a CI system's machine has none.
_IDENTITY = ("user.name", "user.email")


@dataclass
class Scene:
    """A checkout, its remote on a forge, and an Argo CD.

    Attributes:
        time: the clock that the doctor has; it goes on by waiting alone.
    """

    kind: ForgeKind
    checkout: Path
    server: ForgeServer
    argocd: ForgeServer
    here: Repository
    environ: dict[str, str]
    repo: str | None = None
    clock: float | None = None
    options: dict[str, bool] = field(default_factory=dict)

    def look(self, *, offline: bool = False) -> Result:
        """What doctor says."""
        time = Time() if self.clock is None else Time(self.clock)
        patience = Patience(total=0.0, connect=5.0, read=10.0)
        if self.clock is not None:
            patience = time.patience(total=0.0)
        options = Options(repo=self.repo, cwd=self.checkout, environ=self.environ)
        return doctor(options, offline=offline, patience=patience)

    def finding(self, rule: str, *, offline: bool = False) -> Finding:
        """What doctor says of one rule."""
        (found,) = (one for one in self.look(offline=offline).details["findings"] if one["rule"] == rule)
        return Finding(**found)

    def write(self, path: str, text: str) -> None:
        """Writes a file of the checkout."""
        (self.checkout / path).write_text(text)


@contextmanager
def scene(folder: Path, kind: ForgeKind = "github") -> Iterator[Scene]:
    """All is well."""
    case = CASES[kind]
    bare = folder / "forge" / case.url
    repo.gitops(bare, config=CONFIG.replace(b"KIND", kind.encode()))
    (folder / "argocd").mkdir()
    with serve(folder / "forge", case.dialect) as server, serve(folder / "argocd", ArgoCD) as argocd:
        here = server.add(case.path, bare)
        url = f"{server.root_url}/{case.url}"
        checkout = repo.checkout(bare, folder / "checkout")
        repo.git(checkout, "remote", "set-url", "origin", url)
        assert isinstance(argocd.dialect, ArgoCD)
        argocd.dialect.apps["user-service-dev"] = App([state("f" * 40)])
        environ = {
            **os.environ,
            "GITOPS_TK_TOKEN": TOKEN,
            "ARGOCD_SERVER": argocd.api,
            "ARGOCD_AUTH_TOKEN": TOKEN,
            **({API: server.api} if kind == "bitbucket" else {}),
        }
        yield Scene(kind, checkout, server, argocd, here, environ)


def _no_git(scene: Scene) -> None:
    scene.environ["PATH"] = str(scene.checkout)


def _old_git(scene: Scene) -> None:
    program = scene.checkout / "git"
    program.write_text("#!/bin/sh\necho git version 2.20.1\n")
    program.chmod(0o755)
    scene.environ["PATH"] = f"{scene.checkout}:{scene.environ['PATH']}"


def _no_helm(scene: Scene) -> None:
    scene.environ["GITOPS_TK_HELM"] = "helm-that-is-not-there"


def _broken_helm(scene: Scene) -> None:
    program = scene.checkout / "helm"
    program.write_text("#!/bin/sh\necho 'Error: out of order' >&2\nexit 1\n")
    program.chmod(0o755)
    scene.environ["GITOPS_TK_HELM"] = str(program)


def _broken_config(scene: Scene) -> None:
    scene.write("gitops-tk.yaml", "apiVersion: gitops-tk/v1\nenvironmets: []\n")


def _nobody(scene: Scene) -> None:
    (Path(scene.environ["HOME"]) / ".gitconfig").unlink()


def _of_another_host(scene: Scene) -> None:
    scene.environ["GITHUB_TOKEN"] = scene.environ.pop("GITOPS_TK_TOKEN")


def _readable(scene: Scene) -> None:
    repo.git(scene.checkout, "remote", "set-url", "origin", "http://git.example.com/shop/gitops.git")


def _shallow(scene: Scene) -> None:
    repo.commit(scene.here.folder, {"more.txt": b"more\n"})
    shutil.rmtree(scene.checkout)
    url = f"file://{scene.here.folder}"
    repo.git(scene.here.folder, "clone", "--quiet", "--depth=1", url, str(scene.checkout))


def _hook(scene: Scene) -> None:
    hook = scene.checkout / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)


def _filter(scene: Scene) -> None:
    scene.write(".gitattributes", "services/**/prod.yaml filter=git-crypt\n")


def _wired_elsewhere(scene: Scene) -> None:
    (scene.checkout / "argocd").mkdir()
    generator = "{git: {repoURL: 'https://git.example.com/old/gitops.git'}}"
    scene.write("argocd/apps-dev.yaml", f"kind: ApplicationSet\nspec:\n  generators: [{generator}]\n")


def _gone(scene: Scene) -> None:
    repo.git(scene.checkout, "remote", "set-url", "origin", scene.server.root_url + "/shop/other.git")


def _no_remote(scene: Scene) -> None:
    repo.git(scene.checkout, "remote", "remove", "origin")


def _login_refused(scene: Scene) -> None:
    scene.server.behaviour.password = "another-one"


def _read_only(scene: Scene) -> None:
    repo.git(scene.here.folder, "config", "http.receivepack", "false")


def _late(scene: Scene) -> None:
    import time

    scene.clock = time.time() + 300


def _unknown_forge(scene: Scene) -> None:
    _replaced(scene, "forge: {kind: github}", "forge: {}")


def _forge_down(scene: Scene) -> None:
    scene.server.faults = [Wrong(response=Response(503, {"message": "maintenance"}), times=99)]


def _no_token(scene: Scene) -> None:
    del scene.environ["GITOPS_TK_TOKEN"]


def _bad_token(scene: Scene) -> None:
    scene.environ["GITOPS_TK_TOKEN"] = "an-old-token-0123456789"


def _expires(scene: Scene) -> None:
    import time

    scene.here.settings.expires = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86400))


def _no_push_right(scene: Scene) -> None:
    scene.here.settings.pushes = False


def _no_pull_requests(scene: Scene) -> None:
    scene.here.settings.scopes = ("read:org",)


def _guarded(scene: Scene) -> None:
    scene.here.settings.passes = False


def _open(scene: Scene) -> None:
    scene.here.settings.guarded = False


def _not_required(scene: Scene) -> None:
    scene.here.settings.required = ("lint",)


def _argocd_token(scene: Scene) -> None:
    scene.environ["ARGOCD_AUTH_TOKEN"] = "an-old-token-0123456789"


def _argocd_gone(scene: Scene) -> None:
    scene.environ["ARGOCD_SERVER"] = "http://127.0.0.1:1"


def _argocd_unset(scene: Scene) -> None:
    del scene.environ["ARGOCD_SERVER"]
    _replaced(scene, "gates: {soak: 1h}", "gates: {healthy: true}")


def _replaced(scene: Scene, old: str, new: str) -> None:
    text = (scene.checkout / "gitops-tk.yaml").read_text()
    assert old in text
    scene.write("gitops-tk.yaml", text.replace(old, new))


# What makes a rule fail, with a word of what is said, and whether it is an error.
PLANTED: dict[str, list[tuple[Callable[[Scene], None], str, str]]] = {
    "git": [(_no_git, "error", "not installed"), (_old_git, "error", "2.20 is too old")],
    "helm": [(_no_helm, "error", "there is none"), (_broken_helm, "error", "out of order")],
    "config": [(_broken_config, "error", "environmets")],
    "identity": [(_nobody, "error", "author")],
    "credentials": [(_of_another_host, "warning", "GITHUB_TOKEN is set"), (_readable, "error", "readable")],
    "shallow": [(_shallow, "warning", "shallow")],
    "hooks": [(_hook, "warning", "commit-msg")],
    "filters": [(_filter, "warning", "filter=git-crypt")],
    "argocd-repository": [
        (_wired_elsewhere, "warning", "apps-dev.yaml:3: the generator reads https://git.example.com/o")
    ],
    "remote": [
        (_gone, "error", "other.git"),
        (_no_remote, "warning", "no remote"),
        (_login_refused, "error", "refused the login"),
    ],
    "push": [(_read_only, "error", "takes no push")],
    "clock": [(_late, "error", "ahead of")],
    "forge": [(_unknown_forge, "warning", "not known"), (_forge_down, "error", "maintenance")],
    "forge-token": [(_no_token, "warning", "there is no token"), (_bad_token, "error", "refused the token")],
    "forge-expiry": [(_expires, "warning", "days)")],
    "forge-rights": [(_no_push_right, "error", "may not push"), (_no_pull_requests, "error", "may not")],
    "direct-push": [(_guarded, "error", "dev, staging is published by pushes")],
    "unprotected": [(_open, "warning", "prod can be changed without review")],
    "required-check": [(_not_required, "warning", "verify-pr fails or never ran")],
    "argocd": [
        (_argocd_token, "error", "refused the token"),
        (_argocd_gone, "error", "cannot be reached"),
        (_argocd_unset, "warning", "the gate healthy of prod"),
    ],
}
