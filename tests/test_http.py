"""The HTTP door: what is sent again and what is not, how long it waits, and where a login never goes."""

from pathlib import Path

import pytest

from gitops_tk.errors import UsageError
from gitops_tk.http import Door, Patience, Unanswered
from tests.support.forges.stage import Time
from tests.support.http_server import Answer, certificate, serve

SECRET = "s3cr3t-of-the-d00r"
LOGIN = {"Authorization": f"Bearer {SECRET}"}
BAD = Answer(502)
CUT = Answer(cut=True)


def door(url: str, time: Time, total: float = 120.0, **login: str) -> Door:
    return Door(url, {"Accept": "application/json"}, login or LOGIN, time.patience(total))


@pytest.mark.parametrize("failure", [BAD, Answer(503), Answer(504), CUT, Answer(429)])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_does_no_harm_twice_is_sent_again(method: str, failure: Answer) -> None:
    time = Time()
    with serve(failure, failure, Answer(body=b"[]")) as server:
        assert door(server.url, time).send(method, "/x").body == b"[]"
        assert len(server.asked) == 3
    assert len(time.waits) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_be_done_already_is_not_sent_again(method: str) -> None:
    with serve(BAD, Answer()) as server:
        assert door(server.url, Time()).send(method, "/x", body=b"{}").status == 502
        assert len(server.asked) == 1
    with serve(CUT, Answer()) as server:
        with pytest.raises(Unanswered) as caught:
            door(server.url, Time()).send(method, "/x", body=b"{}")
        assert caught.value.sent
        assert len(server.asked) == 1
    with serve(BAD, Answer()) as server:
        assert door(server.url, Time()).send(method, "/x", body=b"{}", repeatable=True).status == 200


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
def test_an_answer_is_an_answer(status: int) -> None:
    with serve(Answer(status), Answer()) as server:
        assert door(server.url, Time()).send("GET", "/x").status == status
        assert len(server.asked) == 1


def test_a_server_that_never_recovers_is_given_up() -> None:
    time = Time()
    with serve(BAD) as server:
        assert door(server.url, time).send("GET", "/x").status == 502
        assert len(server.asked) == 5
    assert time.waits == [0.5, 1.0, 2.0, 4.0]


def test_what_never_left_is_sent_again_whatever_it_is() -> None:
    time = Time()
    with serve() as server:
        gone = server.url
    with pytest.raises(Unanswered) as caught:
        door(gone, time).send("POST", "/x", body=b"{}")
    assert not caught.value.sent
    assert len(time.waits) == 4
    assert "127.0.0.1" in caught.value.message


LIMITS = [
    (Answer(429, {"Retry-After": "7"}), 7.0),
    (Answer(403, {"Retry-After": "7"}), 7.0),
    (Answer(429, {"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT"}), 30.0),
    (Answer(429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}), 0.0),
    (Answer(429, {"Retry-After": "soon"}), 2.0),
    (Answer(429, {"Retry-After": "9" * 400}), 2.0),
    (Answer(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000041"}), 42.0),
    (Answer(429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "1800000041"}), 42.0),
    (Answer(429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "1700000000"}), 1.0),
    (Answer(403, {}, b'{"message": "You have exceeded a secondary rate limit."}'), 60.0),
    (Answer(429, {"X-GitHub-Request-Id": "1"}), 60.0),
    (Answer(429), 2.0),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("answer", "wait"), LIMITS)
def test_a_limit_is_waited_for_as_the_server_says(answer: Answer, wait: float, method: str) -> None:
    time = Time()
    with serve(answer, Answer()) as server:
        assert door(server.url, time).send(method, "/x").status == 200
        assert len(server.asked) == 2
    assert time.waits == [wait]


def test_a_gateway_that_names_a_time_is_waited_for() -> None:
    time = Time()
    with serve(Answer(503, {"Retry-After": "7"}), Answer()) as server:
        assert door(server.url, time).send("GET", "/x").ok
    assert time.waits == [7.0]


def test_a_403_that_is_no_limit_is_a_missing_permission() -> None:
    time = Time()
    with serve(Answer(403, {"X-RateLimit-Remaining": "4999"}, b'{"message": "Resource not accessible"}')) as server:
        assert door(server.url, time).send("GET", "/x").status == 403
    assert time.waits == []


def test_all_waiting_together_has_an_end() -> None:
    time = Time()
    with serve(Answer(429, {"Retry-After": "60"})) as server:
        one = door(server.url, time)
        assert one.send("GET", "/x").status == 429
        assert one.send("GET", "/y").status == 429
    assert time.waits == [60.0, 60.0]
    with serve(Answer(429, {"Retry-After": "3600"})) as server:
        assert door(server.url, time).send("GET", "/x").status == 429
        assert len(server.asked) == 1


def test_a_slow_server_is_not_waited_for() -> None:
    patience = Patience(read=0.1, sleep=lambda _: None)
    with serve(Answer(delay=0.3)) as server, pytest.raises(Unanswered, match="in time") as caught:
        Door(server.url, {}, LOGIN, patience).send("POST", "/x")
    assert caught.value.sent


def test_time_that_a_server_lets_pass_counts_as_waiting() -> None:
    waits: list[float] = []
    patience = Patience(total=0.55, read=0.1, sleep=waits.append)
    with serve(Answer(delay=0.3)) as server, pytest.raises(Unanswered):
        Door(server.url, {}, LOGIN, patience).send("GET", "/x")
    # Half a second more would be too much after a tenth that was spent.
    assert waits == []


def test_one_connection_serves_many_requests() -> None:
    with serve() as server:
        one = door(server.url, Time())
        for _ in range(5):
            one.send("GET", "/x")
        assert (len(server.asked), server.connections) == (5, 1)
        one.close()


def test_many_writes_are_a_second_apart() -> None:
    time = Time()
    with serve() as server:
        one = door(server.url, time)
        for _ in range(12):
            one.send("POST", "/x")
    assert time.waits == [1.0, 1.0]


def test_a_clock_that_is_set_back_holds_no_write_up() -> None:
    time = Time()
    with serve() as server:
        one = door(server.url, time)
        for _ in range(11):
            one.send("POST", "/x")
        time.now -= 3600
        one.send("POST", "/x")
    assert time.waits == [1.0]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_login_is_not_sent_along_with_a_redirect(status: int, method: str) -> None:
    with serve() as other, serve(Answer(status, {"Location": f"{other.url}/{SECRET}?code=0ne-t1me"})) as server:
        with pytest.raises(Unanswered) as caught:
            door(server.url, Time()).send(method, "/x")
        assert (other.asked, len(server.asked)) == ([], 1)
    assert caught.value.code == "redirected"
    assert SECRET not in caught.value.message
    assert "0ne-t1me" not in caught.value.message


def test_a_redirect_of_the_same_server_without_encryption_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with serve(certificate=file) as server:
        server.answers = [Answer(307, {"Location": server.url.replace("https", "http") + "/y"})]
        with pytest.raises(Unanswered) as caught:
            door(server.url, Time()).send("GET", "/x")
        assert (caught.value.code, len(server.asked)) == ("redirected", 1)


def test_a_redirect_within_the_server_is_followed() -> None:
    with serve(Answer(301, {"Location": "/repositories/1/pulls"}), Answer(body=b"[]")) as server:
        assert door(server.url, Time()).send("GET", "/x").body == b"[]"
        assert server.asked[1].line == "GET /repositories/1/pulls HTTP/1.1"
    with serve(Answer(307, {"Location": "/y"}), Answer(201)) as server:
        assert door(server.url, Time()).send("POST", "/x", body=b"{}").status == 201
        assert (server.asked[1].line, server.asked[1].body) == ("POST /y HTTP/1.1", b"{}")
    with serve(Answer(307, {"Location": "/y?page=2"}), Answer()) as server:
        door(server.url, Time()).send("GET", "/x", query={"page": "2"})
        assert server.asked[1].line == "GET /y?page=2 HTTP/1.1"


def test_a_redirect_that_leads_nowhere_has_an_end() -> None:
    with serve(Answer(307, {"Location": "/x"})) as server:
        with pytest.raises(Unanswered):
            door(server.url, Time()).send("GET", "/x")
        assert len(server.asked) == 3


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_is_not_sent_to_where_only_a_read_may_be_redirected(status: int) -> None:
    with serve(Answer(status, {"Location": "/y"}), Answer()) as server:
        with pytest.raises(Unanswered, match="elsewhere"):
            door(server.url, Time()).send("POST", "/x", body=b"{}")
        assert len(server.asked) == 1


def test_a_login_in_a_netrc_neither_goes_out_nor_takes_the_place_of_ours(isolated_home: Path) -> None:
    (isolated_home / ".netrc").write_text("machine 127.0.0.1 login ann password of-the-netrc\n")
    with serve() as server:
        door(server.url, Time()).send("GET", "/x")
        Door(server.url, {}, {}, Time().patience()).send("GET", "/x")
    assert server.asked[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert "Authorization" not in server.asked[1].headers


def test_cookies_are_not_sent_back() -> None:
    with serve(Answer(200, {"Set-Cookie": "session=1; Path=/"})) as server:
        one = door(server.url, Time())
        one.send("GET", "/x")
        one.send("GET", "/x")
    assert "Cookie" not in server.asked[1].headers


def test_a_proxy_of_the_environment_is_used_and_sees_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Answer(502)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(Unanswered) as caught:
            door("https://api.example.com", Time(), total=0).send("POST", "/x")
        assert not caught.value.sent
        assert proxy.asked[0].line.startswith("CONNECT api.example.com:443 ")
        assert SECRET not in str(proxy.asked)


def test_a_login_for_this_machine_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as proxy, serve() as server:
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert door(server.url, Time()).send("GET", "/x").ok
        assert proxy.asked == []


def test_a_companys_own_certificate_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    with serve(certificate=file) as server:
        time = Time()
        with pytest.raises(Unanswered) as caught:
            door(server.url, time).send("GET", "/x")
        assert (caught.value.code, time.waits) == ("certificate", [])
        assert "REQUESTS_CA_BUNDLE" in (caught.value.hint or "")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
        assert door(server.url, Time()).send("GET", "/x").ok


@pytest.mark.parametrize("url", ["http://git.example.com", "http://10.0.0.1", "ftp://127.0.0.1"])
def test_a_login_goes_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Door(url, {}, LOGIN)
    assert caught.value.code == "insecure"
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("rest", ["\nX-Evil: 1", "\u20ac"])
def test_a_login_that_is_no_header_is_refused_without_being_shown(rest: str) -> None:
    with pytest.raises(UsageError) as caught:
        Door("https://git.example.com", {}, {"Authorization": f"Bearer {SECRET}{rest}"})
    assert caught.value.code == "bad-token"
    assert SECRET not in caught.value.message


def test_texts_are_shown_without_the_login() -> None:
    one = door("https://git.example.com", Time())
    said = f"Authorization: Bearer {SECRET}; you sent {SECRET} to https://x:{SECRET}@git.example.com"
    assert SECRET not in one.hide(said)
