"""A chart's dependencies: vendored in `charts/`, or in the same repository by `file://`. A missing one is an error."""

from collections.abc import Callable, Mapping
from posixpath import normpath
from typing import Any

import yaml

from gitops_tk.charts.engine import ChartFiles
from gitops_tk.errors import ChartError
from gitops_tk.nesting import too_deep

ReadTree = Callable[[str], Mapping[str, bytes] | None]
_DEEPEST = 8


def complete(chart: ChartFiles, root: str, read_tree: ReadTree, depth: int = 0) -> dict[str, bytes]:
    """The chart's files with all its dependencies in `charts/`.

    Args:
        chart: its files, by their paths inside it.
        root: its folder in the repository.
        read_tree: reads the chart in a folder of the repository; None where there is none.

    Raises:
        ChartError: a dependency is missing (`missing-dependency`), or they go in a circle.
    """
    if depth > _DEEPEST:
        raise ChartError(f"the dependencies of {root} go too deep, or in a circle", code="dependency-circle", file=root)
    files = dict(chart)
    for dependency in _declared(chart, root):
        name, repository = str(dependency.get("name", "")), str(dependency.get("repository", "") or "")
        if _is_vendored(files, name, str(dependency.get("version", ""))):
            continue
        found = None
        if repository.startswith("file://"):
            folder = normpath(f"{root}/{repository.removeprefix('file://')}")
            found = None if folder.startswith(("..", "/")) else read_tree(folder)
        if found is None:
            raise ChartError(
                f"the chart {root} depends on {name}, which is not in {root}/charts",
                code="missing-dependency",
                hint=f"helm dependency build {root}, and commit {root}/charts",
                file=f"{root}/Chart.yaml",
            )
        nested = complete(found, folder, read_tree, depth + 1)
        files |= {f"charts/{name}/{path}": data for path, data in nested.items()}
    return files


def _declared(chart: ChartFiles, root: str) -> list[dict[str, Any]]:
    try:
        if too_deep(chart["Chart.yaml"].decode("utf-8", "replace")) is not None:
            raise yaml.YAMLError("it is nested too deep")
        about = yaml.safe_load(chart["Chart.yaml"])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ChartError(
            f"{root}/Chart.yaml is not valid YAML",
            code="chart-load",
            file=f"{root}/Chart.yaml",
            line=mark.line + 1 if mark else None,
        ) from error
    declared = about.get("dependencies") if isinstance(about, dict) else None
    return [one for one in declared if isinstance(one, dict)] if isinstance(declared, list) else []


def _is_vendored(files: Mapping[str, bytes], name: str, version: str) -> bool:
    # An archive's name ends in its version, which Chart.yaml may give as a range.
    exact = f"charts/{name}-{version}.tgz"
    archives = (path for path in files if path.startswith(f"charts/{name}-") and path.endswith(".tgz"))
    return (
        f"charts/{name}/Chart.yaml" in files
        or exact in files
        or any(path[len(f"charts/{name}-")].isdigit() for path in archives)
    )
