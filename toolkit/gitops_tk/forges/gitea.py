"""Gitea and Forgejo (their own description: /api/swagger on each server)."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import ForgeError, LoginFailed
from gitops_tk.forges.api import Answer, Api, WebUrl
from gitops_tk.forges.common import Comment, RestForge, Titles, left_out, request_reviews
from gitops_tk.forges.port import Account, Merged, MergeMethod, NotYet, Protection, PullRequest, State, Unmet, Wanted
from gitops_tk.http import Door, Patience
from gitops_tk.logins import Login
from gitops_tk.model.evidence import SourceCommit

RIGHTS = "the scopes write:repository and write:issue, and read:user"
# A server's default for the longest page.
_PAGE = 50
_COLOR = "#ededed"
_TITLES = Titles("WIP: ", ("wip:", "[wip]"))
# A server that still works out whether it can be merged.
_CHECKING = ("try again later", "still checking", "is checking", "checking")


class _Repository(Struct):
    full_name: str


class _Ref(Struct):
    ref: str
    sha: str
    repo: _Repository | None = None


class _Label(Struct):
    id: int
    name: str


class _Pull(Struct):
    number: int
    html_url: WebUrl
    state: Literal["open", "closed"]
    title: str
    head: _Ref
    base: _Ref
    body: str | None = None
    merged: bool = False
    draft: bool | None = None
    labels: list[_Label] | None = None

    @property
    def from_here(self) -> bool:
        """Whether its branch is of the repository itself; the repository of a fork may be gone."""
        return self.head.repo is not None and self.head.repo == self.base.repo


class _User(Struct):
    login: str


class _Comment(Struct):
    id: int
    body: str
    user: _User | None = None


class _Review(Struct):
    id: int
    state: str
    dismissed: bool = False


class _Message(Struct):
    message: str


class _Commit(Struct):
    sha: str
    commit: _Message


class _Comparison(Struct):
    commits: list[_Commit] | None = None


class _Permissions(Struct):
    push: bool = False


class _About(Struct):
    permissions: _Permissions | None = None


class _Branch(Struct):
    protected: bool = False
    user_can_push: bool | None = None
    enable_status_check: bool = False
    status_check_contexts: list[str] | None = None


class Gitea(RestForge):
    """A repository on Gitea or Forgejo.

    Args:
        repository: `owner/name`.
    """

    kind: ForgeKind = "gitea"

    def __init__(self, api: Api, repository: str) -> None:
        super().__init__(api)
        self._owner, _, name = repository.partition("/")
        self._at = f"/repos/{quote(self._owner, safe='')}/{quote(name, safe='')}"
        self._me: str | None = None

    @classmethod
    def connect(cls, base: str, repository: str, login: Login, patience: Patience | None = None) -> "Gitea":
        """A repository below an API's base URL."""
        door = Door(base, {}, {"Authorization": f"token {login.password}"}, patience)
        return cls(Api(door, "Gitea", RIGHTS), repository)

    def get(self, number: int) -> PullRequest:
        """See the port."""
        return _known(self.api.get(f"{self._at}/pulls/{number}", _Pull))

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""
        form = {"title": _TITLES.written(title, draft=pull.draft), "body": body}
        return self._pull(self.api.send("PATCH", f"{self._at}/pulls/{pull.number}", form, repeatable=True))

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """See the port."""
        answer = self._do(pull, {"do": method, "head_commit_id": pull.head})
        return Merged() if answer.ok else self._refused(pull, answer)

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:
        """See the port."""
        # A schedule holds for whatever the branch has then: it must be what is meant now.
        if not self._waited_for(lambda: self.get(pull.number).is_at(pull.head) or None):
            return NotYet("its branch is at another commit")
        form = {"do": method, "head_commit_id": pull.head, "merge_when_checks_succeed": True}
        answer = self._do(pull, form)
        if answer.ok or (answer.status == 409 and "schedul" in answer.said):
            # 201 is a schedule; where nothing is to wait for it is merged.
            return self._merged(pull)
        return self._refused(pull, answer)

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """See the port."""
        answer = self.api.send("DELETE", f"{self._at}/pulls/{pull.number}/merge")
        if answer.ok or answer.status == 404:
            return None
        return next(left_out(answer, "auto-merge cannot be taken back"), None)

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:
        """See the port."""
        reviews = f"{self._at}/pulls/{pull.number}/reviews"
        for page in list(self.api.pages(reviews, list[_Review], {"limit": _PAGE})):
            for review in page:
                if review.state != "APPROVED" or review.dismissed:
                    continue
                answer = self.api.send(
                    "POST", f"{reviews}/{review.id}/dismissals", {"message": reason, "priors": True}, repeatable=True
                )
                for unmet in left_out(answer, "an approval cannot be dismissed"):
                    return unmet
        return None

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """See the port."""
        basehead = f"{quote(older, safe='')}...{quote(newer, safe='')}"
        answer = self.api.send("GET", f"{self._at}/compare/{basehead}")
        if answer.status == 404:
            return Unmet(f"Gitea cannot compare {older} with {newer}")
        found = (answer.read(_Comparison).commits or [])[:100]
        return [SourceCommit(one.sha, one.commit.message.partition("\n")[0]) for one in found]

    def account(self) -> Account:
        """See the port. Neither scopes nor the day of expiry are told."""
        permissions = self.api.get(self._at, _About).permissions
        return Account(name=self._who() or "", pushes=permissions.push if permissions else None)

    def protection(self, branch: str) -> Protection:
        """See the port."""
        found = self.api.get(f"{self._at}/branches/{quote(branch, safe='')}", _Branch)
        checks = found.status_check_contexts if found.enable_status_check else None
        return Protection(restricted=found.protected, pushes=found.user_can_push, checks=tuple(checks or ()))

    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:  # noqa: ARG002
        # It cannot be asked for a branch, and its way to one by base and head finds closed ones, too.
        query: dict[str, str | int] = {"state": "open", "base_branch": base, "limit": _PAGE}
        for page in self.api.pages(f"{self._at}/pulls", list[_Pull], query):
            yield from (_known(pull) for pull in page if pull.from_here)

    def _pull(self, answer: Answer) -> PullRequest:
        return _known(answer.read(_Pull))

    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:  # noqa: ARG002
        form = {
            "head": wanted.branch,
            "base": wanted.base,
            "title": _TITLES.written(wanted.title, draft=wanted.draft),
            "body": wanted.body,
        }
        return self.api.send("POST", f"{self._at}/pulls", form)

    def _exists(self, answer: Answer) -> bool:
        return answer.status == 409

    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:
        missing = [label for label in wanted.labels if label not in pull.labels]
        if missing:
            ids, unmet = self._label_ids(missing)
            yield from unmet
            if ids:
                path = f"{self._at}/issues/{pull.number}/labels"
                answer = self.api.send("POST", path, {"labels": ids}, repeatable=True)
                yield from left_out(answer, f"the labels {', '.join(missing)} are not set")
        yield from request_reviews(self.api, f"{self._at}/pulls/{pull.number}", wanted.reviewers)

    def _comments(self, number: int) -> Iterator[Comment]:
        me = self._who()
        for one in self.api.get(f"{self._at}/issues/{number}/comments", list[_Comment]):
            author = one.user.login if one.user else ""
            yield Comment(id=str(one.id), body=one.body, mine=me is None or author == me)

    def _write_comment(self, number: int, body: str) -> Answer:
        return self.api.send("POST", f"{self._at}/issues/{number}/comments", {"body": body})

    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:  # noqa: ARG002
        return self.api.send("PATCH", f"{self._at}/issues/comments/{comment.id}", {"body": body}, repeatable=True)

    def _shut(self, pull: PullRequest) -> Answer:
        return self.api.send("PATCH", f"{self._at}/pulls/{pull.number}", {"state": "closed"}, repeatable=True)

    def _do(self, pull: PullRequest, form: dict[str, Any]) -> Answer:
        path = f"{self._at}/pulls/{pull.number}/merge"
        return self._waited_for(lambda: self._unless_checking(path, form)) or self.api.send("POST", path, form)

    def _unless_checking(self, path: str, form: dict[str, Any]) -> Answer | None:
        answer = self.api.send("POST", path, form)
        said = answer.said.lower()
        return None if answer.status == 405 and any(word in said for word in _CHECKING) else answer

    def _refused(self, pull: PullRequest, answer: Answer) -> Merged | NotYet | Unmet:
        if merged := self._merged(pull):
            return merged
        if answer.status in (405, 409):
            return (Unmet if "merge style" in answer.said else NotYet)(answer.said)
        raise answer.error()

    def _label_ids(self, names: Sequence[str]) -> tuple[list[int], list[Unmet]]:
        known: dict[str, int] = {}
        for place in (f"/orgs/{quote(self._owner, safe='')}/labels", f"{self._at}/labels"):
            try:
                for page in self.api.pages(place, list[_Label], {"limit": _PAGE}):
                    known |= {label.name: label.id for label in page}
            except (ForgeError, LoginFailed):
                # A person has no labels, an organization's may be hidden; what is missing is told below.
                continue
        unmet: list[Unmet] = []
        for name in names:
            if name not in known:
                answer = self.api.send("POST", f"{self._at}/labels", {"name": name, "color": _COLOR})
                if answer.ok:
                    known[name] = answer.read(_Label).id
                else:
                    unmet += left_out(answer, f"the label {name} is not set")
        return [known[name] for name in names if name in known], unmet

    def _who(self) -> str | None:
        if self._me is None:
            try:
                self._me = self.api.get("/user", _User).login
            except LoginFailed:
                # The token lacks read:user: whatever it can edit counts as its own.
                return None
        return self._me


def _known(pull: _Pull) -> PullRequest:
    state: State = "merged" if pull.merged else pull.state
    return PullRequest(
        number=pull.number,
        url=pull.html_url,
        branch=pull.head.ref,
        base=pull.base.ref,
        head=pull.head.sha,
        title=_TITLES.read(pull.title),
        body=pull.body or "",
        state=state,
        draft=bool(pull.draft) or _TITLES.is_draft(pull.title),
        labels=tuple(label.name for label in pull.labels or ()),
    )
