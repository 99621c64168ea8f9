"""Holds: a service that is held back is left alone, and what is said about it."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json
from tests.support.git_server import serve

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


def test_of_services_that_are_named_each_one_that_is_held_is_told(remote: Path) -> None:
    services = ("order-service", "user-service")
    for service in services:
        repo.commit(
            remote,
            {
                f"services/{service}/envs/dev.yaml": repo.values(service, "dev", "v1.1.0"),
                f".gitops-tk/holds/staging/{service}.yaml": b"reason: incident 42\n",
            },
        )
    for command in (("promote", "dev", "staging"), ("bump", "-e", "staging", "--tag", "v2")):
        ran = tool(remote, *command, *services)
        assert (ran.status, ran.json["outcome"]) == (3, "refused")
        assert [one["message"] for one in ran.json["problems"]] == [
            f"{service} in staging is held: incident 42" for service in services
        ]


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


def test_hold_writes_a_file_that_unhold_takes_away(remote: Path) -> None:
    ran = tool(remote, "hold", "user-service", "-e", "staging", "--reason", "incident 42", "--until", "2099-12-24")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert [(one["kind"], one["key"], one["from"], one["to"]) for one in ran.json["changes"]] == [
        ("hold", "hold.reason", None, "incident 42"),
        ("hold", "hold.until", None, "2099-12-24"),
    ]
    assert repo.show(remote, STAGING).decode().splitlines()[1:] == [
        'reason: "incident 42"',
        'until: "2099-12-24"',
        'by: "Test Author <author@example.com>"',
    ]
    assert repo.git(remote, "log", "-1", "--format=%B").splitlines() == [
        "hold: user-service in staging",
        "",
        "Reason: incident 42",
        "Until: 2099-12-24",
        "",
        "Gitops-Tk-Command: hold",
        'Gitops-Tk-Change: staging/user-service hold.reason (none) -> "incident 42"',
        "Gitops-Tk-Change: staging/user-service hold.until (none) -> 2099-12-24",
    ]
    assert tool(remote, "bump", "user-service", "-e", "staging", "--tag", "v2").code == "held"
    ran = tool(remote, "unhold", "user-service", "-e", "staging")
    assert [(one["key"], one["to"]) for one in ran.json["changes"]] == [("hold.reason", None), ("hold.until", None)]
    assert repo.git(remote, "ls-tree", "-r", "--name-only", "main", ".gitops-tk") == ""
    assert tool(remote, "bump", "user-service", "-e", "staging", "--tag", "v2").status == 0


def test_the_same_hold_twice_is_one_and_another_reason_takes_its_place(remote: Path) -> None:
    hold = ("hold", "user-service", "-e", "staging", "--reason")
    assert tool(remote, *hold, "incident 42").json["outcome"] == "changed"
    assert tool(remote, *hold, "incident 42", GIT_AUTHOR_NAME="Another").json["outcome"] == "unchanged"
    ran = tool(remote, *hold, "incident 43", "--until", "2099-01-01T10:00")
    assert [(one["from"], one["to"]) for one in ran.json["changes"]] == [
        ("incident 42", "incident 43"),
        (None, "2099-01-01T10:00"),
    ]
    assert tool(remote, "unhold", "user-service", "-e", "staging").json["outcome"] == "changed"
    assert tool(remote, "unhold", "user-service", "-e", "staging").json["outcome"] == "unchanged"


def test_many_services_are_held_in_one_commit_or_in_one_each(remote: Path) -> None:
    both = ("order-service", "user-service", "-e", "staging")
    assert tool(remote, "hold", *both, "--reason", "freeze").json["outcome"] == "changed"
    assert repo.count(remote) == 2
    assert tool(remote, "unhold", *both, "--split").json["outcome"] == "changed"
    assert repo.count(remote) == 4


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("hold", "zzz", "-e", "staging", "--reason", "x"), 1, "unknown-service"),
        (("unhold", "zzz", "-e", "staging"), 1, "unknown-service"),
        (("hold", "../x", "-e", "staging", "--reason", "x"), 2, "bad-service-name"),
        (("hold", "user-service", "-e", "stagin", "--reason", "x"), 2, "unknown-environment"),
        (("hold", "user-service", "-e", "staging", "--reason", " "), 2, "bad-reason"),
        (("hold", "user-service", "-e", "staging", "--reason", "a\nGitops-Tk-Override: x"), 2, "bad-reason"),
        (("hold", "user-service", "-e", "staging", "--reason", "x", "--until", "soon"), 2, "bad-date"),
        (("hold", "user-service", "-e", "staging", "--reason", "x", "--until", "2020-01-01"), 2, "until-past"),
        (("hold", "user-service", "-e", "staging", "--reason", "x", "--push-now"), 0, None),
    ],
)
def test_what_cannot_be_held_is_told(remote: Path, arguments: tuple[str, ...], status: int, code: str | None) -> None:
    before = repo.state(remote)
    ran = tool(remote, *arguments)
    assert ran.status == status
    assert [one["code"] for one in ran.json["problems"]] == ([code] if code else [])
    assert (repo.state(remote) == before) == bool(code)


@pytest.mark.parametrize(
    "reason", ["---", "'\"quoted\"': #not a comment", "{{ .Values }} %s $(id)", "reason: x", "ö 🙂"]
)
def test_a_hostile_reason_is_text_and_nothing_else(remote: Path, reason: str) -> None:
    assert tool(remote, "hold", "user-service", "-e", "staging", "--reason", reason).status == 0
    assert repo.git(remote, "log", "-1", "--format=%(trailers:key=Gitops-Tk-Command,valueonly)").strip() == "hold"
    (held,) = tool(remote, "status").json["holds"]
    assert (held["reason"], held["fault"]) == (reason, None)


def test_status_shows_what_is_held(remote: Path) -> None:
    tool(remote, "hold", "user-service", "-e", "staging", "--reason", "incident 42", "--until", "2099-12-24")
    repo.commit(
        remote,
        {
            ".gitops-tk/holds/prod/order-service.yaml": b"reason: it loses orders\nimages: [{tag: v2}]\n",
            ".gitops-tk/holds/dev/order-service.yaml": b"reason: over\nuntil: 2020-01-01\n",
            ".gitops-tk/holds/dev/user-service.yaml": b"reason: [",
        },
    )
    text = run("status", "--repo", f"file://{remote}", cwd=remote.parent).out
    assert text.splitlines() == [
        "SERVICE        DEV       STAGING   PROD",
        "order-service  v1.0.0    v1.0.0    v1.0.0",
        "user-service   v1.0.0 !  v1.0.0 !  v1.0.0",
        "",
        "! v2 of order-service is held in prod: it loses orders",
        *[line for line in text.splitlines() if "user-service is held in dev: the hold cannot be read" in line],
        "! user-service is held in staging, until 2099-12-24: incident 42 (by Test Author <author@example.com>)",
    ]
    found = tool(remote, "status", "user-service", "-e", "staging").json["holds"]
    assert [(one["service"], one["env"], one["until"], one["images"]) for one in found] == [
        ("user-service", "staging", "2099-12-24", [])
    ]


def test_where_changes_are_proposed_a_hold_is_and_push_now_needs_leave(tmp_path: Path) -> None:
    config = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n")
    remote = repo.gitops(tmp_path / "r.git", ["a"], config)
    ran = tool(remote, "hold", "a", "-e", "prod", "--reason", "x")
    assert (ran.json["outcome"], ran.json["pull_requests"][0]["branch"]) == ("proposed", "gitops-tk/prod/a.hold")
    assert tool(remote, "hold", "a", "-e", "prod", "--reason", "x").json["outcome"] == "unchanged"
    ran = tool(remote, "hold", "a", "-e", "prod", "--reason", "x", "--push-now", GITOPS_TK_PUSH_NOW="1")
    assert (ran.status, ran.code) == (3, "push-now")
    repo.commit(remote, {"gitops-tk.yaml": config.replace(b"pull-request\n", b"pull-request\n    push-now: true\n")})
    assert tool(remote, "hold", "a", "-e", "prod", "--reason", "x", GITOPS_TK_PUSH_NOW="1").json["outcome"] != "changed"
    assert tool(remote, "hold", "a", "-e", "prod", "--reason", "x", "--push-now").json["outcome"] == "changed"
    assert "Gitops-Tk-Push-Now: prod" in repo.git(remote, "log", "-1", "--format=%B")


def test_who_proposes_what_should_happen_at_once_is_told_that_nothing_has_happened_yet(tmp_path: Path) -> None:
    config = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n")
    remote = repo.gitops(tmp_path / "r.git", ["a"], config)
    for env in ("staging", "prod"):
        repo.commit(remote, {f"services/a/envs/{env}.yaml": repo.values("a", env, "v2")})

    def told(*arguments: str) -> list[bool]:
        # Also by the same command once more.
        ran = [run(*arguments, "--repo", f"file://{remote}", cwd=tmp_path) for _ in range(2)]
        return ["until it is merged; --push-now" in one.err for one in ran]

    for env, expected in (("prod", [True, True]), ("staging", [False, False])):
        assert told("rollback", "a", "-e", env) == expected
        assert told("hold", "a", "-e", env, "--reason", "x") == expected
    repo.commit(remote, {".gitops-tk/holds/prod/a.yaml": b"reason: x\n"})
    assert told("unhold", "a", "-e", "prod") == [True, True]
    assert told("unhold", "a", "-e", "staging") == [False, False]


def test_a_hold_that_somebody_else_changes_meanwhile_is_left_to_them(remote: Path, tmp_path: Path) -> None:
    def race(pushes: int) -> None:
        if not pushes:
            repo.commit(remote, {STAGING: b"reason: incident 99\n"})

    hold = ("hold", "user-service", "-e", "staging", "--reason", "incident 42")
    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*hold, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.code) == (3, "moved")
    assert repo.show(remote, STAGING) == b"reason: incident 99\n"


def test_a_hold_is_committed_in_a_checkout_with_local(remote: Path, tmp_path: Path) -> None:
    here = repo.checkout(remote, tmp_path / "here")
    ran = run_json("hold", "user-service", "-e", "staging", "--reason", "x", "--local", cwd=here)
    assert ran.json["outcome"] == "committed"
    assert run_json("bump", "user-service", "-e", "staging", "--tag", "v2", "--local", cwd=here).code == "held"
    assert run_json("unhold", "user-service", "-e", "staging", "--local", cwd=here).json["outcome"] == "committed"
    assert run_json("bump", "user-service", "-e", "staging", "--tag", "v2", "--local", cwd=here).status == 0
