"""Holds: a service that is held back is left alone, and what is said about it."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run_json

STAGING = ".gitops-tk/holds/staging/user-service.yaml"


def tool(remote: Path, *arguments: str, **environment: str) -> Ran:
    return run_json(*arguments, "--repo", f"file://{remote}", cwd=remote.parent, **environment)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git", ["order-service", "user-service"])


def test_a_held_service_is_refused_when_it_is_named_and_skipped_when_it_is_not(remote: Path) -> None:
    repo.commit(remote, {STAGING: b"reason: incident 42\n"})
    for service in ("order-service", "user-service"):
        repo.commit(remote, {f"services/{service}/envs/dev.yaml": repo.values(service, "dev", "v1.1.0")})
    before = repo.state(remote)
    for command in (
        ("promote", "dev", "staging", "user-service"),
        ("promote", "dev", "staging", "order-service", "user-service"),
        ("bump", "order-service", "user-service", "-e", "staging", "--tag", "v2"),
    ):
        ran = tool(remote, *command)
        assert (ran.status, ran.json["outcome"], ran.code) == (3, "refused", "held")
        assert ran.json["problems"][0]["message"] == "user-service in staging is held: incident 42"
        assert ran.json["problems"][0]["file"] == STAGING
    assert repo.state(remote) == before
    ran = tool(remote, "promote", "dev", "staging")
    assert [one["service"] for one in ran.json["changes"]] == ["order-service"]
    assert [(one["service"], one["code"]) for one in ran.json["skipped"]] == [("user-service", "held")]


def test_a_hold_is_of_one_environment_and_lets_go_when_it_is_over(remote: Path) -> None:
    repo.commit(remote, {STAGING: b"reason: incident 42\nuntil: 2020-01-01\n"})
    assert tool(remote, "bump", "user-service", "-e", "dev", "--tag", "v2").json["outcome"] == "changed"
    assert tool(remote, "promote", "dev", "staging", "user-service").json["outcome"] == "changed"


def test_a_hold_of_one_image_lets_the_next_one_through(remote: Path) -> None:
    repo.commit(remote, {STAGING: b"reason: it loses orders\nimages:\n  - tag: v2\n"})
    ran = tool(remote, "bump", "user-service", "-e", "staging", "--tag", "v2")
    assert (ran.status, ran.code) == (3, "held")
    assert ran.json["problems"][0]["message"] == "v2 of user-service in staging is held: it loses orders"
    assert tool(remote, "bump", "user-service", "-e", "staging", "--tag", "v3").json["outcome"] == "changed"


@pytest.mark.parametrize(
    ("content", "mode"), [(b"until: [\n", "100644"), (b"/etc/passwd", "120000"), (None, "040000")], ids=str
)
def test_a_hold_that_cannot_be_read_holds(remote: Path, content: bytes | None, mode: str) -> None:
    if content is None:
        repo.commit(remote, {f"{STAGING}/file": b""})
    else:
        repo.commit(remote, {STAGING: content}, modes={STAGING: mode})
    ran = tool(remote, "bump", "user-service", "-e", "staging", "--tag", "v2")
    assert (ran.status, ran.code) == (3, "held")
    assert "the hold cannot be read" in ran.json["problems"][0]["message"]
