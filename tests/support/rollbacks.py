"""Services in a past, and rollbacks of them."""

import pytest

from gitops_tk.errors import GitopsTkError
from gitops_tk.model.changes import Plan
from gitops_tk.model.image import Image
from gitops_tk.policy.holds import Hold, parse
from gitops_tk.workflows import bump, hold, rollback
from tests.support.timeline import Timeline

CONFIG = """apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
    publish: {publish}
    push-now: true
promotion: {{keys: [level]}}
"""
PROD = "services/{}/envs/prod.yaml"
HELD = ".gitops-tk/holds/prod/{}.yaml"
NOW = "2026-03-20T00:00:00"
DIGEST = "sha256:" + "a" * 64


def image(service: str, tag: str, env: str = "prod", more: str = "") -> dict[str, bytes | None]:
    return {f"services/{service}/envs/{env}.yaml": f"# {service}\nimage:\n  tag: {tag}\n{more}".encode()}


def timeline(publish: str = "push", services: tuple[str, ...] = ("a", "b"), tags: tuple[str, ...] = ()) -> Timeline:
    """Every service with v1 in every environment; then one commit a day for each further tag of a in prod."""
    files = {"gitops-tk.yaml": CONFIG.format(publish=publish).encode()}
    for service in services:
        for env in ("dev", "staging", "prod"):
            files |= image(service, "v1", env)  # type: ignore[arg-type]
    made = Timeline("2026-03-01T00:00:00", files)
    for day, tag in enumerate(tags, start=2):
        made.commit(f"2026-03-{day:02}T00:00:00", image("a", tag))
    return made


def back(made: Timeline, *services: str, apply: bool = True, now: str = NOW, **options: object) -> Plan:
    request = rollback.RollbackRequest(services=services or ("a",), env="prod", **options)  # type: ignore[arg-type]
    plan = rollback.plan(request, made.views(now), None)
    if apply:
        made.apply(now, plan)
    return plan


def refused(code: str, made: Timeline, *services: str, **options: object) -> GitopsTkError:
    with pytest.raises(GitopsTkError) as caught:
        back(made, *services, **options)  # type: ignore[arg-type]
    assert caught.value.code == code
    return caught.value


def tag(made: Timeline, service: str = "a", env: str = "prod") -> str:
    return made.files[f"services/{service}/envs/{env}.yaml"].decode().partition("tag: ")[2].split()[0].strip('"')


def held(made: Timeline, service: str = "a") -> Hold:
    return parse(made.files[HELD.format(service)], "hold")


def deploy(made: Timeline, wanted: str, build: int | None = None) -> None:
    request = bump.BumpRequest(services=("a",), env="prod", image=Image(tag=wanted, build=build), allow_older=True)
    made.apply(NOW, bump.plan(request, made.views(NOW), None))


def unhold(made: Timeline) -> None:
    made.apply(NOW, hold.plan_unhold(hold.UnholdRequest(services=("a",), env="prod"), made.views(NOW), None))
