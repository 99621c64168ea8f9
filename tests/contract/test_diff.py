"""diff, through the whole program: what a promotion would change, and what changed between two revisions."""

import os
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.changes import repository
from tests.support.cli import Ran, run, run_json

_CONFIG = repo.CONFIG + b"promotion: {keys: ['config.*']}\n"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    files = repository(["order-service", "user-service"], _CONFIG)
    files["services/user-service/envs/prod.yaml"] += b"config: {LEVEL: info, DB_PASSWORD: hunter2}\n"
    folder = repo.bare(tmp_path / "gitops.git", files)
    newer = b"image:\n  tag: v1.1.0\nconfig: {LEVEL: debug, DB_PASSWORD: hunter3}\n"
    repo.commit(folder, {"services/user-service/envs/staging.yaml": newer})
    return folder


def diff(remote: Path, *arguments: str) -> Ran:
    return run("diff", *arguments, "--repo", f"file://{remote}", cwd=remote.parent)


def test_it_prints_what_a_promotion_would_change_and_changes_nothing(remote: Path) -> None:
    before = repo.state(remote)
    ran = diff(remote, "staging", "prod")
    lines = ran.out.splitlines()
    assert (ran.status, ran.err, repo.state(remote)) == (0, "", before)
    assert lines[0].split() == ["SERVICE", "FROM", "TO", "IN", "STAGING", "SINCE", "(UTC)"]
    assert lines[1].split()[:3] == ["user-service", "v1.0.0", "v1.1.0"]
    assert lines[2:] == [
        "",
        "values",
        "  user-service in prod:",
        "  - config.LEVEL: info",
        "  + config.LEVEL: debug",
        "  ! config.DB_PASSWORD: changed (hidden)",
        "",
        "kubernetes: 2 objects changed",
        "  user-service in prod:",
        "    ConfigMap user-service",
        "  !   data.DB_PASSWORD: changed (hidden)",
        "  -   data.LEVEL: info",
        "  +   data.LEVEL: debug",
        "    Deployment user-service",
        "  !   spec.template.metadata.annotations.checksum/config: changes, so that pods are replaced",
        "    (and 1 field with the image's version)",
    ]


def test_it_is_a_page_and_a_document_too(remote: Path) -> None:
    page = diff(remote, "staging", "prod", "user-service", "-o", "markdown")
    assert (page.status, page.err) == (0, "")
    assert page.out.startswith("`user-service` changes in `prod`, promoted from `staging`.\n\n| service | from | to |")
    ran = run_json("diff", "staging", "prod", "--repo", f"file://{remote}", cwd=remote.parent)
    assert (ran.status, ran.json["outcome"], ran.json["source"]) == (0, "unchanged", "staging")
    (release,) = ran.json["releases"]
    assert (release["service"], release["env"], release["not_rendered"]) == ("user-service", "prod", None)
    assert release["images"][0]["after"]["tag"] == "v1.1.0"
    assert release["values"][0] == {
        "path": "config.LEVEL",
        "before": "info",
        "after": "debug",
        "diff": None,
        "hidden": False,
        "because": None,
    }
    assert ran.json["rollback"] == ["gitops-tk rollback user-service -e prod"]
    assert "hunter" not in ran.out + page.out


def test_nothing_that_differs_is_no_failure(remote: Path) -> None:
    ran = diff(remote, "staging", "prod", "order-service")
    assert (ran.status, ran.out) == (0, "no release changes\n")


def test_what_would_be_refused_is_refused(remote: Path) -> None:
    assert (diff(remote, "prod", "dev").status, diff(remote, "staging", "nowhere").status) == (3, 2)
    repo.commit(remote, {"services/order-service/envs/prod.yaml": b"image: {tag: v3.0.0}\n"})
    refused = diff(remote, "staging", "prod", "order-service", "-o", "markdown")
    assert (refused.status, refused.out) == (3, "")
    assert "older-build" in refused.err
    assert (
        "worth a look\n  downgrade  order-service in prod"
        in diff(remote, "staging", "prod", "order-service", "--allow-older").out
    )


def test_what_waits_for_a_gate_is_shown_with_the_gates_answer(remote: Path) -> None:
    gates = b"  - name: prod\n    gates: {soak: 24h}\n"
    repo.commit(remote, {"gitops-tk.yaml": _CONFIG.replace(b"  - name: prod\n", gates)})
    where = ("--repo", f"file://{remote}")
    assert run("promote", "staging", "prod", "user-service", *where, cwd=remote.parent).status == 3
    ran = run_json("diff", "staging", "prod", "user-service", "--repo", f"file://{remote}", cwd=remote.parent)
    assert ran.status == 0
    assert {gate["gate"]: gate["answer"] for gate in ran.json["gates"]} == {"soak": "waiting"}
    assert ran.json["releases"][0]["images"][0]["after"]["tag"] == "v1.1.0"


def test_two_revisions_of_a_remote_are_compared(remote: Path) -> None:
    first = repo.git(remote, "rev-parse", "main~1")
    repo.git(remote, "tag", "v1", "main")
    repo.git(remote, "branch", "topic", "main")
    repo.commit(remote, {"envs/prod.yaml": b"replicas: 5\n"}, branch="topic")
    since = diff(remote, "--base", first, "--head", "v1")
    assert since.out.splitlines()[1].split() == ["user-service", "v1.0.0", "v1.1.0"]
    assert diff(remote, "--base", "v1").out == "no release changes\n"
    named = ("order-service", "--base", "v1", "--head", "topic")
    only = run_json("diff", *named, "--repo", f"file://{remote}", cwd=remote.parent)
    assert {one["service"] for one in only.json["releases"]} == {"order-service"}
    for name in ("--base=nowhere", "--base=-x", "--base=main", "--base=a..b", os.fsdecode(b"--base=\xff")):
        ran = diff(remote, name, "--head", "main" if name != "--base=main" else "nowhere")
        assert ran.status in (1, 2)
        assert "error: " in ran.err
        assert "[bug]" not in ran.err


def test_a_checkout_is_compared_with_its_own_past_and_with_its_files(remote: Path, tmp_path: Path) -> None:
    checkout = repo.checkout(remote, tmp_path / "c")
    (checkout / "envs").mkdir()
    (checkout / "envs/dev.yaml").write_text("replicas: 4\n")
    ran = run("diff", "--base", "HEAD", cwd=checkout)
    assert ran.status == 0
    assert "  order-service in dev and user-service in dev:" in ran.out.splitlines()
    assert "+   spec.replicas: 4" in ran.out
    past = run("diff", "--base", "HEAD~1", "--head", "HEAD", "user-service", cwd=checkout)
    assert past.out.splitlines()[1].split() == ["user-service", "v1.0.0", "v1.1.0"]
    for name in ("nowhere", os.fsdecode(b"\xff")):
        unknown = run("diff", "--base", name, cwd=checkout)
        assert (unknown.status, "unknown-revision" in unknown.err) == (1, True)


@pytest.mark.parametrize("arguments", [[], ["staging"], ["--head", "main"], ["staging", "prod", "-o", "html"]])
def test_a_command_line_that_says_nothing_to_compare_is_wrong(remote: Path, arguments: list[str]) -> None:
    assert diff(remote, *arguments).status == 2
