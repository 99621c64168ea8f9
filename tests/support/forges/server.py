"""One server: git over HTTP, and beside it a forge's API in one of the dialects, with faults that can be switched on.

A request is held against the vendor's description before it is answered; what does not fit it, and who came with
which token, is kept for the tests to look at.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from tests.support.forges.contract import Description, pattern
from tests.support.forges.state import ROBOT, Refused, Repository
from tests.support.git_server import Behaviour, GitHandler, GitServer

TOKEN = "t0ken-of-the-robot-0123456789"


class Request(NamedTuple):
    """A request to the API.

    Attributes:
        path: below the API's base, percent-encoded as it came.
        query: of a repeated parameter the last value.
        user: who it comes from.
    """

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    content: bytes
    user: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.content) if self.content else {}


class Response(NamedTuple):
    """What the forge answers."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = {}


@dataclass
class Fault:
    """Something that goes wrong with the requests that match, a number of times.

    Attributes:
        path: an expression for the path below the API's base.
        says: an expression for the body.
        response: what is answered in place of what would be.
        done: the request is carried out before that.
        cut: the connection ends without an answer.
        delay: seconds before anything else.
    """

    method: str = ".*"
    path: str = ".*"
    response: Response | None = None
    says: str = ""
    done: bool = False
    cut: bool = False
    delay: float = 0.0
    times: int = 1

    def takes(self, request: Request) -> bool:
        """Whether it is this request's turn; then it is used up by one."""
        fits = re.fullmatch(self.method, request.method) and re.search(self.path, request.path)
        if not fits or not re.search(self.says, request.content.decode()) or self.times <= 0:
            return False
        self.times -= 1
        return True


def route(asked: str) -> Callable[[Any], Any]:
    """Marks a dialect's method as the answer to `METHOD /path/{parameter}`; parameters become arguments."""

    def mark(function: Any) -> Any:
        function.asked = [*getattr(function, "asked", ()), asked]
        return function

    return mark


class Dialect:
    """A forge's API: its routes, its description, how it knows its users, and how it says no.

    Attributes:
        base: where the API begins.
        page: the most entries that a page has.
    """

    base = "/api"
    page = 100

    def __init__(self, server: "ForgeServer") -> None:
        self.server = server
        self.description = _described(type(self))
        self.routes: list[tuple[str, re.Pattern[str], Any]] = []
        for name in dir(type(self)):
            for asked in getattr(getattr(self, name), "asked", ()):
                method, _, template = asked.partition(" ")
                self.routes.append((method, pattern(template), getattr(self, name)))
        self.routes.sort(key=lambda one: one[1].groups)

    @classmethod
    def describe(cls) -> Description:
        """What may be asked."""
        raise NotImplementedError

    def token(self, headers: Mapping[str, str]) -> str | None:
        """The token that a request brings along."""
        raise NotImplementedError

    def serves(self, path: str) -> bool:
        """Whether a path is the API's, and not git's."""
        return path.startswith(self.base + "/")

    def no(self, status: int, message: str) -> Response:
        """A refusal, in the forge's own form."""
        return Response(status, {"message": message})

    def answer(self, request: Request) -> Response:
        """The answer to a request that is well-formed."""
        for method, form, function in self.routes:
            match = form.fullmatch(request.path)
            if match and method == request.method:
                given = {name: unquote(text) for name, text in match.groupdict().items()}
                try:
                    return function(request, **given)  # type: ignore[no-any-return]
                except KeyError as error:
                    return self.no(404, f"Not Found: {error}")
                except Refused as error:
                    return self.no(422, str(error))
        return self.no(404, "Not Found")

    def repository(self, path: str) -> Repository:
        """A repository, as it is now."""
        found = self.server.repositories[path]
        found.refresh()
        return found

    def window(self, request: Request, page: str = "page", size: str = "per_page") -> tuple[int, int]:
        """Which page is asked for, and how long it is."""
        return int(request.query.get(page, 1)), min(int(request.query.get(size, 30)), self.page)

    def linked(self, request: Request, items: list[Any], size: str = "per_page") -> Response:
        """A page of a list, with the links of RFC 8288."""
        page, length = self.window(request, size=size)
        rest = len(items) > page * length
        others = [(name, value) for name, value in parse_qsl(request.raw_query) if name != "page"]
        query = "&".join(f"{name}={value}" for name, value in [*others, ("page", str(page + 1))])
        link = f'<{self.server.root_url}{self.base}{request.path}?{query}>; rel="next"'
        return Response(200, items[(page - 1) * length : page * length], {"Link": link} if rest else {})


@cache
def _described(dialect: type[Dialect]) -> Description:
    return dialect.describe()


@dataclass
class Seen:
    """What the server has seen.

    Attributes:
        violations: how requests and answers differ from the vendor's description; there should be none.
        everything: each request with its path, headers and body, and each answer's body.
    """

    requests: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    everything: list[str] = field(default_factory=list)


class ForgeServer(GitServer):
    """A forge.

    Attributes:
        users: who each token belongs to, and whether it may write.
    """

    def __init__(self, root: Path, dialect: type[Dialect]) -> None:
        super().__init__(root, Behaviour(password=None), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.users: dict[str, tuple[str, bool]] = {TOKEN: (ROBOT, True)}
        self.faults: list[Fault] = []
        self.seen = Seen()
        self.dialect = dialect(self)
        self.gate = threading.RLock()
        self.idle = threading.Condition()
        self.busy = 0

    @property
    def root_url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def api(self) -> str:
        """The API's address."""
        return self.root_url + self.dialect.base

    def add(self, path: str, folder: Path) -> Repository:
        """Makes a bare repository below the root known by its path on the forge."""
        self.repositories[path] = Repository(path, folder)
        return self.repositories[path]

    def wait_for_requests(self) -> None:
        """Returns once everything that was asked is answered, or would be if the client were still there."""
        with self.idle:
            assert self.idle.wait_for(lambda: self.busy == 0, timeout=10)

    def handle_api(self, request: Request) -> Response | None:
        """The answer to a request; None ends the connection."""
        dialect = self.dialect
        fault = next((one for one in self.faults if one.takes(request)), None)
        if fault is not None:
            time.sleep(fault.delay)
            if not fault.done and (fault.cut or fault.response):
                return fault.response
        with self.gate:
            answered = self._answered(dialect, request)
        if fault is not None and (fault.cut or fault.response):
            return fault.response
        return answered

    def _answered(self, dialect: Dialect, request: Request) -> Response:
        token = dialect.token(request.headers)
        if token not in self.users:
            return dialect.no(401, "Bad credentials")
        kind = request.headers.get("content-type", "")
        faults = dialect.description.faults(request.method, request.path, request.raw_query, request.content, kind)
        if faults:
            self.seen.violations += faults
            return dialect.no(422, "; ".join(faults))
        user, writes = self.users[token]
        if request.method != "GET" and not writes:
            return dialect.no(403, "Resource not accessible by this token")
        answer = dialect.answer(request._replace(user=user))
        described = dialect.description
        self.seen.violations += described.answer_faults(request.method, request.path, answer.status, answer.content)
        return answer


@contextmanager
def serve(root: Path, dialect: type[Dialect]) -> Iterator[ForgeServer]:
    """A running forge; its git repositories are below the root, at their paths in URLs.

    Every request has to be what the vendor describes: at the end it must have been.
    """
    server = ForgeServer(root, dialect)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not server.seen.violations, "\n".join(dict.fromkeys(server.seen.violations))


class _Handler(GitHandler):
    server: ForgeServer  # type: ignore[assignment]

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        base = self.server.dialect.base
        if not self.server.dialect.serves(path):
            super()._answer()
            return
        content = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path.removeprefix(base), query, headers, content)
        self._note(f"{self.command} {self.path}", f"{self.command} {self.path}\n{self.headers}\n{content.decode()}")
        with self.server.idle:
            self.server.busy += 1
        try:
            answer = self.server.handle_api(request)
        finally:
            with self.server.idle:
                self.server.busy -= 1
                self.server.idle.notify_all()
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        body = b"" if answer.content is None else json.dumps(answer.content).encode()
        self._note(None, body.decode())
        self._plain(answer.status, {"Content-Type": "application/json", **answer.headers}, body)

    def _note(self, request: str | None, everything: str) -> None:
        with self.server.lock:
            if request:
                self.server.seen.requests.append(request)
            self.server.seen.everything.append(everything)
