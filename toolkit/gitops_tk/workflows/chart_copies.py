"""Charts that travel: where each environment has its own copy, a promotion carries it like the image.

A copied folder is one entry of a tree: its files are neither read nor written, however many there are.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gitops_tk.config.model import Config, Environment
from gitops_tk.model.changes import Change, Copy
from gitops_tk.model.refusals import ChartDiverged, moved
from gitops_tk.model.snapshot import FOLDER, Snapshot
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.diff import between
from gitops_tk.workflows.layers import CHART_SCHEMA, CHART_VALUES, ChartFiles, of_chart
from gitops_tk.workflows.views import Views


class Carry(Struct, frozen=True, kw_only=True):
    """A service's chart that travels: fixed by the first plan (CONTRACT: "moved").

    Attributes:
        source: where it is.
        target: where it goes.
        seen: the id of the tree that the first plan found there; None where there was no chart.
        wanted: the id of the tree that the source held.
    """

    service: str
    env: str
    source: str
    target: str
    seen: str | None
    wanted: str


def carries(
    views: Views,
    config: Config,
    source: Environment,
    target: Environment,
    services: Iterable[str],
    commit: str | None = None,
) -> dict[str, Carry]:
    """The charts that differ between two environments, by their services. Of a checkout, what is committed travels.

    Args:
        commit: the commit at which the source's charts are looked at; None for now.
    """
    paths = {
        service: (config.layout.chart_path(service, source), config.layout.chart_path(service, target))
        for service in services
    }
    trees = _trees(_committed(views), [path for pair in paths.values() for path in pair])
    then = _trees(views.history.at(commit), [ours for ours, _ in paths.values()]) if commit else trees
    return {
        service: Carry(
            service=service, env=target.name, source=ours, target=theirs, seen=trees.get(theirs), wanted=then[ours]
        )
        for service, (ours, theirs) in paths.items()
        if ours in then and then[ours] != trees.get(theirs)
    }


def returning(
    views: Views, config: Config, environment: Environment, service: str, then: str, commit: str | None
) -> Carry | None:
    """The chart that a service had in an environment at a commit, if that is another one than now.

    Args:
        then: what the service was called.
        commit: the commit; None for now.
    """
    if commit is None or not config.layout.chart_per_environment:
        return None
    path, before = (config.layout.chart_path(name, environment) for name in (service, then))
    now = _trees(_committed(views), [path]).get(path)
    wanted = _trees(views.history.at(commit), [before]).get(before)
    if wanted is None or wanted == now:
        return None
    return Carry(service=service, env=environment.name, source=before, target=path, seen=now, wanted=wanted)


def chart_files(views: Views, chart: Carry) -> ChartFiles:
    """What layers need of the chart that comes."""
    return of_chart(views.history.folder(chart.wanted).read([CHART_VALUES, CHART_SCHEMA]))


def trees_now(views: Views, charts: Iterable[Carry]) -> dict[str, str]:
    """The trees that are in the targets now, by their services; those that have no chart are left out."""
    wanted = {chart.target: chart.service for chart in charts}
    return {wanted[path]: tree for path, tree in _trees(_committed(views), wanted).items()}


def step(chart: Carry, now: str | None) -> tuple[Copy, Change] | None:
    """What carries a chart into the target as it is now; None where it is there already.

    Args:
        now: the tree that is there.

    Raises:
        RefusedByPolicy: someone else changed it while the command ran (`moved`).
    """
    if now == chart.wanted:
        return None
    if now != chart.seen:
        raise moved(f"the chart of {chart.service} in {chart.env} moved", chart.target)
    change = Change(
        kind="chart",
        service=chart.service,
        env=chart.env,
        file=chart.target,
        key="chart",
        from_=now,
        to=chart.wanted,
    )
    return Copy(chart.target, chart.wanted, FOLDER), change


def diverged(views: Views, source: Environment, charts: Sequence[Carry]) -> dict[str, ChartDiverged]:
    """The charts that were edited in the target by itself, with the difference: the source never held what is there."""
    waiting = {chart.source: chart for chart in charts if chart.seen is not None}
    held: dict[str, set[str]] = {path: set() for path in waiting}
    places = [f"{source.name}/{chart.service}" for chart in waiting.values()]
    for state in views.history.folders(list(waiting), places=places) if waiting else ():
        for path, tree in state.items():
            if path in waiting:
                held[path].add(tree)
                if tree == waiting[path].seen:
                    del waiting[path]
        if not waiting:
            return {}
    return {chart.service: _difference(views, chart, held[path]) for path, chart in waiting.items()}


def _difference(views: Views, chart: Carry, held: set[str]) -> ChartDiverged:
    """The error for a chart that was edited by itself: what was done to it since it was one of the source's."""
    place = f"{chart.env}/{chart.service}"
    was = (state.get(chart.target) for state in views.history.folders([chart.target], places=[place]))
    base = next((tree for tree in was if tree in held), chart.wanted)
    sides = views.history.folder(base), views.history.folder(chart.seen or base)
    paths = changed_paths(*sides)
    return ChartDiverged(
        f"the chart of {chart.service} in {chart.env} was edited by itself: {_counted(paths)}",
        diff=between(*sides, paths, chart.target),
        hint="make the edit where it is promoted from, too, or promote with --only image; "
        "--override chart-diverged drops it where gitops-tk.yaml allows that",
        file=f"{chart.target}/{paths[0]}" if paths else chart.target,
    )


def _trees(snapshot: Snapshot, paths: Iterable[str]) -> dict[str, str]:
    return {path: entry.oid for path, entry in snapshot.entries(paths).items() if entry.mode == FOLDER}


def _committed(views: Views) -> Snapshot:
    return views.snapshot if views.snapshot.revision else views.history.at("HEAD")


def _counted(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
