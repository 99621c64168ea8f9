"""Delivery: a planner's change published on the remote, or committed in a checkout with --local."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gitops_tk.errors import UsageError
from gitops_tk.model.changes import ChangeSet, Plan
from gitops_tk.model.result import Commit, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import CheckoutLocation, locate
from gitops_tk.repository.publish import Published, proposes, publish
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.views import Views, open_remote

if TYPE_CHECKING:
    from gitops_tk.workflows.proposing.proposals import Proposals

Planner = Callable[[Views, Any], Plan]


def deliver(command: str, planner: Planner, options: Options) -> Result:
    """Plans from the remote's branch and publishes there; a checkout only tells which remote.

    Raises:
        GitopsTkError: the plan was refused, or it could not be published.
    """
    location = locate(options.repo, options.cwd, options.environ)
    if options.local:
        if not isinstance(location, CheckoutLocation):
            raise UsageError("--local needs a checkout, and the repository is a URL", code="local-needs-checkout")
        return in_checkout(command, planner, Checkout(location.root, options.environ), options, commit=True)
    with open_remote(location, options) as remote:
        return on_remote(command, planner, remote, options)


def on_remote(command: str, planner: Planner, remote: Remote, options: Options) -> Result:
    """Publishes a planner's change on a remote, or says what it would be."""
    planner = _with_message(planner, options.message)
    if options.dry_run:
        snapshot = remote.snapshot()
        plan = planner(Views.of(remote, snapshot), None)
        return _foreseen(_planned(command, plan, snapshot, remote.branch), plan, remote, snapshot, options)

    def replan(snapshot: Snapshot, intent: Any) -> Plan:
        return planner(Views.of(remote, snapshot), intent)

    done = publish(remote, replan, _Proposer(remote, options), retry_for=options.retry_for)
    plan = done.plan
    # A proposal that stands already is no change, and no commit, of this run.
    made = done.outcome != "unchanged"
    return Result(
        command=command,
        outcome=done.outcome,
        changes=plan.changeset.changes if made else (),
        skipped=plan.skipped,
        gates=plan.gates,
        commit=done.commits[-1] if made and done.commits else None,
        commits=_commits(plan, done.commits) if made else (),
        branch=done.branch,
        message=_message(plan) if made else None,
        attempts=done.attempts,
        pull_requests=done.pull_requests,
        closed=done.closed,
        problems=done.problems,
        advice=(*plan.advice, *done.advice),
    )


def in_checkout(command: str, planner: Planner, checkout: Checkout, options: Options, *, commit: bool) -> Result:
    """Writes a planner's change into a checkout, and commits it there if asked to."""
    if options.branch and commit and options.branch != checkout.branch:
        raise UsageError(
            f"--branch {options.branch} is not the branch that the checkout is on",
            code="branch-not-checked-out",
            hint=f"git switch {options.branch}",
        )
    snapshot = checkout.snapshot()
    plan = _with_message(planner, options.message)(Views.of(checkout, snapshot), None)
    if not plan.changeset.operations:
        return _planned(command, plan, snapshot, checkout.branch)
    if options.dry_run:
        # What stands in the way of the real run stands in the way of this one: it ends as that would.
        checkout.check(plan.changeset)
        if commit:
            checkout.check_commit()
        shown = replace(plan, changeset=checkout.spread(plan.changeset))
        return replace(_planned(command, shown, snapshot, checkout.branch), pull_requests=())
    if commit:
        oids = checkout.commit(plan.commits)
    else:
        checkout.apply(plan.changeset)
        oids = []
    return Result(
        command=command,
        outcome="committed" if commit else "written",
        changes=plan.changeset.changes,
        skipped=plan.skipped,
        gates=plan.gates,
        commit=oids[-1] if oids else None,
        commits=_commits(plan, oids),
        branch=checkout.branch,
        message=_message(plan),
        attempts=1,
        advice=plan.advice,
    )


def _foreseen(result: Result, plan: Plan, remote: Remote, base: TreeSnapshot, options: Options) -> Result:
    if proposes(plan, base):
        shown, closed = _Proposer(remote, options).proposals(base).planned(base, plan)
        return replace(result, pull_requests=shown, closed=closed)
    return result


class _Proposer:
    # Forges and all that belongs to them are imported for those who propose alone.
    def __init__(self, remote: Remote, options: Options) -> None:
        self._remote = remote
        self._options = options
        self._proposals: Proposals | None = None

    def __call__(self, base: TreeSnapshot, plan: Plan) -> Published | Pushed:
        return self.proposals(base).propose(base, plan)

    def proposals(self, base: TreeSnapshot) -> "Proposals":
        if self._proposals is None:
            from gitops_tk.workflows.proposing.of_remote import proposals

            self._proposals = proposals(self._remote, base, self._options)
        return self._proposals


def _with_message(planner: Planner, message: str | None) -> Planner:
    if message is None:
        return planner
    subject, _, body = message.strip().partition("\n")
    if not subject:
        raise UsageError("--message is empty", code="empty-message")
    if any("\ud800" <= character <= "\udfff" for character in message):
        raise UsageError("--message is not UTF-8", code="bad-message")

    def said(plan: Plan) -> Plan:
        return replace(plan, subject=subject, body=body.strip("\n"))

    def planned(views: Views, intent: Any) -> Plan:
        plan = planner(views, intent)
        return replace(said(plan), split=tuple(said(part) for part in plan.split))

    return planned


def _message(plan: Plan) -> str:
    return "\n".join(part.message for part in plan.commits)


def _commits(plan: Plan, oids: Sequence[str]) -> tuple[Commit, ...]:
    if not plan.split:
        return ()
    return tuple(Commit(commit=oid, message=part.message) for oid, part in zip(oids, plan.split, strict=True))


def _planned(command: str, plan: Plan, snapshot: Snapshot, branch: str | None) -> Result:
    changed = bool(plan.changeset.operations)
    return Result(
        command=command,
        outcome="planned" if changed else "unchanged",
        changes=plan.changeset.changes,
        skipped=plan.skipped,
        gates=plan.gates,
        branch=branch,
        message=_message(plan) if changed else None,
        attempts=1,
        diff=_diff(snapshot, plan.changeset) if changed else None,
        advice=plan.advice,
    )


def _diff(snapshot: Snapshot, changeset: ChangeSet) -> str:
    """What would be written; in files of values without their secrets, which a run's log is no place for."""
    from gitops_tk.charts.masks import revealed
    from gitops_tk.repository.diff import unified
    from gitops_tk.workflows.redaction import MaskedFiles

    files = MaskedFiles(change.file for change in changeset.changes if change.key is not None)
    return str(revealed(unified(snapshot, changeset, files)))
