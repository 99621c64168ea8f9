"""All that the check of many services needs, read from the repository at once."""

from collections.abc import Iterable, Mapping

from gitops_tk.charts.dependencies import neighbours
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.snapshot import FOLDER, Snapshot
from gitops_tk.workflows.checking.checks import Job
from gitops_tk.workflows.layers import layer_paths

_DEEPEST = 8


def collect(
    snapshot: Snapshot,
    config: Config,
    chosen: Mapping[str, Iterable[Environment]],
    seen: dict[bytes, bytes] | None = None,
) -> list[Job]:
    """A job for each service, with the environments that are chosen for it.

    Args:
        seen: contents that are known from elsewhere: one copy of each is enough.
    """
    seen = {} if seen is None else seen
    pairs = [(service, env) for service, envs in chosen.items() for env in envs]
    charts = {pair: config.layout.chart_path(*pair) for pair in pairs}
    values = {pair: layer_paths(config, *pair) for pair in pairs}
    files: dict[str, bytes] = {}
    others: dict[str, int] = {}
    held = _read_trees(snapshot, set(charts.values()), files, others)
    layers = snapshot.entries({path for paths in values.values() for path in paths} - others.keys())
    # What is no file is told of the services that would read it, and of no other.
    others |= {path: entry.mode for path, entry in layers.items() if not entry.is_file}
    files |= snapshot.read(layers.keys() - others.keys())
    reach = _with_neighbours(snapshot, held, files, others)
    # Charts from one skeleton hold the same files.
    files = {path: seen.setdefault(data, data) for path, data in files.items()}
    jobs = []
    for service, envs in chosen.items():
        named = tuple(env.name for env in envs)
        mine = [(service, env) for env in config.environments if env.name in named]
        paths = {path for pair in mine for path in values[pair]}
        paths |= {path for pair in mine for root in reach[charts[pair]] for path in held[root]}
        jobs.append(
            Job(
                service=service,
                envs=tuple(env.name for _, env in mine),
                files={path: files[path] for path in sorted(paths & files.keys())},
                others={path: others[path] for path in sorted(paths & others.keys())},
            )
        )
    return jobs


def _read_trees(
    snapshot: Snapshot, roots: Iterable[str], files: dict[str, bytes], others: dict[str, int]
) -> dict[str, list[str]]:
    """Reads what is below some folders, and returns the paths of each."""
    held: dict[str, list[str]] = {}
    plain: list[str] = []
    for root in sorted(roots):
        # What is in the folder's place and is none, a link for instance, is told when the chart is loaded.
        entries = [*snapshot.tree(root), *(one for one in snapshot.entries([root]).values() if one.mode != FOLDER)]
        held[root] = [entry.path for entry in entries]
        plain += [entry.path for entry in entries if entry.is_file]
        others.update({entry.path: entry.mode for entry in entries if not entry.is_file})
    files |= snapshot.read(plain)
    return held


def _with_neighbours(
    snapshot: Snapshot, held: dict[str, list[str]], files: dict[str, bytes], others: dict[str, int]
) -> dict[str, set[str]]:
    """The folders that each chart needs: its own, and those of its dependencies in the repository."""
    direct: dict[str, list[str]] = {}
    for _ in range(_DEEPEST):
        for root in [root for root in held if root not in direct]:
            direct[root] = _neighbours(root, held[root], files)
        missing = {folder for folders in direct.values() for folder in folders} - held.keys()
        if not missing:
            break
        held |= _read_trees(snapshot, missing, files, others)
    reach: dict[str, set[str]] = {}
    for root in held:
        reached, waiting = set(), [root]
        while waiting:
            one = waiting.pop()
            if one not in reached and one in held:
                reached.add(one)
                waiting += direct.get(one, [])
        reach[root] = reached
    return reach


def _neighbours(root: str, paths: list[str], files: Mapping[str, bytes]) -> list[str]:
    chart = {path[len(root) + 1 :]: files[path] for path in paths if path in files}
    try:
        return neighbours(chart, root) if "Chart.yaml" in chart else []
    except GitopsTkError:
        # Told when the chart is loaded.
        return []
