"""Somebody who means harm, or is merely quick: content that nobody has seen never lands by the tool's hand."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run_json
from tests.support.forges.server import Fault, Response
from tests.support.proposing import Shop, shop

from gitops_tk.errors import GitopsTkError, RefusedByPolicy, RepositoryError

BRANCH = "gitops-tk/prod/a"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as running:
        running.set("staging", a="v1.1.0")
        yield running


def pushed(here: Shop, tree: str, parent: str, message: str) -> str:
    """Somebody pushes a commit to the proposal's branch, with a message of their choice."""
    made = repo.git(here.folder, "commit-tree", tree, "-p", parent, "-m", message)
    repo.git(here.folder, "update-ref", f"refs/heads/{BRANCH}", made)
    return made


def test_an_approval_that_came_before_a_command_died_does_not_stand(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    here.set("staging", a="v1.2.0")
    # The second look, after the push, is not answered: the command ends there.
    here.server.behaviour.before_push = lambda _: (
        here.here.approve(pull, "ann"),
        here.server.faults.append(Fault("GET", "pulls/1$", Response(403, {"message": "no"}))),
    )
    with pytest.raises(GitopsTkError):
        here.promote("a")
    assert (b"v1.2.0" in here.proposed(pull, "a"), pull.approvals.keys()) == (True, {"ann"})
    here.server.behaviour.before_push = None
    assert here.promote("a").pull_requests[0].action == "updated"
    assert (pull.approvals, "v1.2.0" in pull.body) == ({}, True)
    here.here.approve(pull, "ann")
    here.promote("a")
    assert pull.approvals.keys() == {"ann"}


def test_a_merge_between_look_and_push_leaves_the_rest_to_another_pull_request(here: Shop) -> None:
    here.promote("a")
    (first,) = here.opened()
    here.set("staging", a="v1.2.0")
    here.server.behaviour.before_push = lambda _: here.here.merge(first, "squash") if first.state == "open" else None
    with pytest.raises(RefusedByPolicy) as refused:
        here.promote("a")
    assert (refused.value.code, first.state, here.opened()) == ("moved", "merged", [])
    here.promote("a")
    (second,) = here.opened()
    assert second.number == 2
    assert b"v1.1.0" in repo.show(here.folder, "services/a/envs/prod.yaml")
    assert b"v1.2.0" in here.proposed(second, "a")


def test_auto_merge_that_somebody_else_arms_meanwhile_is_taken_back(here: Shop) -> None:
    here.here.settings.checks = True
    here.promote("a")
    (pull,) = here.opened()
    here.set("staging", a="v1.2.0")
    here.server.behaviour.before_push = lambda _: setattr(pull, "armed", "merge")
    here.promote("a")
    assert pull.armed is None


def test_a_file_beside_what_is_proposed_is_not_taken_for_the_proposal(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    message = repo.git(here.folder, "log", "-1", "--format=%B", BRANCH)
    repo.git(here.folder, "branch", "evil", BRANCH)
    repo.commit(here.folder, {".github/workflows/evil.yml": b"on: push\n"}, branch="evil")
    pushed(here, repo.git(here.folder, "rev-parse", "evil^{tree}"), f"{pull.head}^", message)
    here.here.approve(pull, "mallory")
    assert here.promote("a", auto_merge=True).pull_requests[0].action == "merged"
    assert "evil.yml" not in repo.git(here.folder, "ls-tree", "-r", "--name-only", "main")
    assert pull.approvals == {}


@pytest.mark.parametrize("content", [b"image: {tag: v6.6.6}\n", None])
def test_other_content_under_the_same_words_is_not_taken_for_the_proposal(here: Shop, content: bytes | None) -> None:
    here.promote("a")
    (pull,) = here.opened()
    message = repo.git(here.folder, "log", "-1", "--format=%B", BRANCH)
    repo.git(here.folder, "branch", "evil", "main")
    repo.commit(here.folder, {"services/a/envs/prod.yaml": content}, branch="evil")
    pushed(here, repo.git(here.folder, "rev-parse", "evil^{tree}"), f"{pull.head}^", message)
    here.here.approve(pull, "mallory")
    assert here.promote("a").pull_requests[0].action == "updated"
    assert (b"v1.1.0" in here.proposed(pull, "a"), pull.approvals) == (True, {})


def test_a_persons_commit_beneath_one_that_looks_right_stops_the_tool(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    message = repo.git(here.folder, "log", "-1", "--format=%B", BRANCH)
    repo.git(here.folder, "update-ref", "refs/heads/below", "main")
    below = repo.commit(here.folder, {"evil.txt": b"x\n"}, branch="below")
    repo.commit(here.folder, {"services/a/envs/prod.yaml": here.proposed(pull, "a")}, branch="below")
    pushed(here, repo.git(here.folder, "rev-parse", "below^{tree}"), below, message)
    with pytest.raises(RepositoryError) as refused:
        here.promote("a", auto_merge=True)
    assert refused.value.code == "proposal-edited"
    assert pull.state == "open"


def test_words_of_a_source_commit_are_not_the_commit_that_a_page_tells_of(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    pull.body = f"- `x` `This tells of commit {'0' * 40}, proposed by gitops-tk`\n{pull.body}\nseen by ann"
    here.written()
    assert (here.promote("a").outcome, here.written()) == ("unchanged", [])


def test_a_pull_request_whose_branch_was_deleted_keeps_no_approval(tmp_path: Path) -> None:
    with shop(tmp_path, "gitlab") as here:
        # GitLab leaves it open.
        here.here.keeps_open = True
        here.set("staging", a="v1.1.0")
        here.promote("a")
        (pull,) = here.opened()
        here.here.approve(pull, "ann")
        repo.git(here.folder, "branch", "-D", BRANCH)
        here.set("staging", a="v1.2.0")
        assert here.promote("a").pull_requests[0].number == 1
        assert (here.opened(), pull.approvals, "v1.2.0" in pull.body) == ([pull], {}, True)
        here.here.settings.dismissals = False
        here.here.approve(pull, "ann")
        repo.git(here.folder, "branch", "-D", BRANCH)
        assert here.promote("a").pull_requests[0].number == 2
        assert [one.branch for one in here.opened()] == [f"{BRANCH}.2"]


def test_a_pull_request_that_somebody_opened_by_hand_or_closed_is_no_obstacle(here: Shop) -> None:
    here.here.settings.dismissals = False
    here.promote("a")
    here.pull(1).state = "closed"
    assert here.promote("a").pull_requests[0].number == 2
    assert [one.number for one in here.opened()] == [2]
    repo.git(here.folder, "branch", "-D", BRANCH)
    assert here.opened() == []
    repo.git(here.folder, "branch", BRANCH, "main")
    repo.commit(here.folder, {"mine.txt": b"x\n"}, branch=BRANCH)
    here.here.open(BRANCH, "main", "mine", "mine")
    with pytest.raises(RepositoryError):
        here.promote("a")
    assert here.opened()[0].title == "mine"


def test_proposals_of_services_that_overlap_at_the_same_time_do_not_both_stand(here: Shop) -> None:
    here.set("staging", b="v2.0.0")
    once = iter([True])

    def other(_: int) -> None:
        # Somebody else proposes everything, after this command has looked and before it has pushed.
        if next(once, False):
            here.promote()

    here.server.behaviour.before_push = other
    with pytest.raises(GitopsTkError) as refused:
        here.promote("a")
    assert refused.value.code == "proposed-with-others"
    assert [one.branch for one in here.here.pulls.values()] == ["gitops-tk/prod/_all"]
    assert repo.git(here.folder, "branch", "--list", "gitops-tk/*").split() == ["gitops-tk/prod/_all"]


def test_a_proposal_that_comes_under_review_after_the_look_is_seen_all_the_same(here: Shop) -> None:
    here.server.faults.append(Fault("POST", "pulls$", Response(403, {"message": "no"})))
    with pytest.raises(GitopsTkError):
        here.promote("a")
    here.set("staging", b="v2.0.0")
    once = iter([True])
    # Its branch stood there when this command looked; now its pull request is opened.
    here.server.behaviour.before_push = lambda _: (
        here.here.open(BRANCH, "main", "promote: a", "b") if next(once, False) else None
    )
    assert here.promote().attempts == 2
    assert [one.branch for one in here.opened()] == ["gitops-tk/prod/_all"]
    assert here.pull(1).state == "closed"


def test_a_commit_that_comes_to_the_branch_between_look_and_push_is_kept(here: Shop) -> None:
    here.promote("a")
    here.set("staging", a="v1.2.0")
    once = iter([True])
    here.server.behaviour.before_refs = lambda _: (
        repo.commit(here.folder, {"mine.txt": b"x\n"}, branch=BRANCH) if next(once, False) else None
    )
    with pytest.raises(RepositoryError) as refused:
        here.promote("a")
    assert refused.value.code == "proposal-edited"
    assert repo.show(here.folder, "mine.txt", BRANCH) == b"x\n"


def test_overlapping_sets_at_once_end_with_one_proposal_for_each_release(tmp_path: Path) -> None:
    with shop(tmp_path, services=("a", "b", "c")) as here:
        here.set("staging", a="v1.1.0", b="v1.1.0", c="v1.1.0")
        sets = [("a", "b"), ("b", "c"), ("a",), ()]

        def promote(services: tuple[str, ...]) -> str:
            try:
                return here.promote(*services).outcome
            except GitopsTkError as error:
                return error.code

        with ThreadPoolExecutor(len(sets)) as pool:
            outcomes = list(pool.map(promote, sets))
        assert set(outcomes) <= {"proposed", "unchanged", "proposed-with-others"}
        proposed = [name for pull in here.opened() for name in "abc" if b"v1.1.0" in here.proposed(pull, name)]
        assert len(proposed) == len(set(proposed)), outcomes


def test_what_a_hold_says_is_no_command_in_the_comment_that_closes(tmp_path: Path) -> None:
    with shop(tmp_path, "gitlab") as here:
        here.set("staging", a="v1.1.0")
        here.promote("a")
        reason = "@everyone closes #1 <img src=x>\\n/approve\\n/merge [x](javascript:y) | ```"
        repo.commit(here.folder, {".gitops-tk/holds/prod/a.yaml": f'reason: "{reason}"\n'.encode()})
        here.promote()
        text = here.pull(1).comments[0].body
        assert not any(line.startswith("/") for line in text.splitlines())
        assert "@everyone" not in text
        assert not re.search(r"closes\s+#1", text)
        assert re.search(r"````.*<img src=x>.*````", text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("note", "closes #1"),
        ("note", "Fixed: shop/gitops#12"),
        ("fixes", "#1"),
        ("note", "resolves https://github.com/shop/gitops/issues/1"),
        ("note", "@everyone"),
        ("note", "[skip ci]"),
        ("note", "x\\n\\n\\nskip-checks: true"),
        ("note", "x\\nGitops-Tk-Override: order\\n/merge"),
    ],
)
def test_a_value_in_a_commit_message_does_nothing(tmp_path: Path, key: str, value: str) -> None:
    config = repo.CONFIG + b"promotion:\n  keys: [note, fixes]\n"
    folder = repo.gitops(tmp_path / "m.git", ["a"], config)
    held = f'{key}: "{value}"\n'.encode()
    repo.commit(folder, {"services/a/envs/staging.yaml": repo.values("a", "staging") + held})
    other = f'{key}: "#1"\n'.encode()
    repo.commit(folder, {"services/a/envs/prod.yaml": repo.values("a", "prod") + (other if key == "note" else b"")})
    ran = run_json("promote", "staging", "prod", "a", "--repo", f"file://{folder}", cwd=tmp_path)
    assert ran.json["outcome"] == "changed", ran.err
    text = repo.git(folder, "log", "-1", "--format=%B")
    assert not re.search(r"(?i)\b(clos|fix|resolv)\w*:?\s+(\S*#\d|https?:)|(?<!\w)@\w|\bskip[- ]ci", text), text
    trailers = repo.git(folder, "log", "-1", "--format=%(trailers:only,keyonly)").split()
    assert trailers == ["Gitops-Tk-Command", "Gitops-Tk-Change", "Gitops-Tk-Source"]
    (change,) = ran.json["changes"]
    shown = text.partition(" -> ")[2].partition("\n")[0]
    assert json.loads(shown) == change["to"] if shown.startswith('"') else shown == change["to"]


def test_auto_merge_does_not_go_past_a_gate_that_waits(here: Shop) -> None:
    config = repo.show(here.folder, "gitops-tk.yaml")
    gates = b"pull-request\n    override: [soak]\n    gates: {soak: 1d}\n"
    repo.commit(here.folder, {"gitops-tk.yaml": config.replace(b"pull-request\n", gates)})
    for checks in (False, True):
        here.here.settings.checks = checks
        result = here.promote("a", auto_merge=True)
        (pull,) = here.opened()
        assert ([one.code for one in result.problems], pull.armed) == (["gates-closed"], None)
        assert (pull.state, [gate.answer for gate in result.gates]) == ("open", ["waiting"])
    repo.commit(here.folder, {"gitops-tk.yaml": config})
    assert here.promote("a", auto_merge=True).problems == ()
    assert pull.armed == "merge"
