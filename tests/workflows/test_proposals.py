"""Proposals as pull requests: one for a service and environment, and no approval for content that was not seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run_json
from tests.support.forges.server import TOKEN
from tests.support.proposing import Shop, shop

from gitops_tk.errors import RefusedByPolicy, RepositoryError


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as running:
        running.set("staging", a="v1.1.0")
        yield running


def test_a_promotion_opens_a_pull_request(here: Shop) -> None:
    here.configure("  labels: [promotion]\n  reviewers: [ann, 'team:platform']\n  draft: true\n")
    result = here.promote("a")
    (pull,) = here.opened()
    (shown,) = result.pull_requests
    assert (result.outcome, result.problems) == ("proposed", ())
    assert (shown.number, shown.branch, shown.action) == (1, "gitops-tk/prod/a", "opened")
    assert pull.title == "promote: a v1.1.0 from staging to prod"
    assert pull.body.startswith("- a v1.0.0 -> v1.1.0\n")
    assert result.commit in pull.body
    assert (pull.labels, pull.reviewers, pull.draft) == (["promotion"], ["ann", "team:platform"], True)
    assert b"v1.1.0" in here.proposed(pull, "a")


def test_an_equal_proposal_changes_nothing(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    pull.body += "\r\nA person has added this."
    here.written()
    before = repo.state(here.folder)
    result = here.promote("a")
    assert (result.outcome, result.pull_requests[0].number) == ("unchanged", 1)
    assert here.written() == []
    assert repo.state(here.folder) == before


def test_a_newer_promotion_updates_the_same_pull_request_and_says_so(here: Shop) -> None:
    first = here.promote("a")
    here.set("staging", a="v1.2.0")
    result = here.promote("a")
    (pull,) = here.opened()
    assert (result.outcome, result.pull_requests[0].action, pull.number) == ("proposed", "updated", 1)
    assert pull.title == "promote: a v1.2.0 from staging to prod"
    assert pull.body.startswith("- a v1.0.0 -> v1.2.0\n")
    assert f"Takes the place of commit {first.commit}." in pull.body
    assert result.commit in pull.body
    assert b"v1.2.0" in here.proposed(pull, "a")


def test_nobody_approves_what_comes_later(here: Shop) -> None:
    here.here.settings.checks = True
    here.promote("a", auto_merge=True)
    (pull,) = here.opened()
    here.here.approve(pull, "ann")
    assert pull.armed
    at_push = []
    here.server.behaviour.before_push = lambda _: at_push.append((pull.armed, dict(pull.approvals)))
    here.set("staging", a="v1.2.0")
    here.promote("a")
    assert at_push == [(None, {})]
    assert (pull.armed, pull.approvals) == (None, {})


def test_an_approval_that_comes_while_new_content_is_pushed_does_not_stand(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    here.set("staging", a="v1.2.0")
    here.server.behaviour.before_push = lambda _: here.here.approve(pull, "ann")
    here.promote("a")
    assert pull.approvals == {}


@pytest.mark.parametrize("late", [False, True])
def test_where_approvals_cannot_be_dismissed_another_pull_request_takes_the_place(here: Shop, late: bool) -> None:
    here.here.settings.dismissals = False
    here.promote("a")
    (old,) = here.opened()
    here.set("staging", a="v1.2.0")
    if late:
        here.server.behaviour.before_push = lambda pushes: here.here.approve(old, "ann") if old.number == 1 else None
    else:
        here.here.approve(old, "ann")
    result = here.promote("a")
    (new,) = here.opened()
    assert (new.number, new.branch, old.state) == (2, "gitops-tk/prod/a.2", "closed")
    assert old.approvals.keys() == {"ann"}
    assert new.approvals == {}
    assert result.pull_requests[0].url in old.comments[0].body
    assert "pulls/1" in new.body or "pull/1" in new.body
    assert [one.number for one in result.closed] == [1]
    assert repo.git(here.folder, "branch", "--list", "gitops-tk/prod/a") == ""
    assert b"v1.2.0" in here.proposed(new, "a")
    assert here.promote("a").outcome == "unchanged"
    here.set("staging", a="v1.3.0")
    here.server.behaviour.before_push = None
    assert here.promote("a").pull_requests[0].number == 2


def test_a_persons_commit_on_a_proposal_stops_the_tool(here: Shop) -> None:
    here.promote("a")
    repo.commit(here.folder, {"notes.md": b"mine"}, branch="gitops-tk/prod/a")
    here.set("staging", a="v1.2.0")
    before = repo.state(here.folder)
    here.written()
    for options in ({}, {"dry_run": True}):
        with pytest.raises(RepositoryError) as refused:
            here.promote("a", **options)
        assert refused.value.code == "proposal-edited"
    assert (here.written(), repo.state(here.folder)) == ([], before)


def test_a_proposal_of_more_takes_the_place_of_those_of_less(here: Shop) -> None:
    here.promote("a")
    here.set("staging", b="v2.0.0")
    result = here.promote("a", "b")
    (new,) = here.opened()
    old = here.pull(1)
    assert (new.number, old.state) == (2, "closed")
    assert result.pull_requests[0].url is not None
    assert f"Superseded by {result.pull_requests[0].url}" in old.comments[0].body
    assert "Takes the place of http" in new.body
    assert (result.closed[0].number, result.closed[0].branch) == (1, "gitops-tk/prod/a")


def test_a_proposal_of_less_does_not_break_one_of_more(here: Shop) -> None:
    here.set("staging", b="v2.0.0")
    here.promote("a", "b")
    here.set("staging", a="v1.2.0")
    before = repo.state(here.folder)
    with pytest.raises(RefusedByPolicy) as refused:
        here.promote("a")
    assert refused.value.code == "proposed-with-others"
    assert "prod/b" in refused.value.message
    assert repo.state(here.folder) == before
    assert here.promote("a", "b").pull_requests[0].number == 1


def test_what_promotes_everything_takes_the_place_of_all(here: Shop) -> None:
    here.set("staging", b="v2.0.0")
    here.promote("a")
    here.promote("b")
    result = here.promote()
    (new,) = here.opened()
    assert (new.branch, [one.number for one in result.closed]) == ("gitops-tk/prod/_all", [1, 2])


def test_a_proposal_that_has_landed_another_way_is_closed(here: Shop) -> None:
    here.promote("a")
    here.set("prod", a="v1.1.0")
    result = here.promote("a")
    assert (result.outcome, here.opened()) == ("unchanged", [])
    assert "has landed: `main` holds the same" in here.pull(1).comments[0].body
    assert repo.git(here.folder, "branch", "--list", "gitops-tk/*") == ""


def test_a_proposal_of_what_nobody_wants_any_more_is_closed(here: Shop) -> None:
    here.promote("a")
    here.set("staging", a="v1.0.0")
    here.promote()
    assert "nothing left to propose" in here.pull(1).comments[0].body


def test_a_proposal_of_a_service_that_is_held_is_closed(here: Shop) -> None:
    here.set("staging", b="v2.0.0")
    here.promote("a")
    repo.commit(here.folder, {".gitops-tk/holds/prod/a.yaml": b"reason: it leaks memory\n"})
    result = here.promote()
    (new,) = here.opened()
    assert (new.number, [one.service for one in result.skipped]) == (2, ["a"])
    assert "`a` in `prod` is held: `it leaks memory`" in here.pull(1).comments[0].body


@pytest.mark.parametrize("named", ["a", "b"])
def test_a_proposal_of_several_that_a_hold_closes_says_for_which_nothing_is_left(here: Shop, named: str) -> None:
    here.set("staging", b="v2.0.0")
    here.promote("a", "b")
    repo.commit(here.folder, {".gitops-tk/holds/prod/a.yaml": b"reason: it leaks\n"})
    if named == "a":
        # What was wanted of it is not there any more, and what is held is looked at.
        here.set("staging", a="v1.0.0")
    here.promote(named)
    left = "Nothing is proposed any more for `prod/b`" in here.pull(1).comments[0].body
    assert (here.pull(1).state, left) == ("closed", named == "a")


def test_a_proposal_that_was_merged_by_hand_has_landed_also_where_its_service_is_held_then(here: Shop) -> None:
    here.promote("a")
    (pull,) = here.opened()
    files = {
        "services/a/envs/prod.yaml": here.proposed(pull, "a"),
        ".gitops-tk/holds/prod/a.yaml": b"reason: it leaks\n",
    }
    repo.commit(here.folder, files)
    here.promote()
    assert "has landed: `main` holds the same" in here.pull(1).comments[0].body


def test_a_dry_run_says_what_would_be_and_writes_nothing(here: Shop) -> None:
    here.promote("a")
    here.set("staging", a="v1.2.0", b="v2.0.0")
    before = repo.state(here.folder)
    here.written()
    result = here.promote("a", dry_run=True)
    assert (result.outcome, result.pull_requests[0].number, result.pull_requests[0].action) == ("planned", 1, "updated")
    everything = here.promote(dry_run=True)
    assert (everything.pull_requests[0].action, [one.number for one in everything.closed]) == ("opened", [1])
    assert (here.written(), repo.state(here.folder)) == ([], before)


def test_a_split_proposes_each_service_and_takes_the_place_of_what_held_them_together(here: Shop) -> None:
    here.set("staging", b="v2.0.0")
    here.promote("a", "b")
    result = here.promote("a", "b", split=True)
    assert [pull.branch for pull in here.opened()] == ["gitops-tk/prod/a", "gitops-tk/prod/b"]
    assert [one.number for one in result.pull_requests] == [2, 3]
    comment = here.pull(1).comments[0].body
    assert all(one.url in comment for one in result.pull_requests if one.url)
    assert here.promote("a", "b", split=True).outcome == "unchanged"


def test_a_rollback_waits_for_no_promotion_and_gives_way_to_none(here: Shop, tmp_path: Path) -> None:
    here.set("prod", a="v1.1.0")
    here.set("staging", a="v1.2.0", b="v2.0.0")
    here.promote("a", "b")
    command = ("rollback", "a", "-e", "prod", "--repo", here.url)
    ran = run_json(*command, cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
    assert ran.json["outcome"] == "proposed", ran.out
    assert [one["number"] for one in ran.json["closed"]] == [1]
    assert "Nothing is proposed any more for prod/b" in ran.json["closed"][0]["reason"]
    here.promote()
    assert [pull.branch for pull in here.opened()] == ["gitops-tk/prod/a.rollback", "gitops-tk/prod/_all"]


def test_a_hold_that_is_pushed_closes_what_is_proposed(here: Shop, tmp_path: Path) -> None:
    config = repo.show(here.folder, "gitops-tk.yaml").replace(b"pull-request\n", b"pull-request\n    push-now: true\n")
    repo.commit(here.folder, {"gitops-tk.yaml": config})
    here.promote("a")
    command = ("hold", "a", "-e", "prod", "--reason", "it leaks", "--repo", here.url)
    beside = run_json(*command, cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
    assert (beside.json["outcome"], len(here.opened())) == ("proposed", 2)
    pushed = run_json(*command, "--push-now", cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
    assert pushed.json["outcome"] == "changed", pushed.out
    assert here.opened() == []
    assert "`a` in `prod` is held: `it leaks (by " in here.pull(1).comments[0].body
