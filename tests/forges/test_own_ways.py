"""What one forge alone does, or answers."""

import pytest
from tests.support import repositories as repo
from tests.support.forges.bitbucket_dc import BitbucketDC
from tests.support.forges.server import TOKEN, Fault, Response
from tests.support.forges.stage import BRANCH, OTHERS, Stage, connect

from gitops_tk.errors import ForgeError, LoginFailed
from gitops_tk.forges import registry
from gitops_tk.forges.place import Place
from gitops_tk.forges.port import Merged, NotYet, Unmet

MARKER = "<!-- gitops-tk: note -->"


def on(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", [kind], indirect=True)


def graph(message: str) -> Response:
    return Response(200, {"data": None, "errors": [{"message": message}]})


@on("github")
def test_github_is_asked_for_one_branch_and_not_for_all(stage: Stage) -> None:
    stage.server.dialect.page = 2
    stage.opened()
    for branch in OTHERS:
        stage.here.open(branch, "main", "by a person", "b")
    before = len(stage.server.seen.requests)
    assert stage.forge.find(BRANCH, "main") is not None
    assert len(stage.server.seen.requests) == before + 1


@on("github")
def test_github_draft_where_the_plan_has_none(stage: Stage) -> None:
    stage.here.settings.drafts = False
    pull, unmet = stage.forge.create(stage.wanted(draft=True))
    assert not pull.draft
    assert "Draft pull requests are not supported" in unmet[0].reason


@on("github")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Pull request Pull request is in unstable status", NotYet("GitHub would merge it now, though")),
        ("Pull request is already in the merge queue", None),
        ("Resource not accessible by integration", Unmet("Resource not accessible by integration")),
    ],
)
def test_github_does_not_arm(stage: Stage, said: str, expected: NotYet | Unmet | None) -> None:
    pull = stage.opened()
    stage.server.faults.append(Fault(path="graphql", response=graph(said)))
    answer = stage.forge.arm(pull, "merge")
    assert type(answer) is type(expected)
    assert expected is None or (isinstance(answer, NotYet | Unmet) and answer.reason.startswith(expected.reason))
    assert stage.here.pulls[1].state == "open"


@on("github")
def test_github_takes_a_pull_request_out_of_the_merge_queue(stage: Stage) -> None:
    pull = stage.opened()
    there = stage.here.pulls[1]
    there.queued = True
    assert stage.forge.disarm(pull) is None
    assert not there.queued
    there.armed = "merge"
    stage.server.faults.append(Fault(path="never"))
    assert stage.forge.disarm(pull) is None
    assert there.armed is None


@on("github")
def test_github_says_that_it_will_not_answer(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.faults.append(Fault(path="graphql", response=graph("something went wrong")))
    with pytest.raises(ForgeError, match="something went wrong"):
        stage.forge.disarm(pull)


@on("gitlab")
def test_gitlab_takes_no_comma_in_a_label(stage: Stage) -> None:
    pull, unmet = stage.forge.create(stage.wanted(labels=("a,b", "c")))
    assert pull.labels == ("c",)
    assert "a,b" in unmet[0].reason


@on("gitlab")
def test_gitlab_adds_what_is_missing_to_one_that_was_there(stage: Stage) -> None:
    there = stage.here.open(BRANCH, "main", "by a person", "b")
    there.labels, there.reviewers = ["urgent"], ["bob"]
    pull, unmet = stage.forge.create(stage.wanted(labels=("prod",), reviewers=("ann",)))
    assert (pull.labels, unmet) == (("urgent", "prod"), [])
    assert (there.labels, sorted(there.reviewers)) == (["urgent", "prod"], ["ann", "bob"])


@on("gitlab")
def test_gitlab_knows_a_jobs_token_by_its_own_header(stage: Stage) -> None:
    pull = stage.opened()
    place = stage.url.partition("://")[2].partition(":")[0]
    environ = {"GITOPS_TK_TOKEN": "j0b-token-123", "CI_JOB_TOKEN": "j0b-token-123", "CI_SERVER_HOST": place}
    stage.server.users["j0b-token-123"] = ("robot", True)
    forge = connect("gitlab", stage.url, environ, stage.time.patience())
    for text in ("one", "two"):
        forge.comment(pull.number, MARKER, f"{text} {MARKER}")
    assert [one.body for one in stage.here.pulls[1].comments] == [f"two {MARKER}"]
    assert any("JOB-TOKEN: j0b-token-123" in seen for seen in stage.server.seen.everything)
    assert not any("PRIVATE-TOKEN: j0b-token-123" in seen for seen in stage.server.seen.everything)


@on("gitlab")
def test_gitlab_has_merged_it_before_it_was_disarmed(stage: Stage) -> None:
    pull = stage.opened()
    assert isinstance(stage.forge.merge(pull, "merge"), Merged)
    assert stage.forge.disarm(pull) == Unmet("it is merged already")


@on("gitea")
def test_gitea_may_refuse_new_labels(stage: Stage) -> None:
    stage.here.labels["known"] = 5
    stage.server.faults.append(Fault("POST", "gitops/labels$", Response(403, {"message": "no rights"})))
    pull, unmet = stage.forge.create(stage.wanted(labels=("known", "new")))
    assert stage.here.pulls[pull.number].labels == ["known"]
    assert [one.reason for one in unmet] == ["the label new is not set: no rights"]


@on("gitea")
def test_gitea_with_a_token_that_may_not_say_whose_it_is(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.faults.append(Fault("GET", "^/user$", Response(403, {"message": "token lacks read:user"}), times=9))
    for text in ("one", "two"):
        stage.again().comment(pull.number, MARKER, f"{text} {MARKER}")
    assert [one.body for one in stage.here.pulls[1].comments] == [f"two {MARKER}"]


@on("bitbucket")
def test_bitbucket_with_a_persons_token(stage: Stage) -> None:
    stage.server.users["api-t0ken-of-ann"] = ("ann", True)
    environ = stage.environ | {"GITOPS_TK_TOKEN": "api-t0ken-of-ann", "GITOPS_TK_USER": "ann@example.com"}
    forge = connect("bitbucket", stage.url, environ, stage.time.patience())
    pull, _ = forge.create(stage.wanted())
    forge.comment(pull.number, MARKER, MARKER)
    assert [one.author for one in stage.here.pulls[1].comments] == ["ann"]


@on("bitbucket")
def test_bitbucket_reviewers_that_it_refuses_are_left_out(stage: Stage) -> None:
    names = ("{00000000-0000-4000-8000-000000000000}", "ann")
    pull, unmet = stage.forge.create(stage.wanted(reviewers=names))
    assert pull.number == 1
    assert "by {UUID} alone" in unmet[0].reason
    assert "not a member" in unmet[1].reason


@on("bitbucket")
def test_bitbucket_is_asked_to_merge_what_is_merged(stage: Stage) -> None:
    pull = stage.opened()
    assert isinstance(stage.forge.merge(pull, "squash"), Merged)
    assert isinstance(stage.forge.merge(pull, "squash"), Merged)
    assert repo.count(stage.here.folder) == 2


@on("bitbucket-dc")
def test_bitbucket_without_auto_merge_does_not_merge_there_and_then(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BitbucketDC, "version", "8.9.2")
    pull = stage.opened()
    answer = stage.forge.arm(pull, "merge")
    assert isinstance(answer, Unmet)
    assert "8.15" in answer.reason
    assert stage.forge.disarm(pull) is None
    assert stage.here.pulls[1].state == "open"


@on("bitbucket-dc")
def test_bitbucket_without_drafts(stage: Stage) -> None:
    refusal = Response(400, {"errors": [{"message": "Unrecognized field: draft"}]})
    stage.server.faults.append(Fault("POST", "pull-requests$", refusal))
    pull, unmet = stage.forge.create(stage.wanted(draft=True))
    assert not pull.draft
    assert "Unrecognized field" in unmet[0].reason


@on("bitbucket-dc")
def test_bitbucket_is_changed_at_the_version_that_it_has(stage: Stage) -> None:
    pull = stage.opened()
    stale = Response(409, {"errors": [{"message": "out-of-date"}]})
    stage.server.faults.append(Fault("PUT", "pull-requests/1$", stale))
    assert stage.forge.update(pull, title="new", body="b").title == "new"
    stage.server.faults.append(Fault("PUT", "pull-requests/1$", stale, times=9))
    with pytest.raises(ForgeError, match="out-of-date"):
        stage.forge.update(pull, title="newer", body="b")


@on("azure")
def test_azure_finds_a_conflict_behind_its_answer(stage: Stage) -> None:
    pull = stage.opened()
    repo.commit(stage.here.folder, {"proposal-0.txt": b"something else\n"})
    assert stage.forge.merge(pull, "merge") == NotYet("its merge status is conflicts")


@on("azure")
def test_azure_answers_an_unknown_token_with_its_login_page(stage: Stage) -> None:
    stage.server.faults.append(Fault(response=Response(203, "<html>Sign In</html>"), times=9))
    with pytest.raises(LoginFailed) as caught:
        stage.forge.find(BRANCH, "main")
    assert caught.value.code == "login-failed"
    nobody = Response(200, {"authenticatedUser": {"id": "00000000-0000-0000-0000-000000000000"}})
    stage.server.faults[:] = [Fault("GET", "connectionData$", nobody)]
    with pytest.raises(LoginFailed):
        stage.forge.comment(1, MARKER, MARKER)


@on("azure")
def test_azure_adds_labels_to_one_that_was_there(stage: Stage) -> None:
    stage.here.open(BRANCH, "main", "by a person", "b")
    pull, _ = stage.forge.create(stage.wanted(labels=("prod",)))
    assert stage.here.pulls[pull.number].labels == ["prod"]


def test_a_merge_without_the_right_to_is_an_error(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.users[TOKEN] = ("robot", False)
    with pytest.raises(LoginFailed):
        stage.forge.merge(pull, "merge")
    with pytest.raises(LoginFailed):
        stage.forge.close(pull, "because")
    with pytest.raises(LoginFailed):
        stage.forge.comment(pull.number, MARKER, MARKER)


def test_what_is_never_answered_is_told(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.faults.append(Fault("POST|PUT|PATCH", response=Response(502, {}), times=99))
    for ask in (
        lambda: stage.forge.comment(pull.number, MARKER, MARKER),
        lambda: stage.forge.close(pull, "because"),
        lambda: stage.forge.update(pull, title="t", body="b"),
    ):
        with pytest.raises(ForgeError) as caught:
            ask()
        assert caught.value.code == "forge-unanswered"


def test_a_place_without_an_api_or_a_token_has_no_forge() -> None:
    with pytest.raises(ForgeError):
        registry.connect(Place(kind="git"), None)
    place = Place(kind="github", host="github.com", path="a/b", api="https://api.github.com")
    with pytest.raises(LoginFailed) as caught:
        registry.connect(place, None)
    assert caught.value.code == "no-token"
    assert caught.value.hint == "set GITOPS_TK_TOKEN or GITHUB_TOKEN"
