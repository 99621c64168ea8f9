"""Bitbucket Data Center (https://developer.atlassian.com/server/bitbucket/rest).

It has no labels and takes nobody's approval back; auto-merge came with 8.15.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from msgspec import Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.forges.api import Answer, Api, Query, WebUrl
from gitops_tk.forges.common import Comment, RestForge, left_out
from gitops_tk.forges.port import Merged, MergeMethod, NotYet, PullRequest, State, Unmet, Wanted
from gitops_tk.http import Door, Patience
from gitops_tk.logins import Login
from gitops_tk.model.evidence import SourceCommit

RIGHTS = "repository write permission"
_PAGE = 100
_STRATEGIES = {"merge": "no-ff", "squash": "squash", "rebase": "rebase-no-ff"}
_HEADS = "refs/heads/"
_AUTO_MERGE = (8, 15)
T = TypeVar("T")


class _Project(Struct):
    key: str


class _Repository(Struct):
    slug: str
    project: _Project


class _Ref(Struct, rename="camel"):
    id: str
    latest_commit: str
    repository: _Repository


class _User(Struct):
    name: str


class _Participant(Struct):
    user: _User
    approved: bool = False


class _Link(Struct):
    href: WebUrl


class _Links(Struct):
    self: list[_Link]


class _Pull(Struct, rename="camel"):
    id: int
    version: int
    title: str
    state: Literal["OPEN", "MERGED", "DECLINED"]
    from_ref: _Ref
    to_ref: _Ref
    links: _Links
    description: str | None = None
    draft: bool = False
    reviewers: list[_Participant] | None = None


class _Comment(Struct):
    id: int
    version: int
    text: str
    author: _User


class _Activity(Struct):
    action: str
    comment: _Comment | None = None


class _Commit(Struct):
    id: str
    message: str


class _AutoMerge(Struct, rename="camel"):
    from_hash: str = ""


class _Properties(Struct):
    version: str


class _Page(Struct, Generic[T], rename="camel"):
    values: list[T]
    is_last_page: bool = True
    next_page_start: int | None = None


class BitbucketDC(RestForge):
    """A repository on Bitbucket Data Center.

    Args:
        repository: `KEY/slug`, or `~user/slug`.
    """

    kind: ForgeKind = "bitbucket-dc"

    def __init__(self, api: Api, repository: str) -> None:
        super().__init__(api)
        key, _, slug = repository.partition("/")
        self._repository = f"/projects/{quote(key, safe='~')}/repos/{quote(slug, safe='')}"
        self._at = self._repository + "/pull-requests"
        self._ref = {"slug": slug, "project": {"key": key}}

    @classmethod
    def connect(cls, base: str, repository: str, login: Login, patience: Patience | None = None) -> "BitbucketDC":
        """A repository below an API's base URL."""
        door = Door(base, {}, {"Authorization": f"Bearer {login.password}"}, patience)
        return cls(Api(door, "Bitbucket", RIGHTS), repository)

    def get(self, number: int) -> PullRequest:
        """See the port."""
        return _known(self._read(number))

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""
        # Somebody's change in between is a conflict: what is there is read again.
        for _ in range(3):
            now = self._read(pull.number)
            # Reviewers that are not named again are gone.
            reviewers = [{"user": {"name": one.user.name}} for one in now.reviewers or ()]
            form = {"version": now.version, "title": title, "description": body, "reviewers": reviewers}
            answer = self.api.send("PUT", f"{self._at}/{pull.number}", form)
            if answer.status != 409:
                break
        return self._pull(answer)

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """See the port."""
        return self._merge(pull, method) or NotYet("Bitbucket has it in hand")

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:
        """See the port."""
        # An older server reads past the wish to wait, and would merge there and then.
        if not self._arms():
            return Unmet("this Bitbucket has no auto-merge: it came with 8.15")
        asked = self.api.send("GET", f"{self._at}/{pull.number}/auto-merge")
        if asked.status == 200 and asked.read(_AutoMerge).from_hash == pull.head:
            return None
        return self._merge(pull, method, autoMerge=True)

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """See the port."""
        if not self._arms():
            return None
        answer = self.api.send("DELETE", f"{self._at}/{pull.number}/auto-merge")
        return None if answer.status == 404 else next(left_out(answer, "auto-merge cannot be taken back"), None)

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:  # noqa: ARG002
        """See the port."""
        if any(one.approved for one in self._read(pull.number).reviewers or ()):
            return Unmet(
                "Bitbucket lets nobody but the reviewer take an approval back, if not a push does it by itself"
            )
        return None

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """See the port."""
        query = {"since": older, "until": newer, "limit": 100}
        answer = self.api.send("GET", f"{self._repository}/commits", query=query)
        if answer.status == 404:
            return Unmet(f"Bitbucket cannot compare {older} with {newer}")
        found = answer.read(_Page[_Commit]).values
        return [SourceCommit(one.id, one.message.partition("\n")[0]) for one in found]

    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:
        at = {"at": _HEADS + base, "direction": "INCOMING"}
        if branch is not None:
            at = {"at": _HEADS + branch, "direction": "OUTGOING"}
        for pull in self._values(self._at, _Pull, {"state": "OPEN", **at, "limit": _PAGE}):
            if pull.from_ref.repository == pull.to_ref.repository:
                yield _known(pull)

    def _read(self, number: int) -> _Pull:
        return self.api.get(f"{self._at}/{number}", _Pull)

    def _pull(self, answer: Answer) -> PullRequest:
        return _known(answer.read(_Pull))

    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:
        form: dict[str, Any] = {
            "title": wanted.title,
            "description": wanted.body,
            "fromRef": {"id": _HEADS + wanted.branch, "repository": self._ref},
            "toRef": {"id": _HEADS + wanted.base, "repository": self._ref},
        }
        # Servers before 8.18 refuse a key that they do not know.
        form |= {"draft": True} if wanted.draft else {}
        unmet += [Unmet("Bitbucket has no labels on pull requests")] if wanted.labels else []
        unmet += [
            Unmet(f"no review is requested from {name}: Bitbucket has no teams")
            for name in wanted.reviewers
            if name.startswith("team:")
        ]
        reviewers = [{"user": {"name": name}} for name in wanted.reviewers if not name.startswith("team:")]
        answer = self.api.send("POST", self._at, form | ({"reviewers": reviewers} if reviewers else {}))
        if reviewers and answer.status in (400, 409) and "reviewer" in answer.said.lower():
            unmet.append(Unmet(f"no review is requested from {', '.join(wanted.reviewers)}: {answer.said}"))
            answer = self.api.send("POST", self._at, form)
        if wanted.draft and answer.status == 400:
            unmet.append(Unmet(f"it is no draft: {answer.said}"))
            del form["draft"]
            answer = self.api.send("POST", self._at, form)
        return answer

    def _exists(self, answer: Answer) -> bool:
        return answer.status == 409

    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:  # noqa: ARG002
        yield from ()

    def _comments(self, number: int) -> Iterator[Comment]:
        # Each answer names the user whose token it was.
        first = self.api.send("GET", f"{self._at}/{number}/activities", query={"limit": _PAGE})
        me = first.reply.headers.get("x-ausername") if first.reply else None
        for activity in self._values(f"{self._at}/{number}/activities", _Activity, {"limit": _PAGE}, first):
            one = activity.comment
            if activity.action == "COMMENTED" and one is not None:
                mine = me is None or one.author.name == me
                yield Comment(id=str(one.id), body=one.text, mine=mine, key=str(one.version))

    def _write_comment(self, number: int, body: str) -> Answer:
        return self.api.send("POST", f"{self._at}/{number}/comments", {"text": body})

    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:
        form = {"text": body, "version": int(comment.key)}
        return self.api.send("PUT", f"{self._at}/{number}/comments/{comment.id}", form)

    def _shut(self, pull: PullRequest) -> Answer:
        version = self._read(pull.number).version
        return self.api.send("POST", f"{self._at}/{pull.number}/decline", {}, query={"version": version})

    def _merge(self, pull: PullRequest, method: MergeMethod, **more: bool) -> Merged | NotYet | Unmet | None:
        # The version that was read holds for this commit alone; a push is seen a moment later.
        now = self._waited_for(lambda: self._at_head(pull))
        if now is None:
            return NotYet("its branch is at another commit")
        if now.draft:
            return NotYet("it is a draft")
        asked = f"{self._at}/{pull.number}/merge"
        form = {"strategyId": _STRATEGIES[method], **more}
        answer = self.api.send("POST", asked, form, query={"version": now.version})
        if answer.ok:
            merged = answer.read(_Pull).state == "MERGED"
            return Merged() if merged else None
        if found := self._merged(pull):
            return found
        if answer.status in (400, 409):
            return (Unmet if "strategy" in answer.said.lower() else NotYet)(answer.said)
        raise answer.error()

    def _at_head(self, pull: PullRequest) -> _Pull | None:
        now = self._read(pull.number)
        return None if now.state == "OPEN" and now.from_ref.latest_commit != pull.head else now

    def _arms(self) -> bool:
        version = self.api.get("/application-properties", _Properties).version
        found = re.match(r"(\d+)\.(\d+)", version)
        return found is not None and (int(found[1]), int(found[2])) >= _AUTO_MERGE

    def _values(self, path: str, form: type[T], query: Query, first: Answer | None = None) -> Iterator[T]:
        answer = first or self.api.send("GET", path, query=query)
        while True:
            page = answer.read(_Page[form])  # type: ignore[valid-type]
            yield from page.values
            if page.is_last_page or page.next_page_start is None:
                return
            answer = self.api.send("GET", path, query={**query, "start": page.next_page_start})


def _known(pull: _Pull) -> PullRequest:
    states: dict[str, State] = {"OPEN": "open", "MERGED": "merged", "DECLINED": "closed"}
    return PullRequest(
        number=pull.id,
        url=pull.links.self[0].href if pull.links.self else "",
        branch=pull.from_ref.id.removeprefix(_HEADS),
        base=pull.to_ref.id.removeprefix(_HEADS),
        head=pull.from_ref.latest_commit,
        title=pull.title,
        body=pull.description or "",
        state=states[pull.state],
        draft=pull.draft,
    )
