"""verify-pr: did a pull request change only what may change? Judged by the base's policy, at the time when it runs."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import to_builtins
from msgspec.structs import replace

from gitops_tk.config.load import CONFIG_FILE, load, parse
from gitops_tk.config.model import Config, Off, nearest
from gitops_tk.config.policy import Kind
from gitops_tk.errors import ConfigError
from gitops_tk.model.changes import Change
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.policy.review import NAMES, review
from gitops_tk.policy.review.model import DELIVERIES, Declared, Finding, Place, Proposal, Release, Sorted, Touched
from gitops_tk.repository.comparison import Brought, Comparison, compared
from gitops_tk.repository.location import CheckoutLocation, locate
from gitops_tk.workflows.comparing.reach import Side
from gitops_tk.workflows.gating.commands import Commands, programs
from gitops_tk.workflows.gating.gates import Health, Runner
from gitops_tk.workflows.gating.healthy import Healthy
from gitops_tk.workflows.messages import shown
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.redaction import masked
from gitops_tk.workflows.reviewing.passing import passing
from gitops_tk.workflows.reviewing.services import Reviewer
from gitops_tk.workflows.reviewing.touched import touched
from gitops_tk.workflows.reviewing.weakenings import weakenings
from gitops_tk.workflows.views import Views

if TYPE_CHECKING:
    from gitops_tk.workflows.reviewing.comment import Comment

_CHANGE, _OVERRIDE, _COMMAND = "Gitops-Tk-Change: ", "Gitops-Tk-Override: ", "Gitops-Tk-Command: "


def verify_between(
    base: str, head: str, options: Options, *, allow_commands: bool = False, asked: "Comment | None" = None
) -> Result:
    """Looks at what a head brings to a base: of a checkout's git, or of a remote.

    Args:
        base: what it is to be merged into.
        head: the tip of the pull request.
        allow_commands: run the gates' programs, as the base has them.
        asked: the comment to write on the pull request; None for none.

    Raises:
        GitopsTkError: see `verify`; or a revision is not there.
    """
    location = locate(options.repo, options.cwd, options.environ)
    runner = Commands(options.environ) if allow_commands else None
    with compared(location, base, head, options.environ) as comparison:
        views = Views.of(comparison.repository, comparison.base)
        # All of a checkout's history is here; of a remote's only that is fetched which is needed.
        result = verify(
            comparison, views, runner, Healthy(options.environ), thorough=isinstance(location, CheckoutLocation)
        )
        failed = _commented(asked, comparison, result, options.environ) if asked else None
    return replace(result, problems=(*result.problems, failed)) if failed else result


def _commented(asked: "Comment", comparison: Comparison, result: Result, environ: Mapping[str, str]) -> Problem | None:
    # Rendering and forges are for those who comment alone.
    from gitops_tk.workflows.reviewing.comment import comment

    return comment(asked, comparison, result, environ)


def verify(
    comparison: Comparison,
    views: Views,
    runner: Runner | None = None,
    health: Health | None = None,
    *,
    thorough: bool = True,
) -> Result:
    """Looks at everything that a pull request changes.

    Args:
        views: of the base.
        runner: runs the gates' programs; None leaves them not evaluated.
        health: asks Argo CD; None leaves the gate `healthy` not evaluated.
        thorough: look at every commit of the past, also at those whose trailers say that they are about something else.

    Returns:
        A Result with the outcome `invalid` (exit 5) where a rule refuses it, else `unchanged`.

    Raises:
        ConfigError: the base's gitops-tk.yaml does not work, or switches off a rule that there is not.
        GitopsTkError: the revisions cannot be read.
    """
    proposal = proposed(comparison, views, runner, health, thorough=thorough)
    found = review(proposal)
    off = [_off(finding, proposal.config.verify) for finding in found]
    problems = tuple(_problem(finding) for finding, by in zip(found, off, strict=True) if by is None)
    switched = [
        {"rule": one.rule, "reason": one.reason, "findings": sum(by is one for by in off)}
        for one in proposal.config.verify
    ]
    details: dict[str, Any] = {
        "base": comparison.base.revision,
        "head": comparison.head,
        "parts": [to_builtins(part) for part in proposal.parts],
        "off": switched,
    }
    return Result(
        command="verify-pr",
        outcome="invalid" if any(one.severity == "error" for one in problems) else "unchanged",
        changes=_changes(proposal.releases),
        gates=tuple(gate for one in proposal.releases for gate in one.gates),
        problems=problems,
        details=details,
    )


def proposed(
    comparison: Comparison, views: Views, runner: Runner | None, health: Health | None, *, thorough: bool
) -> Proposal:
    """Everything that a pull request changes, sorted; see `verify`."""
    config = load(comparison.base)
    _check_rules(config)
    merged = comparison.merged()
    before = Side(comparison.base, config)
    after = Side(merged, _new_config(merged, config))
    gates = programs(before.snapshot, config)
    paths = touched(comparison, before, after, gates)
    overrides = _overrides(comparison.commits)
    reviewer = Reviewer(
        views, before, after, paths, overrides=overrides, runner=runner, health=health, thorough=thorough
    )
    releases, blind = reviewer.releases()
    return Proposal(
        config=config,
        now=views.now,
        touched=paths,
        releases=tuple(releases),
        blind=tuple(blind),
        passing=passing(comparison, before, after, views, thorough=thorough),
        parts=tuple(_parts(paths, releases)),
        weaker=weakenings(before, after, paths, gates, views),
        declared=_declared(comparison.commits),
        overrides=overrides,
    )


def _new_config(merged: Snapshot, config: Config) -> Config:
    # What goes, or cannot be read, has rules of its own: the rest is judged as if it had stayed.
    entry = merged.entries([CONFIG_FILE]).get(CONFIG_FILE)
    if entry is None or not entry.is_file:
        return config
    try:
        return parse(merged.read([CONFIG_FILE])[CONFIG_FILE])
    except ConfigError:
        return config


def _parts(paths: Collection[Touched], releases: Collection[Release]) -> Iterable[Sorted]:
    charts: dict[tuple[str | None, str | None], list[str]] = {}
    for one in paths:
        if one.place == "chart":
            charts.setdefault((one.service, one.env), []).append(one.path)
    lower = {one.env: one.path for one in paths if one.place == "shared" and one.env}
    shared: dict[str, Sorted] = {}
    seen = set[str]()
    for release in releases:
        seen.add(release.path)
        own = charts.get((release.service, release.env), [])
        if release.kind == "shared":
            below = [lower[release.env]] if release.env in lower else []
            shared.setdefault(release.env, Sorted(kind="shared", env=release.env, files=tuple(below)))
        elif release.kind != "chart":
            yield _part("service" if release.fresh else release.kind, release, (release.path,), _said(release))
        if release.kind == "chart" or _edits_chart(release, carried=bool(own)):
            yield _part("chart", release, (*charts.get((release.service, None), ()), *own))
    for one in paths:
        if one.place == "hold":
            yield Sorted(kind="hold", service=one.service, env=one.env, files=(one.path,))
        elif one.place == "shared" and one.env:
            shared.setdefault(one.env, Sorted(kind="shared", env=one.env, files=(one.path,)))
        elif one.place == "values" and one.path not in seen:
            # Of an environment that comes or goes, or of a file that cannot be read.
            yield Sorted(kind="values", service=one.service, env=one.env, files=(one.path,))
    yield from shared.values()
    rest: dict[Literal["configuration", "wiring", "other"], tuple[Place, ...]] = {
        "configuration": ("configuration", "gate", "git"),
        "wiring": ("wiring",),
        "other": ("other",),
    }
    told = {(one.service, env) for one in releases for env in (None, one.env)}
    unused = {path for place, files in charts.items() if place not in told for path in files}
    for kind, places in rest.items():
        files = tuple(one.path for one in paths if one.place in places or (kind == "other" and one.path in unused))
        if files:
            yield Sorted(kind=kind, files=files)


def _edits_chart(release: Release, *, carried: bool) -> bool:
    """Whether a chart is edited together with values, and so is told as well.

    A new service brings its chart, one that goes takes it along, and where each environment has its own chart a
    delivery carries it.
    """
    if release.fresh or release.kind == "removal" or (carried and release.kind in DELIVERIES):
        return False
    return release.charted


def _part(kind: Kind, release: Release, files: tuple[str, ...], said: str = "") -> Sorted:
    return Sorted(kind=kind, service=release.service, env=release.env, files=files, said=said)


def _said(release: Release) -> str:
    versions = [
        f"{shown(move.before.version if move.before else None)} -> {shown(move.after.version if move.after else None)}"
        for move in release.moves
    ]
    return ", ".join(versions) or ", ".join(key.key for key in release.own)


def _changes(releases: Iterable[Release]) -> tuple[Change, ...]:
    found = []
    for one in releases:
        for move in one.moves:
            found.append(
                Change(
                    kind="image",
                    service=one.service,
                    env=one.env,
                    image=move.name,
                    file=one.path,
                    from_=to_builtins(move.before),
                    to=to_builtins(move.after),
                )
            )
        for key in one.keys:
            before, after = masked(key.segments, key.before, key.after)
            found.append(
                Change(
                    kind="value",
                    service=one.service,
                    env=one.env,
                    file=key.file,
                    key=key.key,
                    from_=before,
                    to=after,
                )
            )
    return tuple(found)


def _overrides(commits: Iterable[Brought]) -> dict[str, str]:
    found = {}
    for commit in commits:
        for line in _trailers(commit):
            if line.startswith(_OVERRIDE):
                name, _, reason = line.removeprefix(_OVERRIDE).partition(" ")
                # That an older build may come needs no reason; everything else does.
                if reason.strip() or name == "older-build":
                    found[name] = reason.strip()
    return found


def _declared(commits: Sequence[Brought]) -> Declared | None:
    lines = set[str]()
    own = [commit for commit in commits if len(commit.parents) < 2]
    for commit in own:
        trailers = _trailers(commit)
        if not any(line.startswith(_COMMAND) for line in trailers):
            return None
        lines |= {line.removeprefix(_CHANGE) for line in trailers if line.startswith(_CHANGE)}
    return Declared.of(lines) if own else None


def _trailers(commit: Brought) -> list[str]:
    return re.split(r"\n\s*\n", commit.message.strip())[-1].splitlines()


def _check_rules(config: Config) -> None:
    for one in config.verify:
        if one.rule not in NAMES:
            raise ConfigError(
                f"verify.off: there is no rule {one.rule[:60]!r}",
                code="config-unknown-rule",
                hint=nearest(one.rule, NAMES) or "docs/verify-pr.md lists the rules",
                file=CONFIG_FILE,
                line=one.line,
            )


def _off(finding: Finding, listed: Iterable[Off]) -> Off | None:
    return next((one for one in listed if one.covers(finding.rule, finding.service, finding.env)), None)


def _problem(finding: Finding) -> Problem:
    return Problem(
        code=finding.rule,
        message=finding.message,
        hint=finding.hint,
        file=finding.file,
        line=finding.line,
        severity="warning" if finding.warning else "error",
    )
