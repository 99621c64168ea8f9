"""Bitbucket Cloud (https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests).

It has no labels and no auto-merge, takes nobody's approval back, and knows reviewers by UUID alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from msgspec import Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import LoginFailed
from gitops_tk.forges.api import Answer, Api, Query, WebUrl, query_of
from gitops_tk.forges.common import Comment, RestForge, basic
from gitops_tk.forges.port import Merged, MergeMethod, NotYet, PullRequest, State, Unmet, Wanted
from gitops_tk.http import Door, Patience
from gitops_tk.logins import Login
from gitops_tk.model.evidence import SourceCommit

RIGHTS = "the scopes pullrequest:write and repository:write"
_PAGE = 50
_COMMENTS = 100
_STRATEGIES = {"merge": "merge_commit", "squash": "squash", "rebase": "rebase_merge"}
T = TypeVar("T")


class _Named(Struct):
    name: str


class _Hash(Struct):
    hash: str


class _Repository(Struct):
    full_name: str


class _End(Struct):
    branch: _Named
    commit: _Hash | None = None
    repository: _Repository | None = None


class _Link(Struct):
    href: WebUrl


class _Links(Struct):
    html: _Link


class _Account(Struct):
    uuid: str = ""


class _Participant(Struct):
    approved: bool = False


class _Raw(Struct):
    raw: str = ""


class _Pull(Struct):
    id: int
    title: str
    state: Literal["OPEN", "DRAFT", "QUEUED", "MERGED", "DECLINED", "SUPERSEDED"]
    source: _End
    destination: _End
    links: _Links
    description: str | None = None
    summary: _Raw | None = None
    draft: bool = False
    queued: bool = False
    merge_commit: _Hash | None = None
    reviewers: list[_Account] | None = None
    participants: list[_Participant] | None = None

    @property
    def from_here(self) -> bool:
        """Whether its branch is of the repository itself; the repository of a fork may be gone."""
        return self.source.repository is not None and self.source.repository == self.destination.repository


class _Comment(Struct):
    id: int
    content: _Raw
    user: _Account | None = None
    deleted: bool = False


class _Commit(Struct):
    hash: str
    message: str


class _Page(Struct, Generic[T]):
    values: list[T]
    next: str | None = None


class Bitbucket(RestForge):
    """A repository on Bitbucket Cloud.

    Args:
        repository: `workspace/name`.
    """

    kind: ForgeKind = "bitbucket"

    def __init__(self, api: Api, repository: str) -> None:
        super().__init__(api)
        workspace, _, name = repository.partition("/")
        self._repository = f"/repositories/{quote(workspace, safe='')}/{quote(name, safe='')}"
        self._at = self._repository + "/pullrequests"
        self._me: str | None = None

    @classmethod
    def connect(cls, base: str, repository: str, login: Login, patience: Patience | None = None) -> "Bitbucket":
        """A repository below an API's base URL; with an e-mail address as the user the token is a person's."""
        secret = basic(login.user, login.password) if "@" in login.user else f"Bearer {login.password}"
        return cls(Api(Door(base, {}, {"Authorization": secret}, patience), "Bitbucket", RIGHTS), repository)

    def get(self, number: int) -> PullRequest:
        """See the port."""
        return _known(self._read(number))

    def create(self, wanted: Wanted) -> tuple[PullRequest, Sequence[Unmet]]:
        """See the port."""
        # Asked for the same branches once more, Bitbucket says nothing and changes what is there.
        found = self.find(wanted.branch, wanted.base)
        return super().create(wanted) if found is None else (self._as_wanted(found, wanted), [])

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""
        # Reviewers that are not named again are gone.
        there = self._read(pull.number).reviewers or []
        form = {"type": "pullrequest", "title": title, "description": body}
        reviewers = [{"type": "user", "uuid": one.uuid} for one in there if one.uuid]
        return self._pull(self.api.send("PUT", f"{self._at}/{pull.number}", {**form, "reviewers": reviewers}))

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """See the port."""
        now = self._read(pull.number)
        if now.state == "MERGED":
            return Merged(now.merge_commit.hash if now.merge_commit else "")
        if now.draft:
            return NotYet("it is a draft")
        # Bitbucket cannot be told which commit is meant.
        if not _known(now).is_at(pull.head):
            return NotYet("its branch has moved")
        form = {"type": "pullrequest_merge_parameters", "merge_strategy": _STRATEGIES[method]}
        answer = self.api.send("POST", f"{self._at}/{pull.number}/merge", form)
        if answer.status == 202 or answer.lost:
            # It goes on merging behind its answer.
            return self._waited_for(lambda: self._merged(pull)) or NotYet("Bitbucket is merging it")
        if answer.ok:
            made = answer.read(_Pull)
            return Merged(made.merge_commit.hash if made.merge_commit else "")
        if answer.status in (400, 409):
            unknown = "strategy" in answer.said.lower()
            return (Unmet if unknown else NotYet)(answer.said)
        raise answer.error()

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:  # noqa: ARG002
        """See the port."""
        return Unmet("Bitbucket Cloud has no auto-merge that a program can ask for")

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """See the port."""
        queued = self._read(pull.number).queued
        return Unmet("it is in Bitbucket's merge queue, from which no program takes it back") if queued else None

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:  # noqa: ARG002
        """See the port."""
        if any(one.approved for one in self._read(pull.number).participants or ()):
            return Unmet("Bitbucket Cloud lets nobody but the reviewer take an approval back")
        return None

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """See the port."""
        query = {"include": newer, "exclude": older, "pagelen": 100}
        answer = self.api.send("GET", f"{self._repository}/commits", query=query)
        if answer.status == 404:
            return Unmet(f"Bitbucket cannot compare {older} with {newer}")
        found = answer.read(_Page[_Commit]).values
        return [SourceCommit(one.hash, one.message.partition("\n")[0]) for one in found]

    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:
        asked = {"destination.branch.name": base} | ({"source.branch.name": branch} if branch is not None else {})
        words = [f'{key}="{_quoted(name)}"' for key, name in asked.items()]
        query: Query = {"state": "OPEN", "q": " AND ".join(words), "pagelen": _PAGE}
        for pull in self._values(self._at, _Pull, query):
            if pull.from_here:
                yield _known(pull)

    def _read(self, number: int) -> _Pull:
        return self.api.get(f"{self._at}/{number}", _Pull)

    def _pull(self, answer: Answer) -> PullRequest:
        return _known(answer.read(_Pull))

    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:
        form: dict[str, Any] = {
            "type": "pullrequest",
            "title": wanted.title,
            "description": wanted.body,
            "source": {"branch": {"name": wanted.branch}},
            "destination": {"branch": {"name": wanted.base}},
            "draft": wanted.draft,
        }
        unmet += [Unmet("Bitbucket Cloud has no labels")] if wanted.labels else []
        reviewers = list(_reviewers(wanted, unmet))
        answer = self.api.send("POST", self._at, form | ({"reviewers": reviewers} if reviewers else {}))
        if reviewers and answer.status == 400 and "reviewer" in answer.said.lower():
            unmet.append(Unmet(f"no review is requested from {', '.join(wanted.reviewers)}: {answer.said}"))
            answer = self.api.send("POST", self._at, form)
        return answer

    def _exists(self, answer: Answer) -> bool:
        return answer.status == 409

    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:  # noqa: ARG002
        yield from ()

    def _comments(self, number: int) -> Iterator[Comment]:
        me = self._who()
        for one in self._values(f"{self._at}/{number}/comments", _Comment, {"pagelen": _COMMENTS}):
            if not one.deleted:
                author = one.user.uuid if one.user else ""
                yield Comment(id=str(one.id), body=one.content.raw, mine=me is None or author == me)

    def _write_comment(self, number: int, body: str) -> Answer:
        return self.api.send("POST", f"{self._at}/{number}/comments", {"content": {"raw": body}})

    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:
        return self.api.send("PUT", f"{self._at}/{number}/comments/{comment.id}", {"content": {"raw": body}})

    def _shut(self, pull: PullRequest) -> Answer:
        return self.api.send("POST", f"{self._at}/{pull.number}/decline")

    def _values(self, path: str, form: type[T], query: Query) -> Iterator[T]:
        while True:
            page = self.api.get(path, _Page[form], query)  # type: ignore[valid-type]
            yield from page.values
            if page.next is None:
                return
            query = query_of(page.next)

    def _who(self) -> str | None:
        if self._me is None:
            try:
                self._me = self.api.get("/user", _Account).uuid
            except LoginFailed:
                # A repository's token is nobody's.
                return None
        return self._me


def _reviewers(wanted: Wanted, unmet: list[Unmet]) -> Iterator[dict[str, str]]:
    for name in wanted.reviewers:
        if name.startswith("{") and name.endswith("}"):
            yield {"type": "user", "uuid": name}
        else:
            unmet.append(Unmet(f"no review is requested from {name}: Bitbucket Cloud knows people by {{UUID}} alone"))


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _known(pull: _Pull) -> PullRequest:
    states: dict[str, State] = {"MERGED": "merged", "DECLINED": "closed", "SUPERSEDED": "closed"}
    return PullRequest(
        number=pull.id,
        url=pull.links.html.href,
        branch=pull.source.branch.name,
        base=pull.destination.branch.name,
        head=pull.source.commit.hash if pull.source.commit else "",
        title=pull.title,
        # Its description has the one, and its answers have both.
        body=pull.description or (pull.summary.raw if pull.summary else ""),
        state=states.get(pull.state, "open"),
        draft=pull.draft or pull.state == "DRAFT",
        armed=pull.queued or pull.state == "QUEUED",
    )
