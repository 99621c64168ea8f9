"""Others push at the same time: nothing is lost, nothing is doubled, and a command ships what it first saw."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json, start
from tests.support.git_server import serve

from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.image import Image
from gitops_tk.workflows.bump import BumpRequest, plan
from gitops_tk.workflows.deliver import deliver
from gitops_tk.workflows.options import Options

FILE = "services/user-service/envs/dev.yaml"
BUMP = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git", ["order-service", "user-service"])


def test_a_lost_race_is_planned_again_from_the_new_head(remote: Path, tmp_path: Path) -> None:
    def race(pushes: int) -> None:
        if pushes < 2:
            repo.commit(remote, {FILE: repo.values("user-service", "dev") + b"replicas: %d\n" % pushes})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.json["attempts"]) == (0, "changed", 3)
    assert repo.show(remote, FILE) == repo.values("user-service", "dev", "v1.1.0") + b"replicas: 1\n"
    assert repo.count(remote) == 4


@pytest.mark.parametrize("third", ["hotfix", "v9.0.0"])
def test_a_third_image_that_came_meanwhile_is_not_overwritten(remote: Path, tmp_path: Path, third: str) -> None:
    def race(pushes: int) -> None:
        repo.commit(remote, {FILE: repo.values("user-service", "dev", third)})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (3, "refused", "moved")
    assert ran.json["attempts"] == 2
    assert third.encode() in repo.show(remote, FILE)


def test_a_newer_build_number_goes_on_over_an_older_third_image(remote: Path, tmp_path: Path) -> None:
    def race(pushes: int) -> None:
        if not pushes:
            repo.commit(remote, {FILE: b"image:\n  tag: other\n  build: 8\n"})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*BUMP, "--build", "9", "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert repo.show(remote, FILE) == b"image:\n  tag: v1.1.0\n  build: 9\n"


def test_the_same_image_set_by_someone_else_is_done(remote: Path, tmp_path: Path) -> None:
    def race(pushes: int) -> None:
        repo.commit(remote, {FILE: repo.values("user-service", "dev", "v1.1.0")})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "unchanged")
    assert repo.count(remote) == 2


def test_a_promotion_ships_what_it_first_saw_even_if_the_source_moves_on(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {FILE: repo.values("user-service", "dev", "v1.1.0")})

    def race(pushes: int) -> None:
        if not pushes:
            repo.commit(remote, {FILE: repo.values("user-service", "dev", "v1.2.0")})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json("promote", "dev", "staging", "user-service", "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["attempts"]) == (0, 2)
    assert b"v1.1.0" in repo.show(remote, "services/user-service/envs/staging.yaml")


def test_a_race_that_is_lost_until_the_time_is_up_is_a_conflict(remote: Path, tmp_path: Path) -> None:
    # However slow the machine is, no time at all is up after the first try; see test_snapshots.py for the others.
    def race(pushes: int) -> None:
        repo.commit(remote, {"README.md": b"%d" % pushes})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*BUMP, "--retry-for", "0s", "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (4, "conflict", "race-lost")
    assert ran.json["attempts"] == 1
    assert "failed to update ref" in ran.json["problems"][0]["message"]
    assert b"v1.0.0" in repo.show(remote, FILE)


def test_a_lost_reply_never_does_the_thing_twice(remote: Path, tmp_path: Path) -> None:
    with serve(remote.parent, drop_push_answers=1) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert ran.json["commit"] == repo.git(remote, "rev-parse", "main")
    assert repo.count(remote) == 2


def test_a_lost_reply_is_looked_into_when_the_time_is_up_too(remote: Path, tmp_path: Path) -> None:
    with serve(remote.parent, drop_push_answers=1) as server:
        ran = run_json(*BUMP, "--retry-for", "0s", "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert ran.json["commit"] == repo.git(remote, "rev-parse", "main")


def test_a_push_that_is_never_answered_is_told_as_such(remote: Path, tmp_path: Path) -> None:
    def cut(pushes: int) -> None:
        raise ConnectionError

    with serve(remote.parent, before_push=cut) as server:
        ran = run_json(*BUMP, "--retry-for", "0s", "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (1, "failed", "unreachable")
    assert "did not answer the push" in ran.json["problems"][0]["message"]
    assert repo.count(remote) == 1


def test_a_lost_reply_with_others_on_top_is_still_ours(remote: Path, tmp_path: Path) -> None:
    with serve(remote.parent, drop_push_answers=1) as server:
        process = start(*BUMP, "--repo", server.url(remote.name), "-o", "json", cwd=tmp_path)
        while repo.count(remote) < 2:
            time.sleep(0.002)
        mine = repo.git(remote, "rev-parse", "main")
        repo.commit(remote, {"README.md": b"on top"})
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert mine.encode() in out
    assert repo.count(remote) == 3


def test_a_lost_reply_is_still_ours_though_another_image_came_on_top(remote: Path, tmp_path: Path) -> None:
    with serve(remote.parent, drop_push_answers=1) as server:
        process = start(*BUMP, "--repo", server.url(remote.name), "-o", "json", cwd=tmp_path)
        while repo.count(remote) < 2:
            time.sleep(0.002)
        mine = repo.git(remote, "rev-parse", "main")
        repo.commit(remote, {FILE: repo.values("user-service", "dev", "hotfix")})
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert mine.encode() in out
    assert b"hotfix" in repo.show(remote, FILE)


@pytest.mark.parametrize(
    "command",
    [
        ("promote", "dev", "staging", "user-service"),
        ("values", "set", "user-service", "-e", "staging", "config.size=1"),
    ],
)
def test_a_value_that_someone_else_set_meanwhile_is_not_overwritten(
    remote: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    config = repo.CONFIG + b"promotion:\n  keys: [config.*]\n"
    here = repo.values("user-service", "dev") + b"config:\n  size: 1\n"
    there = "services/user-service/envs/staging.yaml"
    repo.commit(remote, {"gitops-tk.yaml": config, FILE: here, there: here.replace(b"1\n", b"2\n")})

    def race(pushes: int) -> None:
        repo.commit(remote, {there: here.replace(b"1\n", b"3\n")})

    with serve(remote.parent, before_push=race) as server:
        ran = run_json(*command, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (3, "refused", "moved")
    assert b"size: 3" in repo.show(remote, there)


@pytest.mark.parametrize("command", [("branch", "-m", "main", "trunk"), ("update-ref", "-d", "refs/heads/main")])
def test_a_branch_that_goes_meanwhile_is_not_made_again(remote: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    def race(pushes: int) -> None:
        if repo.git(remote, "branch", "--list", "main"):
            repo.git(remote, *command)

    with serve(remote.parent, before_refs=race) as server:
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "unknown-branch")
    assert repo.git(remote, "branch", "--list", "main") == ""


def test_a_commit_that_is_taken_out_meanwhile_does_not_come_back(remote: Path, tmp_path: Path) -> None:
    for tag in ("v1.5.0", "v1.7.0"):
        kept = repo.commit(remote, {FILE: repo.values("user-service", "dev", tag)})
    repo.commit(remote, {FILE: repo.values("user-service", "dev", "v1.9.0-taken-out")})

    def race(pushes: int) -> None:
        if not pushes:
            repo.git(remote, "update-ref", "refs/heads/main", kept)

    # The older tag makes the command read all history, so that git could see the push as a mere addition.
    promote = ("promote", "dev", "staging", "user-service", "--tag", "v1.5.0")
    with serve(remote.parent, before_refs=race) as server:
        ran = run_json(*promote, "--repo", server.url(remote.name), cwd=tmp_path)
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert repo.git(remote, "rev-parse", "main^") == kept
    assert b"v1.5.0" in repo.show(remote, "services/user-service/envs/staging.yaml")


def test_ten_writers_of_one_file_all_land(tmp_path: Path) -> None:
    names = [f"part{number}" for number in range(10)]
    images = "".join(f"  {name}:\n    tag: {name}.tag\n" for name in names)
    values = "".join(f"{name}:\n  tag: v1\n" for name in names).encode()
    config = repo.CONFIG + b"images:\n" + images.encode()
    remote = repo.bare(tmp_path / "r.git", {"gitops-tk.yaml": config, "services/a/envs/dev.yaml": values})
    with serve(tmp_path, request_delay=0.01) as server, ThreadPoolExecutor(len(names)) as pool:

        def write(name: str) -> int:
            bump = ("bump", "a", "-e", "dev", "--image", name, "--tag", "v2")
            return run(*bump, "--repo", server.url("r.git"), cwd=tmp_path).status

        assert list(pool.map(write, names)) == [0] * 10
    assert repo.show(remote, "services/a/envs/dev.yaml") == values.replace(b"v1", b"v2")
    assert repo.count(remote) == 11
    assert repo.git(remote, "rev-list", "--merges", "main") == ""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_command_leaves_the_remote_whole_and_the_next_run_cleans_up(
    remote: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with serve(remote.parent, request_delay=0.1) as server:
        process = start(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path, TMPDIR=str(temporary))
        while not list(temporary.iterdir()):
            time.sleep(0.005)
        time.sleep(0.2)
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
        assert b"Traceback" not in err
        if sent != signal.SIGKILL:
            assert process.returncode == 130
            assert list(temporary.iterdir()) == []
        server.behaviour.request_delay = 0
        ran = run_json(*BUMP, "--repo", server.url(remote.name), cwd=tmp_path, TMPDIR=str(temporary))
    assert ran.status == 0
    assert list(temporary.iterdir()) == []
    assert repo.git(remote, "fsck", "--connectivity-only", "--no-dangling") == ""


def test_of_twenty_pipelines_that_finish_in_any_order_the_newest_build_stays(remote: Path, tmp_path: Path) -> None:
    builds = list(range(1, 21))
    Random(5).shuffle(builds)
    options = Options(repo=f"file://{remote}", cwd=tmp_path, environ=os.environ)

    def pipeline(build: int) -> str:
        image = Image(tag=f"v1.{build}.0", build=build)
        request = BumpRequest(services=("user-service",), env="dev", image=image)
        try:
            return deliver("bump", lambda views, intent: plan(request, views, intent), options).outcome
        except RefusedByPolicy as error:
            return error.code

    with ThreadPoolExecutor(3) as pool:
        ended = dict(zip(builds, pool.map(pipeline, builds), strict=True))
    assert b"tag: v1.20.0 # set by CI\n  build: 20\n" in repo.show(remote, FILE)
    assert ended[20] == "changed"
    assert set(ended.values()) == {"changed", "older-build"}
    assert repo.count(remote) == 1 + list(ended.values()).count("changed")
    landed = [repo.show(remote, FILE, oid) for oid in repo.git(remote, "rev-list", "--reverse", "main").split()[1:]]
    numbers = [int(text.partition(b"build: ")[2]) for text in landed]
    assert numbers == sorted(numbers)
