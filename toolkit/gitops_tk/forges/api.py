"""JSON over the HTTP door: what a forge answered, as a struct, or as an error that says what the forge said."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from gitops_tk.errors import ForgeError, GitopsTkError, LoginFailed
from gitops_tk.http import Door, Reply, Unanswered, Unreadable, limit

T = TypeVar("T")
Query = Mapping[str, object]
# An address that is shown to people: one of the web, for a browser, with nothing in it that ends a link or a line.
WebUrl = Annotated[
    str,
    Meta(pattern=r"\Ahttps?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~:/?#@!$&*+,;=%{}-]*)?\Z", max_length=2000),
]

# No list is so long: one whose last page never comes is none.
_MOST_REQUESTS = 2000


class Answer(Struct, frozen=True):
    """What a forge answered, whatever its status.

    Attributes:
        reply: None where there was no answer to a request that the forge may have carried out.
        asked: the method and path, for errors.
    """

    api: "Api"
    reply: Reply | None
    asked: str

    @property
    def status(self) -> int:
        """The HTTP status; 0 where there was no answer."""
        return self.reply.status if self.reply else 0

    @property
    def ok(self) -> bool:
        """Whether the forge did what it was asked for."""
        return self.reply is not None and self.reply.ok

    @property
    def lost(self) -> bool:
        """Whether nobody knows if the forge did it."""
        return self.reply is None or self.status >= 500

    @property
    def said(self) -> str:
        """The forge's own words, fit for a person and without secrets."""
        return self.api.words(self.reply)

    def read(self, form: type[T]) -> T:
        """The answer's content.

        Raises:
            LoginFailed, ForgeError: the forge did something else than was asked for.
        """
        # Azure DevOps answers a token that it does not know with its login page, and 203.
        if self.reply is None or not self.reply.ok or self.status == 203:
            raise self.error()
        return self.api.decode(self.reply, form)

    def done(self) -> None:
        """Nothing, where the forge did it.

        Raises:
            LoginFailed, ForgeError: it did not.
        """
        if not self.ok:
            raise self.error()

    def error(self) -> GitopsTkError:
        """The error that this answer is."""
        return self.api.failure(self)


class Api:
    """A forge's API.

    Args:
        forge: the forge's name for people.
        rights: what its token must be allowed, for hints.
    """

    def __init__(self, door: Door, forge: str, rights: str) -> None:
        self.door = door
        self.forge = forge
        self._rights = rights
        self._asked = 0

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        query: Query | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Asks, and returns the answer whatever it is.

        Raises:
            ForgeError: nothing was answered, and nothing was done.
        """
        self._asked += 1
        if self._asked > _MOST_REQUESTS:
            raise ForgeError(f"{self.forge} lists without an end: {method} {path}", code="forge-answer")
        data = msgspec.json.encode(body) if body is not None else None
        asked = {key: str(value) for key, value in (query or {}).items()}
        try:
            reply = self.door.send(method, path, query=asked, body=data, repeatable=repeatable)
        except Unanswered as error:
            if error.sent:
                return Answer(self, None, f"{method} {path}")
            raise ForgeError(error.message, code=f"forge-{error.code}", hint=error.hint) from None
        return Answer(self, reply, f"{method} {path}")

    def get(self, path: str, form: type[T], query: Query | None = None) -> T:
        """What a path holds.

        Raises:
            LoginFailed, ForgeError: it cannot be read.
        """
        return self.send("GET", path, query=query).read(form)

    def pages(self, path: str, form: type[T], query: Query | None = None) -> Iterator[T]:
        """A list's pages, as long as the forge links to a next one (RFC 8288)."""
        while True:
            answer = self.send("GET", path, query=query)
            yield answer.read(form)
            following = _next(answer.reply)
            if following is None:
                return
            query = query_of(following)

    def decode(self, reply: Reply, form: type[T]) -> T:
        """JSON as a struct; keys that nobody asked for are left aside.

        Raises:
            ForgeError: it is none, or something else than the forge's description says.
        """
        try:
            return reply.read(form)
        except Unreadable as error:
            raise ForgeError(
                f"{self.forge} answered something else than its API describes: {error}",
                code="forge-answer",
                hint=f"does {self.door.base} lead to {self.forge} itself, not to a login page or a proxy?",
            ) from None

    def words(self, reply: Reply | None) -> str:
        """A forge's message, whichever of its forms it takes, fit for a person and without secrets."""
        if reply is None:
            return "no answer"
        try:
            parts = list(_messages(reply.read(object)))
        except Unreadable:
            parts = []
        return self.door.words("; ".join(dict.fromkeys(parts))) or f"status {reply.status}"

    def failure(self, answer: Answer) -> GitopsTkError:
        """The error that an answer is, by its status."""
        place = f"{self.forge} answered {answer.asked} with {answer.status}: {answer.said}"
        if answer.reply is not None and limit(answer.reply, 1, 0) is not None:
            return ForgeError(
                f"{self.forge} takes no more requests for now: {answer.said}", code="rate-limit", hint="try again later"
            )
        if answer.status in (401, 203):
            return LoginFailed(f"{self.forge} refused the token: {answer.said}", hint=f"the token needs {self._rights}")
        if answer.status == 403:
            return LoginFailed(place, code="forbidden", hint=f"the token needs {self._rights}")
        if answer.status == 404:
            return ForgeError(
                place,
                code="forge-missing",
                hint=f"it is not there, or the token may not see it: it needs {self._rights}",
            )
        if answer.lost:
            return ForgeError(place, code="forge-unanswered", hint="run the same command again: it does nothing twice")
        return ForgeError(place)


def query_of(url: str) -> dict[str, str]:
    """The query of a link to a next page.

    Nothing else is taken from it: behind a proxy forges link to addresses that they know themselves by.
    """
    return dict(parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True))


def _next(reply: Reply | None) -> str | None:
    for link in (reply.headers.get("link", "") if reply else "").split(","):
        target, _, parameters = link.partition(";")
        if 'rel="next"' in parameters:
            return target.strip().strip("<>")
    return None


def _messages(content: Any, depth: int = 0) -> Iterator[str]:
    # GitHub: message, errors[].message or strings; GitLab: message as text, list or map; Bitbucket: error.message,
    # errors[].message; GraphQL: errors[].message.
    if isinstance(content, str):
        yield content
    elif isinstance(content, list) and depth < 4:
        for one in content:
            yield from _messages(one, depth + 1)
    elif isinstance(content, dict) and depth < 4:
        keys = [key for key in ("message", "error", "error_description", "errors") if key in content]
        for key in keys if keys or depth == 0 else content:
            yield from _messages(content[key], depth + 1)
