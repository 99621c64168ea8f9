"""What goes wrong on the way to a forge, the same on all of them; and where its token is seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support import http_server
from tests.support.forges.server import TOKEN, Fault, Response
from tests.support.forges.stage import BRANCH, Stage, Time
from tests.support.http_server import Answer

from gitops_tk.errors import ForgeError, GitopsTkError, LoginFailed
from gitops_tk.forges.port import Merged

CREATE = r"(pulls|merge_requests|pullrequests|pull-requests)$"
LIMIT = {"message": "You have exceeded a secondary rate limit"}


def failure(ask: Callable[[], object]) -> GitopsTkError:
    with pytest.raises(GitopsTkError) as caught:
        ask()
    assert TOKEN not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


@pytest.mark.parametrize(
    ("response", "wait"),
    [
        (Response(403, LIMIT, {"Retry-After": "7"}), 7.0),
        (Response(429, {}, {"Retry-After": "7"}), 7.0),
        (Response(403, LIMIT), 60.0),
    ],
    ids=["403", "429", "secondary"],
)
def test_a_limit_is_waited_for(stage: Stage, response: Response, wait: float) -> None:
    stage.server.faults.append(Fault("POST", CREATE, response))
    stage.forge.create(stage.wanted())
    assert len(stage.here.pulls) == 1
    assert stage.time.waits == [wait]


def test_a_limit_that_lasts_is_told(stage: Stage) -> None:
    stage.server.faults.append(Fault(response=Response(429, {}, {"Retry-After": "3600"}), times=99))
    error = failure(lambda: stage.forge.find(BRANCH, "main"))
    assert (type(error), error.code) == (ForgeError, "rate-limit")
    assert stage.time.waits == []


def test_a_missing_permission_is_told_at_once(stage: Stage) -> None:
    stage.server.users[TOKEN] = ("robot", False)
    before = len(stage.server.seen.requests)
    error = failure(lambda: stage.forge.create(stage.wanted()))
    assert (type(error), error.code) == (LoginFailed, "forbidden")
    assert "the token needs" in (error.hint or "")
    assert stage.time.waits == []
    assert len(stage.server.seen.requests) <= before + 2


def test_a_token_that_is_unknown_is_told(stage: Stage) -> None:
    stage.server.users.clear()
    error = failure(lambda: stage.forge.find(BRANCH, "main"))
    assert (type(error), error.code) == (LoginFailed, "login-failed")


def test_a_repository_that_is_not_there_is_told(stage: Stage) -> None:
    stage.server.repositories.clear()
    error = failure(lambda: stage.forge.find(BRANCH, "main"))
    assert (type(error), error.code) == (ForgeError, "forge-missing")


def test_reading_survives_a_gateway_that_fails(stage: Stage) -> None:
    pull = stage.opened()
    stage.server.faults += [Fault("GET", response=Response(503, {})), Fault("GET", cut=True)]
    assert stage.forge.get(pull.number).number == pull.number


def test_another_host_gets_no_token(stage: Stage) -> None:
    with http_server.serve(Answer()) as other:
        stage.server.faults.append(Fault(response=Response(302, None, {"Location": f"{other.url}/x"}), times=9))
        error = failure(lambda: stage.forge.find(BRANCH, "main"))
        assert error.code == "forge-redirected"
        assert other.asked == []


def test_a_login_page_is_no_answer(stage: Stage) -> None:
    stage.server.faults.append(Fault(response=Response(200, "<html>Please log in</html>"), times=9))
    assert failure(lambda: stage.forge.find(BRANCH, "main")).code == "forge-answer"


def test_what_a_forge_says_steers_no_terminal_and_shows_no_token(stage: Stage) -> None:
    said = f"\x1b[2Jyou sent {TOKEN}" + "x" * 500
    body = {"message": said, "error": {"message": said}, "errors": [{"message": said}]}
    stage.server.faults.append(Fault(response=Response(400, body), times=9))
    error = failure(lambda: stage.forge.find(BRANCH, "main"))
    assert "\x1b" not in error.message
    assert len(error.message) < 500


def test_a_forge_that_is_slow_makes_no_second_one(stage: Stage) -> None:
    stage.server.faults.append(Fault("POST", CREATE, delay=0.4))
    pull, _ = stage.again(stage.time.patience(read=0.2)).create(stage.wanted())
    stage.server.wait_for_requests()
    assert [one.number for one in stage.here.pulls.values()] == [pull.number]


def test_many_at_once_make_one(stage: Stage) -> None:
    lost = Response(502, {"message": "Bad Gateway"})
    stage.server.faults += [Fault("POST", CREATE, lost, done=True), Fault("POST", CREATE, cut=True)]
    forges = [stage.again(Time().patience()) for _ in range(6)]
    with ThreadPoolExecutor(len(forges)) as pool:
        made = list(pool.map(lambda forge: forge.create(stage.wanted())[0], forges))
    assert {pull.number for pull in made} == set(stage.here.pulls) == {1}


def test_the_token_is_in_the_header_and_nowhere_else(stage: Stage) -> None:
    pull = stage.opened(labels=("a",), reviewers=(stage.person("ann"),))
    stage.forge.comment(pull.number, "<!-- m -->", "<!-- m -->")
    stage.forge.update(pull, title="t", body="b")
    stage.forge.disarm(pull)
    stage.forge.dismiss_approvals(pull, "r")
    assert isinstance(stage.forge.merge(pull, "merge"), Merged)
    assert stage.server.seen.everything
    for text in stage.server.seen.everything:
        lines = [line for line in text.splitlines() if TOKEN in line]
        assert all(line.lower().startswith(("authorization:", "private-token:")) for line in lines), lines
    assert TOKEN not in repr(vars(stage.forge))
    assert TOKEN not in str(stage.server.seen.requests)


def test_one_that_the_forge_does_not_close_is_told(stage: Stage) -> None:
    pull = stage.opened()
    at = r"(pulls|merge_requests|pullrequests|pull-requests)/\d+(/decline)?$"
    stage.server.faults.append(Fault("PATCH|PUT|POST", at, Response(400, {"message": "not now"}), times=9))
    error = failure(lambda: stage.forge.close(pull, "because"))
    assert isinstance(error, ForgeError)
    assert stage.forge.get(pull.number).state == "open"


def test_one_that_is_said_to_exist_and_is_not_found_is_told(stage: Stage) -> None:
    said = {"message": "already exists", "errors": [{"message": "A pull request already exists: TF401179"}]}
    for status in (409, 422):
        stage.server.faults.append(Fault("POST", CREATE, Response(status, said), times=9))
        assert isinstance(failure(lambda: stage.forge.create(stage.wanted())), ForgeError)
        stage.server.faults.clear()
    assert len(stage.here.pulls) == 0
