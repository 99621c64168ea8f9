"""Gates, as a pipeline meets them: exit codes, JSON, trailers."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json

_DAY = 86400
_CONFIG = repo.CONFIG.replace(
    b"  - name: prod\n",
    b"""  - name: prod
    protected: [replicas]
    override: [soak, protected]
    gates:
      soak: 24h
      commands:
        - {name: agree, run: [checks/agree.sh]}
""",
)
_PROGRAM = b'#!/bin/sh\necho "$GITOPS_TK_TOKEN$(ls services 2>&1)" >&2\ngrep -q v1.1.0\n'


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """One service that has soaked in staging, and one that has not."""
    folder = repo.bare(tmp_path / "gates.git")
    files = {"gitops-tk.yaml": _CONFIG, "checks/agree.sh": _PROGRAM}
    for service in ("fresh", "soaked"):
        for env in ("dev", "staging", "prod"):
            files[f"services/{service}/envs/{env}.yaml"] = repo.values(service, env)
    repo.commit(folder, files, modes={"checks/agree.sh": "100755"}, age=9 * _DAY)
    repo.commit(folder, {"services/soaked/envs/staging.yaml": repo.values("soaked", "staging", "v1.1.0")}, age=2 * _DAY)
    repo.commit(folder, {"services/fresh/envs/staging.yaml": repo.values("fresh", "staging", "v1.1.0")}, age=3600)
    return folder


def promote(remote: Path, *arguments: str, **environment: str) -> Ran:
    return run_json(
        *("promote", "staging", "prod", *arguments, "--repo", f"file://{remote}"), cwd=remote.parent, **environment
    )


def test_a_gate_that_waits_ends_a_named_promotion_with_3_and_the_time(remote: Path) -> None:
    before = repo.state(remote)
    ran = promote(remote, "fresh", "--allow-commands")
    assert (ran.status, ran.json["outcome"], ran.code) == (3, "refused", "soak")
    gates = {one["gate"]: one for one in ran.json["gates"]}
    assert gates["soak"]["answer"] == "waiting"
    assert gates["soak"]["until"] in ran.json["problems"][0]["message"]
    assert gates["commands: agree"]["answer"] == "passed"
    assert repo.state(remote) == before


def test_what_was_not_named_and_has_soaked_goes_alone(remote: Path) -> None:
    ran = promote(remote, "--allow-commands")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert [(one["service"], one["code"]) for one in ran.json["skipped"]] == [("fresh", "soak")]
    assert {change["service"] for change in ran.json["changes"]} == {"soaked"}


def test_waiting_too_long_ends_with_6(remote: Path) -> None:
    ran = promote(remote, "fresh", "--allow-commands", "--wait-for-gates", "1m")
    assert (ran.status, ran.json["outcome"], ran.code) == (6, "failed", "soak")


def test_programs_run_only_when_they_are_allowed_to(remote: Path) -> None:
    ran = promote(remote, "soaked")
    assert (ran.status, ran.code) == (3, "commands")
    dry = promote(remote, "soaked", "--allow-commands", "--dry-run")
    assert (dry.status, dry.json["outcome"]) == (0, "planned")
    assert [one["answer"] for one in dry.json["gates"]] == ["passed", "not-evaluated"]
    told = promote(remote, "soaked", "--tag", "v1.0.0", "--allow-older", "--allow-commands", GITOPS_TK_TOKEN="secret")
    assert (told.status, told.json["outcome"]) == (0, "unchanged")


def test_an_override_is_a_reason_in_the_commit_and_no_variable(remote: Path) -> None:
    ran = promote(remote, "fresh", "--allow-commands", GITOPS_TK_OVERRIDE="soak", GITOPS_TK_REASON="because")
    assert (ran.status, ran.code) == (3, "soak")
    ran = promote(remote, "fresh", "--allow-commands", "--override", "soak", "--reason", "fixes incident 4711")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert "Gitops-Tk-Override: soak fixes incident 4711" in repo.git(remote, "log", "-1", "--format=%B")
    assert [one["override"] for one in ran.json["gates"] if one["gate"] == "soak"] == ["fixes incident 4711"]


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["--override", "soak"], 2, "usage"),
        (["--reason", "because"], 2, "usage"),
        (["--override", "sock", "--reason", "r"], 2, "unknown-gate"),
        (["--override", "soak", "--reason", "one\nGitops-Tk-Override: order forged"], 2, "bad-reason"),
        (["--override", "freeze", "--reason", "r"], 3, "override-not-allowed"),
        (["--wait-for-gates", "soon"], 2, "bad-duration"),
    ],
)
def test_what_is_no_override(remote: Path, arguments: list[str], status: int, code: str) -> None:
    ran = promote(remote, "soaked", *arguments)
    assert (ran.status, ran.code) == (status, code)


def test_a_refusal_reads_well(remote: Path) -> None:
    ran = run(*("promote", "staging", "prod", "fresh", "--repo", f"file://{remote}"), cwd=remote.parent)
    assert ran.err.startswith(
        "error: fresh v1.1.0 may not come to prod now: staging has held v1.1.0 for 1h of 1d; "
        "agree was not run: --allow-commands runs it [soak]\n  hint: --allow-commands runs the programs"
    )


def test_explain_tells_people_and_programs_the_same(remote: Path, tmp_path: Path) -> None:
    arguments = ("explain", "staging", "prod", "fresh")
    checkout = repo.checkout(remote, tmp_path / "checkout")
    for place in (f"file://{remote}", str(checkout)):
        ran = run_json(*arguments, "--repo", place, cwd=tmp_path)
        assert (ran.status, ran.json["outcome"], ran.json["allowed"]) == (0, "unchanged", False)
        (soak,) = [one for one in ran.json["gates"] if one["gate"] == "soak"]
        assert soak["until"] in run(*arguments, "--repo", place, cwd=tmp_path).out
    told = run_json(*arguments, "--allow-commands", "--repo", f"file://{remote}", cwd=tmp_path).json
    assert told["until"] == soak["until"]


def test_what_waits_is_proposed_and_told_until_when(tmp_path: Path) -> None:
    config = _CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\n")
    folder = repo.gitops(tmp_path / "waits.git", ["a", "b"], config.partition(b"      commands:")[0])
    repo.commit(folder, {f"services/{name}/envs/staging.yaml": repo.values(name, "staging", "v1.1.0") for name in "ab"})
    dry = run("promote", "staging", "prod", "--dry-run", "--repo", f"file://{folder}", cwd=tmp_path)
    first = promote(folder, "a")
    (soak,) = first.json["gates"]
    told = f"a in prod may be proposed, not merged before {soak['until']}: soak: staging has held v1.1.0 for "
    assert (first.json["outcome"], soak["answer"]) == ("proposed", "waiting")
    again = run("promote", "staging", "prod", "a", "--repo", f"file://{folder}", cwd=tmp_path)
    assert again.out == "unchanged: it is proposed already on gitops-tk/prod/a\n"
    assert told in again.err
    assert "a and b in prod may be proposed, not merged before " in dry.err
