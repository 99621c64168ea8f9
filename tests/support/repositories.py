"""Bare repositories made quickly, and looked into with plain git: an opinion independent of the tool's own code."""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
"""
# For `init`: by which URL Argo CD reads the repository, which no remote of a test is.
ARGOCD = ("--argocd-repository", "https://git.example.com/shop/gitops.git")
# Nothing of a test has to last: no write waits for the disk, and nobody tidies up after a push.
_SERVED = """[core]
\tfsync = none
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[http]
\treceivepack = true
[receive]
\tautogc = false
"""
_VALUES = "# {service} in {env}\nimage:\n  repository: registry.example.com/{service}\n  tag: {tag} # set by CI\n"


def git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    """Runs git in a folder and returns what it says."""
    done = subprocess.run(["git", *arguments], cwd=folder, input=data, capture_output=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def bare(folder: Path, files: Mapping[str, bytes] | None = None, branch: str = "main") -> Path:
    """Makes a bare repository that serves partial clones, with one commit of these files."""
    made = _with_files(branch, tuple(files.items())) if files else _empty(branch)
    return shutil.copytree(made, folder)


@cache
def _empty(branch: str) -> Path:
    folder = _kept() / f"empty-{branch}"
    git(folder.parent, "init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(folder))
    with (folder / "config").open("a") as config:
        config.write(_SERVED)
    return folder


@cache
def _with_files(branch: str, files: tuple[tuple[str, bytes], ...]) -> Path:
    # Many tests begin with the same repository: it is made once.
    folder = shutil.copytree(_empty(branch), Path(tempfile.mkdtemp(dir=_kept()), "made"))
    commit(folder, dict(files), branch=branch)
    return folder


@cache
def _kept() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gitops-tk-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def commit(
    folder: Path,
    files: Mapping[str, bytes | None],
    branch: str = "main",
    message: str = "by hand",
    modes: Mapping[str, str] | None = None,
    age: int = 0,
) -> str:
    """Commits files on a bare repository's branch, some seconds ago; returns the commit's id.

    None deletes a file; of a submodule it is the id of its commit that is given.
    """
    parent = branch if branch in tips(folder) else None
    parts = stream(files, branch, message, modes, age, parent=parent)
    return git(folder, "fast-import", "--quiet", data=b"".join([*parts, b"get-mark :1\n"]))


def tips(folder: Path) -> dict[str, str]:
    """Each branch of a bare repository with its commit: read as git keeps them, for this happens often."""
    packed = folder / "packed-refs"
    rows = [line.split(" ") for line in packed.read_text().splitlines()] if packed.exists() else []
    found = {row[1]: row[0] for row in rows if len(row) == 2 and row[1].startswith("refs/heads/")}
    for path in (folder / "refs" / "heads").rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            found[path.relative_to(folder).as_posix()] = path.read_text().strip()
    return {name.removeprefix("refs/heads/"): oid for name, oid in found.items()}


def stream(
    files: Mapping[str, bytes | None],
    branch: str,
    message: str = "by hand",
    modes: Mapping[str, str] | None = None,
    age: int = 0,
    *,
    parent: str | None,
) -> list[bytes]:
    """A commit on a branch, made on another one, as git-fast-import(1) takes it; see `commit`."""
    when = int(time.time()) - age
    parts = [
        f"commit refs/heads/{branch}\nmark :1\ncommitter A Person <person@example.com> {when} +0000\n".encode(),
        _data(message.encode()),
    ]
    if parent is not None:
        parts.append(f"from refs/heads/{parent}^0\n".encode())
    for path, content in files.items():
        if content is None:
            parts.append(f"D {path}\n".encode())
        else:
            mode = (modes or {}).get(path, "100644")
            if mode == "160000":
                parts.append(f"M {mode} {content.decode()} {path}\n".encode())
                continue
            parts += [f"M {mode} inline {path}\n".encode(), _data(content)]
    return [*parts, b"\n"]


def at(branch: str, other: str) -> bytes:
    """A branch that begins where another one is, as git-fast-import(1) takes it."""
    return f"reset refs/heads/{branch}\nfrom refs/heads/{other}^0\n\n".encode()


def values(service: str, env: str, tag: str = "v1.0.0") -> bytes:
    """A values file as a person would write it."""
    return _VALUES.format(service=service, env=env, tag=tag).encode()


def gitops(
    folder: Path, services: Sequence[str] = ("user-service",), config: bytes = CONFIG, tag: str = "v1.0.0"
) -> Path:
    """Makes a bare GitOps repository: values alone, every service in dev, staging and prod."""
    files = {"gitops-tk.yaml": config}
    for service in services:
        for env in ("dev", "staging", "prod"):
            files[f"services/{service}/envs/{env}.yaml"] = values(service, env, tag)
    return bare(folder, files)


def checkout(remote: Path, folder: Path) -> Path:
    """Clones a bare repository."""
    git(remote, "clone", "--quiet", str(remote), str(folder))
    return folder


def show(folder: Path, path: str, branch: str = "main") -> bytes:
    """A file's bytes at a branch."""
    done = subprocess.run(["git", "cat-file", "blob", f"{branch}:{path}"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, (path, done.stderr)
    return done.stdout


def count(folder: Path, branch: str = "main") -> int:
    """How many commits a branch has."""
    return int(git(folder, "rev-list", "--count", branch))


def idle(folder: Path, word: str, status: int) -> dict[str, str]:
    """An environment whose git does nothing and ends with this status, where it is told this word."""
    folder.mkdir(exist_ok=True)
    case = f'case " $* " in *" {word} "*) exit {status};; esac'
    (folder / "git").write_text(f'#!/bin/sh\n{case}\nexec {shutil.which("git")} "$@"\n')
    (folder / "git").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def state(folder: Path) -> str:
    """All refs with their commits: what must not change when a command is refused."""
    return git(folder, "for-each-ref")


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
