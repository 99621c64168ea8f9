"""GitLab, also self-managed (https://docs.gitlab.com/api/merge_requests)."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import quote

from msgspec import Meta, Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import LoginFailed
from gitops_tk.forges.api import Answer, Api, WebUrl
from gitops_tk.forges.common import Comment, RestForge, Titles, left_out
from gitops_tk.forges.port import Account, Merged, MergeMethod, NotYet, Protection, PullRequest, State, Unmet, Wanted
from gitops_tk.http import Door, Patience
from gitops_tk.logins import Login
from gitops_tk.model.evidence import SourceCommit

RIGHTS = "the scope api and the role Developer; a job's own token may not open merge requests on most GitLabs"
_PAGE = 100
# While these last, GitLab answers a merge with 405, 406 or 422 that says nothing (gitlab-org/gitlab#353984).
_UNKNOWN = ("checking", "unchecked", "preparing", "approvals_syncing", "cannot_be_merged_recheck")
_TITLES = Titles("Draft: ", ("draft:", "[draft]", "(draft)"))


# The least role that pushes and opens merge requests: Developer.
_DEVELOPER = 30


class _User(Struct):
    id: int
    username: str = ""


class _MergeRequest(Struct):
    iid: int
    web_url: WebUrl
    source_branch: str
    target_branch: str
    source_project_id: int | None
    target_project_id: int
    title: str
    state: Literal["opened", "closed", "merged", "locked"]
    sha: str | None = None
    description: str | None = None
    draft: bool = False
    merge_when_pipeline_succeeds: bool = False
    detailed_merge_status: Annotated[str, Meta(pattern=r"\A\w*\Z")] = ""
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    labels: list[str] | None = None
    reviewers: list[_User] | None = None


class _Note(Struct):
    id: int
    body: str
    author: _User
    system: bool = False


class _Approval(Struct):
    user: _User


class _Approvals(Struct):
    approved_by: list[_Approval] = []


class _Commit(Struct):
    id: str
    title: str


class _Comparison(Struct):
    commits: list[_Commit]


class _Token(Struct):
    scopes: list[str] = []
    expires_at: str | None = None


class _Access(Struct):
    access_level: int = 0


class _Permissions(Struct):
    project_access: _Access | None = None
    group_access: _Access | None = None


class _About(Struct):
    permissions: _Permissions | None = None
    only_allow_merge_if_pipeline_succeeds: bool = False


class _Branch(Struct):
    protected: bool = False
    can_push: bool | None = None
    developers_can_push: bool = False


class GitLab(RestForge):
    """A project on GitLab.

    Args:
        path: the project's full path.
    """

    kind: ForgeKind = "gitlab"

    def __init__(self, api: Api, path: str) -> None:
        super().__init__(api)
        self._project = f"/projects/{quote(path, safe='')}"
        self._at = self._project + "/merge_requests"
        self._me: int | None = None

    @classmethod
    def connect(cls, base: str, path: str, login: Login, patience: Patience | None = None) -> "GitLab":
        """A project below an API's base URL."""
        header = "JOB-TOKEN" if login.job else "PRIVATE-TOKEN"
        return cls(Api(Door(base, {}, {header: login.password}, patience), "GitLab", RIGHTS), path)

    def get(self, number: int) -> PullRequest:
        """See the port."""
        return _known(self._read(number))

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""
        form = {"title": _TITLES.written(title, draft=pull.draft), "description": body}
        return self._pull(self.api.send("PUT", f"{self._at}/{pull.number}", form))

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """See the port."""
        return self._accept(pull, method) or NotYet("GitLab has it in hand")

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:
        """See the port."""
        # Before 17.11 GitLab knows the longer name alone, and without it would merge there and then.
        return self._accept(pull, method, auto_merge=True, merge_when_pipeline_succeeds=True)

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """See the port."""
        answer = self.api.send("POST", f"{self._at}/{pull.number}/cancel_merge_when_pipeline_succeeds", repeatable=True)
        now = self.get(pull.number)
        if now.state == "merged":
            return Unmet("it is merged already")
        return Unmet(answer.said) if now.armed else None

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:  # noqa: ARG002
        """See the port."""
        place = f"{self._at}/{pull.number}"
        if not self.api.get(f"{place}/approvals", _Approvals).approved_by:
            return None
        answer = self.api.send("PUT", f"{place}/reset_approvals")
        if answer.status in (401, 403, 404):
            return Unmet("GitLab lets project and group access tokens alone take approvals back")
        answer.done()
        return None

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """See the port."""
        query = {"from": older, "to": newer}
        answer = self.api.send("GET", f"{self._project}/repository/compare", query=query)
        if answer.status == 404:
            return Unmet(f"GitLab cannot compare {older} with {newer}")
        # Gitaly lists them from the oldest on.
        found = answer.read(_Comparison).commits[-_PAGE:]
        return [SourceCommit(one.id, one.title) for one in reversed(found)]

    def account(self) -> Account:
        """See the port. A job's token tells nothing of itself."""
        user = self.api.send("GET", "/user")
        # A token that is nobody's is no user's; one that is refused cannot read the project either.
        name = "" if user.status == 401 and self._about.ok else user.read(_User).username
        answer = self.api.send("GET", "/personal_access_tokens/self")
        token = answer.read(_Token) if answer.ok else None
        permissions = self._about.read(_About).permissions
        access = (permissions.project_access, permissions.group_access) if permissions else ()
        levels = [one.access_level for one in access if one is not None]
        may_write = max(levels) >= _DEVELOPER if levels else None
        scopes = set(token.scopes) if token else set()
        return Account(
            name=name,
            expires=token.expires_at if token else None,
            pushes=may_write and bool(scopes & {"api", "write_repository"}) if token else may_write,
            proposes=may_write and "api" in scopes if token else None,
        )

    def protection(self, branch: str) -> Protection:
        """See the port. No single job can be required, but that a merge request's pipeline has passed."""
        found = self.api.get(f"{self._project}/repository/branches/{quote(branch, safe='')}", _Branch)
        return Protection(
            restricted=found.protected and not found.developers_can_push,
            pushes=found.can_push,
            checks=(),
            pipeline=self._about.read(_About).only_allow_merge_if_pipeline_succeeds,
        )

    @cached_property
    def _about(self) -> Answer:
        return self.api.send("GET", self._project)

    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:
        query: dict[str, str | int] = {"state": "opened", "target_branch": base, "per_page": _PAGE}
        if branch is not None:
            query["source_branch"] = branch
        for page in self.api.pages(self._at, list[_MergeRequest], query):
            yield from (_known(one) for one in page if one.source_project_id == one.target_project_id)

    def _read(self, number: int) -> _MergeRequest:
        return self.api.get(f"{self._at}/{number}", _MergeRequest)

    def _pull(self, answer: Answer) -> PullRequest:
        return _known(answer.read(_MergeRequest))

    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:
        form = {
            "source_branch": wanted.branch,
            "target_branch": wanted.base,
            "title": _TITLES.written(wanted.title, draft=wanted.draft),
            "description": wanted.body,
        }
        if labels := _labels(wanted, unmet):
            form["labels"] = labels
        reviewers = self._reviewers(wanted, unmet)
        return self.api.send("POST", self._at, form | ({"reviewer_ids": reviewers} if reviewers else {}))

    def _exists(self, answer: Answer) -> bool:
        return answer.status == 409

    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:
        # A new one has them from the start.
        unmet: list[Unmet] = []
        labels = _labels(wanted, unmet)
        there = [int(reviewer) for reviewer in pull.key.split()]
        reviewers = [one for one in self._reviewers(wanted, unmet) if one not in there] if wanted.reviewers else []
        form: dict[str, object] = {}
        if not set(labels.split(",") if labels else ()) <= set(pull.labels):
            form["add_labels"] = labels
        if reviewers:
            form["reviewer_ids"] = [*there, *reviewers]
        if form:
            answer = self.api.send("PUT", f"{self._at}/{pull.number}", form)
            yield from left_out(answer, "labels and reviewers are not set")

    def _comments(self, number: int) -> Iterator[Comment]:
        me = self._who()
        for page in self.api.pages(f"{self._at}/{number}/notes", list[_Note], {"sort": "asc", "per_page": _PAGE}):
            for note in page:
                if not note.system:
                    yield Comment(id=str(note.id), body=note.body, mine=me is None or note.author.id == me)

    def _write_comment(self, number: int, body: str) -> Answer:
        return self.api.send("POST", f"{self._at}/{number}/notes", {"body": body})

    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:
        return self.api.send("PUT", f"{self._at}/{number}/notes/{comment.id}", {"body": body})

    def _shut(self, pull: PullRequest) -> Answer:
        return self.api.send("PUT", f"{self._at}/{pull.number}", {"state_event": "close"})

    def _accept(self, pull: PullRequest, method: MergeMethod, **more: bool) -> Merged | NotYet | Unmet | None:
        if method == "rebase":
            return Unmet("whether GitLab rebases is a setting of the project: a merge request cannot ask for it")
        if pull.draft:
            return NotYet("it is a draft")
        form = {"sha": pull.head, "squash": method == "squash", **more}
        asked = f"{self._at}/{pull.number}/merge"
        answer = self._waited_for(lambda: self._settled(asked, form, pull)) or self.api.send("PUT", asked, form)
        if answer.ok:
            made = answer.read(_MergeRequest)
            if made.state == "merged":
                return Merged(made.squash_commit_sha or made.merge_commit_sha or made.sha or "")
            return None if made.merge_when_pipeline_succeeds else NotYet(f"its status is {made.detailed_merge_status}")
        now = self._read(pull.number)
        if now.state == "merged":
            return Merged()
        if answer.status in (405, 406, 409, 422):
            return NotYet(f"{answer.said} (its status is {now.detailed_merge_status})")
        raise answer.error()

    def _settled(self, asked: str, form: dict[str, object], pull: PullRequest) -> Answer | None:
        now = self._read(pull.number)
        # It sees a push a moment later.
        if now.detailed_merge_status in _UNKNOWN or (now.state == "opened" and now.sha != pull.head):
            return None
        return self.api.send("PUT", asked, form)

    def _reviewers(self, wanted: Wanted, unmet: list[Unmet]) -> list[int]:
        found = []
        for name in wanted.reviewers:
            users = self.api.get("/users", list[_User], {"username": name}) if not name.startswith("team:") else []
            if users:
                found.append(users[0].id)
            else:
                unmet.append(Unmet(f"no review is requested from {name}: GitLab has no such user"))
        return found

    def _who(self) -> int | None:
        if self._me is None:
            try:
                self._me = self.api.get("/user", _User).id
            except LoginFailed:
                # A job's token is nobody's.
                return None
        return self._me


def _labels(wanted: Wanted, unmet: list[Unmet]) -> str:
    unmet += [
        Unmet(f"the label {label} is not set: GitLab takes no comma in it") for label in wanted.labels if "," in label
    ]
    return ",".join(label for label in wanted.labels if "," not in label)


def _known(one: _MergeRequest) -> PullRequest:
    states: dict[str, State] = {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}
    return PullRequest(
        number=one.iid,
        url=one.web_url,
        branch=one.source_branch,
        base=one.target_branch,
        head=one.sha or "",
        title=_TITLES.read(one.title),
        body=one.description or "",
        state=states[one.state],
        draft=one.draft,
        armed=one.merge_when_pipeline_succeeds,
        labels=tuple(one.labels or ()),
        key=" ".join(str(reviewer.id) for reviewer in one.reviewers or ()),
    )
