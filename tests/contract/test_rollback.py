"""rollback as users run it: against a real remote, with races, lost answers and proposals."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json
from tests.support.git_server import serve

FILE = "services/user-service/envs/prod.yaml"
HOLD = ".gitops-tk/holds/prod/user-service.yaml"
ROLLBACK = ("rollback", "user-service", "-e", "prod")


def tool(remote: Path, *arguments: str) -> Ran:
    return run_json(*arguments, "--repo", f"file://{remote}", cwd=remote.parent)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = repo.gitops(tmp_path / "gitops.git", ["order-service", "user-service"])
    for tag in ("v1.1.0", "v1.2.0"):
        repo.commit(folder, {FILE: repo.values("user-service", "prod", tag)})
        repo.commit(folder, {"services/order-service/envs/dev.yaml": repo.values("order-service", "dev", tag)})
    return folder


def test_a_rollback_is_one_commit_with_image_and_hold(remote: Path) -> None:
    ran = tool(remote, *ROLLBACK)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert [(one["kind"], one["key"], one["to"]) for one in ran.json["changes"]] == [
        ("image", "image.tag", "v1.1.0"),
        ("hold", "hold.reason", "rolled back from v1.2.0 to v1.1.0"),
        ("hold", "hold.images", ["v1.2.0"]),
    ]
    assert repo.show(remote, FILE) == repo.values("user-service", "prod", "v1.1.0")
    assert repo.git(remote, "log", "-1", "--format=%s") == "rollback: user-service to v1.1.0 in prod"
    assert repo.git(remote, "diff", "--name-only", "main~1", "main").split() == [HOLD, FILE]
    again = run(*ROLLBACK, "--repo", f"file://{remote}", cwd=remote.parent)
    assert (again.status, again.out) == (0, "unchanged: there is nothing to do\n")
    assert "rolled back already" in again.err
    assert tool(remote, "bump", "user-service", "-e", "prod", "--tag", "v1.2.0").code == "held"
    assert tool(remote, "bump", "user-service", "-e", "prod", "--tag", "v1.3.0").json["outcome"] == "changed"


def test_what_cannot_be_gone_back_to_is_told_and_nothing_is_written(remote: Path) -> None:
    before = repo.state(remote)
    assert (tool(remote, *ROLLBACK, "--to", "v9").status, tool(remote, *ROLLBACK, "--to", "v9").code) == (
        1,
        "never-ran",
    )
    assert tool(remote, "rollback", "order-service", "-e", "prod").code == "nothing-before"
    assert tool(remote, "rollback", "-e", "prod").code == "no-services"
    assert tool(remote, *ROLLBACK, "--dry-run").json["outcome"] == "planned"
    assert repo.state(remote) == before


def test_a_commit_of_the_repository_is_a_goal(remote: Path) -> None:
    commit = repo.git(remote, "rev-parse", "main~4")
    assert tool(remote, *ROLLBACK, "--to", commit[:12]).json["changes"][0]["to"] == "v1.0.0"


def test_where_changes_are_proposed_the_proposal_holds_the_service_too(remote: Path) -> None:
    config = repo.CONFIG.replace(
        b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n    push-now: true\n"
    )
    repo.commit(remote, {"gitops-tk.yaml": config})
    ran = tool(remote, *ROLLBACK)
    branch = ran.json["pull_requests"][0]["branch"]
    assert (ran.json["outcome"], branch) == ("proposed", "gitops-tk/prod/user-service.rollback")
    assert tool(remote, *ROLLBACK).json["outcome"] == "unchanged"
    assert b"scope: all" in repo.show(remote, HOLD, branch)
    repo.git(remote, "update-ref", "refs/heads/main", branch)
    assert tool(remote, *ROLLBACK).json["outcome"] == "unchanged"
    repo.git(remote, "update-ref", "refs/heads/main", "main~1")
    assert tool(remote, *ROLLBACK, "--push-now").json["outcome"] == "changed"
    assert "Gitops-Tk-Push-Now: prod" in repo.git(remote, "log", "-1", "--format=%B")


def test_a_newer_image_that_comes_meanwhile_is_not_overwritten(remote: Path, tmp_path: Path) -> None:
    def race(pushes: int) -> None:
        repo.commit(remote, {FILE: repo.values("user-service", "prod", "v1.3.0")})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*ROLLBACK, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.code) == (3, "moved")
    assert b"v1.3.0" in repo.show(remote, FILE)


def test_a_lost_race_and_a_lost_answer_roll_back_once(remote: Path, tmp_path: Path) -> None:
    commits = repo.count(remote)

    def race(pushes: int) -> None:
        if not pushes:
            repo.commit(remote, {"README.md": b"meanwhile"})

    with serve(remote.parent, before_push=race) as server:
        assert run_json(*ROLLBACK, "--repo", server.url(remote.name), cwd=tmp_path).json["attempts"] == 2
    repo.git(remote, "update-ref", "refs/heads/main", "main~1")
    with serve(remote.parent, drop_push_answers=1) as server:
        ran = run_json(*ROLLBACK, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert repo.count(remote) == commits + 2
    assert b"v1.1.0" in repo.show(remote, FILE)


def test_everything_since_a_time_goes_back_in_a_checkout_too(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {"services/order-service/envs/prod.yaml": repo.values("order-service", "prod", "v2")})
    here = repo.checkout(remote, tmp_path / "here")
    when = repo.git(here, "log", "-1", "--format=%cI")
    assert run_json("rollback", "-e", "prod", "--since", when, "--local", cwd=here).json["outcome"] == "unchanged"
    ran = run_json("rollback", "user-service", "-e", "prod", "--to", "v1.0.0", "--local", cwd=here)
    assert (ran.json["outcome"], ran.json["changes"][0]["to"]) == ("committed", "v1.0.0")


def test_where_nothing_has_changed_since_a_time_it_says_since_when_it_looked_and_where(remote: Path) -> None:
    here = ("--repo", f"file://{remote}")
    ran = run("rollback", "-e", "prod", "--since", "2099-01-01", *here, cwd=remote.parent)
    assert (ran.status, ran.out) == (0, "unchanged: there is nothing to do\n")
    assert ran.err == "nothing has changed in prod since 2099-01-01T00:00:00Z that a rollback could put back\n"
    named = run(*ROLLBACK, "--since", "2099-01-01T01:00+01:00", *here, cwd=remote.parent)
    assert named.err == ran.err.replace("nothing has", "nothing of user-service has")
    early = tool(remote, *ROLLBACK, "--since", "2020-01-01").json["problems"][0]
    assert (early["code"], "2020-01-01T00:00:00Z" in early["message"]) == ("nothing-before", True)
    assert "'2 weeks ago'" in tool(remote, *ROLLBACK, "--since", "long ago").json["problems"][0]["hint"]


def test_where_nothing_ran_before_the_hint_leads_to_what_was_left_by_going_back(remote: Path) -> None:
    back = ("rollback", "order-service", "-e", "dev")
    for _ in range(2):
        assert tool(remote, *back).json["outcome"] == "changed"
        assert tool(remote, "unhold", "order-service", "-e", "dev").json["outcome"] == "changed"
    (told,) = tool(remote, *back).json["problems"]
    assert (told["code"], told["message"]) == ("nothing-before", "nothing of order-service ran before v1.0.0 in dev")
    assert "--to TAG" in told["hint"]
    assert tool(remote, *back, "--to", "v1.2.0").json["outcome"] == "changed"
