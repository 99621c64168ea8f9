"""The project as it is published: built from a copy, so that nothing else in its folder counts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".demo", "build", "dist", "__pycache__", ".*_cache", ".hypothesis")


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Runs a command that has to succeed, and returns what it wrote."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy(folder: Path, *, mode: int = 0o644, when: float | None = None) -> Path:
    """Copies the project, with other rights and times of its files."""
    shutil.copytree(PROJECT, folder, ignore=_LEFT_OUT)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode | (path.stat().st_mode & 0o100))
            if when is not None:
                os.utime(path, (when, when))
    return folder


def build(project: Path, into: Path, **environment: str) -> tuple[Path, Path]:
    """Builds the source distribution, and from it the wheel, as an installer without a wheel would; returns both."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), ".", cwd=project, **environment)
    (source,) = into.glob("gitops_tk-*.tar.gz")
    (wheel,) = into.glob("gitops_tk-*.whl")
    return source, wheel


def first_bump(tool: str, folder: Path, **environment: str) -> None:
    """What a new user does first: a repository, a service, a remote, a new image; it has to arrive."""
    remote, gitops = folder / "remote.git", folder / "gitops"
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote), cwd=folder)
    new = ("new-service", "user-service", "--image", "registry.example.com/user-service", "--commit")
    run(tool, "init", "gitops", "--commit", cwd=folder, **environment)
    run(tool, *new, cwd=gitops, **environment)
    run("git", "push", "--quiet", str(remote), "HEAD:main", cwd=gitops)
    bump = ("bump", "user-service", "-e", "dev", "--tag", "v1.2.3", "--repo", f"file://{remote}")
    assert "pushed " in run(tool, *bump, cwd=folder, **environment)
    shown = run("git", "show", "main:services/user-service/envs/dev.yaml", cwd=remote)
    assert "v1.2.3" in shown
