"""What goes the same way on every forge: create or adopt, find, comment in place, close, and waiting for it to know."""

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.forges.api import Answer, Api
from gitops_tk.forges.port import Account, Merged, Protection, PullRequest, Unmet, Wanted

T = TypeVar("T")

# A pull request whose creation was not answered may take a moment to be found.
_LOOKS = (0.0, 1.0, 3.0)
# How long a forge takes to know whether a pull request can be merged.
_KNOWS = (0.0, 1.0, 2.0, 4.0, 8.0)


class Comment(Struct, frozen=True, kw_only=True):
    """A comment on a pull request.

    Attributes:
        mine: whether this login wrote it; where the forge does not tell, whatever can be edited counts.
        key: what editing it needs beside its id.
    """

    id: str
    body: str
    mine: bool = True
    key: str = ""


class RestForge(ABC):
    """A forge with an API; what it answers to the port is made of what its dialect says below."""

    def __init__(self, api: Api) -> None:
        self.api = api

    @abstractmethod
    def get(self, number: int) -> PullRequest:
        """See the port."""

    @abstractmethod
    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""

    @abstractmethod
    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:
        """The open pull requests from branches of this repository, of one branch or of all; more may come along."""

    @abstractmethod
    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:
        """Asks for a new pull request; adds what it has to leave out to `unmet`."""

    @abstractmethod
    def _pull(self, answer: Answer) -> PullRequest:
        """The pull request that an answer holds."""

    @abstractmethod
    def _exists(self, answer: Answer) -> bool:
        """Whether an answer says that there is one for this branch already."""

    @abstractmethod
    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:
        """Adds labels and reviewers that are not there yet; yields what could not be added."""

    @abstractmethod
    def _comments(self, number: int) -> Iterator[Comment]:
        """The comments of a pull request."""

    @abstractmethod
    def _write_comment(self, number: int, body: str) -> Answer:
        """Adds a comment."""

    @abstractmethod
    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:
        """Gives a comment another text."""

    @abstractmethod
    def _shut(self, pull: PullRequest) -> Answer:
        """Closes a pull request without merging it."""

    def open_pull_requests(self, base: str) -> Sequence[PullRequest]:
        """See the port."""
        return [pull for pull in self._open(base, None) if pull.base == base]

    def find(self, branch: str, base: str) -> PullRequest | None:
        """See the port."""
        # Looked at once more: a filter that a forge does not understand is ignored by it.
        return next((pull for pull in self._open(base, branch) if (pull.branch, pull.base) == (branch, base)), None)

    def create(self, wanted: Wanted) -> tuple[PullRequest, Sequence[Unmet]]:
        """See the port."""
        for _ in range(2):
            unmet: list[Unmet] = []
            answer = self._post(wanted, unmet)
            if answer.ok:
                pull = self._pull(answer)
                break
            if not (answer.lost or self._exists(answer)):
                raise answer.error()
            found = self._waited_for(lambda: self.find(wanted.branch, wanted.base), _LOOKS)
            if found is not None:
                pull = self._as_wanted(found, wanted)
                break
            if not answer.lost:
                raise answer.error()
        else:
            raise answer.error()
        unmet += self._dress(pull, wanted)
        if not unmet:
            pull = replace(pull, labels=tuple(dict.fromkeys((*pull.labels, *wanted.labels))))
        return pull, unmet

    def comment(self, number: int, marker: str, body: str) -> None:
        """See the port."""
        earlier = self._earlier(number, marker)
        if earlier is not None:
            if not same_text(earlier.body, body):
                self._edit_comment(number, earlier, body).done()
            return
        answer = self._write_comment(number, body)
        if answer.lost and self._earlier(number, marker) is None:
            answer = self._write_comment(number, body)
        if not answer.lost:
            answer.done()
        elif self._earlier(number, marker) is None:
            raise answer.error()

    def close(self, pull: PullRequest, reason: str) -> None:
        """See the port."""
        marker = "<!-- gitops-tk: closed -->"
        self.comment(pull.number, marker, f"{reason}\n\n{marker}")
        answer = self._shut(pull)
        if not answer.ok and self.get(pull.number).state == "open":
            raise answer.error()

    def account(self) -> Account | Unmet:
        """See the port; each dialect whose API tells it says so."""
        return Unmet(f"{self.api.forge} is not asked for it")

    def protection(self, branch: str) -> Protection | Unmet:  # noqa: ARG002
        """See the port; each dialect whose API tells it says so."""
        return Unmet(f"{self.api.forge} is not asked for it")

    def _as_wanted(self, found: PullRequest, wanted: Wanted) -> PullRequest:
        if same_text(found.title, wanted.title) and same_text(found.body, wanted.body):
            return found
        return self.update(found, title=wanted.title, body=wanted.body)

    def _earlier(self, number: int, marker: str) -> Comment | None:
        return next((one for one in self._comments(number) if one.mine and marker in one.body), None)

    def _merged(self, pull: PullRequest) -> Merged | None:
        """Whether it is merged after all, whatever the forge answered."""
        return Merged() if self.get(pull.number).state == "merged" else None

    def _waited_for(self, ask: Callable[[], T | None], waits: Sequence[float] = _KNOWS) -> T | None:
        """Asks until there is something, or the waits are over."""
        for wait in waits:
            if wait and not self.api.door.pause(wait):
                return None
            found = ask()
            if found is not None:
                return found
        return None


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same but for line ends and white space around them, which forges change."""
    return "\n".join(one.split("\r\n")).strip() == "\n".join(other.split("\r\n")).strip()


def left_out(answer: Answer, what: str) -> Iterator[Unmet]:
    """Nothing where an answer is well; else what could not be done: a pull request stands without it, too.

    Raises:
        ForgeError: the forge did not answer.
    """
    if answer.lost:
        raise answer.error()
    if not answer.ok:
        yield Unmet(f"{what}: {answer.said}")


def request_reviews(api: Api, pull: str, reviewers: Sequence[str]) -> Iterator[Unmet]:
    """Asks people, and teams as `team:NAME`, for a review, where GitHub and Gitea take it; yields what was left out.

    Args:
        pull: the path of the pull request.
    """
    if not reviewers:
        return
    teams = [name.removeprefix("team:") for name in reviewers if name.startswith("team:")]
    people = [name for name in reviewers if not name.startswith("team:")]
    asked = {"reviewers": people, "team_reviewers": teams}
    answer = api.send(
        "POST", f"{pull}/requested_reviewers", {key: names for key, names in asked.items() if names}, repeatable=True
    )
    yield from left_out(answer, f"no review is requested from {', '.join(reviewers)}")


def basic(user: str, password: str) -> str:
    """The Authorization header of a user name and a password (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Titles(Struct, frozen=True):
    """Titles where a draft is told by how its title begins.

    Attributes:
        prefix: what makes a draft.
        known: what else is read as one, in lower case.
    """

    prefix: str
    known: tuple[str, ...]

    def written(self, title: str, *, draft: bool) -> str:
        """The title for the forge."""
        return self.prefix + title if draft else title

    def read(self, title: str) -> str:
        """The title without what makes a draft."""
        start = next((start for start in self.known if title.lower().startswith(start)), "")
        return title[len(start) :].lstrip() if start else title

    def is_draft(self, title: str) -> bool:
        """Whether a title makes a draft."""
        return title.lower().startswith(self.known)
