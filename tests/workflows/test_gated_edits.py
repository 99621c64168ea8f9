"""What is no promotion, and reaches an environment with gates or protected keys."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.timeline import Timeline

from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.image import Image
from gitops_tk.model.refusals import GateClosed
from gitops_tk.workflows.bump import BumpRequest
from gitops_tk.workflows.bump import plan as plan_bump
from gitops_tk.workflows.gating.gates import Judge
from gitops_tk.workflows.values import ValuesRequest
from gitops_tk.workflows.values import plan as plan_values

_CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
    gates:
      freeze: [{reason: a move, from: 2026-03-10, to: 2026-03-10}]
  - name: prod
    protected: [db, replicas]
    override: [protected, soak]
    gates:
      soak: 1d
      freeze: [{reason: a talk, from: 2026-03-10, to: 2026-03-10}]
"""
_CHART = b"db: {host: default}\nimage: {tag: ''}\n"
_PROD = b"image:\n  tag: v1.0.0\ndb:\n  host: prod\nlevel: info\n"


@pytest.fixture
def past() -> Timeline:
    files = {
        "gitops-tk.yaml": _CONFIG,
        "services/a/chart/values.yaml": _CHART,
        "services/a/envs/dev.yaml": b"image:\n  tag: v1.0.0\n",
        "services/a/envs/prod.yaml": _PROD,
    }
    return Timeline("2026-03-01T00:00:00", files).commit(
        "2026-03-02T00:00:00", {"services/a/envs/dev.yaml": b"image:\n  tag: v2.0.0\n"}
    )


def bump(past: Timeline, now: str, env: str, tag: str, judge: Judge | None = None, **more: Any) -> Any:
    request = BumpRequest(services=("a",), env=env, image=Image(tag=tag), **more)
    return plan_bump(request, past.views(now), None, (lambda: judge) if judge else None)


def test_a_bump_does_not_go_around_a_soak(past: Timeline) -> None:
    assert bump(past, "2026-03-03T00:00:00", "prod", "v2.0.0").changeset.changes[0].to == "v2.0.0"
    for now, tag in (("2026-03-02T23:59:59", "v2.0.0"), ("2026-03-05T00:00:00", "v9.0.0")):
        with pytest.raises(GateClosed) as refused:
            bump(past, now, "prod", tag)
        assert refused.value.code == "soak"
    judge = Judge({"soak": "fixes incident 4711"})
    found = bump(past, "2026-03-02T12:00:00", "prod", "v2.0.0", judge, overrides=("soak",))
    assert found.trailers[-1] == ("Gitops-Tk-Override", "soak fixes incident 4711")


def test_a_frozen_environment_takes_no_bump(past: Timeline) -> None:
    with pytest.raises(GateClosed) as refused:
        bump(past, "2026-03-10T12:00:00", "dev", "v3.0.0")
    assert (refused.value.code, refused.value.gates[0].until) == ("freeze", "2026-03-11T00:00:00Z")
    assert bump(past, "2026-03-10T12:00:00", "dev", "v2.0.0").changeset.operations == ()


def values(past: Timeline, now: str, *assignments: str, judge: Judge | None = None, published: bool = True) -> Any:
    if assignments[0].startswith("!"):
        request = ValuesRequest.unset("a", "prod", [one[1:] for one in assignments])
    else:
        request = ValuesRequest.set("a", "prod", assignments)
    views = past.views(now)

    class Committed(type(views.snapshot)):  # type: ignore[misc]
        revision = "c" * 40 if published else None

    return plan_values(request, replace(views, snapshot=Committed(past.files)), None, judge)


@pytest.mark.parametrize(
    "edit", ["db.host=other", "db.port=1", "db={host: prod, port: 1}", "!db.host", "!db", "replicas=3"]
)
def test_a_protected_key_is_not_set_and_not_taken_away(past: Timeline, edit: str) -> None:
    with pytest.raises(RefusedByPolicy) as refused:
        values(past, "2026-03-05T00:00:00", edit)
    assert refused.value.code == "protected"
    assert "is protected in prod" in refused.value.message
    judge = Judge({"protected": "the database moved"})
    found = values(past, "2026-03-05T00:00:00", edit, judge=judge)
    assert found.trailers[-1] == ("Gitops-Tk-Override", "protected the database moved")


def test_what_does_not_change_a_protected_value_is_allowed(past: Timeline) -> None:
    assert values(past, "2026-03-05T00:00:00", "level=debug").changeset.operations
    past.commit("2026-03-03T00:00:00", {"services/a/chart/values.yaml": _CHART.replace(b"default", b"prod")})
    assert values(past, "2026-03-05T00:00:00", "!db.host").changeset.operations


def test_values_that_bring_an_image_are_asked_what_a_bump_is(past: Timeline) -> None:
    with pytest.raises(GateClosed) as refused:
        values(past, "2026-03-05T00:00:00", "image.tag=v9.0.0")
    assert refused.value.code == "soak"
    assert values(past, "2026-03-05T00:00:00", "image.tag=v2.0.0").changeset.operations


def test_values_are_not_pushed_into_a_frozen_environment_and_may_be_written_in_a_checkout(past: Timeline) -> None:
    with pytest.raises(GateClosed) as refused:
        values(past, "2026-03-10T12:00:00", "level=debug")
    assert refused.value.code == "freeze"
    assert values(past, "2026-03-10T12:00:00", "level=debug", published=False).changeset.operations
