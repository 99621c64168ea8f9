"""Repositories of the sizes that the benchmarks speak of."""

from pathlib import Path

from tests.support import repositories as repo

ENVIRONMENTS = ("dev", "staging", "prod")
_COMMITS = 200
_LINES = "".join(f"  # what setting {number} is for\n  SETTING_{number}: value-{number}\n" for number in range(26))


def service(number: int) -> str:
    """A service's name."""
    return f"service-{number:04d}"


def path(number: int, env: str = "dev") -> str:
    """A service's values file."""
    return f"services/{service(number)}/envs/{env}.yaml"


def values(number: int, env: str, tag: str) -> bytes:
    """A commented values file of about 60 lines."""
    head = f"# {service(number)} in {env}\nreplicaCount: 2\n\nimage:\n  # set by the pipeline\n"
    return f"{head}  repository: registry.example.com/{service(number)}\n  tag: {tag}\n\nconfig:\n{_LINES}".encode()


def gitops(folder: Path, services: int, tag: str = "v1.0.0") -> Path:
    """A bare repository of so many services in three environments, with 200 commits of history."""
    files = {"gitops-tk.yaml": repo.CONFIG}
    for number in range(services):
        for env in ENVIRONMENTS:
            files[path(number, env)] = values(number, env, tag)
    remote = repo.bare(folder, files)
    for number in range(_COMMITS - 1):
        repo.commit(remote, {path(number % services): values(number % services, "dev", f"{tag}-{number}")})
    repo.git(remote, "repack", "-adq")
    return remote
