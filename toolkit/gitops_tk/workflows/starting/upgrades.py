"""One chart brought to another version of its skeleton: what is written, what conflicts, and what is told."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.charts.answers import Answers
from gitops_tk.charts.scaffold import scaffold
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.charts.threeway import Step, common, steps
from gitops_tk.errors import ChartError, GitopsTkError, RepositoryError, UsageError
from gitops_tk.model.changes import Change, Delete, Operation, Write
from gitops_tk.model.merging import Merge
from gitops_tk.workflows.starting.made_from import Record, record, recorded

CHART = "Chart.yaml"
Settle = Literal["ours", "theirs", "markers"]
_HINT = (
    "--conflict markers writes both sides into the file, to be settled by hand; "
    "--conflict ours keeps yours, --conflict theirs takes the skeleton's"
)


class Chart(Struct, frozen=True, kw_only=True):
    """A chart that may be upgraded.

    Attributes:
        env: the environment whose copy it is; None where the environments share it.
        place: the first environment that the service is in.
        root: its folder in the repository.
    """

    service: str
    env: str | None
    place: str
    root: str

    @property
    def file(self) -> str:
        """Its Chart.yaml."""
        return f"{self.root}/{CHART}"


class Upgraded(Struct, frozen=True, kw_only=True):
    """What an upgrade does to a chart.

    Attributes:
        conflicts: lines that both sides changed; unless they are settled, nothing may be written.
        head: the change of the version.
        files: the files in which the team's edits and the skeleton's met.
        notes: what the skeleton has, or has no more, and the chart does not follow.
    """

    chart: Chart
    operations: tuple[Operation, ...]
    conflicts: tuple[GitopsTkError, ...]
    head: Change
    files: tuple[Change, ...]
    notes: tuple[str, ...]


def upgraded(
    chart: Chart,
    ours: Mapping[str, bytes],
    made: Record,
    before: Sequence[Skeleton],
    now: Skeleton,
    merge: Merge,
    settle: Settle | None,
) -> Upgraded:
    """Brings a chart to the current skeleton.

    Args:
        ours: its files, by their paths inside it.
        made: what it records of how it was made.
        before: the skeletons that it may have been made from.
        settle: what becomes of lines that both sides changed.

    Raises:
        ChartError: a skeleton is broken, or has no use for the answers.
        RepositoryError: a folder is where the skeleton has a file, or a file where it has a folder.
    """
    base = max((_rendered(chart, one, made.answers) for one in before), key=lambda files: common(files, ours))
    answers, dropped = _known(now, made.answers)
    theirs = _rendered(chart, now, answers)
    version = now.about.version
    _check_record(theirs, version)
    _check_places(chart, ours, theirs)
    found = steps(base, ours, theirs, merge)
    operations = (_operation(chart, step, settle, version) for step in found)
    merged = [step for step in found if step.what == "merged"]
    return Upgraded(
        chart=chart,
        operations=tuple(operation for operation in operations if operation),
        conflicts=tuple(fault for step in merged for fault in _conflicts(chart, step, settle)),
        head=_change(chart, "chart", chart.root, made.version, version, key="skeleton"),
        files=tuple(_change(chart, "file", f"{chart.root}/{step.path}", "edited", "merged") for step in merged),
        notes=(
            *(f"{chart.service}: the skeleton has no variable {name} any more" for name in dropped),
            *(note for step in found for note in _notes(chart, step)),
        ),
    )


def _change(chart: Chart, kind: str, file: str, before: str, after: str, key: str | None = None) -> Change:
    return Change(kind=kind, service=chart.service, env=chart.env, file=file, key=key, from_=before, to=after)


def _rendered(chart: Chart, skeleton: Skeleton, answers: Answers) -> dict[str, bytes]:
    try:
        return scaffold(skeleton, answers)
    except UsageError as error:
        raise ChartError(
            f"version {skeleton.about.version} of the skeleton cannot take the answers of {chart.service}: "
            f"{error.message}",
            code=error.code,
            hint=f"change them in {chart.file}, under annotations: {error.hint}",
            file=chart.file,
        ) from error


def _known(skeleton: Skeleton, answers: Answers) -> tuple[Answers, list[str]]:
    """The answers without those to questions that the skeleton asks no more, and their names."""
    dropped = sorted(answers.vars.keys() - skeleton.about.variables.keys())
    kept = {name: value for name, value in answers.vars.items() if name not in dropped}
    return replace(answers, vars=kept), dropped


def _check_record(theirs: Mapping[str, bytes], version: str) -> None:
    made = record(theirs.get(CHART, b""), CHART)
    if made is None or made.version != version:
        raise ChartError(
            f"the skeleton's {CHART} does not record its version and the answers",
            code="skeleton",
            hint="without these annotations no chart could be upgraded again: docs/chart.md has them",
            file=f"chart/{CHART}",
        )


def _check_places(chart: Chart, ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> None:
    folders = {folder: path for path in ours for folder in _around(path)}
    for path in theirs:
        there = next((one for one in _around(path) if one in ours), folders.get(path))
        if there is not None:
            raise RepositoryError(
                f"{chart.root}/{there} is in the way of the skeleton's {path}",
                code="not-a-file",
                hint="move it, and run the command again",
                file=f"{chart.root}/{there}",
            )


def _around(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _operation(chart: Chart, step: Step, settle: Settle | None, version: str) -> Operation | None:
    path = f"{chart.root}/{step.path}"
    if step.what in ("added", "replaced"):
        return Write(path, step.data)
    if step.what == "removed":
        return Delete(path)
    if step.what != "merged":
        return None
    if settle == "markers" and step.merged.conflicts and step.merged.text:
        return Write(path, step.merged.marked("the chart", f"version {version} of the skeleton"))
    data = step.merged.resolved("theirs" if settle == "theirs" else "ours")
    # Whatever was settled, and how: the chart is made from this version now.
    return Write(path, recorded(data, version, path) if step.path == CHART else data)


def _conflicts(chart: Chart, step: Step, settle: Settle | None) -> list[GitopsTkError]:
    path = f"{chart.root}/{step.path}"
    lines = step.merged.marked_lines() if settle == "markers" and step.merged.text else []
    found: list[GitopsTkError] = []
    for at, conflict in enumerate(step.merged.conflicts):
        count = max(conflict.ours.count(b"\n"), 1)
        where = f"line {conflict.line}" if count == 1 else f"lines {conflict.line} to {conflict.line + count - 1}"
        found.append(
            ChartError(
                f"the team and the skeleton both changed {where}" if step.merged.text else "both sides changed it",
                code="chart-conflict",
                hint="settle what stands between the markers" if lines else _HINT,
                file=path,
                line=lines[at] if lines else conflict.line,
            )
        )
    return found


def _notes(chart: Chart, step: Step) -> list[str]:
    path = f"{chart.root}/{step.path}"
    match step.what:
        case "left-out":
            return [f"stays away: {path}, which was removed from the chart"]
        case "kept":
            return [f"stays: {path}, which the skeleton has no more, since it was edited"]
        case _:
            return []
