"""upgrade-chart: charts brought to the current skeleton, with the edits that were made to them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from msgspec import Struct

from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import ChartError, GitopsTkError, RefusedByPolicy, ToolMissing, UsageError
from gitops_tk.model.changes import ChangeSet, Plan, Skipped
from gitops_tk.model.merging import Merged
from gitops_tk.model.refusals import SeveralFaults
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.mergefile import merge
from gitops_tk.repository.overlay import Overlay
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.author import author
from gitops_tk.workflows.each_service import skipped
from gitops_tk.workflows.layers import unknown_service
from gitops_tk.workflows.messages import counted, proposal_branch, trailers
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.releases import no_chart, refuse_links
from gitops_tk.workflows.starting.made_from import Record, Versions, record
from gitops_tk.workflows.starting.misfits import misfits
from gitops_tk.workflows.starting.skeletons import skeleton_of
from gitops_tk.workflows.starting.upgrades import Chart, Settle, Upgraded, upgraded
from gitops_tk.workflows.views import Views

_MOST_NOTES = 40


class UpgradeRequest(Struct, frozen=True):
    """Charts to bring to the current skeleton.

    Attributes:
        services: whose charts; none means every one that the skeleton made.
        settle: what becomes of lines that both the team and the skeleton changed; None: they are refused.
    """

    services: tuple[str, ...] = ()
    settle: Settle | None = None

    @classmethod
    def of(cls, services: Sequence[str], conflict: str | None, options: Options) -> "UpgradeRequest":
        """From a command line.

        Raises:
            UsageError: `--conflict` says something else, or marks would be committed.
        """
        known: dict[str, Settle] = {name: name for name in get_args(Settle)}
        if conflict is not None and conflict not in known:
            raise UsageError(f"--conflict is {', '.join(known)}, not {conflict!r}", code="bad-conflict")
        if conflict == "markers" and options.commit:
            raise UsageError(
                "--conflict markers leaves files to be settled by hand, which nobody wants committed",
                code="markers-committed",
                hint="leave --commit out",
            )
        return cls(tuple(dict.fromkeys(services)), known[conflict] if conflict is not None else None)


class _Found(Struct, frozen=True, kw_only=True):
    """The charts of a repository, sorted by what there is to do."""

    outdated: tuple[tuple[Chart, Record], ...]
    current: int
    skipped: tuple[Skipped, ...]


class Upgrade:
    """An upgrade: it plans, and remembers what is to be told beside the plan.

    Attributes:
        warnings: of the last plan, what a person has to settle.
    """

    def __init__(self, request: UpgradeRequest, options: Options) -> None:
        self._request = request
        self._options = options
        self.warnings: tuple[Problem, ...] = ()

    def plan(self, views: Views, intent: Any) -> Plan:
        """Plans the upgrade of charts from one view of the repository.

        Raises:
            SeveralFaults: lines conflict (`chart-conflict`), or values would no longer fit (`chart-misfit`).
            ChartError: a named chart was made from no skeleton, or from one that is nowhere any more.
            RefusedByPolicy: another skeleton took the place of the first one while the command ran (`moved`).
        """
        published = views.snapshot.revision is not None
        if published and self._request.settle == "markers":
            raise UsageError("--conflict markers needs a checkout to settle them in", code="markers-committed")
        config = load(views.snapshot)
        if config.chart is not None:
            raise UsageError(
                f"the charts are not here, but published as {config.chart.address}: there is nothing to upgrade",
                code="published-charts",
                hint=f"pin another version: gitops-tk values set SERVICE -e ENV {config.chart.version}=VERSION",
            )
        skeleton = skeleton_of(config, views)
        version = skeleton.about.version
        if intent is not None and intent != version:
            raise RefusedByPolicy("the skeleton changed while this command ran", code="moved", hint="run it again")
        found = self._found(views.snapshot, config, version)
        done = self._upgraded(views, config, found, skeleton)
        self._settle(views.snapshot, config, done, strict=published or self._options.commit)
        return _plan(config, found, done, version)

    def _found(self, snapshot: Snapshot, config: Config, version: str) -> _Found:
        known = config.layout.find_services(snapshot)
        for service in self._request.services:
            if service not in known:
                raise unknown_service(service, known)
        wanted = self._request.services or tuple(known)
        charts = [_first(config, service, known[service]) for service in wanted]
        entries = snapshot.entries([chart.file for chart in charts])
        files = snapshot.read([path for path, entry in entries.items() if entry.is_file])
        outdated: list[tuple[Chart, Record]] = []
        left: list[Skipped] = []
        current = 0
        for chart in charts:
            try:
                made = _record(chart, files)
            except GitopsTkError as error:
                if self._request.services:
                    raise
                left.append(skipped(chart.service, chart.place, error))
                continue
            if made.version == version:
                current += 1
            else:
                outdated.append((chart, made))
        return _Found(outdated=tuple(outdated), current=current, skipped=tuple(left))

    def _upgraded(self, views: Views, config: Config, found: _Found, skeleton: Skeleton) -> list[Upgraded]:
        if not found.outdated:
            return []
        versions = Versions(views, config)
        trees = _trees(views.snapshot, [chart for chart, _ in found.outdated])

        def merging(ours: bytes, base: bytes, theirs: bytes) -> Merged:
            return merge(ours, base, theirs, self._options.environ)

        return [
            upgraded(chart, trees[chart.root], made, versions.of(made.version), skeleton, merging, self._request.settle)
            for chart, made in found.outdated
        ]

    def _settle(self, snapshot: Snapshot, config: Config, done: Sequence[Upgraded], *, strict: bool) -> None:
        """Refuses what may not be written, and remembers what a person has to look at."""
        conflicts = [conflict for one in done for conflict in one.conflicts]
        for fault in conflicts[1:]:
            # What to do about all of them is said once.
            fault.hint = None
        if conflicts and self._request.settle is None:
            raise SeveralFaults(conflicts)
        marked = self._request.settle == "markers"
        whole = [one for one in done if not (marked and one.conflicts)]
        after = Overlay(snapshot, ChangeSet(tuple(operation for one in done for operation in one.operations)))
        pairs = [pair for one in whole for pair in _releases(config, snapshot, one.chart)]
        told: list[GitopsTkError] = list(conflicts) if marked else []
        try:
            wrong = misfits(snapshot, after, config, pairs, self._options.environ) if pairs else []
        except ToolMissing as fault:
            message = f"whether values fit the new charts was not looked at: {fault.message}"
            told.append(ChartError(message, code=fault.code, hint=f"{fault.hint}; gitops-tk validate looks then"))
            wrong = []
        if wrong and strict:
            raise SeveralFaults(wrong)
        self.warnings = tuple(map(_warning, (*told, *wrong)))


def upgrade_chart(request: UpgradeRequest, options: Options) -> Result:
    """Brings charts to the current skeleton, in a checkout, or on the remote that `--repo` names.

    Raises:
        GitopsTkError: an upgrade is refused; nothing is written then.
    """
    upgrade = Upgrade(request, options)
    result = author("upgrade-chart", upgrade.plan, options)
    result.problems = (*result.problems, *upgrade.warnings)
    return result


def _first(config: Config, service: str, envs: Iterable[str]) -> Chart:
    """The chart that is upgraded: the one for all environments, or the first environment's, which promotions carry."""
    environment = config.environment(next(iter(envs)))
    alone = config.layout.chart_per_environment
    return Chart(
        service=service,
        env=environment.name if alone else None,
        place=environment.name,
        root=config.layout.chart_path(service, environment),
    )


def _record(chart: Chart, files: Mapping[str, bytes]) -> Record:
    if chart.file not in files:
        raise no_chart(chart.root)
    made = record(files[chart.file], chart.file)
    if made is None:
        raise ChartError(
            f"the chart of {chart.service} does not say from which skeleton it was made",
            code="no-record",
            hint="new-service records it in Chart.yaml; docs/chart.md has the annotations for a team's own skeleton",
            file=chart.file,
        )
    return made


def _trees(snapshot: Snapshot, charts: Iterable[Chart]) -> dict[str, dict[str, bytes]]:
    """The files of charts, by their folders and their paths inside; read at once."""
    listed = {chart.root: snapshot.tree(chart.root) for chart in charts}
    refuse_links(entry for entries in listed.values() for entry in entries)
    files = snapshot.read([entry.path for entries in listed.values() for entry in entries])
    return {
        root: {entry.path[len(root) + 1 :]: files[entry.path] for entry in entries} for root, entries in listed.items()
    }


def _releases(config: Config, snapshot: Snapshot, chart: Chart) -> list[tuple[str, Environment]]:
    """What is deployed from a chart."""
    known = [config.environment(chart.env)] if chart.env else list(config.environments)
    paths = {config.layout.values_path(chart.service, env): env for env in known}
    there = snapshot.entries(paths)
    return [(chart.service, env) for path, env in paths.items() if path in there]


def _plan(config: Config, found: _Found, done: Sequence[Upgraded], version: str) -> Plan:
    names = [one.chart.service for one in done]
    operations = tuple(operation for one in done for operation in one.operations)
    heads = [one.head for one in done]
    notes = [note for one in done for note in one.notes]
    listed = [*notes, *(f"merged with edits: {change.file}" for one in done for change in one.files)]
    left = len(listed) - _MOST_NOTES
    envs = {one.chart.env for one in done}
    place = (envs.pop() if len(envs) == 1 else None) or "_"
    return Plan(
        changeset=ChangeSet(operations, tuple(change for one in done for change in (one.head, *one.files))),
        intent=version,
        subject=f"upgrade-chart: {counted(names, 'charts')} to version {version} of the skeleton",
        body="\n".join([*listed[:_MOST_NOTES], *([f"and {left} more"] if left > 0 else [])]),
        trailers=trailers("upgrade-chart", heads),
        publish=publish_by(config, operations),
        # Beside the proposals of images: neither takes the other's place.
        proposal=proposal_branch(place, names, "upgrade-chart") if names else None,
        skipped=found.skipped,
        advice=(*notes, *_advice(found, version)),
    )


def _advice(found: _Found, version: str) -> list[str]:
    if not found.current:
        return []
    charts = "1 chart is" if found.current == 1 else f"{found.current} charts are"
    return [f"{charts} at version {version} already; a skeleton that changes raises its version"]


def _warning(fault: GitopsTkError) -> Problem:
    return Problem(
        code=fault.code, message=fault.message, hint=fault.hint, file=fault.file, line=fault.line, severity="warning"
    )
