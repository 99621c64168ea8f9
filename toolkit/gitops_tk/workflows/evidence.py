"""The evidence of a change: what it does to every release that it reaches, before and after."""

from collections.abc import Iterable, Mapping

from gitops_tk.config.load import CONFIG_FILE, load
from gitops_tk.config.model import Environment
from gitops_tk.model.changes import Plan
from gitops_tk.model.evidence import Evidence, ReleaseChange
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.workflows import processes
from gitops_tk.workflows.checks import Job
from gitops_tk.workflows.comparing import Comparer, Pair, Sides
from gitops_tk.workflows.jobs import collect
from gitops_tk.workflows.reach import Side, reached
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.views import Views


def evidence(views: Views, plan: Plan, environ: Mapping[str, str], target: Target | None = None) -> Evidence:
    """What a plan does.

    Args:
        views: what the plan was made from.
        plan: the whole of a change, or a part of it that is proposed alone.
        environ: the process's environment, which may name a Helm engine.
        target: what releases are rendered for; None for the default.

    Raises:
        GitopsTkError: the repository cannot be read.
    """
    after = Overlay(views.snapshot, plan.changeset)
    paths = [operation.path for operation in plan.changeset.operations]
    source = dict(plan.trailers).get("Gitops-Tk-Source")
    return Evidence(
        subject=plan.subject,
        source=source,
        releases=compared(views.snapshot, after, paths, environ, target or Target()),
        skipped=plan.skipped,
        gates=plan.gates,
    )


def compared(
    before: Snapshot, after: Snapshot, paths: Iterable[str], environ: Mapping[str, str], target: Target
) -> tuple[ReleaseChange, ...]:
    """The releases that differ between two states of a repository.

    Args:
        paths: those that differ.

    Raises:
        GitopsTkError: a side cannot be read.
    """
    sides = [Side(snapshot, load(snapshot)) for snapshot in (before, after)]
    wanted = reached(sides[0], sides[1], paths)
    seen: dict[bytes, bytes] = {}
    jobs = [_jobs(side, wanted, seen) for side in sides]
    pairs = [
        Pair(service=service, envs=envs, before=jobs[0][service], after=jobs[1][service])
        for service, envs in wanted.items()
    ]
    files = [side.snapshot.read([CONFIG_FILE])[CONFIG_FILE] for side in sides]
    settings = Sides(before=files[0], after=files[1], target=target, environ=dict(environ))
    releases = 2 * sum(len(envs) for envs in wanted.values())
    return tuple(one for found in processes.run(pairs, Comparer, settings, releases=releases) for one in found)


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
