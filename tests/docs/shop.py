"""The repository that documents speak of: two services with a past, on a forge, with an Argo CD that follows it.

A document that makes no repository (`git init`) and clones none begins in a checkout of it, as a colleague would: git
knows who commits, and the environment has the logins. Beside it lies an older one that nobody has set up, `older`. A
document that clones finds an empty repository, and its token in a file.
"""

import atexit
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.support import repositories as repo
from tests.support.argocd_server import App, ArgoCD, state
from tests.support.cli import run
from tests.support.forges.github import GitHub
from tests.support.forges.server import TOKEN, Dialect, serve
from tests.support.layouts import laid_out

# Where documents say that it is; what is played has the local forge there.
URL = "https://github.com/example/gitops"
SERVICES = ("user-service", "order-service")
_ARGOCD = "git@git.example.com:shop/gitops.git"
_POLICY = """    push-now: true
    gates: {soak: 24h}
    override: [soak]
"""
# What has happened: how many hours ago, in which environment, which image of which service came.
_PAST = (
    (240, "dev", "user-service", "v1.2.3", 53),
    (216, "staging", "user-service", "v1.2.3", 53),
    (192, "prod", "user-service", "v1.2.3", 53),
    (190, "prod", "order-service", "v2.0.0", 20),
    (168, "staging", "user-service", "v1.2.4", 54),
    (144, "dev", "user-service", "v1.2.5", 55),
    (120, "staging", "user-service", "v1.2.5", 55),
    (3, "prod", "user-service", "v1.2.4", 54),
    (3, "prod", "order-service", "v2.0.1", 21),
    (2, "dev", "order-service", "v2.1.0", 22),
    (1, "staging", "order-service", "v2.1.0", 22),
)
_BEGAN = 300
_FROM = {"staging": "dev", "prod": "staging"}


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """A checkout of it below a folder, its address, and the logins of those who work with it."""
    forge, argocd = folder / ".forge", folder / ".argocd"
    argocd.mkdir()
    for path, data in laid_out("apps/{env}/{service}/values.yaml", SERVICES).items():
        (folder / "older" / path).parent.mkdir(parents=True)
        (folder / "older" / path).write_bytes(data)
    bare = shutil.copytree(_made(), forge / "example/gitops")
    with serve(forge, GitHub) as server, serve(argocd, ArgoCD) as live:
        server.add("example/gitops", bare)
        checkout = repo.checkout(bare, folder / "gitops")
        url = server.url("example/gitops")
        repo.git(checkout, "remote", "set-url", "origin", url)
        assert isinstance(live.dialect, ArgoCD)
        tip = repo.git(bare, "rev-parse", "main")
        for name in ("user-service-prod", "order-service-prod"):
            live.dialect.apps[name] = App([state(tip)])
        yield checkout, url, {"GITOPS_TK_TOKEN": TOKEN, "ARGOCD_SERVER": live.api, "ARGOCD_AUTH_TOKEN": TOKEN}


@contextmanager
def empty(folder: Path, dialect: type[Dialect] = GitHub) -> Iterator[str]:
    """A forge with a repository that holds nothing yet; its address."""
    forge = folder / ".forge"
    bare = repo.bare(forge / "example/gitops")
    (folder / ".home/.gitops-token").write_text(TOKEN + "\n")
    with serve(forge, dialect) as server:
        server.add("example/gitops", bare)
        yield server.url("example/gitops")


@cache
def _made() -> Path:
    """The bare repository: begun by the program itself, with commits that are as old as they are said to be."""
    kept = Path(tempfile.mkdtemp(prefix="gitops-tk-shop-"))
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    begun, bare = kept / "begun", repo.bare(kept / "gitops")
    for arguments in (
        ("init", str(begun), "--chart-per-environment", "--forge", "github", "--argocd-repository", _ARGOCD),
        *(("new-service", name, "--image", f"registry.example.com/shop/{name}") for name in SERVICES),
        ("values", "set", "user-service", "-e", "dev", "config.data.LOG_LEVEL=trace"),
    ):
        ran = run(*arguments, "--commit", cwd=begun if begun.exists() else kept)
        assert ran.status == 0, ran.err
    config = begun / "gitops-tk.yaml"
    text, done = re.subn(r"(    publish: pull-request.*\n)", rf"\1{_POLICY}", config.read_text())
    assert done == 1, text
    config.write_text(text)
    files = {path.relative_to(begun).as_posix(): path.read_bytes() for path in begun.rglob("*") if path.is_file()}
    repo.commit(bare, {path: data for path, data in files.items() if not path.startswith(".git/")}, age=_BEGAN * 3600)
    for hours, env, service, tag, build in _PAST:
        path = f"services/{service}/envs/{env}.yaml"
        text, before = _set(repo.show(bare, path).decode(), tag, build)
        message = _message(env, service, tag) + f"Gitops-Tk-Change: {env}/{service} image.tag {before} -> {tag}\n"
        repo.commit(bare, {path: text.encode()}, message=message, age=hours * 3600)
    return bare


def _set(text: str, tag: str, build: int) -> tuple[str, str]:
    (before,) = re.findall(r"^  tag: (.*)", text, re.MULTILINE)
    return re.sub(r"  tag: .*\n(  build: .*\n)?", f"  tag: {tag}\n  build: {build}\n", text), before


def _message(env: str, service: str, tag: str) -> str:
    source = _FROM.get(env)
    if source is None:
        return f"bump: {service} {tag} in {env}\n\nGitops-Tk-Command: bump\n"
    title = f"promote: {service} {tag} from {source} to {env}"
    return f"{title}\n\nGitops-Tk-Command: promote\nGitops-Tk-Source: {source}\n"
