"""What the program asks of a forge, on each of them: real repositories, and requests as the vendors describe them."""

from dataclasses import replace

import pytest
from tests.support import repositories as repo
from tests.support.forges.server import Fault, Response
from tests.support.forges.stage import BRANCH, OTHERS, Stage
from tests.support.forges.state import ROBOT

from gitops_tk.forges import azure
from gitops_tk.forges.port import Merged, NotYet, Unmet

MARKER = "<!-- gitops-tk: note -->"
NO = Response(403, {"message": "no rights", "errors": [{"message": "no rights"}]})
# How each forge may leave auto-merge as it is, though it is asked to take it back.
DISARM = {
    "github": [
        Fault(
            "POST",
            "graphql$",
            Response(200, {"errors": [{"message": "no rights"}]}),
            says="disablePullRequestAutoMerge",
        )
    ],
    "gitlab": [Fault("POST", "cancel_merge_when_pipeline_succeeds$", NO)],
    "gitea": [Fault("DELETE", "merge$", NO)],
    "bitbucket-dc": [Fault("DELETE", "auto-merge$", NO)],
    "azure": [Fault("PATCH", "pullrequests/1$", NO), Fault("PATCH", "pullrequests/1$", Response(200, {}))],
}


def merged_file(stage: Stage) -> bool:
    files = repo.git(stage.here.folder, "ls-tree", "-r", "--name-only", "main").splitlines()
    return "proposal-0.txt" in files


def test_a_pull_request_is_opened_with_labels_and_reviewers(stage: Stage) -> None:
    assert stage.forge.find(BRANCH, "main") is None
    wanted = stage.wanted(labels=("promotion", "prod"), reviewers=(stage.person("ann"), stage.person("bob")))
    pull, unmet = stage.forge.create(wanted)
    (there,) = stage.here.pulls.values()
    assert (there.branch, there.base, there.title, there.body) == (BRANCH, "main", wanted.title, wanted.body)
    assert sorted(there.reviewers) == ["ann", "bob"]
    if stage.kind in ("bitbucket", "bitbucket-dc"):
        assert [type(one) for one in unmet] == [Unmet]
        assert "no labels" in unmet[0].reason
    else:
        assert (sorted(there.labels), unmet) == (["prod", "promotion"], [])
        assert sorted(pull.labels) == ["prod", "promotion"]
    assert (pull.branch, pull.base, pull.state, pull.body.strip()) == (BRANCH, "main", "open", wanted.body.strip())
    assert pull.url.startswith(stage.server.root_url)
    assert pull.is_at(repo.git(stage.here.folder, "rev-parse", BRANCH))
    assert not pull.is_at(repo.git(stage.here.folder, "rev-parse", "main"))
    again = stage.again()
    assert again.find(BRANCH, "main") == again.get(pull.number)


def test_reviewers_that_the_forge_does_not_have_are_told(stage: Stage) -> None:
    pull, unmet = stage.forge.create(stage.wanted(reviewers=("nobody-here",)))
    assert stage.here.pulls[pull.number].reviewers == []
    assert len(unmet) == 1
    assert "nobody-here" in unmet[0].reason


def test_teams_review_where_the_forge_has_teams(stage: Stage) -> None:
    pull, unmet = stage.forge.create(stage.wanted(reviewers=("team:platform",)))
    has_teams = stage.kind in ("github", "gitea")
    assert stage.here.pulls[pull.number].reviewers == (["team:platform"] if has_teams else [])
    assert bool(unmet) is not has_teams


def test_another_text_leaves_what_people_have_set(stage: Stage) -> None:
    pull = stage.opened(reviewers=(stage.person("ann"),))
    there = stage.here.pulls[pull.number]
    if stage.kind == "gitea":
        stage.here.labels["urgent"] = 77
    there.labels.append("urgent")
    there.reviewers.append("bob")
    there.version += 1
    updated = stage.forge.update(pull, title="promote: two services", body="new")
    assert (there.title, there.body) == (updated.title, updated.body) == ("promote: two services", "new")
    assert "urgent" in there.labels
    assert sorted(there.reviewers) == ["ann", "bob"]


def test_one_that_is_open_already_is_adopted(stage: Stage) -> None:
    first = stage.opened()
    pull, _ = stage.again().create(stage.wanted(title="promote: newer", body="newer"))
    assert pull.number == first.number
    assert len(stage.here.pulls) == 1
    assert (stage.here.pulls[1].title, stage.here.pulls[1].body) == ("promote: newer", "newer")


CREATE = r"(pulls|merge_requests|pullrequests|pull-requests)$"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", CREATE, Response(502, {"message": "Bad Gateway"}), done=True),
        Fault("POST", CREATE, Response(500, {"message": "Server Error"}), done=True),
        Fault("POST", CREATE, cut=True, done=True),
        Fault("POST", CREATE, Response(502, {"message": "Bad Gateway"})),
        Fault("POST", CREATE, cut=True),
    ],
    ids=["502-after", "500-after", "cut-after", "502-before", "cut-before"],
)
def test_a_lost_reply_makes_no_second_one(stage: Stage, fault: Fault) -> None:
    stage.server.faults.append(Fault(**vars(fault)))
    pull, _ = stage.forge.create(stage.wanted())
    assert list(stage.here.pulls) == [pull.number]
    created = [one for one in stage.server.seen.requests if one.startswith("POST") and "labels" not in one]
    assert len(created) == (1 if fault.done else 2)


def test_a_creation_that_never_gets_through_is_told(stage: Stage) -> None:
    stage.server.faults.append(Fault("POST", CREATE, Response(502, {"message": "Bad Gateway"}), times=9))
    with pytest.raises(Exception, match="502") as caught:
        stage.forge.create(stage.wanted())
    assert getattr(caught.value, "code", "") == "forge-unanswered"


def test_the_second_page_is_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.server.dialect.page = 2
    monkeypatch.setattr(azure, "_PAGE", 2)
    pull = stage.opened()
    for branch in OTHERS:
        stage.here.open(branch, "main", "by a person", "b")
    stage.here.open_fork("mallory", BRANCH, "main", "from a fork")
    assert stage.forge.find(BRANCH, "main") == stage.forge.get(pull.number)
    found = stage.forge.open_pull_requests("main")
    assert sorted(one.branch for one in found) == sorted((BRANCH, *OTHERS))
    assert stage.forge.open_pull_requests("other") == []


def test_a_pull_request_from_a_fork_is_nobodys_proposal(stage: Stage) -> None:
    stage.here.open_fork("mallory", BRANCH, "main", "from a fork")
    assert stage.forge.find(BRANCH, "main") is None
    pull = stage.opened()
    assert pull.number == 2


def test_a_long_body_is_read_whole(stage: Stage) -> None:
    body = "a line of the body\n" * 100
    stage.opened(body=body)
    for found in (stage.forge.find(BRANCH, "main"), *stage.forge.open_pull_requests("main")):
        assert found is not None
        assert found.body.strip() == body.strip()


def test_a_comment_is_kept_in_place(stage: Stage) -> None:
    stage.server.dialect.page = 2
    pull = stage.opened()
    there = stage.here.pulls[pull.number]
    for author, text in (("ann", "a"), (ROBOT, "b"), ("ann", f"somebody's {MARKER}")):
        stage.here.comment(there, author, text)
    stage.forge.comment(pull.number, MARKER, f"first {MARKER}")
    stage.again().comment(pull.number, MARKER, f"second {MARKER}")
    assert [one.body for one in there.comments] == ["a", "b", f"somebody's {MARKER}", f"second {MARKER}"]
    before = len(stage.server.seen.requests)
    stage.forge.comment(pull.number, MARKER, f"second {MARKER}")
    assert all(one.startswith(("GET", "POST /api/graphql")) for one in stage.server.seen.requests[before:])


def test_a_comment_whose_reply_is_lost_is_not_written_twice(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.faults.append(Fault("POST", "(comments|notes|threads)$", Response(502, {}), done=True))
    stage.forge.comment(pull.number, MARKER, f"once {MARKER}")
    assert [one.body for one in stage.here.pulls[1].comments] == [f"once {MARKER}"]


def test_a_comment_that_did_not_get_through_is_written_again(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.faults.append(Fault("POST", "(comments|notes|threads)$", Response(502, {})))
    stage.forge.comment(pull.number, MARKER, f"once {MARKER}")
    assert [one.body for one in stage.here.pulls[1].comments] == [f"once {MARKER}"]


def test_closing_says_why_and_leaves_the_branch(stage: Stage) -> None:
    pull = stage.opened()
    stage.forge.close(pull, "prod has v1.4.0 already")
    stage.again().close(pull, "prod has v1.4.0 already")
    there = stage.here.pulls[pull.number]
    assert there.state == stage.forge.get(pull.number).state == "closed"
    assert len(there.comments) == 1
    assert "prod has v1.4.0 already" in there.comments[0].body
    assert BRANCH in stage.here.tips()
    assert stage.forge.find(BRANCH, "main") is None


def test_a_merge_merges(stage: Stage) -> None:
    pull = stage.opened()
    assert isinstance(stage.forge.merge(pull, "squash"), Merged)
    assert merged_file(stage)
    assert stage.forge.get(pull.number).state == "merged"


def test_a_merge_waits_until_the_forge_knows(stage: Stage) -> None:
    stage.here.settings.looks = 2
    pull = stage.opened()
    assert isinstance(stage.forge.merge(pull, "merge"), Merged)
    assert merged_file(stage)
    assert sum(stage.time.waits) < 10


def test_what_is_not_known_in_time_is_not_yet(stage: Stage) -> None:
    if stage.kind in ("bitbucket", "bitbucket-dc"):
        stage.here.settings.checks = True
    stage.here.settings.looks = 99
    pull = stage.opened()
    assert isinstance(stage.forge.merge(pull, "merge"), NotYet)
    assert not merged_file(stage)


def test_a_merge_does_not_go_past_checks_or_another_head(stage: Stage) -> None:
    pull = stage.opened()
    stage.here.settings.checks = True
    assert isinstance(stage.forge.merge(pull, "merge"), NotYet)
    stage.here.settings.checks = False
    repo.commit(stage.here.folder, {"sneaked-in.txt": b"x\n"}, branch=BRANCH)
    assert isinstance(stage.forge.merge(pull, "merge"), NotYet)
    assert not merged_file(stage)
    assert isinstance(stage.forge.merge(stage.forge.get(pull.number), "merge"), Merged)


def test_a_merge_whose_reply_is_lost_is_found(stage: Stage) -> None:
    pull = stage.opened()
    place = "merge$" if stage.kind != "azure" else "pullrequests/1$"
    method = {"github": "PUT", "gitlab": "PUT", "azure": "PATCH"}.get(stage.kind, "POST")
    stage.server.faults.append(Fault(method, place, Response(502, {}), done=True))
    assert isinstance(stage.forge.merge(pull, "merge"), Merged)
    assert merged_file(stage)


def test_a_method_that_is_switched_off_is_told(stage: Stage) -> None:
    if stage.kind == "azure":
        return
    stage.here.settings.methods = ("merge",)
    assert isinstance(stage.forge.merge(stage.opened(), "rebase"), Unmet)
    assert not merged_file(stage)


def test_auto_merge_is_armed_and_merges_when_checks_pass(stage: Stage) -> None:
    stage.here.settings.checks = True
    pull = stage.opened()
    armed = stage.forge.arm(pull, "squash")
    if stage.kind == "bitbucket":
        assert isinstance(armed, Unmet)
        return
    assert armed is None
    # Running again is the same as once.
    assert stage.again().arm(pull, "squash") is None
    stage.here.pass_checks()
    assert merged_file(stage)


def test_auto_merge_is_disarmed(stage: Stage) -> None:
    stage.here.settings.checks = True
    pull = stage.opened()
    armed = stage.forge.arm(pull, "merge")
    for refusal in DISARM.get(stage.kind, ()):
        stage.server.faults[:] = [replace(refusal)]
        assert (type(stage.forge.disarm(pull)), stage.server.faults[0].times) == (Unmet, 0)
        assert (armed, stage.here.pulls[1].armed) == (None, "merge")
    for _ in range(2):
        assert stage.forge.disarm(pull) is None
    stage.here.pass_checks()
    assert not merged_file(stage)
    assert not stage.forge.get(pull.number).armed


def test_auto_merge_waits_until_the_forge_knows(stage: Stage) -> None:
    stage.here.settings.checks = True
    stage.here.settings.looks = 2
    pull = stage.opened()
    if stage.kind != "bitbucket":
        assert stage.forge.arm(pull, "merge") is None
        assert stage.here.pulls[pull.number].armed == "merge"


def test_auto_merge_is_not_armed_for_what_nobody_has_seen(stage: Stage) -> None:
    stage.here.settings.checks = True
    pull = stage.opened()
    # Bitbucket may have been asked already, when the branch was at another commit.
    stage.server.faults.append(Fault("GET", "auto-merge$", Response(200, {"fromHash": "0" * 40})))
    repo.commit(stage.here.folder, {"sneaked-in.txt": b"x\n"}, branch=BRANCH)
    assert isinstance(stage.forge.arm(pull, "merge"), NotYet | Unmet)
    assert stage.here.pulls[pull.number].armed is None


def test_auto_merge_with_nothing_to_wait_for_merges(stage: Stage) -> None:
    pull = stage.opened()
    armed = stage.forge.arm(pull, "merge")
    assert isinstance(armed, Unmet if stage.kind == "bitbucket" else Merged)
    assert merged_file(stage) is (stage.kind != "bitbucket")


def test_auto_merge_that_is_switched_off_is_told(stage: Stage) -> None:
    if stage.kind in ("gitea", "azure"):
        return
    stage.here.settings.checks = True
    stage.here.settings.auto_merge = False
    pull = stage.opened()
    assert isinstance(stage.forge.arm(pull, "merge"), Unmet | NotYet)
    assert stage.here.pulls[pull.number].armed is None


def test_approvals_are_dismissed_where_the_forge_allows_it(stage: Stage) -> None:
    pull = stage.opened()
    there = stage.here.pulls[pull.number]
    assert stage.forge.dismiss_approvals(pull, "new content") is None
    for name in ("ann", "bob"):
        stage.here.approve(there, name)
    dismissed = stage.forge.dismiss_approvals(pull, "new content")
    if stage.kind in ("bitbucket", "bitbucket-dc"):
        assert isinstance(dismissed, Unmet)
        assert sorted(there.approvals) == ["ann", "bob"]
        return
    assert dismissed is None
    assert there.approvals == {}
    stage.here.approve(there, "ann")
    stage.here.settings.dismissals = False
    assert isinstance(stage.forge.dismiss_approvals(pull, "new content"), Unmet)


def test_a_draft_stays_one(stage: Stage) -> None:
    pull = stage.opened(draft=True, title="promote: one")
    assert (pull.draft, pull.title) == (True, "promote: one")
    updated = stage.forge.update(pull, title="promote: two", body="b")
    assert (updated.draft, updated.title) == (True, "promote: two")
    assert isinstance(stage.forge.merge(updated, "merge"), NotYet)
    assert not merged_file(stage)


def test_commits_between_two_revisions(stage: Stage) -> None:
    folder = stage.here.folder
    older = repo.git(folder, "rev-parse", "main")
    repo.commit(folder, {"a.txt": b"1\n"}, message="fix: one\n\nbecause")
    newer = repo.commit(folder, {"a.txt": b"2\n"}, message="feat: two")
    found = stage.forge.commits_between(older, newer)
    assert not isinstance(found, Unmet)
    assert [(one.subject) for one in found] == ["feat: two", "fix: one"]
    assert found[0].commit == newer
    assert isinstance(stage.forge.commits_between("0" * 40, newer), Unmet)
