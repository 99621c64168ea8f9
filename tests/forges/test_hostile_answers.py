"""Answers of a forge that means harm, or is none: an error that a person can read, and nothing else happens."""

import contextlib
import gzip
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.support import http_server
from tests.support.forges.server import TOKEN, Fault, Response
from tests.support.forges.stage import BRANCH, Stage
from tests.support.http_server import Answer

from gitops_tk import http
from gitops_tk.errors import ForgeError, GitopsTkError, LoginFailed
from gitops_tk.forges import api
from gitops_tk.forges.github import GitHub
from gitops_tk.http import Door, Patience, Unanswered
from gitops_tk.logins import Login


def failure(ask: Callable[[], object]) -> GitopsTkError:
    with pytest.raises(GitopsTkError) as caught:
        ask()
    said = f"{caught.value.message} {caught.value.hint}"
    assert TOKEN not in said
    assert "\x1b" not in said
    assert len(caught.value.message) < 700
    return caught.value


@pytest.mark.parametrize(
    "content",
    [None, [], {}, 7, "x", True, [None], [{}], {"value": None}, {"values": [None]}, [{"number": "1"}], {"data": None}],
    ids=str,
)
def test_json_of_another_form_is_no_answer(stage: Stage, content: Any) -> None:
    pull = stage.opened()
    for ask in (
        lambda: stage.forge.get(pull.number),
        lambda: stage.forge.disarm(pull),
        lambda: stage.forge.dismiss_approvals(pull, "r"),
        lambda: stage.forge.comment(pull.number, "m", "m"),
        lambda: stage.forge.arm(pull, "merge"),
        lambda: stage.forge.update(pull, title="t", body="b"),
        lambda: stage.forge.commits_between("a", "b"),
        lambda: stage.forge.open_pull_requests("main"),
    ):
        stage.server.faults[:] = [Fault(response=Response(200, content), times=99)]
        # Whatever it makes of it, it is no accident.
        with contextlib.suppress(ForgeError, LoginFailed):
            ask()


def test_an_address_that_is_none_of_the_web_is_no_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    if stage.kind == "azure":
        # It is made from the remote's own.
        return
    pull = stage.opened()
    plain, root = json.dumps, stage.server.root_url + "/"

    def instead(bad: str, data: Any) -> str:
        return plain(data).replace(root, plain(bad)[1:-1])

    for bad in ("javascript:alert(1)//", "https://ann@evil.example/", "https://x/ y", "https://x/\x1b[2J", "//x/"):
        monkeypatch.setattr("tests.support.forges.server.json.dumps", partial(instead, bad))
        assert failure(lambda: stage.forge.get(pull.number)).code == "forge-answer"


def test_a_list_without_an_end_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_MOST_REQUESTS", 20)
    stage.opened()
    real = stage.server.handle_api
    first: dict[str, Any] = {}

    def endless(request: Any) -> Response | None:
        answer = real(request)
        assert answer is not None
        link = {"Link": f'<{stage.server.api}{request.path}?page=2>; rel="next"'}
        content = answer.content
        if isinstance(content, dict) and "values" in content:
            content = {**content, "next": f"{stage.server.api}/x?page=2", "isLastPage": False, "nextPageStart": 1}
        if isinstance(content, dict) and "value" in content:
            content = {"value": first.setdefault("value", content["value"] * 100)}
        return answer._replace(headers=link, content=content)

    monkeypatch.setattr(stage.server, "handle_api", endless)
    error = failure(lambda: stage.forge.open_pull_requests("main"))
    assert error.code == "forge-answer"
    assert len(stage.server.seen.requests) < 40


def door(url: str, **more: Any) -> Door:
    return Door(url, {}, {"Authorization": f"Bearer {TOKEN}"}, Patience(total=0.0, connect=5.0, read=5.0, **more))


BAD_BODIES = {
    "html": b"<html><script>alert(1)</script>",
    "deep": b"[" * 200_000,
    "no text": b'"\xff\xfe"',
    "half": b'[{"number": 1',
    "long number": b'{"number": ' + b"9" * 5000 + b"}",
    "empty": b"",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
@pytest.mark.parametrize("status", [200, 400, 404, 502])
def test_a_body_that_is_no_json_is_told(body: bytes, status: int) -> None:
    with http_server.serve(Answer(status=status, body=body)) as server:
        forge = GitHub.connect(server.url, "shop/gitops", Login("u", TOKEN), Patience(total=0.0))
        assert isinstance(failure(lambda: forge.find(BRANCH, "main")), ForgeError)


def test_a_body_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_LONGEST_BODY", 1 << 20)
    packed = gzip.compress(b"0" * (8 << 20))
    for answer in (Answer(body=b"0" * (2 << 20)), Answer(headers={"Content-Encoding": "gzip"}, body=packed)):
        with http_server.serve(answer) as server:
            with pytest.raises(Unanswered) as caught:
                door(server.url).send("GET", "/x")
            assert caught.value.code == "endless"
            assert len(server.asked) == 1


def test_a_broken_encoding_is_no_answer() -> None:
    with (
        http_server.serve(Answer(headers={"Content-Encoding": "gzip"}, body=b"not packed")) as server,
        pytest.raises(Unanswered),
    ):
        door(server.url).send("GET", "/x")


@pytest.mark.parametrize(
    "location",
    ["http://[", "//evil.example/x", "http://127.0.0.1@evil.example/", "javascript:x", "http:\\\\evil.example"],
)
def test_a_redirect_leads_nowhere_else(location: str) -> None:
    with http_server.serve(Answer(status=302, headers={"Location": location}), Answer(status=404)) as server:
        with contextlib.suppress(Unanswered):
            door(server.url).send("GET", "/x")
        assert all(one.line.startswith("GET /") for one in server.asked)


def test_a_limit_that_no_clock_knows_is_no_accident() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 5000, "retry-after": "\u0663"}
    reply = http.Reply(status=429, headers=headers, body=b"")
    assert (http.limit(reply, 1, 0.0) or 0) < 1000
