"""The evidence of a change: what it does to every release that it reaches, before and after."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from gitops_tk.config.load import CONFIG_FILE, load, parse
from gitops_tk.config.model import Environment
from gitops_tk.model.changes import Plan
from gitops_tk.model.evidence import Evidence, ImageChange, ReleaseChange
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.workflows.checking import processes
from gitops_tk.workflows.checking.checks import Job
from gitops_tk.workflows.checking.jobs import collect
from gitops_tk.workflows.comparing.reach import Side, reached
from gitops_tk.workflows.comparing.release import Comparer, Pair, Sides
from gitops_tk.workflows.comparing.since import since
from gitops_tk.workflows.comparing.sources import Sources, source_urls
from gitops_tk.workflows.layers import unknown_service
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.views import Views

# Beyond so many services a command names none: it takes all that differ.
_MOST_NAMED = 5


def evidence(
    views: Views,
    plan: Plan,
    environ: Mapping[str, str],
    *,
    target: Target | None = None,
    ask: bool = False,
) -> Evidence:
    """What a plan does.

    Args:
        views: what the plan was made from.
        plan: the whole of a change, or a part of it that is proposed alone.
        environ: the process's environment, which may name a Helm engine.
        target: what releases are rendered for; None for the default.
        ask: ask the remote's forge for the commits between two revisions of a service's source.

    Raises:
        GitopsTkError: the repository cannot be read.
    """
    after = Overlay(views.snapshot, plan.changeset)
    paths = [operation.path for operation in plan.changeset.operations]
    releases, urls = compared(views.snapshot, after, paths, environ, target or Target())
    source = dict(plan.trailers).get("Gitops-Tk-Source")
    if source is not None:
        releases = _with_times(views, source, releases)
    sources = Sources(views.home(), load(after).forge, environ, ask=ask)
    return Evidence(
        subject=plan.subject,
        source=source,
        releases=sources.told(releases, urls),
        skipped=plan.skipped,
        gates=plan.gates,
        rollback=_rollback(releases),
        command=_command(source, releases),
    )


def _with_times(views: Views, source: str, releases: Iterable[ReleaseChange]) -> tuple[ReleaseChange, ...]:
    """The releases, their images with the time since when the source environment holds them."""
    wanted = {(one.service, image.image): image.after for one in releases for image in one.images if image.after}
    times = since(views, load(views.snapshot), source, wanted) if wanted else {}

    def told(service: str, image: ImageChange) -> ImageChange:
        return replace(image, since=times.get((service, image.image)))

    return tuple(replace(one, images=tuple(told(one.service, image) for image in one.images)) for one in releases)


def _rollback(releases: Iterable[ReleaseChange]) -> tuple[str, ...]:
    """The commands that bring back the images that ran before, one an environment."""
    services: dict[str, list[str]] = {}
    for one in releases:
        if any(image.before and image.before.version for image in one.images):
            services.setdefault(one.env, []).append(one.service)
    return tuple(f"gitops-tk rollback {' '.join(names)} -e {env}" for env, names in services.items())


def _command(source: str | None, releases: Sequence[ReleaseChange]) -> str:
    """The command that shows a promotion's evidence in a terminal, while it has not landed."""
    services = dict.fromkeys(one.service for one in releases)
    targets = list(dict.fromkeys(one.env for one in releases))
    if source is None or len(targets) != 1:
        return ""
    return " ".join(["gitops-tk diff", source, targets[0], *(services if len(services) <= _MOST_NAMED else ())])


def compared(
    before: Snapshot,
    after: Snapshot,
    paths: Iterable[str],
    environ: Mapping[str, str],
    target: Target,
    services: Collection[str] = (),
) -> tuple[tuple[ReleaseChange, ...], dict[str, tuple[str, ...]]]:
    """The releases that differ between two states of a repository, and by service where its source code may be.

    The last environment comes first: a shared chart's edit reaches them all, and prod is where it matters most.

    Args:
        paths: those that differ.
        services: only these; none means every one.

    Raises:
        GitopsTkError: a side cannot be read.
        MissingFile: a named service is on neither side.
    """
    files = _config_files(before, after)
    sides = [Side(snapshot, parse(data)) for snapshot, data in zip((before, after), files, strict=True)]
    wanted = reached(sides[0], sides[1], paths)
    if services:
        _require(services, sides)
        wanted = {service: envs for service, envs in wanted.items() if service in services}
    seen: dict[bytes, bytes] = {}
    jobs = [_jobs(side, wanted, seen) for side in sides]
    pairs = [
        Pair(service=service, envs=envs, before=jobs[0][service], after=jobs[1][service])
        for service, envs in wanted.items()
    ]
    settings = Sides(before=files[0], after=files[1], target=target, environ=dict(environ))
    releases = 2 * sum(len(envs) for envs in wanted.values())
    answers = list(processes.run(pairs, Comparer, settings, releases=releases))
    found = [one for answer in answers for one in answer.releases]
    urls = {pair.service: _urls(sides[1], pair, answer.about) for pair, answer in zip(pairs, answers, strict=True)}
    return _ordered(found, sides), urls


def _ordered(found: Iterable[ReleaseChange], sides: Iterable[Side]) -> tuple[ReleaseChange, ...]:
    order = list(dict.fromkeys(env for side in sides for env in side.environments))[::-1]
    return tuple(sorted(found, key=lambda one: (order.index(one.env), one.service)))


def _config_files(before: Snapshot, after: Snapshot) -> tuple[bytes, bytes]:
    """The bytes of gitops-tk.yaml on either side; of a side without it, where a repository begins, the other's.

    Raises:
        ConfigError: there is none on either.
    """
    old, new = (side.read([CONFIG_FILE]).get(CONFIG_FILE) for side in (before, after))
    if old is None and new is None:
        load(after)
    return old or new or b"", new or old or b""


def _require(services: Iterable[str], sides: Iterable[Side]) -> None:
    known = {service for side in sides for service in side.config.layout.find_services(side.snapshot)}
    for service in services:
        if service not in known:
            raise unknown_service(service, known)


def _urls(side: Side, pair: Pair, about: bytes | None) -> tuple[str, ...]:
    if about is not None:
        return source_urls(about)
    charts = (side.config.layout.chart_path(pair.service, side.config.environment(env)) for env in pair.after.envs)
    files = (pair.after.files.get(f"{path}/Chart.yaml") for path in charts)
    return next((source_urls(data) for data in files if data), ())


def _jobs(side: Side, wanted: Mapping[str, Iterable[str]], seen: dict[bytes, bytes]) -> dict[str, Job]:
    """What each service needs on a side, in those of the environments that it is in there."""
    known = {one.name: one for one in side.config.environments}
    pairs = [(service, known[env]) for service, envs in wanted.items() for env in envs if env in known]
    there = side.snapshot.entries([side.config.layout.values_path(service, env) for service, env in pairs])
    chosen: dict[str, list[Environment]] = {service: [] for service in wanted}
    for service, env in pairs:
        if side.config.layout.values_path(service, env) in there:
            chosen[service].append(env)
    return {job.service: job for job in collect(side.snapshot, side.config, chosen, seen)}
