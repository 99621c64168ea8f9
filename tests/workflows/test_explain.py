"""explain answers for every rule and every gate, and says until when."""

from typing import Any

import pytest
from tests.support.timeline import Timeline

from gitops_tk.errors import GitopsTkError
from gitops_tk.model.result import Result
from gitops_tk.reports.gates import explained
from gitops_tk.workflows.explain import explain

_CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
    publish: pull-request
    gates:
      soak: 1d
      order: true
      freeze: [{reason: a talk, from: 2026-03-10, to: 2026-03-10}]
      commands: [{name: smoke, run: [smoke]}]
      approvals: 2
"""


def past(staging: str = "v2.0.0", prod: str = "v1.0.0", hold: bytes | None = None) -> Timeline:
    def image(tag: str) -> bytes:
        return f"image:\n  tag: '{tag}'\n".encode()

    files = {"gitops-tk.yaml": _CONFIG}
    for env, tag in (("dev", "v2.0.0"), ("staging", "v1.0.0"), ("prod", prod)):
        files[f"services/a/envs/{env}.yaml"] = image(tag)
    more = {"services/a/envs/staging.yaml": image(staging)}
    return Timeline("2026-03-01T00:00:00", files).commit(
        "2026-03-02T00:00:00", more | ({".gitops-tk/holds/prod/a.yaml": hold} if hold else {})
    )


def answers(found: Result) -> dict[str, tuple[str, str | None]]:
    return {one.gate: (one.answer, one.until) for one in found.gates}


def test_every_gate_and_rule_has_its_answer() -> None:
    found = explain(past().views("2026-03-02T12:00:00"), "staging", "prod", "a")
    assert answers(found) == {
        "from": ("passed", None),
        "image": ("passed", None),
        "older-build": ("passed", None),
        "hold": ("passed", None),
        "order": ("passed", None),
        "soak": ("waiting", "2026-03-03T00:00:00Z"),
        "freeze": ("passed", None),
        "approvals": ("not-evaluated", None),
        "commands: smoke": ("not-evaluated", None),
    }
    assert found.details == {"allowed": False, "until": None, "publish": "pull-request"}
    assert explained(found).splitlines()[5:] == [
        "waiting        soak             staging has held v2.0.0 for 12h of 1d (until 2026-03-03T00:00:00Z)",
        "passed         freeze           no freeze of prod holds now",
        "not-evaluated  approvals        2 approvals, which the forge counts",
        "not-evaluated  commands: smoke  smoke was not run: --allow-commands runs it",
        "",
        "may be proposed, and not be merged yet",
    ]


@pytest.mark.parametrize(
    ("timeline", "route", "gate", "answer"),
    [
        (past(), ("dev", "prod"), "from", ("refused", None)),
        (past(staging=""), ("staging", "prod"), "image", ("refused", None)),
        (past(prod="v3.0.0"), ("staging", "prod"), "older-build", ("refused", None)),
        (past(staging="v9.0.0"), ("staging", "prod"), "order", ("refused", None)),
        (past(hold=b"reason: r\n"), ("staging", "prod"), "hold", ("refused", None)),
        (
            past(hold=b"reason: r\nuntil: 2026-04-01\n"),
            ("staging", "prod"),
            "hold",
            ("waiting", "2026-04-02T00:00:00Z"),
        ),
    ],
)
def test_what_stands_in_the_way(timeline: Timeline, route: tuple[str, str], gate: str, answer: Any) -> None:
    found = explain(timeline.views("2026-03-05T00:00:00"), *route, "a")
    assert answers(found)[gate] == answer
    assert not found.details["allowed"]


def test_what_is_allowed_or_done_already() -> None:
    text = _CONFIG[: _CONFIG.index(b"      commands")] + b"      approvals: 2\n"
    timeline = past().commit("2026-03-02T00:00:01", {"gitops-tk.yaml": text})
    found = explain(timeline.views("2026-03-05T00:00:00"), "staging", "prod", "a")
    assert found.details == {"allowed": True, "until": None, "publish": "pull-request"}
    assert explained(found).endswith("\nallowed\n")
    frozen = explain(timeline.views("2026-03-10T12:00:00"), "staging", "prod", "a")
    assert explained(frozen).endswith("may be proposed, and not be merged before 2026-03-11T00:00:00Z\n")
    done = explain(past(prod="v2.0.0").views("2026-03-05T00:00:00"), "staging", "prod", "a")
    assert "prod has the image of staging already" in explained(done)


def test_what_is_not_there_is_told() -> None:
    for route, code in ((("dev", "qa"), "unknown-environment"), (("dev", "dev"), "same-environment")):
        with pytest.raises(GitopsTkError) as refused:
            explain(past().views("2026-03-05T00:00:00"), *route, "a")
        assert refused.value.code == code
    with pytest.raises(GitopsTkError) as refused:
        explain(past().views("2026-03-05T00:00:00"), "dev", "prod", "b")
    assert refused.value.code == "unknown-service"
