"""Whether an Application is where a commit wanted it: synced to it, and healthy. Pure."""

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from gitops_tk.argocd.live import LiveApplication, Operation, Resource

# How a revision of the repository stands to the one that is waited for, as far as the release's own files go.
Relation = Literal["same", "newer", "other"]
Relate = Callable[[str], Relation]
# The version of a chart that goes with a revision of the repository; None where charts are in the repository.
Pin = Callable[[str], str | None]

_SHORT = 10
_MOST_REASONS = 10
_FAILED = ("Failed", "Error")
_UNHEALTHY = ("Degraded", "Missing", "Suspended", "Progressing")


class Verdict(Struct, frozen=True, kw_only=True):
    """What an Application says of the wait.

    Attributes:
        state: `there`; `coming`; `troubled`, which may pass by itself; or `failed`, which does not.
        said: in a few words, for people.
        reasons: what resources and conditions say of it.
        newer: whether it is there with a newer change of the same release.
    """

    state: Literal["there", "coming", "troubled", "failed"]
    said: str
    reasons: tuple[str, ...] = ()
    newer: bool = False


def judge(application: LiveApplication | None, relate: Relate, pin: Pin = lambda _: None) -> Verdict:
    """How far an Application has come.

    Args:
        application: None where there is none (yet).
        relate: how a commit stands to the one that is waited for.
        pin: the version that the chart has at a commit: Argo CD may have the new values, and still the old chart.
    """
    if application is None:
        return Verdict(state="coming", said="there is no Application yet")
    status = application.status
    operation = status.operation_state
    if application.is_busy:
        return Verdict(state="coming", said=_syncing(operation))
    errors = tuple(f"{one.type}: {one.message}" for one in status.conditions or () if one.type.endswith("Error"))
    relation = _relation(application.revisions, relate, pin)
    if (
        operation is not None
        and operation.phase in _FAILED
        and _relation(application.synced_revisions, relate, pin) != "other"
    ):
        return Verdict(
            state="failed", said=f"the sync has failed: {operation.message}", reasons=(*_failures(operation), *errors)
        )
    if errors:
        return Verdict(state="troubled", said="Argo CD reports an error", reasons=errors)
    if relation == "other":
        at = " and ".join(one[:_SHORT] for one in application.revisions)
        return Verdict(state="coming", said=f"still at {at}" if at else "not compared with the repository yet")
    if status.sync.status != "Synced":
        return Verdict(
            state="coming", said="out of sync" if status.sync.status == "OutOfSync" else "sync not known yet"
        )
    # Until it has looked again after the sync, its health is that of what ran before.
    finished = operation.finished_at if operation is not None else None
    if finished is not None and (status.reconciled_at is None or status.reconciled_at < finished):
        return Verdict(state="coming", said="synced, health not known yet")
    return _health(application, newer=relation == "newer")


def _health(application: LiveApplication, *, newer: bool) -> Verdict:
    health = application.status.health.status
    if health == "Healthy":
        return Verdict(state="there", said="synced and healthy", newer=newer)
    said = f"synced, {health.lower()}" if health in _UNHEALTHY else "synced, health not known"
    reasons = unhealthy(application.status.resources or ())
    return Verdict(state="troubled" if health == "Degraded" else "coming", said=said, reasons=reasons)


def unhealthy(resources: Iterable[Resource]) -> tuple[str, ...]:
    """What resources say that are not healthy, the worst first."""
    ill = [(one, one.health) for one in resources if one.health is not None and one.health.status in _UNHEALTHY]
    ill.sort(key=lambda pair: _UNHEALTHY.index(pair[1].status))
    return tuple(
        f"{one.kind} {one.name} is {health.status.lower()}" + (f": {health.message}" if health.message else "")
        for one, health in ill
    )[:_MOST_REASONS]


def _relation(revisions: tuple[str, ...], relate: Relate, pin: Pin) -> Relation:
    # One of several sources is the repository; the others' revisions are versions of charts.
    found = [relate(one) for one in revisions if pin(one) in (None, *revisions)]
    return next((one for one in ("same", "newer") if one in found), "other")


def _syncing(operation: Operation | None) -> str:
    if operation is None or operation.finished_at is not None:
        return "a sync is about to begin"
    again = f", try {operation.retry_count + 1}" if operation.retry_count else ""
    said = f": {operation.message}" if operation.message else ""
    return f"syncing{again}{said}"


def _failures(operation: Operation) -> tuple[str, ...]:
    resources = operation.sync_result.resources if operation.sync_result else None
    return tuple(
        f"{one.kind} {one.name}: {one.message or one.status or one.hook_phase}"
        for one in resources or ()
        if one.status == "SyncFailed" or one.hook_phase in _FAILED
    )[:_MOST_REASONS]
