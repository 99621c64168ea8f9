"""What an Application says of a wait: its boundaries, where one more second or word decides."""

from typing import Any

import msgspec
import pytest
from tests.support.argocd_server import AFTER, BEFORE, state

from gitops_tk.argocd.live import LiveApplication
from gitops_tk.argocd.verdict import Verdict, judge

HEAD = "a" * 40


def judged(status: dict[str, Any], **application: Any) -> Verdict:
    found = msgspec.convert({"metadata": {"name": "a"}, "status": status, **application}, LiveApplication)
    return judge(found, lambda revision: "same" if revision == HEAD else "other")


@pytest.mark.parametrize(
    ("reconciled", "expected"),
    [(AFTER, "there"), (BEFORE, "there"), ("2026-11-25T07:59:59Z", "coming"), (None, "coming")],
)
def test_health_counts_once_it_was_looked_at_after_the_sync(reconciled: str | None, expected: str) -> None:
    assert judged({**state(HEAD), "reconciledAt": reconciled}).state == expected


def test_a_sync_that_has_been_asked_for_is_waited_for() -> None:
    found = judged(state(HEAD), operation={"sync": {}})
    assert (found.state, found.said) == ("coming", "a sync is about to begin")
    assert judged(state(HEAD, phase="Terminating")).state == "coming"


def test_a_sync_that_has_not_been_compared_with_the_repository_yet_says_nothing() -> None:
    assert judged(state("")).said == "not compared with the repository yet"


def test_of_many_reasons_the_worst_are_told() -> None:
    health = ["Progressing"] * 9 + ["Missing", "Degraded", "Healthy"]
    ill = [{"kind": "Pod", "name": str(at), "health": {"status": one}} for at, one in enumerate(health)]
    reasons = judged({**state(HEAD, health="Degraded"), "resources": ill}).reasons
    assert reasons[:3] == ("Pod 10 is degraded", "Pod 9 is missing", "Pod 0 is progressing")
    assert len(reasons) == 10
    failed = [{"kind": "Pod", "name": str(at), "status": "SyncFailed", "message": "no"} for at in range(12)]
    assert len(judged(state(HEAD, "OutOfSync", phase="Failed", results=failed)).reasons) == 10
