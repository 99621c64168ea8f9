"""wait: until Argo CD reports services synced to what the repository holds, and healthy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import published
from tests.support import repositories as repo
from tests.support.argocd_server import App, ArgoCD, state
from tests.support.cli import run, run_json
from tests.support.forges.server import TOKEN, Fault, ForgeServer, Response, serve

from gitops_tk.errors import GitopsTkError, LoginFailed
from gitops_tk.http import Patience
from gitops_tk.model.result import Result
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.wait import Clock, WaitRequest, wait

CONFIG = repo.CONFIG + b"argocd:\n  repository: https://git.example.com/shop/gitops.git\n"
APP = "user-service-prod"
DEGRADED = [
    {"kind": "Deployment", "name": "user-service", "health": {"status": "Degraded", "message": "deadline exceeded"}}
]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git", ["user-service"], CONFIG)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgeServer]:
    with serve(tmp_path, ArgoCD) as running:
        yield running


@pytest.fixture
def apps(server: ForgeServer) -> dict[str, App]:
    assert isinstance(server.dialect, ArgoCD)
    return server.dialect.apps


def head(remote: Path) -> str:
    return repo.git(remote, "rev-parse", "main")


class Still:
    """A clock that moves when somebody sleeps, and what was told meanwhile."""

    def __init__(self) -> None:
        self.time = 0.0
        self.told: list[str] = []
        self.tell = self.told.append

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def wait(self, remote: Path, server: ForgeServer, *services: str, **more: Any) -> Result:
        token = more.pop("token", TOKEN)
        request = WaitRequest(services=services or ("user-service",), env="prod", **more)
        environ = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": token, "HOME": str(remote.parent)}
        options = Options(repo=f"file://{remote}", cwd=remote.parent, environ=environ)
        clock = Clock(now=lambda: self.time, sleep=self.sleep)
        patience = Patience(sleep=self.sleep, clock=lambda: self.time)
        return wait(request, options, self.tell, patience=patience, clock=clock)


def test_a_service_that_is_synced_and_healthy_is_there(remote: Path, server: ForgeServer, apps: dict[str, App]) -> None:
    apps[APP] = App([state(head(remote))])
    still = Still()
    found = still.wait(remote, server)
    assert (found.exit_status, found.outcome, still.time) == (0, "unchanged", 0)
    assert found.details["applications"][0]["health"] == "Healthy"
    assert still.told == ["user-service in prod: v1.0.0 synced and healthy"]


def test_each_state_on_the_way_is_told_once(remote: Path, server: ForgeServer, apps: dict[str, App]) -> None:
    old = repo.git(remote, "rev-parse", "main")
    repo.commit(remote, {"services/user-service/envs/prod.yaml": repo.values("user-service", "prod", "v1.1.0")})
    new = head(remote)
    apps[APP] = App(
        [
            None,
            None,
            state(old),
            state(old),
            state(new, "OutOfSync"),
            {**state(new, "OutOfSync", phase="Running", message="waiting for hooks"), "operation": {"sync": {}}},
            state(new, phase="Running", message="one of two tasks"),
            state(new, reconciled="2026-11-25T07:00:00Z"),
            state(new, health="Missing"),
            state(new, health="Progressing"),
            state(new, health="Suspended"),
            state(new, health="Unknown"),
            state(new),
        ]
    )
    still = Still()
    found = still.wait(remote, server)
    assert found.exit_status == 0
    assert [line.removeprefix("user-service in prod: ") for line in still.told] == [
        "there is no Application yet",
        f"still at {old[:10]}",
        "out of sync",
        "syncing: waiting for hooks",
        "syncing: one of two tasks",
        "synced, health not known yet",
        "synced, missing",
        "synced, progressing",
        "synced, suspended",
        "synced, health not known",
        "v1.1.0 synced and healthy",
    ]


def test_argo_cd_is_asked_to_look_at_the_repository_and_again_while_it_is_behind(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    old = head(remote)
    repo.commit(remote, {"services/user-service/envs/prod.yaml": repo.values("user-service", "prod", "v1.1.0")})
    apps[APP] = App([*[state(old)] * 9, state(head(remote))])
    still = Still()
    assert still.wait(remote, server).exit_status == 0
    assert apps[APP].refreshes == 1 + int(still.time // 30)


def test_a_commit_that_changes_nothing_of_the_release_is_the_same(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    apps[APP] = App([state(head(remote))])
    repo.commit(remote, {"services/order-service/envs/prod.yaml": repo.values("order-service", "prod")})
    assert Still().wait(remote, server).exit_status == 0


def test_a_newer_change_of_the_release_ends_the_wait_with_a_warning(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    wanted = head(remote)
    repo.commit(remote, {"services/user-service/envs/prod.yaml": repo.values("user-service", "prod", "v2.0.0")})
    apps[APP] = App([state(head(remote))])
    found = Still().wait(remote, server, revision=wanted)
    assert (found.exit_status, [(one.code, one.severity) for one in found.problems]) == (0, [("moved-on", "warning")])


def test_what_is_degraded_for_a_while_has_failed_with_its_reasons(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    apps[APP] = App([state(head(remote), health="Degraded")], tree=DEGRADED)
    still = Still()
    found = still.wait(remote, server)
    assert (found.exit_status, found.outcome, found.problems[0].code) == (1, "failed", "unhealthy")
    assert "Deployment user-service is degraded: deadline exceeded" in found.problems[0].message
    assert 30 <= still.time < 60


def test_trouble_that_passes_is_none(remote: Path, server: ForgeServer, apps: dict[str, App]) -> None:
    ill = state(head(remote), health="Degraded")
    apps[APP] = App([*[ill] * 5, state(head(remote), health="Progressing"), *[ill] * 5, state(head(remote))])
    assert Still().wait(remote, server).exit_status == 0


def test_a_failed_sync_ends_the_wait_at_once_and_names_what_failed(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    results = [
        {"kind": "Deployment", "name": "user-service", "status": "SyncFailed", "message": "field is immutable"},
        {"kind": "Job", "name": "migrate", "status": "Synced", "hookPhase": "Failed", "message": "exit code 1"},
        {"kind": "Service", "name": "user-service", "status": "Synced", "message": "unchanged"},
    ]
    apps[APP] = App([state(head(remote), "OutOfSync", phase="Failed", message="one or more failed", results=results)])
    still = Still()
    found = still.wait(remote, server)
    assert (found.exit_status, still.time) == (1, 0)
    assert "Deployment user-service: field is immutable; Job migrate: exit code 1" in found.problems[0].message
    assert "Service" not in found.problems[0].message


def test_the_failed_sync_of_an_older_commit_says_nothing(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    old = head(remote)
    repo.commit(remote, {"services/user-service/envs/prod.yaml": repo.values("user-service", "prod", "v1.1.0")})
    failed = state(head(remote), "OutOfSync", phase="Failed", synced=old)
    apps[APP] = App([failed, failed, state(head(remote))])
    assert Still().wait(remote, server).exit_status == 0


def test_an_error_that_stays_has_failed(remote: Path, server: ForgeServer, apps: dict[str, App]) -> None:
    errors = {"ComparisonError": "chart not found", "OrphanedResourceWarning": "some"}
    apps[APP] = App([state(head(remote), "Unknown", conditions=errors)])
    found = Still().wait(remote, server)
    assert found.exit_status == 1
    assert "ComparisonError: chart not found" in found.problems[0].message
    assert "Orphaned" not in found.problems[0].message


def test_a_sync_window_is_named_and_the_wait_times_out(remote: Path, server: ForgeServer, apps: dict[str, App]) -> None:
    window = {"kind": "deny", "schedule": "0 0 * * *", "duration": "8h"}
    apps[APP] = App(
        [state(head(remote), "OutOfSync", synced="0" * 40)], windows={"canSync": False, "activeWindows": [window]}
    )
    still = Still()
    found = still.wait(remote, server, timeout=60.0)
    assert (found.exit_status, found.problems[0].code) == (6, "timed-out")
    assert "deny at 0 0 * * * for 8h" in found.problems[0].message
    assert still.time == pytest.approx(60)


def test_no_application_in_time_is_a_time_out(remote: Path, server: ForgeServer) -> None:
    found = Still().wait(remote, server, timeout=10.0)
    assert (found.exit_status, found.outcome) == (6, "failed")
    assert "there is no Application yet" in found.problems[0].message


def test_several_services_end_with_the_first_that_fails(
    tmp_path: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    remote = repo.gitops(tmp_path / "two.git", ["order-service", "user-service"], CONFIG)
    apps[APP] = App([state(head(remote), "OutOfSync", phase="Error", message="cluster unreachable")])
    apps["order-service-prod"] = App([state(head(remote), health="Progressing")])
    found = Still().wait(remote, server, "order-service", "user-service")
    assert found.exit_status == 1
    assert [one["state"] for one in found.details["applications"]] == ["coming", "failed"]
    assert ["user-service" in one.message for one in found.problems] == [True]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Response(401, {"message": "token has expired"}), "login-failed"),
        (Response(403, {"message": "permission denied"}), "forbidden"),
        (Response(200, "<html>"), "argocd-answer"),
        (Response(400, {"message": "no"}), "argocd"),
        (Response(302, None, {"Location": "https://evil.example/"}), "redirected"),
        (Response(500, {"message": "boom"}), "argocd-unavailable"),
    ],
)
def test_what_argo_cd_refuses_ends_the_wait(
    remote: Path, server: ForgeServer, apps: dict[str, App], fault: Response, code: str
) -> None:
    apps[APP] = App([state(head(remote))])
    server.faults.append(Fault(path=APP, response=fault, times=99))
    with pytest.raises(GitopsTkError) as caught:
        Still().wait(remote, server)
    assert caught.value.code == code


def test_what_argo_cd_says_is_shown_without_the_token_and_steers_no_terminal(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    said = f"no \x1b[2J to {TOKEN}\n" + "and so on " * 100
    server.faults.append(Fault(path=APP, response=Response(400, {"message": said}), times=9))
    with pytest.raises(GitopsTkError) as caught:
        Still().wait(remote, server)
    assert "no [2J to *** and so on" in caught.value.message
    assert len(caught.value.message) < 350


def test_another_project_is_a_missing_right_not_a_missing_application(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    assert isinstance(server.dialect, ArgoCD)
    server.dialect.project = "shop"
    with pytest.raises(LoginFailed) as caught:
        Still().wait(remote, server)
    assert caught.value.code == "forbidden"


def test_a_server_that_restarts_meanwhile_ends_nothing(remote: Path, server: ForgeServer, apps: dict[str, App]) -> None:
    apps[APP] = App([state(head(remote), health="Progressing"), state(head(remote))])
    still = Still()
    faults = [
        Fault(path=APP, response=Response(503, {"message": "starting"}), times=6),
        Fault(path=APP, cut=True, times=6),
    ]
    heard: list[str] = []

    def told(line: str) -> None:
        heard.append(line)
        if "progressing" in line:
            server.faults += faults

    still.tell = told
    assert still.wait(remote, server).exit_status == 0
    assert any("no answer" in line for line in heard)


def test_who_waits_from_the_command_line(
    remote: Path, server: ForgeServer, apps: dict[str, App], tmp_path: Path
) -> None:
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN}
    arguments = ("wait", "user-service", "-e", "prod", "--repo", f"file://{remote}")
    apps[APP] = App([state(head(remote))])
    text = run(*arguments, cwd=tmp_path, **there)
    assert (text.status, text.out) == (0, f"user-service  prod  v1.0.0  synced and healthy at {head(remote)[:10]}\n")
    assert text.err == "user-service in prod: v1.0.0 synced and healthy\n"
    apps[APP] = App([state(head(remote), health="Progressing")])
    late = run_json(*arguments, "--timeout", "0", cwd=tmp_path, **there)
    assert (late.status, late.code, late.json["outcome"]) == (6, "timed-out", "failed")
    assert late.json["applications"][0]["state"] == "coming"
    everything = "".join(server.seen.everything) + text.out + text.err + late.out + late.err
    assert everything.count(TOKEN) == everything.count(f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    ("environment", "status", "code"),
    [
        ({}, 2, "no-argocd"),
        ({"ARGOCD_SERVER": "https://me:secret@argocd.example"}, 2, "bad-argocd-server"),
        ({"ARGOCD_SERVER": "ftp://argocd.example"}, 2, "bad-argocd-server"),
        ({"ARGOCD_SERVER": "argocd.example"}, 1, "no-token"),
        ({"ARGOCD_SERVER": "http://argocd.example", "ARGOCD_AUTH_TOKEN": "abcdefgh"}, 2, "insecure"),
        ({"ARGOCD_SERVER": "http://127.0.0.1:1", "ARGOCD_AUTH_TOKEN": "abcdefgh"}, 1, "unanswered"),
    ],
)
def test_an_argo_cd_that_cannot_be_asked_is_told(
    remote: Path, tmp_path: Path, environment: dict[str, str], status: int, code: str
) -> None:
    ran = run_json("wait", "user-service", "-e", "prod", "--repo", f"file://{remote}", cwd=tmp_path, **environment)
    assert (ran.status, ran.code) == (status, code)
    assert "secret" not in ran.out + ran.err.replace("secret-", "")


def test_what_was_never_promoted_is_not_waited_for(remote: Path, server: ForgeServer, tmp_path: Path) -> None:
    repo.commit(remote, {"services/new/envs/prod.yaml": b"image:\n  tag: ''\n"})
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN}
    for service, code in (("new", "never-deployed"), ("nobody", "unknown-service")):
        ran = run_json("wait", service, "-e", "prod", "--repo", f"file://{remote}", cwd=tmp_path, **there)
        assert (ran.status, ran.code) == (1, code)


def test_without_services_all_that_have_an_image_there_are_waited_for(
    remote: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    values = {"services/other/envs/prod.yaml": repo.values("other", "prod")}
    repo.commit(remote, {**values, "services/new/envs/prod.yaml": b"image: {repository: registry.example.com/new}\n"})
    apps[APP] = apps["other-prod"] = App([state(head(remote))])
    request = WaitRequest(services=(), env="prod")
    environ = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN, "HOME": str(remote.parent)}
    found = wait(request, Options(repo=f"file://{remote}", cwd=remote.parent, environ=environ), Still().tell)
    assert found.exit_status == 0
    assert [one["service"] for one in found.details["applications"]] == ["other", "user-service"]


def test_of_a_published_chart_the_version_has_to_be_there_too(
    tmp_path: Path, server: ForgeServer, apps: dict[str, App]
) -> None:
    layout = b"layout: {chart: {oci: oci://registry.example.com/charts/web}}\n"
    path = "services/user-service/envs/prod.yaml"
    files = {"gitops-tk.yaml": CONFIG + layout, path: b"image: {tag: v1}\nimage: {tag: v1}\n"}
    remote = repo.bare(tmp_path / "published.git", files)
    unclear = head(remote)
    repo.commit(remote, {path: published.values("user-service", "prod", "v1.0.0", "1.0.0")})
    old = head(remote)
    repo.commit(remote, {path: published.values("user-service", "prod", "v1.0.0", "1.1.0")})
    new = head(remote)
    apps[APP] = App(
        [
            state(unclear, chart="1.0.0"),
            state(old, chart="1.0.0"),
            # The ApplicationSet has not told it yet: new values under the old chart.
            state(new, chart="1.0.0"),
            state(new, "OutOfSync", phase="Failed", message="no such value", chart="1.0.0"),
            state(new, chart="1.1.0"),
        ]
    )
    still = Still()
    found = still.wait(remote, server)
    assert (found.exit_status, found.details["applications"][0]["revision"]) == (0, new)
    assert still.told == [
        f"user-service in prod: still at 1.0.0 and {unclear[:10]}",
        f"user-service in prod: still at 1.0.0 and {old[:10]}",
        f"user-service in prod: still at 1.0.0 and {new[:10]}",
        "user-service in prod: v1.0.0 synced and healthy",
    ]
    # Whoever waits for the older commit is told that it has moved on, with its own chart.
    apps[APP] = App([state(new, chart="1.1.0")])
    assert still.wait(remote, server, revision=old).problems[0].code == "moved-on"
    apps[APP] = App([state(new, chart="1.0.0")])
    assert still.wait(remote, server, revision=old, timeout=0.0).exit_status == 6
