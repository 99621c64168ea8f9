"""verify-pr, as a required check runs it: in a checkout, and on a remote."""

import os
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json

from gitops_tk.workflows.options import Options
from gitops_tk.workflows.verify import verify_between

_CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
    publish: pull-request
  - name: staging
    publish: pull-request
    protected: [replicas]
    override: [protected]
  - name: prod
    publish: pull-request
    gates:
      commands: [{name: agree, run: [checks/agree.sh]}]
promotion:
  keys: [level]
argocd:
  repository: https://git.example.com/shop/gitops.git
"""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    files = {"gitops-tk.yaml": _CONFIG, "checks/agree.sh": b"#!/bin/sh\nexit 0\n", "envs/dev.yaml": b"region: eu\n"}
    for env in ("dev", "staging", "prod"):
        files[f"services/a/envs/{env}.yaml"] = repo.values("a", env) + b"level: info\n"
    folder = repo.bare(tmp_path / "r.git")
    repo.commit(folder, files, modes={"checks/agree.sh": "100755"}, age=7200)
    repo.commit(folder, {"services/a/envs/dev.yaml": repo.values("a", "dev", "v1.1.0") + b"level: debug\n"}, age=3600)
    return folder


def propose(remote: Path, files: dict[str, bytes | None], branch: str = "change") -> None:
    repo.git(remote, "branch", "--force", branch, "main")
    repo.commit(remote, files, branch=branch)


def verify(place: Path | str, head: str, *arguments: str, base: str = "main", **environment: str) -> Ran:
    options = ("--base", base, "--head", head, "--repo", str(place))
    return run_json("verify-pr", *options, *arguments, cwd=Path("/"), **environment)


def codes(ran: Ran) -> list[str]:
    return [one["code"] for one in ran.json["problems"]]


def test_a_checkout_and_a_remote_are_told_the_same(remote: Path, tmp_path: Path) -> None:
    propose(remote, {"services/a/envs/staging.yaml": repo.values("a", "staging", "v9.9.9") + b"level: info\n"})
    checkout = repo.checkout(remote, tmp_path / "checkout")
    here = verify(checkout, "origin/change", base="origin/main")
    there = verify(f"file://{remote}", "change")
    by_id = verify(
        f"file://{remote}", repo.git(remote, "rev-parse", "change"), base=repo.git(remote, "rev-parse", "main")
    )
    for ran in (here, there, by_id):
        assert (ran.status, ran.json["outcome"], codes(ran)) == (5, "invalid", ["not-in-source"])
        assert ran.json["problems"] == here.json["problems"]
        assert ran.json["parts"] == here.json["parts"]
    assert here.json["problems"][0]["file"] == "services/a/envs/staging.yaml"
    assert here.json["parts"][0]["kind"] == "promotion"


def test_what_it_says_to_people_and_to_github(remote: Path, tmp_path: Path) -> None:
    propose(remote, {"services/a/envs/staging.yaml": repo.values("a", "staging", "v1.1.0") + b"level: debug\n"})
    options = ("verify-pr", "--base", "main", "--repo", f"file://{remote}", "--head")
    good = run(*options, "change", cwd=tmp_path)
    assert (good.status, good.out, good.err) == (0, "promotion      staging/a  v1.0.0 -> v1.1.0\naccepted\n", "")
    protected = repo.values("a", "staging") + b"level: info\nreplicas: 3\n"
    propose(remote, {"services/a/envs/staging.yaml": protected})
    bad = run(*options, "change", cwd=tmp_path)
    assert (bad.status, bad.out) == (5, "values         staging/a  replicas\nrefused\n")
    assert bad.err.startswith(
        "error: services/a/envs/staging.yaml:6: replicas of a is protected in staging [protected]\n  hint: "
    )
    assert bad.err.endswith("1 error found\n")
    github = run(*options, "change", "--output", "github", cwd=tmp_path)
    assert github.status == 5
    assert github.out.startswith("::error file=services/a/envs/staging.yaml,line=6,title=protected::replicas of a")


def test_gates_are_asked_and_programs_run_as_the_base_has_them(remote: Path) -> None:
    repo.commit(remote, {"services/a/envs/staging.yaml": repo.values("a", "staging", "v1.1.0") + b"level: debug\n"})
    prod = {"services/a/envs/prod.yaml": repo.values("a", "prod", "v1.1.0") + b"level: debug\n"}
    propose(remote, prod)
    assert codes(verify(f"file://{remote}", "change")) == ["commands"]
    allowed = verify(f"file://{remote}", "change", "--allow-commands")
    assert (allowed.status, allowed.json["gates"][0]["answer"]) == (0, "passed")
    # A program that the pull request brings is not the one that runs.
    repo.commit(remote, {"checks/agree.sh": b"#!/bin/sh\nexit 1\n"}, modes={"checks/agree.sh": "100755"})
    propose(remote, {**prod, "checks/agree.sh": b"#!/bin/sh\nexit 0\n"})
    assert codes(verify(f"file://{remote}", "change", "--allow-commands")) == ["policy-weakened", "commands"]


def test_a_rule_is_switched_off_by_the_base_and_not_by_the_head(remote: Path) -> None:
    stray = {"services/a/envs/staging.yaml": repo.values("a", "staging", "v9.9.9") + b"level: info\n"}
    off = (
        _CONFIG + b"verify:\n  off:\n  - {rule: not-in-source, reason: builds come directly, environments: [staging]}\n"
    )
    propose(remote, {**stray, "gitops-tk.yaml": off})
    assert codes(verify(f"file://{remote}", "change")) == ["policy-weakened", "not-in-source"]
    repo.commit(remote, {"gitops-tk.yaml": off})
    propose(remote, stray)
    ran = verify(f"file://{remote}", "change")
    assert (ran.status, ran.json["off"]) == (
        0,
        [{"rule": "not-in-source", "reason": "builds come directly", "findings": 1}],
    )
    repo.commit(remote, {"gitops-tk.yaml": off.replace(b"not-in-source", b"not-in-sauce")})
    ran = verify(f"file://{remote}", "change")
    assert (ran.status, ran.code) == (1, "config-unknown-rule")
    assert "not-in-source" in ran.json["problems"][0]["hint"]


def test_what_cannot_be_compared_is_told(remote: Path, tmp_path: Path) -> None:
    assert verify(f"file://{remote}", "no-such-branch").code == "unknown-branch"
    assert verify(f"file://{remote}", "--upload-pack=x").code == "bad-branch"
    propose(remote, {"README.md": b"x"})
    repo.git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{remote}", "shallow")
    shallow = verify(tmp_path / "shallow", "origin/change", base="origin/main")
    assert (shallow.status, shallow.code) == (1, "no-merge-base")
    assert "fetch-depth: 0" in shallow.json["problems"][0]["hint"]
    assert verify(tmp_path / "shallow", "nowhere", base="origin/main").code == "unknown-revision"


def test_a_history_that_could_be_read_in_two_ways_is_refused(remote: Path) -> None:
    propose(remote, {"README.md": b"x"})
    repo.commit(remote, {"docs/a.md": b"x"})
    # Each is merged into the other: both have two commits in common, and neither leads to the other.
    tips = {branch: repo.git(remote, "rev-parse", branch) for branch in ("main", "change")}
    for branch, other in (("main", "change"), ("change", "main")):
        parents = ("-p", tips[branch], "-p", tips[other])
        merged = repo.git(remote, "commit-tree", f"{tips[branch]}^{{tree}}", *parents, "-m", "merge")
        repo.git(remote, "update-ref", f"refs/heads/{branch}", merged)
    crossed = verify(f"file://{remote}", "change")
    assert (crossed.status, crossed.code) == (1, "several-merge-bases")
    assert "rebase" in crossed.json["problems"][0]["hint"]
    unrelated = repo.git(remote, "commit-tree", "main^{tree}", "-m", "rewritten")
    repo.git(remote, "update-ref", "refs/heads/unrelated", unrelated)
    assert verify(f"file://{remote}", "unrelated").code == "no-merge-base"


@pytest.mark.parametrize(
    "command",
    [
        ["promote", "dev", "staging", "a"],
        ["promote", "dev", "staging", "--split"],
        ["bump", "a", "-e", "dev", "--tag", "v1.2.0", "--build", "7"],
        ["hold", "a", "-e", "staging", "--reason", "it leaks"],
        ["rollback", "a", "-e", "dev"],
        ["values", "set", "a", "-e", "staging", "level=warn"],
        ["values", "set", "a", "-e", "staging", "replicas=3", "--override", "protected", "--reason", "more traffic"],
        ["values", "unset", "a", "-e", "dev", "level"],
        ["new-service", "b", "--image", "registry.example.com/b"],
        ["env", "add", "qa", "--after", "dev", "--copy", "dev"],
        ["env", "remove", "prod"],
    ],
    ids=" ".join,
)
def test_a_proposal_that_the_tool_makes_is_accepted(remote: Path, tmp_path: Path, command: list[str]) -> None:
    made = run_json(*command, "--repo", f"file://{remote}", cwd=tmp_path)
    assert (made.status, made.json["outcome"]) == (0, "proposed"), made.out
    options = Options(repo=f"file://{remote}", cwd=tmp_path, environ=os.environ)
    found = verify_between("main", made.json["pull_requests"][0]["branch"], options, allow_commands=True)
    assert [one for one in found.problems if one.severity == "error"] == []


def test_a_chart_that_a_promotion_carries_is_accepted(tmp_path: Path) -> None:
    config = repo.CONFIG.replace(b"staging\n", b"staging\n    publish: pull-request\n")
    files = {"gitops-tk.yaml": config + b"layout: {chart: 'services/{service}/{env}/chart'}\n"}
    for env in ("dev", "staging"):
        files[f"services/a/{env}/chart/Chart.yaml"] = b"apiVersion: v2\nname: a\nversion: 1.0.0\n"
        files[f"services/a/{env}/chart/values.yaml"] = b"replicas: 1\n"
        files[f"services/a/envs/{env}.yaml"] = repo.values("a", env)
    remote = repo.bare(tmp_path / "charts.git", files)
    new = {"services/a/dev/chart/values.yaml": b"replicas: 2\n"}
    repo.commit(remote, new | {"services/a/envs/dev.yaml": repo.values("a", "dev", "v1.1.0")})
    made = run_json("promote", "dev", "staging", "a", "--repo", f"file://{remote}", cwd=tmp_path)
    ran = verify(f"file://{remote}", made.json["pull_requests"][0]["branch"])
    assert (ran.status, ran.json["problems"]) == (0, [])
    assert {part["kind"] for part in ran.json["parts"]} >= {"promotion"}
