"""GitHub, also Enterprise Server and Enterprise Cloud with its own domain (https://docs.github.com/rest).

Auto-merge, merge queues and the authors of comments are known to its GraphQL API alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from msgspec import Raw, Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import ForgeError
from gitops_tk.forges import github_access
from gitops_tk.forges.api import Answer, Api, WebUrl
from gitops_tk.forges.common import Comment, RestForge, left_out, request_reviews
from gitops_tk.forges.port import (
    Account,
    Merged,
    MergeMethod,
    NotYet,
    Protection,
    PullRequest,
    State,
    Unmet,
    Wanted,
)
from gitops_tk.http import Door, Patience, Reply
from gitops_tk.logins import Login
from gitops_tk.model.evidence import SourceCommit

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
T = TypeVar("T")
RIGHTS = "write access to contents and pull requests"
_PAGE = 100
# What GitHub says while it works out whether it can be merged, or has not seen the branch's newest commit.
_UNKNOWN = re.compile(r"unknown status|head (?:sha|branch|oid)|expected head", re.IGNORECASE)

_STATE = """
query ($id: ID!) {
  node(id: $id) {
    ... on PullRequest { isInMergeQueue autoMergeRequest { enabledAt } }
  }
}
"""
_COMMENTS = """
query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        nodes { databaseId body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
_ARM = """
mutation ($id: ID!, $method: PullRequestMergeMethod!, $head: GitObjectID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method, expectedHeadOid: $head}) {
    pullRequest { isInMergeQueue autoMergeRequest { enabledAt } }
  }
}
"""
_DISARM = """
mutation ($id: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId }
}
"""
_DEQUEUE = """
mutation ($id: ID!) {
  dequeuePullRequest(input: {id: $id}) { clientMutationId }
}
"""


class _Repository(Struct):
    full_name: str


class _Ref(Struct):
    ref: str
    sha: str
    repo: _Repository | None = None


class _Label(Struct):
    name: str


class _Pull(Struct):
    number: int
    html_url: WebUrl
    node_id: str
    state: Literal["open", "closed"]
    title: str
    head: _Ref
    base: _Ref
    body: str | None = None
    merged_at: str | None = None
    draft: bool | None = None
    auto_merge: Any = None
    mergeable: bool | None = None
    labels: list[_Label] | None = None

    @property
    def from_here(self) -> bool:
        """Whether its branch is of the repository itself; the repository of a fork may be gone."""
        return self.head.repo is not None and self.base.repo is not None and self.head.repo == self.base.repo


class _Review(Struct):
    id: int
    state: str


class _Merge(Struct):
    sha: str


class _Message(Struct):
    message: str


class _SourceCommit(Struct):
    sha: str
    commit: _Message


class _Comparison(Struct):
    commits: list[_SourceCommit]


class _Fault(Struct):
    message: str


class _Node(Struct, rename="camel"):
    is_in_merge_queue: bool = False
    auto_merge_request: Any = None


class _NodeFound(Struct):
    node: _Node | None


class _Words(Struct, rename="camel"):
    database_id: int
    body: str
    viewer_did_author: bool


class _PageInfo(Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None


class _Page(Struct, rename="camel"):
    nodes: list[_Words]
    page_info: _PageInfo


class _Commented(Struct):
    comments: _Page


class _PullFound(Struct, rename="camel"):
    pull_request: _Commented


class _Found(Struct):
    repository: _PullFound


class _Graph(Struct):
    data: Raw = Raw(b"null")
    errors: list[_Fault] = []


class GitHub(RestForge):
    """A repository on GitHub.

    Args:
        repository: `owner/name`.
    """

    kind: ForgeKind = "github"

    def __init__(self, api: Api, repository: str) -> None:
        super().__init__(api)
        self._owner, _, self._name = repository.partition("/")
        self._at = f"/repos/{quote(self._owner, safe='')}/{quote(self._name, safe='')}"
        self._graphql = api.door.base.removesuffix("/v3") + "/graphql"

    @classmethod
    def connect(cls, base: str, repository: str, login: Login, patience: Patience | None = None) -> "GitHub":
        """A repository below an API's base URL."""
        door = Door(base, HEADERS, {"Authorization": f"Bearer {login.password}"}, patience)
        return cls(Api(door, "GitHub", RIGHTS), repository)

    def get(self, number: int) -> PullRequest:
        """See the port."""
        return _known(self._read(number))

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """See the port."""
        answer = self.api.send(
            "PATCH", f"{self._at}/pulls/{pull.number}", {"title": title, "body": body}, repeatable=True
        )
        return self._pull(answer)

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """See the port."""
        if pull.draft:
            return NotYet("it is a draft")
        # GitHub works out in the background whether it can be merged, and refuses until it knows.
        self._waited_for(lambda: self._read(pull.number).mergeable)
        answer = self.api.send(
            "PUT", f"{self._at}/pulls/{pull.number}/merge", {"sha": pull.head, "merge_method": method}
        )
        if answer.ok:
            return Merged(answer.read(_Merge).sha)
        merged = self._merged(pull)
        if merged is not None:
            return merged
        if answer.status in (405, 409):
            return (Unmet if "are not allowed on this repository" in answer.said else NotYet)(answer.said)
        raise answer.error()

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:
        """See the port."""
        variables = {"id": pull.key, "method": method.upper(), "head": pull.head}
        graph = self._waited_for(lambda: self._armed(variables)) or self._graph(_ARM, variables, repeatable=True)
        said = self._words(graph)
        if not graph.errors or "already in the merge queue" in said or "already in the queue" in said:
            return None
        # With nothing left to wait for GitHub arms nothing: it can be merged there and then.
        if "clean status" in said or "rules not configured" in said:
            return self.merge(pull, method)
        if "unstable status" in said:
            return NotYet("GitHub would merge it now, though checks that it does not require still run or have failed")
        return (NotYet if _UNKNOWN.search(said) else Unmet)(said)

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """See the port."""
        node = self._seen(_STATE, {"id": pull.key}, _NodeFound).node or _Node()
        asked = [_DISARM] if node.auto_merge_request else []
        asked += [_DEQUEUE] if node.is_in_merge_queue else []
        for mutation in asked:
            graph = self._graph(mutation, {"id": pull.key}, repeatable=True)
            if graph.errors:
                return Unmet(self._words(graph))
        return None

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:
        """See the port."""
        reviews = f"{self._at}/pulls/{pull.number}/reviews"
        for page in list(self.api.pages(reviews, list[_Review], {"per_page": _PAGE})):
            for review in page:
                if review.state != "APPROVED":
                    continue
                answer = self.api.send(
                    "PUT", f"{reviews}/{review.id}/dismissals", {"message": reason, "event": "DISMISS"}
                )
                for unmet in left_out(answer, "an approval cannot be dismissed"):
                    return unmet
        return None

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """See the port."""
        basehead = f"{quote(older, safe='')}...{quote(newer, safe='')}"
        # Asked for pages, GitHub begins with the oldest; without, the newest is always among the 250 that come.
        answer = self.api.send("GET", f"{self._at}/compare/{basehead}")
        if answer.status == 404:
            return Unmet(f"GitHub cannot compare {older} with {newer}")
        found = answer.read(_Comparison).commits[-_PAGE:]
        return [SourceCommit(one.sha, one.commit.message.partition("\n")[0]) for one in reversed(found)]

    def account(self) -> Account:
        """See the port."""
        return github_access.account(self.api, self._at)

    def protection(self, branch: str) -> Protection:
        """See the port."""
        return github_access.protection(self.api, self._at, branch)

    def _open(self, base: str, branch: str | None) -> Iterator[PullRequest]:
        query: dict[str, str | int] = {"state": "open", "base": base, "per_page": _PAGE}
        if branch is not None:
            # Without its owner GitHub ignores the filter, and answers every pull request.
            query["head"] = f"{self._owner}:{branch}"
        for page in self.api.pages(f"{self._at}/pulls", list[_Pull], query):
            yield from (_known(pull) for pull in page if pull.from_here)

    def _read(self, number: int) -> _Pull:
        return self.api.get(f"{self._at}/pulls/{number}", _Pull)

    def _pull(self, answer: Answer) -> PullRequest:
        return _known(answer.read(_Pull))

    def _post(self, wanted: Wanted, unmet: list[Unmet]) -> Answer:
        form = {"head": wanted.branch, "base": wanted.base, "title": wanted.title, "body": wanted.body}
        answer = self.api.send("POST", f"{self._at}/pulls", {**form, "draft": wanted.draft})
        if wanted.draft and answer.status == 422 and "draft" in answer.said.lower():
            unmet.append(Unmet(f"it is no draft: {answer.said}"))
            answer = self.api.send("POST", f"{self._at}/pulls", form)
        return answer

    def _exists(self, answer: Answer) -> bool:
        return answer.status == 422 and "already exists" in answer.said

    def _dress(self, pull: PullRequest, wanted: Wanted) -> Iterator[Unmet]:
        labels = [label for label in wanted.labels if label not in pull.labels]
        if labels:
            answer = self.api.send(
                "POST", f"{self._at}/issues/{pull.number}/labels", {"labels": labels}, repeatable=True
            )
            yield from left_out(answer, f"the labels {', '.join(labels)} are not set")
        yield from request_reviews(self.api, f"{self._at}/pulls/{pull.number}", wanted.reviewers)

    def _comments(self, number: int) -> Iterator[Comment]:
        after: str | None = None
        while True:
            variables = {"owner": self._owner, "name": self._name, "number": number, "after": after}
            found = self._seen(_COMMENTS, variables, _Found).repository.pull_request.comments
            for node in found.nodes:
                yield Comment(id=str(node.database_id), body=node.body, mine=node.viewer_did_author)
            if not found.page_info.has_next_page:
                return
            after = found.page_info.end_cursor

    def _write_comment(self, number: int, body: str) -> Answer:
        return self.api.send("POST", f"{self._at}/issues/{number}/comments", {"body": body})

    def _edit_comment(self, number: int, comment: Comment, body: str) -> Answer:  # noqa: ARG002
        return self.api.send("PATCH", f"{self._at}/issues/comments/{comment.id}", {"body": body}, repeatable=True)

    def _shut(self, pull: PullRequest) -> Answer:
        return self.api.send("PATCH", f"{self._at}/pulls/{pull.number}", {"state": "closed"}, repeatable=True)

    def _seen(self, query: str, variables: Mapping[str, Any], form: type[T]) -> T:
        graph = self._graph(query, variables, repeatable=True)
        if graph.errors:
            raise ForgeError(f"GitHub does not answer a query: {self._words(graph)}")
        return self.api.decode(Reply(status=200, headers={}, body=bytes(graph.data)), form)

    def _words(self, graph: _Graph) -> str:
        return self.api.door.words("; ".join(fault.message for fault in graph.errors))

    def _armed(self, variables: Mapping[str, Any]) -> _Graph | None:
        graph = self._graph(_ARM, variables, repeatable=True)
        return None if any(_UNKNOWN.search(fault.message) for fault in graph.errors) else graph

    def _graph(self, query: str, variables: Mapping[str, Any], *, repeatable: bool = False) -> _Graph:
        body = {"query": query, "variables": variables}
        return self.api.send("POST", self._graphql, body, repeatable=repeatable).read(_Graph)


def _known(pull: _Pull) -> PullRequest:
    state: State = "merged" if pull.merged_at else pull.state
    return PullRequest(
        number=pull.number,
        url=pull.html_url,
        branch=pull.head.ref,
        base=pull.base.ref,
        head=pull.head.sha,
        title=pull.title,
        body=pull.body or "",
        state=state,
        draft=bool(pull.draft),
        armed=pull.auto_merge is not None,
        labels=tuple(label.name for label in pull.labels or ()),
        key=pull.node_id,
    )
