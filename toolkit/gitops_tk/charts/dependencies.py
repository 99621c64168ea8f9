"""A chart's dependencies: vendored in `charts/`, in the same repository by `file://`, or fetched as Chart.lock says.

A missing one is an error, never a silent half: Helm renders without it and says nothing.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from posixpath import normpath
from typing import Any

from gitops_tk.charts.engine import ChartFiles, Dependency
from gitops_tk.charts.lock import LOCK, locked
from gitops_tk.charts.manifest import composed
from gitops_tk.errors import ChartError
from gitops_tk.helm_yaml import plain

ReadTree = Callable[[str], Mapping[str, bytes] | None]
Pull = Callable[[Dependency], bytes]
_DEEPEST = 8
# Charts that need each other several times over multiply.
_MOST_FILES = 10_000


def complete(chart: ChartFiles, root: str, read_tree: ReadTree, pull: Pull, depth: int = 0) -> dict[str, bytes]:
    """The chart's files with all its dependencies in `charts/`.

    Args:
        chart: its files, by their paths inside it.
        root: its folder in the repository.
        read_tree: reads the chart in a folder of the repository; None where there is none.
        pull: fetches the archive of a chart that is elsewhere.

    Raises:
        ChartError: a dependency is missing (`missing-dependency`), cannot be fetched (`dependency-pull`), the lock
            is for others (`lock-out-of-date`), or they go in a circle (`dependency-circle`) or bring too much along
            (`chart-too-large`).
    """
    if depth > _DEEPEST:
        raise ChartError(f"the dependencies of {root} go too deep, or in a circle", code="dependency-circle", file=root)
    files = dict(chart)
    declared = _declared(chart, root)
    for dependency in declared:
        name, repository = str(dependency.get("name", "")), str(dependency.get("repository", "") or "")
        if _is_vendored(chart, name, str(dependency.get("version", ""))):
            continue
        if repository.startswith("file://"):
            folder = _folder(dependency, root)
            found = read_tree(folder) if folder else None
            if folder is None or found is None:
                raise _missing(root, name)
            nested = complete(found, folder, read_tree, pull, depth + 1)
            files |= {f"charts/{name}/{path}": data for path, data in nested.items()}
            if len(files) > _MOST_FILES:
                message = f"the dependencies of {root} bring more than {_MOST_FILES} files along"
                raise ChartError(message, code="chart-too-large", file=root)
            continue
        known = locked(dependency, declared, _yaml(chart, LOCK, root) if LOCK in chart else None, root)
        if known is None:
            raise _missing(root, name)
        files[f"charts/{name}-{known.version}.tgz"] = pull(known)
    return files


def neighbours(chart: ChartFiles, root: str) -> list[str]:
    """The folders of the repository that a chart's dependencies are in.

    Raises:
        ChartError: its Chart.yaml is broken.
    """
    return [folder for one in _declared(chart, root) if (folder := _folder(one, root)) is not None]


def cached(pull: Pull) -> Pull:
    """The same pull, but what was fetched once is kept in the user's cache folder: a version does not change."""

    def pull_once(dependency: Dependency) -> bytes:
        from platformdirs import user_cache_path

        key = "\0".join((dependency.repository, dependency.name, dependency.version))
        try:
            place = user_cache_path("gitops-tk") / "charts" / f"{hashlib.sha256(key.encode()).hexdigest()}.tgz"
        except RuntimeError:
            # A user without a home, as in some containers, has no cache.
            return pull(dependency)
        with suppress(OSError):
            return place.read_bytes()
        archive = pull(dependency)
        # A cache that cannot be written costs time, and nothing else. The rename leaves no half of a file behind.
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            unfinished = place.with_name(f"{place.name}.{hashlib.sha256(archive).hexdigest()[:16]}")
            unfinished.write_bytes(archive)
            unfinished.replace(place)
        return archive

    return pull_once


def _missing(root: str, name: str) -> ChartError:
    return ChartError(
        f"the chart {root} depends on {name}, which is not in {root}/charts, and {LOCK} does not say where it is",
        code="missing-dependency",
        hint=f"helm dependency update {root}, and commit {root}/{LOCK}",
        file=f"{root}/Chart.yaml",
    )


def _folder(dependency: Mapping[str, Any], root: str) -> str | None:
    repository = str(dependency.get("repository", "") or "")
    if not repository.startswith("file://"):
        return None
    folder = normpath(f"{root}/{repository.removeprefix('file://')}")
    return None if folder.startswith(("..", "/")) else folder


def _declared(chart: ChartFiles, root: str) -> list[dict[str, Any]]:
    about = _yaml(chart, "Chart.yaml", root)
    declared = about.get("dependencies") if isinstance(about, dict) else None
    return [one for one in declared if isinstance(one, dict)] if isinstance(declared, list) else []


def _yaml(chart: ChartFiles, name: str, root: str) -> Any:
    try:
        node = composed(chart[name].decode())
        return None if node is None else plain(node)
    except ValueError as error:
        mark = getattr(error.__cause__, "problem_mark", None)
        raise ChartError(
            f"{root}/{name} is not valid YAML: {error}",
            code="chart-load",
            file=f"{root}/{name}",
            line=mark.line + 1 if mark else None,
        ) from error


def _is_vendored(files: Mapping[str, bytes], name: str, version: str) -> bool:
    # An archive's name ends in its version, which Chart.yaml may give as a range.
    exact = f"charts/{name}-{version}.tgz"
    archives = (path for path in files if path.startswith(f"charts/{name}-") and path.endswith(".tgz"))
    return (
        f"charts/{name}/Chart.yaml" in files
        or exact in files
        or any(path[len(f"charts/{name}-")].isdigit() for path in archives)
    )
