"""Where images are pulled from: what `values set` refuses, and what a new service may take from what others share."""

import pytest
from tests.support.timeline import Timeline

from gitops_tk.config.load import load
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Plan
from gitops_tk.workflows.gating.gates import Judge
from gitops_tk.workflows.gating.places import Places, moved
from gitops_tk.workflows.layers import read_layers
from gitops_tk.workflows.values import ValuesRequest
from gitops_tk.workflows.values import plan as plan_values

_CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: prod
    override: [foreign-repository]
"""
_NOW = "2026-03-10T00:00:00"


@pytest.fixture
def past() -> Timeline:
    files = {
        "gitops-tk.yaml": _CONFIG,
        "envs/prod.yaml": b"image: {registry: mirror.example.com, repository: evil/a}\n",
        "services/a/chart/values.yaml": b"image: {registry: docker.example.com, repository: shop/a}\n",
        "services/a/envs/dev.yaml": b"image:\n  tag: v1\n",
        "services/a/envs/prod.yaml": b"image:\n  tag: v1\n  repository: shop/a\n",
        "services/b/chart/values.yaml": b"image: {registry: docker.example.com, repository: shop/b}\n",
        "services/b/envs/dev.yaml": b"image:\n  tag: v1\n",
    }
    start = Timeline("2026-03-01T00:00:00", files)
    return start.commit("2026-03-02T00:00:00", {"services/a/envs/dev.yaml": b"image: {repository: new/a, tag: v1}\n"})


def edited(past: Timeline, env: str, *assignments: str, judge: Judge | None = None) -> Plan:
    return plan_values(ValuesRequest.set("a", env, assignments), past.views(_NOW), None, judge)


def test_values_set_pulls_from_nowhere_that_no_source_has_pulled_from(past: Timeline) -> None:
    with pytest.raises(RefusedByPolicy) as refused:
        edited(past, "prod", "image.repository=evil/a", "image.registry=evil.example.com")
    assert (refused.value.code, refused.value.exit_code) == ("foreign-repository", 3)
    assert refused.value.message.startswith("image.registry, image.repository of a would be in prod")
    assert "--override foreign-repository" in (refused.value.hint or "")
    for env, assignment in (("dev", "image.repository=evil/a"), ("prod", "image.repository=new/a"), ("prod", "b=1")):
        assert edited(past, env, assignment).changeset.operations


def test_an_override_leaves_a_trailer(past: Timeline) -> None:
    judge = Judge({"foreign-repository": "the mirror moves"})
    plan = edited(past, "prod", "image.registry=next.example.com", judge=judge)
    assert plan.trailers[-1] == ("Gitops-Tk-Override", "foreign-repository the mirror moves")
    assert [(gate.gate, gate.override) for gate in plan.gates] == [("foreign-repository", "the mirror moves")]


def test_a_new_service_takes_what_is_shared_where_others_have_it_too(past: Timeline) -> None:
    base = past.views(_NOW).snapshot
    config = load(base)
    old = read_layers(base, config, [("b", "prod")])["b", "prod"]
    dev = read_layers(base, config, [("b", "dev")])["b", "dev"].merged

    def foreign(text: bytes) -> list[str | None]:
        wanted = moved(config, old, old.with_own(text))
        return list(Places(base, config, lambda _, env: [dev] if env == "dev" else []).foreign(old, wanted).values())

    # The registry is what a has in prod; the repository that is shared there is what nobody has.
    assert foreign(b"image: {tag: v1, repository: shop/b}\n") == []
    assert foreign(b"image: {tag: v1}\n") == ["evil/a"]
    # What another service has for itself is not shared.
    assert foreign(b"image: {tag: v1, repository: shop/a}\n") == ["shop/a"]
