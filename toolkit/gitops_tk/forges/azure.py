"""Azure DevOps, Services and Server (https://learn.microsoft.com/rest/api/azure/devops/git).

It knows reviewers by id alone: their names are looked up at another host, to which no token goes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import LoginFailed
from gitops_tk.forges import azure_access
from gitops_tk.forges.api import Answer, Api
from gitops_tk.forges.common import Comment, RestForge, basic, left_out
from gitops_tk.forges.port import Merged, MergeMethod, NotYet, Protection, PullRequest, State, Unmet, Wanted
from gitops_tk.http import Door, Patience
from gitops_tk.logins import Login
from gitops_tk.model.evidence import SourceCommit

RIGHTS = "the scope Code (read and write)"
_VERSION = {"api-version": "7.1"}
_PAGE = 100
_HEADS = "refs/heads/"
_STRATEGIES = {"merge": "noFastForward", "squash": "squash", "rebase": "rebase"}
_NOBODY = "00000000-0000-0000-0000-000000000000"
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Lists cut descriptions off here.
_CUT = 400


class _Identity(Struct):
    id: str


class _Reviewer(Struct):
    id: str
    vote: int = 0


class _Commit(Struct, rename="camel"):
    commit_id: str
    comment: str = ""


class _Label(Struct):
    name: str
    active: bool = True


class _Pull(Struct, rename="camel"):
    pull_request_id: int
    status: Literal["active", "abandoned", "completed", "notSet"]
    title: str
    source_ref_name: str
    target_ref_name: str
    description: str | None = None
    is_draft: bool = False
    merge_status: str = ""
    fork_source: Any = None
    last_merge_source_commit: _Commit | None = None
    last_merge_commit: _Commit | None = None
    auto_complete_set_by: _Identity | None = None
    labels: list[_Label] | None = None
    reviewers: list[_Reviewer] | None = None


class _Pulls(Struct):
    value: list[_Pull]


class _Words(Struct):
    id: int
    content: str | None = None
    author: _Identity | None = None


class _Thread(Struct, rename="camel"):
    id: int
    is_deleted: bool = False
    comments: list[_Words] | None = None


class _Threads(Struct):
    value: list[_Thread]


class _Commits(Struct):
    value: list[_Commit]


class _Connection(Struct, rename="camel"):
    authenticated_user: _Identity


class Azure(RestForge):
    """A repository on Azure DevOps.

    Args:
        path: `organization/project/name`; of a server the collection may be a path itself.
        web: the address that people know.
    """

    kind: ForgeKind = "azure"

    def __init__(self, api: Api, path: str, web: str) -> None:
        super().__init__(api)
        *collection, project, name = (quote(part, safe="") for part in path.split("/"))
        self._collection = "/" + "/".join(collection)
        self._project = f"{self._collection}/{project}/_apis/git"
        self._git = f"{self._project}/repositories/{name}"
        self._web = f"{web}{self._collection}/{project}/_git/{name}"
        self._me: str | None = None

    @classmethod
    def connect(cls, base: str, path: str, web: str, login: Login, patience: Patience | None = None) -> "Azure":
        """A repository below an API's base URL."""
        door = Door(base, {}, {"Authorization": basic("", login.password)}, patience)
        return cls(Api(door, "Azure DevOps", RIGHTS), path, web)

    def get(self, number: int) -> PullRequest:
        """See the port."""
        return self._known(self._read(number))

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""
        return self._known(self._change(pull.number, {"title": title, "description": body}).read(_Pull))

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """See the port."""
        if pull.draft:
            return NotYet("it is a draft")
        form = {
            "status": "completed",
            "lastMergeSourceCommit": {"commitId": pull.head},
            "completionOptions": {"mergeStrategy": _STRATEGIES[method]},
        }
        answer = self._change(pull.number, form)
        if answer.ok or answer.lost:
            # It is merged behind the answer, if nothing speaks against it.

            def settled() -> Merged | NotYet | None:
                return self._settled(pull.number)

            return self._waited_for(settled) or NotYet("Azure DevOps is merging it")
        if merged := self._merged(pull):
            return merged
        if answer.status in (400, 409) or "TF402455" in answer.said:
            return NotYet(answer.said)
        raise answer.error()

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:
        """See the port."""
        # It sees a push a moment later.
        if not self._waited_for(lambda: self.get(pull.number).is_at(pull.head) or None):
            return NotYet("its branch is at another commit")
        form = {
            "autoCompleteSetBy": {"id": self._who()},
            "completionOptions": {"mergeStrategy": _STRATEGIES[method]},
        }
        answer = self._change(pull.number, form)
        if answer.status in (400, 409):
            return NotYet(answer.said)
        made = answer.read(_Pull)
        if made.status == "completed":
            return Merged(made.last_merge_commit.commit_id if made.last_merge_commit else "")
        return None if made.auto_complete_set_by else Unmet("Azure DevOps did not set it to complete by itself")

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """See the port."""
        if not self.get(pull.number).armed:
            return None
        answer = self._change(pull.number, {"autoCompleteSetBy": {"id": _NOBODY}})
        for unmet in left_out(answer, "auto-complete cannot be taken back"):
            return unmet
        return Unmet("Azure DevOps did not take auto-complete back") if self.get(pull.number).armed else None

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:  # noqa: ARG002
        """See the port."""
        votes = [{"id": one.id, "vote": 0} for one in self._read(pull.number).reviewers or () if one.vote > 0]
        if not votes:
            return None
        path = f"{self._git}/pullRequests/{pull.number}/reviewers"
        data = self.api.send("PATCH", path, votes, query=_VERSION, repeatable=True)
        return next(left_out(data, "votes cannot be reset"), None)

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """See the port."""
        form = {
            "itemVersion": {"versionType": "commit", "version": older},
            "compareVersion": {"versionType": "commit", "version": newer},
            "$top": 100,
        }
        answer = self.api.send("POST", f"{self._git}/commitsbatch", form, query=_VERSION, repeatable=True)
        if answer.status == 404:
            return Unmet(f"Azure DevOps cannot compare {older} with {newer}")
        found = answer.read(_Commits).value
        return [SourceCommit(one.commit_id, one.comment.partition("\n")[0]) for one in found]

    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:
        # Names of branches without refs/heads/ match nothing.
        query = {"searchCriteria.status": "active", "searchCriteria.targetRefName": _HEADS + base}
        if branch is not None:
            query["searchCriteria.sourceRefName"] = _HEADS + branch
        skip = 0
        while True:
            window = {"$top": str(_PAGE), "$skip": str(skip)}
            found = self.api.get(f"{self._git}/pullrequests", _Pulls, {**query, **window, **_VERSION}).value
            for pull in found:
                if pull.fork_source is None:
                    cut = len(pull.description or "") >= _CUT
                    yield self.get(pull.pull_request_id) if cut else self._known(pull)
            if len(found) < _PAGE:
                return
            skip += len(found)

    def _read(self, number: int) -> _Pull:
        return self.api.get(f"{self._git}/pullrequests/{number}", _Pull, _VERSION)

    def _change(self, number: int, form: Mapping[str, Any]) -> Answer:
        return self.api.send("PATCH", f"{self._git}/pullrequests/{number}", form, query=_VERSION, repeatable=True)

    def _pull(self, answer: Answer) -> PullRequest:
        return self._known(answer.read(_Pull))

    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:
        unknown = [name for name in wanted.reviewers if not _ID.fullmatch(name)]
        unmet += [
            Unmet(f"no review is requested from {name}: Azure DevOps knows reviewers by id alone") for name in unknown
        ]
        form = {
            "sourceRefName": _HEADS + wanted.branch,
            "targetRefName": _HEADS + wanted.base,
            "title": wanted.title,
            "description": wanted.body,
            "isDraft": wanted.draft,
            "labels": [{"name": label} for label in wanted.labels],
            "reviewers": [{"id": name} for name in wanted.reviewers if name not in unknown],
        }
        form = {key: value for key, value in form.items() if value != []}
        return self.api.send("POST", f"{self._git}/pullrequests", form, query=_VERSION)

    def _exists(self, answer: Answer) -> bool:
        return answer.status == 409

    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:
        # A new one has them from the start.
        for label in wanted.labels:
            if label not in pull.labels:
                path = f"{self._git}/pullRequests/{pull.number}/labels"
                answer = self.api.send("POST", path, {"name": label}, query=_VERSION, repeatable=True)
                yield from left_out(answer, f"the label {label} is not set")

    def _comments(self, number: int) -> Iterator[Comment]:
        me = self._who()
        threads = self.api.get(f"{self._git}/pullRequests/{number}/threads", _Threads, _VERSION).value
        for thread in threads:
            first = next(iter(thread.comments or ()), None)
            if first is not None and not thread.is_deleted:
                mine = first.author is not None and first.author.id == me
                yield Comment(id=str(first.id), body=first.content or "", mine=mine, key=str(thread.id))

    def _write_comment(self, number: int, body: str) -> Answer:
        # Active threads hold a pull request up where a policy wants all of them resolved.
        form = {"comments": [{"content": body, "commentType": "text"}], "status": "closed"}
        return self.api.send("POST", f"{self._git}/pullRequests/{number}/threads", form, query=_VERSION)

    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:
        path = f"{self._git}/pullRequests/{number}/threads/{comment.key}/comments/{comment.id}"
        return self.api.send("PATCH", path, {"content": body}, query=_VERSION, repeatable=True)

    def _shut(self, pull: PullRequest) -> Answer:
        return self._change(pull.number, {"status": "abandoned"})

    def _settled(self, number: int) -> Merged | NotYet | None:
        now = self._read(number)
        if now.status == "completed":
            return Merged(now.last_merge_commit.commit_id if now.last_merge_commit else "")
        if now.merge_status in ("conflicts", "rejectedByPolicy", "failure"):
            return NotYet(f"its merge status is {now.merge_status}")
        return None

    def account(self) -> Unmet:
        """See the port. What a token may do is told by its own page alone."""
        return Unmet("Azure DevOps tells a token neither what it may do nor when it expires")

    def protection(self, branch: str) -> Protection:
        """See the port."""
        return azure_access.protection(self.api, self._project, self._git, _HEADS + branch, _VERSION)

    def _who(self) -> str:
        if self._me is None:
            path = f"{self._collection}/_apis/connectionData"
            self._me = self.api.get(path, _Connection).authenticated_user.id
            if self._me == _NOBODY:
                raise LoginFailed("Azure DevOps does not know this token", hint=f"the token needs {RIGHTS}")
        return self._me

    def _known(self, pull: _Pull) -> PullRequest:
        states: dict[str, State] = {"abandoned": "closed", "completed": "merged"}
        return PullRequest(
            number=pull.pull_request_id,
            url=f"{self._web}/pullrequest/{pull.pull_request_id}",
            branch=pull.source_ref_name.removeprefix(_HEADS),
            base=pull.target_ref_name.removeprefix(_HEADS),
            head=pull.last_merge_source_commit.commit_id if pull.last_merge_source_commit else "",
            title=pull.title,
            body=pull.description or "",
            state=states.get(pull.status, "open"),
            draft=pull.is_draft,
            armed=pull.auto_complete_set_by is not None and pull.auto_complete_set_by.id != _NOBODY,
            labels=tuple(label.name for label in pull.labels or () if label.active),
        )
