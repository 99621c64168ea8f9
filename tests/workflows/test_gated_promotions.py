"""A promotion asks the gates of its target: what they hold back is refused when it was named, else left alone."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.timeline import Timeline

from gitops_tk.errors import RefusedByPolicy, WaitedInVain
from gitops_tk.model.changes import Gate, Plan
from gitops_tk.model.refusals import GateClosed
from gitops_tk.workflows.gating.gates import Judge
from gitops_tk.workflows.gating.waiting import Clock, wait_for_gates
from gitops_tk.workflows.promote import PromoteRequest, plan

_CONFIG = """apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
    publish: {publish}
    protected: {protected}
    override: [soak, freeze, commands{override}]
    gates:
      {gates}
      freeze: [{{reason: a talk, from: 2026-03-10, to: 2026-03-10}}]
      commands: [{{name: smoke, run: [smoke]}}]
promotion: {{keys: [level]}}
"""
_SOAK = "soak: 1d"


def image(service: str, env: str, tag: str, more: str = "") -> dict[str, bytes]:
    return {f"services/{service}/envs/{env}.yaml": f"image:\n  tag: {tag}\n{more}".encode()}


def timeline(gates: str = _SOAK, publish: str = "push", protected: str = "[]", override: str = "") -> Timeline:
    """Two services: v2 of a has been in staging since the 2nd, and v2 of b since the 3rd."""
    config = _CONFIG.format(gates=gates, publish=publish, protected=protected, override=override)
    files = {"gitops-tk.yaml": config.encode()}
    for service in ("a", "b"):
        for env in ("dev", "staging", "prod"):
            files |= image(service, env, "v1.0.0")
    return (
        Timeline("2026-03-01T00:00:00", files)
        .commit("2026-03-01T12:00:00", image("a", "dev", "v2.0.0"))
        .commit("2026-03-02T00:00:00", image("a", "staging", "v2.0.0", "level: debug\n"))
        .commit("2026-03-03T00:00:00", image("b", "staging", "v2.0.0"))
    )


class Smoke:
    """A gate's program that agrees, or says what it is told to."""

    def __init__(self, *answers: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answers = list(answers)

    def __call__(self, command: Any, arrival: Any, views: Any) -> Gate:
        self.asked.append((arrival.service, arrival.version))
        answer: Any = self._answers.pop(0) if self._answers else "passed"
        return arrival.answer(f"commands: {command.name}", answer, "smoke says so")


def promote(
    past: Timeline, now: str, *services: str, judge: Judge | None = None, intent: Any = None, **more: Any
) -> Plan:
    request = PromoteRequest(source="staging", target="prod", services=services, **more)
    return plan(request, past.views(now), intent, judge or Judge(runner=Smoke()))


def answers(found: Plan | GateClosed) -> dict[tuple[str | None, str], str]:
    return {(one.service, one.gate): one.answer for one in found.gates}


def test_what_has_soaked_goes_and_all_answers_are_told() -> None:
    found = promote(timeline(), "2026-03-03T12:00:00", "a")
    assert [one.key for one in found.changeset.changes] == ["image.tag", "level"]
    assert answers(found) == {("a", "soak"): "passed", ("a", "freeze"): "passed", ("a", "commands: smoke"): "passed"}


def test_a_named_service_that_has_to_wait_is_refused_with_the_time() -> None:
    with pytest.raises(GateClosed) as refused:
        promote(timeline(), "2026-03-03T12:00:00", "a", "b")
    error = refused.value
    assert (error.code, error.exit_code, error.outcome) == ("soak", 3, "refused")
    assert error.message == (
        "b v2.0.0 may not come to prod now: staging has held v2.0.0 for 12h of 1d; "
        "it would pass at 2026-03-04T00:00:00Z, in 12h"
    )
    assert answers(error)["a", "soak"] == "passed"
    assert answers(error)["b", "soak"] == "waiting"
    assert "--wait-for-gates" in str(error.hint)
    assert "--override soak" in str(error.hint)


def test_among_services_that_were_not_named_it_is_left_alone() -> None:
    found = promote(timeline(), "2026-03-03T12:00:00")
    assert {one.service for one in found.changeset.changes} == {"a"}
    assert [(one.service, one.code) for one in found.skipped] == [("b", "soak")]
    assert "it would pass at 2026-03-04T00:00:00Z" in found.skipped[0].message
    assert answers(found)["b", "soak"] == "waiting"
    assert "Left alone:\n- b: b v2.0.0 may not come to prod now" in found.body


def test_what_waits_may_be_proposed_and_what_is_refused_may_not() -> None:
    past = timeline("{soak: 1d, order: true}".strip("{}").replace(", ", "\n      "), publish="pull-request")
    found = promote(past, "2026-03-02T12:00:00", "a")
    assert (found.publish, answers(found)["a", "soak"]) == ("pull-request", "waiting")
    with pytest.raises(GateClosed) as refused:
        promote(past, "2026-03-03T12:00:00", "b")
    assert (refused.value.code, refused.value.until) == ("order", None)
    assert "v2.0.0 was never in dev" in refused.value.message


def test_the_earliest_time_counts_a_freeze_that_comes_in_between() -> None:
    past = timeline().commit("2026-03-09T12:00:00", image("b", "staging", "v3.0.0"))
    with pytest.raises(GateClosed) as refused:
        promote(past, "2026-03-09T18:00:00", "b")
    assert "it would pass at 2026-03-11T00:00:00Z" in refused.value.message


def test_an_image_that_has_soaked_is_offered_and_may_be_taken_by_its_tag() -> None:
    past = timeline().commit("2026-03-05T00:00:00", image("a", "staging", "v3.0.0"))
    with pytest.raises(GateClosed) as refused:
        promote(past, "2026-03-05T12:00:00", "a")
    assert "--tag v2.0.0 has soaked" in str(refused.value.hint)
    found = promote(past, "2026-03-05T12:00:00", "a", tag="v2.0.0")
    assert found.changeset.changes[0].to == "v2.0.0"


def test_no_image_is_offered_where_none_has_soaked_or_several_services_wait() -> None:
    newer = {**image("a", "staging", "v3.0.0"), **image("b", "staging", "v3.0.0")}
    for past, services in (
        (timeline().commit("2026-03-05T00:00:00", newer), ("a", "b")),
        (timeline("soak: 9d"), ("a",)),
        (timeline("soak: 1d\n      order: true").commit("2026-03-05T00:00:00", newer), ("a",)),
        (timeline().commit("2026-03-05T00:00:00", newer | image("a", "prod", "v2.0.0")), ("a",)),
        (timeline().commit("2026-03-05T00:00:00", newer | image("a", "prod", "v2.1.0")), ("a",)),
    ):
        with pytest.raises(GateClosed) as refused:
            promote(past, "2026-03-05T12:00:00", *services)
        assert "has soaked" not in str(refused.value.hint)


def test_keys_alone_do_not_wait_for_a_soak() -> None:
    past = timeline().commit("2026-03-03T11:00:00", image("a", "prod", "v2.0.0"))
    found = promote(
        past.commit("2026-03-03T11:30:00", image("a", "staging", "v2.0.0", "level: warn\n")), "2026-03-03T12:00:00"
    )
    assert [(one.key, one.to) for one in found.changeset.changes] == [("level", "warn")]
    assert answers(found)["a", "soak"] == "passed"


def test_an_override_needs_to_be_allowed_and_stays_in_the_commit() -> None:
    judge = Judge({"soak": "fixes incident 4711"}, Smoke())
    found = promote(timeline(), "2026-03-03T12:00:00", "a", "b", judge=judge, split=True)
    assert ("Gitops-Tk-Override", "soak fixes incident 4711") in found.trailers
    # Only where it was needed.
    of_a, of_b = found.split
    assert [key for key, _ in of_a.trailers if key == "Gitops-Tk-Override"] == []
    assert ("Gitops-Tk-Override", "soak fixes incident 4711") in of_b.trailers
    overridden = [one for one in found.gates if one.override]
    assert [(one.service, one.gate, one.answer) for one in overridden] == [("b", "soak", "waiting")]
    with pytest.raises(RefusedByPolicy) as refused:
        promote(timeline(), "2026-03-03T12:00:00", "a", judge=Judge({"order": "r"}))
    assert (refused.value.code, refused.value.hint) == (
        "override-not-allowed",
        "gitops-tk.yaml allows soak, freeze, commands",
    )


def test_what_is_overridden_holds_nothing_back_be_it_refused_or_not_asked() -> None:
    past = timeline(f"{_SOAK}\n      order: true", publish="pull-request", override=", order")
    found = promote(past, "2026-03-05T00:00:00", "b", judge=Judge({"order": "r"}, Smoke()))
    assert (found.publish, answers(found)["b", "order"]) == ("pull-request", "refused")
    found = promote(timeline(), "2026-03-05T00:00:00", "a", judge=Judge({"commands": "r"}))
    assert answers(found)["a", "commands: smoke"] == "not-evaluated"
    assert ("Gitops-Tk-Override", "commands r") in found.trailers


def test_an_override_of_one_gate_is_none_of_another() -> None:
    with pytest.raises(GateClosed) as refused:
        promote(timeline(), "2026-03-10T12:00:00", "a", judge=Judge({"soak": "r"}, Smoke()))
    assert refused.value.code == "freeze"
    assert "prod is frozen: a talk; it would pass at 2026-03-11T00:00:00Z" in refused.value.message


def test_a_program_that_was_not_run_has_not_agreed() -> None:
    with pytest.raises(GateClosed) as refused:
        promote(timeline(), "2026-03-03T12:00:00", "a", judge=Judge())
    assert (refused.value.code, refused.value.may_open) == ("commands", False)
    assert "--allow-commands" in str(refused.value.hint)
    # A dry run says so, and goes on; a proposal is checked once more before it is merged.
    for past, judge in ((timeline(), Judge(lenient=True)), (timeline(publish="pull-request"), Judge())):
        found = promote(past, "2026-03-03T12:00:00", "a", judge=judge)
        assert answers(found)["a", "commands: smoke"] == "not-evaluated"


def test_a_program_is_asked_once_for_an_image_and_gates_on_every_try() -> None:
    smoke = Smoke()
    judge = Judge(runner=smoke)
    past = timeline()
    first = promote(past, "2026-03-03T12:00:00", "a", judge=judge)
    promote(past, "2026-03-03T12:00:01", "a", judge=judge, intent=first.intent)
    assert smoke.asked == [("a", "v2.0.0")]
    past.commit("2026-03-03T12:00:02", {"gitops-tk.yaml": past.files["gitops-tk.yaml"].replace(b"03-10", b"03-03")})
    with pytest.raises(GateClosed) as refused:
        promote(past, "2026-03-03T12:00:03", "a", judge=judge, intent=first.intent)
    assert refused.value.code == "freeze"


def test_a_protected_key_does_not_travel() -> None:
    # By a list, where the key that is protected lies within the value that travels.
    config = timeline().files["gitops-tk.yaml"].replace(b"protected: []", b"protected: [level]")
    past = timeline().commit("2026-03-03T00:00:00", {"gitops-tk.yaml": config.replace(b"keys: [level]", b"keys: []")})
    assert promote(past, "2026-03-04T12:00:00", "a").changeset.changes[0].key == "image.tag"


class Waits:
    """A clock that goes on when somebody sleeps, and what happens meanwhile."""

    def __init__(self, now: str, past: Timeline) -> None:
        self.past = past
        self.time = past.views(now).now
        self.slept: list[float] = []
        self.then: dict[int, tuple[str, dict[str, bytes]]] = {}

    def sleep(self, length: float) -> None:
        self.slept.append(length)
        self.time += length
        if len(self.slept) in self.then:
            self.past.commit(*self.then[len(self.slept)])

    def run(self, length: float, *services: str, judge: Judge | None = None, **more: Any) -> Plan:
        request = PromoteRequest(source="staging", target="prod", services=services, wait=True, **more)
        judges = judge or Judge(runner=Smoke())

        def action(intent: Any) -> Plan:
            views = replace(self.past.views("2026-01-01T00:00:00"), now=self.time)
            return plan(request, views, intent, judges)

        return wait_for_gates(action, length, lambda _: None, Clock(now=lambda: self.time, sleep=self.sleep))


def test_waiting_ends_when_the_gates_open() -> None:
    waits = Waits("2026-03-03T23:50:00", timeline())
    found = waits.run(3600, "b")
    assert (waits.slept, answers(found)["b", "soak"]) == ([600.0], "passed")


def test_waiting_in_vain_is_known_at_once_and_ends_with_6() -> None:
    waits = Waits("2026-03-03T12:00:00", timeline())
    with pytest.raises(WaitedInVain) as ended:
        waits.run(3600, "b")
    assert (ended.value.exit_code, ended.value.code, waits.slept) == (6, "soak", [])
    assert "2026-03-04T00:00:00Z" in ended.value.message
    assert ended.value.hint == "wait longer, or run the command again then"


def test_waiting_is_for_those_that_may_open_also_when_nothing_was_named() -> None:
    waits = Waits("2026-03-03T23:59:00", timeline())
    found = waits.run(3600)
    assert {one.service for one in found.changeset.changes} == {"a", "b"}


def test_nobody_waits_for_those_that_are_refused_for_good_where_nothing_was_named() -> None:
    waits = Waits("2026-03-05T00:00:00", timeline())
    found = waits.run(3600, judge=Judge(runner=Smoke("passed", "refused")))
    assert (waits.slept, [(one.service, one.code) for one in found.skipped]) == ([], [("b", "commands")])
    assert {one.service for one in found.changeset.changes} == {"a"}


def test_waiting_ships_nothing_else_than_it_first_saw() -> None:
    waits = Waits("2026-03-03T23:50:00", timeline())
    waits.then[1] = ("2026-03-03T23:55:00", image("b", "staging", "v3.0.0"))
    with pytest.raises(GateClosed) as refused:
        waits.run(3600, "b")
    assert not refused.value.may_open
    assert "v2.0.0" in refused.value.message
    assert "has something else now" in refused.value.message


def test_argo_cd_that_was_not_asked_has_not_agreed_and_one_that_says_not_yet_is_asked_again() -> None:
    past = timeline("healthy: true", override="").files["gitops-tk.yaml"].replace(b"soak, ", b"")
    made = timeline().commit("2026-03-04T00:00:00", {"gitops-tk.yaml": past})
    with pytest.raises(GateClosed) as refused:
        promote(made, "2026-03-05T00:00:00", "a")
    assert (refused.value.code, refused.value.may_open) == ("healthy", False)
    assert "ARGOCD_SERVER" in str(refused.value.hint)
    said: list[Any] = ["waiting", "passed", "waiting"]
    waits = Waits("2026-03-05T00:00:00", made)
    asked = Judge(runner=Smoke(), health=lambda arrival, _: arrival.answer("healthy", said.pop(0), "so it says"))
    assert answers(waits.run(3600, "a", judge=asked))["a", "healthy"] == "passed"
    assert (waits.slept, said) == ([30.0], ["waiting"])
    # What has agreed once is not asked of the same images again.
    assert answers(waits.run(3600, "a", judge=asked))["a", "healthy"] == "passed"


def test_a_program_that_says_not_yet_is_asked_again() -> None:
    smoke = Smoke("waiting", "waiting", "passed")
    waits = Waits("2026-03-05T00:00:00", timeline())
    waits.run(3600, "a", judge=Judge(runner=smoke))
    assert (waits.slept, len(smoke.asked)) == ([30.0, 30.0], 3)
    refusing = Smoke("waiting", "refused")
    with pytest.raises(GateClosed) as refused:
        Waits("2026-03-05T00:00:00", timeline()).run(3600, "a", judge=Judge(runner=refusing))
    assert refused.value.code == "commands"
    with pytest.raises(WaitedInVain):
        Waits("2026-03-05T00:00:00", timeline()).run(45, "a", judge=Judge(runner=Smoke(*["waiting"] * 5)))
