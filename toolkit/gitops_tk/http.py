"""The one door to HTTP APIs. Nothing else imports requests.

What is sent again: reads, PUT and DELETE where the network or a gateway failed; whatever a server turned away
unread because of its limits; and what never left this machine. A creation that got no answer is told to the caller,
who looks before it asks again.
"""

import base64
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Struct

from gitops_tk import __version__, trace
from gitops_tk.errors import GitopsTkError, UsageError
from gitops_tk.logins import LOOPBACK, may_carry, redact

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

_REPEATABLE = ("GET", "HEAD", "PUT", "DELETE")
_GATEWAY = (502, 503, 504)
_TRIES = 5
_REDIRECTS = 3
# GitHub asks for a second between writes where there are many of them: a handful is not many.
_FREE_WRITES = 10
# Longer than any page of an API that is asked here.
_LONGEST_BODY = 64 << 20
_LONGEST_SAYING = 300
# What GitHub's page on rate limits asks for where an answer names no time, and what is enough elsewhere.
_SECONDARY = 60.0
_SHORT = 2.0


class Unanswered(GitopsTkError):
    """A server gave no answer: network, time limit, certificate, or a redirect to somebody else.

    Attributes:
        sent: whether the server may have done what it was asked for.
    """

    default_code = "unanswered"
    sent: bool = False


class Unreadable(Exception):
    """An answer's body is not what was expected; how, without what it holds."""


class Reply(Struct, frozen=True, kw_only=True):
    """A server's answer, whatever its status.

    Attributes:
        headers: by their names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300

    def read(self, form: type[T]) -> T:
        """The body's JSON as a struct; keys that nobody asked for are left aside.

        Raises:
            Unreadable: it is none, or something else than the form.
        """
        try:
            return msgspec.json.decode(self.body, type=form)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(str(error)) from None


class Patience(Struct, frozen=True, kw_only=True):
    """How long a door waits, and the clock that it waits by, so that tests can hold it still.

    Attributes:
        total: the most seconds that it waits between requests and for those that failed, over its whole life.
        connect, read: the time limits of one request, in seconds.
    """

    total: float = 120.0
    connect: float = 10.0
    read: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time


class Door:
    """One server's API: its base URL, and the login that goes nowhere else.

    Proxies and certificates are taken from the environment as requests takes them (HTTPS_PROXY, NO_PROXY,
    REQUESTS_CA_BUNDLE); a .netrc is not read.

    Args:
        base: the API's URL, below which everything is asked for.
        headers: what goes along with each request and is no secret.
        login: headers that are secret.

    Raises:
        UsageError: the login cannot be sent there (`insecure`), or is none (`bad-token`).
    """

    def __init__(
        self, base: str, headers: Mapping[str, str], login: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        self.base = base.rstrip("/")
        self._headers = {"User-Agent": f"gitops-tk/{__version__}", **headers}
        self._login = login
        self._patience = patience or Patience()
        self._waited = 0.0
        self._writes = 0
        self._last_write = 0.0
        self._session: requests.Session | None = None
        parts = urlsplit(self.base)
        self._origin = (parts.scheme, parts.netloc)
        self._here = parts.scheme == "http" and parts.hostname in LOOPBACK
        if login and not may_carry(parts.scheme, parts.hostname or ""):
            raise UsageError(
                f"a token is not sent to {parts.scheme}://{parts.netloc}, where everybody on the way can read it",
                code="insecure",
                hint="use https",
            )
        if any(not (value.isascii() and value.isprintable()) for value in login.values()):
            raise UsageError("the token holds characters that no token has", code="bad-token")

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        repeatable: bool | None = None,
    ) -> Reply:
        """Asks the server, again where that is safe, and returns its last answer.

        Args:
            path: below the base, percent-encoded where it must be; or a whole URL of the same server.
            body: JSON.
            repeatable: whether doing it twice is the same as once; default: told from the method.

        Raises:
            Unanswered: there was no answer in the end.
        """
        again = method in _REPEATABLE if repeatable is None else repeatable
        for attempt in range(1, _TRIES + 1):
            self._pace(method)
            started = self._patience.clock()
            try:
                reply = self._exchange(method, path, query, body)
            except Unanswered as error:
                self._waited += max(self._patience.clock() - started, 0.0)
                if not (again or not error.sent) or error.code != Unanswered.default_code:
                    raise
                if attempt == _TRIES or not self.pause(_backoff(attempt)):
                    raise
                continue
            now = self._patience.clock()
            wait = limit(reply, attempt, now)
            if wait is None and again and reply.status in _GATEWAY:
                wait = retry_after(reply.headers, now) or _backoff(attempt)
            if wait is None or attempt == _TRIES or not self.pause(wait):
                break
        return reply

    def pause(self, seconds: float) -> bool:
        """Waits, unless that were longer than this door waits in all; whether it has waited."""
        if self._waited + seconds > self._patience.total:
            return False
        self._waited += seconds
        self._patience.sleep(seconds)
        return True

    def hide(self, text: str) -> str:
        """A text without this door's login and the environment's secrets."""
        return redact(text, [secret for value in self._login.values() for secret in _secrets(value)])

    def words(self, text: str) -> str:
        """What a server said, on one line that steers no terminal, cut where it is long, without secrets."""
        shown = "".join(one for one in " ".join(self.hide(text).split()) if one.isprintable())
        return shown if len(shown) <= _LONGEST_SAYING else shown[:_LONGEST_SAYING] + "…"

    def close(self) -> None:
        """Ends its connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _pace(self, method: str) -> None:
        if method == "GET":
            return
        now = self._patience.clock()
        if self._writes >= _FREE_WRITES and 0 <= now - self._last_write < 1:
            self._patience.sleep(1 - (now - self._last_write))
        self._writes += 1
        self._last_write = self._patience.clock()

    def _exchange(self, method: str, path: str, query: Mapping[str, str] | None, body: bytes | None) -> Reply:
        url = path if "://" in path else self.base + path
        for _ in range(_REDIRECTS):
            self._require_own(url)
            reply = self._once(method, url, query, body)
            moved = reply.status in (307, 308) or (reply.status in (301, 302, 303) and method == "GET")
            if not 300 <= reply.status < 400 or "location" not in reply.headers:
                return reply
            target = _joined(url, reply.headers["location"])
            if not moved:
                raise self._redirected(target)
            url, query = target, None
        raise self._redirected(url)

    def _once(self, method: str, url: str, query: Mapping[str, str] | None, body: bytes | None) -> Reply:
        import requests

        kind = {"Content-Type": "application/json"} if body is not None else {}
        started = time.monotonic()
        what = f"{method} {self.hide(url.partition('?')[0])}" if trace.on else ""
        try:
            response = self._open().request(
                method,
                url,
                params=query,
                data=body,
                headers=kind,
                timeout=(self._patience.connect, self._patience.read),
                allow_redirects=False,
                # Loopback takes a login unencrypted, and a proxy is somewhere else.
                proxies={"http": "", "all": ""} if self._here else None,
                stream=True,
            )
            content = self._content(response)
        except (requests.RequestException, ValueError) as error:
            # It reads where a redirect leads, though it is not to follow, and not everything is an address.
            if trace.on:
                trace.told(what, started, f"no answer ({type(error).__name__})")
            raise self._unanswered(error) from None
        if trace.on:
            trace.told(what, started, str(response.status_code))
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status_code, headers=headers, body=content)

    def _content(self, response: "requests.Response") -> bytes:
        """The body, unless it is too long, or comes too slowly to be one: it may be packed, or never end."""
        until = self._patience.clock() + 2 * self._patience.read
        parts, size = [], 0
        for part in response.iter_content(1 << 16):
            parts.append(part)
            size += len(part)
            if size > _LONGEST_BODY or self._patience.clock() > until:
                response.close()
                told = Unanswered(f"{self.base} answers without an end", code="endless")
                told.sent = True
                raise told
        return b"".join(parts)

    def _open(self) -> "requests.Session":
        if self._session is None:
            from http.cookiejar import DefaultCookiePolicy

            import requests

            session = requests.Session()
            session.headers.update(self._headers)
            # With an auth of its own a session does not look into .netrc, which would take the login's place.
            session.auth = self._authorize
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            self._session = session
        return self._session

    def _authorize(self, request: "requests.PreparedRequest") -> "requests.PreparedRequest":
        request.headers.update(self._login)
        return request

    def _require_own(self, url: str) -> None:
        if not url.startswith(tuple(f"{self._origin[0]}://{self._origin[1]}{end}" for end in "/?#")):
            raise self._redirected(url)

    def _redirected(self, url: str) -> Unanswered:
        return Unanswered(
            f"{self.base} sends its clients elsewhere: {self.words(url.partition('?')[0])}",
            code="redirected",
            hint="a token is not sent along with a redirect: use the new address",
        )

    def _unanswered(self, error: Any) -> Unanswered:
        import requests

        causes = [error, *getattr(error, "args", ())]
        names = {type(one).__name__ for cause in causes for one in (cause, getattr(cause, "reason", None))}
        where = f"{self._origin[0]}://{self._origin[1]}"
        if isinstance(error, requests.exceptions.SSLError):
            return Unanswered(
                f"the certificate of {where} is not trusted",
                code="certificate",
                hint="a company's own certificates: REQUESTS_CA_BUNDLE names their file",
            )
        if isinstance(error, requests.Timeout):
            said = "did not answer in time"
        else:
            said = "cannot be reached" if isinstance(error, requests.ConnectionError) else "gave no proper answer"
        told = Unanswered(f"{where} {said}", hint="check the address, the network, and HTTPS_PROXY and NO_PROXY")
        unsent = isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
        told.sent = not unsent and not names & {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}
        return told


def _secrets(header: str) -> list[str]:
    """What is secret in a header: what follows its kind, and what Basic has encoded."""
    kind, _, credentials = header.rpartition(" ")
    if kind != "Basic":
        return [credentials]
    return [credentials, base64.b64decode(credentials).decode().partition(":")[2]]


def limit(reply: Reply, attempt: int, now: float) -> float | None:
    """The seconds to wait before the same request is sent again; None where it was not turned away by a limit.

    A 403 is a limit on GitHub if its answer says so, and a missing permission everywhere else.

    Args:
        attempt: which try this was, from 1.
        now: seconds since the epoch.
    """
    status, headers = reply.status, reply.headers
    spent = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining")) == "0"
    secondary = re.search(rb"secondary rate limit|abuse detection", reply.body) is not None
    if status != 429 and not (status == 403 and ("retry-after" in headers or spent or secondary)):
        return None
    named = retry_after(headers, now)
    if named is not None:
        return named
    reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
    if spent and reset.isdecimal() and len(reset) < 20:
        return max(int(reset) - now, 0.0) + 1
    github = secondary or "x-github-request-id" in headers
    return (_SECONDARY if github else _SHORT) * float(2 ** (attempt - 1))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """What Retry-After says in seconds or as a date (RFC 9110, 10.2.3); None where it is missing or is neither."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _backoff(attempt: int) -> float:
    """The seconds to wait after a try that failed for no reason of the request's own."""
    return float(min(0.5 * 2 ** (attempt - 1), 8.0))
