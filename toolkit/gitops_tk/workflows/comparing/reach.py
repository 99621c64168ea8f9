"""Which releases a change may reach, told by the paths that it touches."""

from collections.abc import Iterable, Mapping
from posixpath import dirname

from msgspec import Struct

from gitops_tk.charts.dependencies import neighbours
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.snapshot import Snapshot

_DEEPEST = 8


class Side(Struct, frozen=True):
    """A repository on one side of a change, with its configuration."""

    snapshot: Snapshot
    config: Config

    @property
    def environments(self) -> dict[str, None]:
        """The environments' names, in promotion order."""
        return dict.fromkeys(one.name for one in self.config.environments)


def reached(before: Side, after: Side, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The services, by name, with the environments in which a change of these paths may show.

    Args:
        before: the repository as it is.
        after: the repository with the change.
    """
    order = list(after.environments | before.environments)
    found: dict[str, set[str]] = {}
    for side in (before, after):
        for service, env in _on_side(side, before, after, list(paths)):
            found.setdefault(service, set()).add(env)
    return {service: tuple(sorted(found[service], key=order.index)) for service in sorted(found)}


def _on_side(side: Side, before: Side, after: Side, paths: list[str]) -> Iterable[tuple[str, str]]:
    layout = side.config.layout
    shared, charts, others = set[str](), set[tuple[str, str | None]](), list[str]()
    for path in paths:
        values, env, chart = layout.match_values(path), layout.match_shared(path), layout.match_chart(path)
        if values:
            yield values
        elif env:
            shared.add(env)
        elif chart:
            charts.add(chart)
        else:
            others.append(path)
    everything = CONFIG_FILE in others and _renders_otherwise(before.config, after.config)
    roots = set() if everything else _charts_among(before, after, others)
    if not (everything or shared or charts or roots):
        return
    present = layout.find_services(side.snapshot)
    depending = _depending(side, present, roots) if roots else set[tuple[str, str]]()
    for service, envs in present.items():
        for env in envs:
            own = (service, env if layout.chart_per_environment else None)
            if everything or env in shared or own in charts or (service, env) in depending:
                yield service, env


def _renders_otherwise(before: Config, after: Config) -> bool:
    """Whether two configurations say otherwise where releases are, or where their images."""
    sides = [
        (
            config.layout.templates,
            config.chart,
            config.images,
            config.services,
            [(one.name, one.path) for one in config.environments],
        )
        for config in (before, after)
    ]
    return sides[0] != sides[1]


def _charts_among(before: Side, after: Side, paths: Iterable[str]) -> set[str]:
    """The charts outside the layout that some paths are in: others may depend on them."""
    folders = {folder for path in paths for folder in _around(path)}
    there = {f"{folder}/Chart.yaml" for folder in folders}
    found = {*before.snapshot.entries(there), *after.snapshot.entries(there)}
    return {dirname(path) for path in found}


def _depending(side: Side, present: Mapping[str, tuple[str, ...]], roots: set[str]) -> set[tuple[str, str]]:
    """The releases whose charts depend on one of these, be it by way of another one."""
    config = side.config
    charts = {
        (service, env): config.layout.chart_path(service, config.environment(env))
        for service, envs in present.items()
        for env in envs
    }
    needs: dict[str, list[str]] = {}
    level = set(charts.values())
    for _ in range(_DEEPEST):
        about = side.snapshot.read([f"{root}/Chart.yaml" for root in level])
        needs |= {dirname(path): _needed(data, dirname(path)) for path, data in about.items()}
        level = {folder for folders in needs.values() for folder in folders} - needs.keys()
        if not about or not level:
            break
    return {pair for pair, root in charts.items() if _reaches(root, roots, needs)}


def _needed(chart: bytes, root: str) -> list[str]:
    try:
        return neighbours({"Chart.yaml": chart}, root)
    except GitopsTkError:
        # Told when the chart is loaded.
        return []


def _reaches(root: str, wanted: set[str], needs: Mapping[str, list[str]]) -> bool:
    seen, waiting = set[str](), [root]
    while waiting:
        one = waiting.pop()
        if one in wanted:
            return True
        if one not in seen:
            seen.add(one)
            waiting += needs.get(one, [])
    return False


def _around(path: str) -> Iterable[str]:
    while path := dirname(path):
        yield path
