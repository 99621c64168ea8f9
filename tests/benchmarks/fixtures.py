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


def with_charts(folder: Path, services: int) -> Path:
    """The same with a chart for each environment."""
    config = repo.CONFIG + b"layout: {chart: 'services/{service}/{env}/chart'}\n"
    files = {"gitops-tk.yaml": config}
    for number in range(services):
        for env in ENVIRONMENTS:
            files[path(number, env)] = values(number, env, "v1.0.0")
            files |= chart(number, env, 0)
    remote = repo.bare(folder, files)
    for number in range(_COMMITS - 1):
        repo.commit(remote, {path(number % services): values(number % services, "dev", f"v1.0.0-{number}")})
    repo.git(remote, "repack", "-adq")
    return remote


def chart(number: int, env: str, edition: int) -> dict[str, bytes]:
    """The files of a service's chart in an environment."""
    root = f"services/{service(number)}/{env}/chart"
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: {service(number)}\nversion: 1.0.{edition}\n".encode(),
        "values.yaml": f"image:\n  tag: ''\nedition: {edition}\n".encode(),
    }
    files |= {f"templates/{one}.yaml": f"# template {one}\n".encode() for one in range(10)}
    return {f"{root}/{name}": data for name, data in files.items()}
