"""GitHub Enterprise Server: its REST API as described, and what is used of its GraphQL API."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

from tests.support.forges.contract import Description, vendors
from tests.support.forges.server import Dialect, Request, Response, route
from tests.support.forges.state import Comment, Pull, Refused, Repository

# As its documentation has it: https://docs.github.com/graphql.
_SCHEMA = """
scalar GitObjectID
scalar DateTime
enum PullRequestMergeMethod { MERGE SQUASH REBASE }
interface Node { id: ID! }
type AutoMergeRequest { enabledAt: DateTime mergeMethod: PullRequestMergeMethod! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type IssueComment { databaseId: Int body: String! viewerDidAuthor: Boolean! }
type IssueCommentConnection { nodes: [IssueComment] pageInfo: PageInfo! totalCount: Int! }
type PullRequest implements Node {
  id: ID!
  number: Int!
  autoMergeRequest: AutoMergeRequest
  isInMergeQueue: Boolean!
  comments(first: Int, after: String): IssueCommentConnection!
}
type Repository { pullRequest(number: Int!): PullRequest }
type Query { node(id: ID!): Node repository(owner: String!, name: String!): Repository }
input EnablePullRequestAutoMergeInput {
  pullRequestId: ID!
  mergeMethod: PullRequestMergeMethod = MERGE
  expectedHeadOid: GitObjectID
  clientMutationId: String
}
input DisablePullRequestAutoMergeInput { pullRequestId: ID! clientMutationId: String }
input DequeuePullRequestInput { id: ID! clientMutationId: String }
type EnablePullRequestAutoMergePayload { clientMutationId: String pullRequest: PullRequest }
type DisablePullRequestAutoMergePayload { clientMutationId: String pullRequest: PullRequest }
type DequeuePullRequestPayload { clientMutationId: String }
type Mutation {
  enablePullRequestAutoMerge(input: EnablePullRequestAutoMergeInput!): EnablePullRequestAutoMergePayload
  disablePullRequestAutoMerge(input: DisablePullRequestAutoMergeInput!): DisablePullRequestAutoMergePayload
  dequeuePullRequest(input: DequeuePullRequestInput!): DequeuePullRequestPayload
}
"""
_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = _PULLS + "/{number}"
_ISSUE = "/repos/{owner}/{repo}/issues/{number}"


@cache
def _schema() -> GraphQLSchema:
    return build_schema(_SCHEMA)


class GitHub(Dialect):
    """The dialect."""

    base = "/api/v3"

    def serves(self, path: str) -> bool:
        return super().serves(path) or path == "/api/graphql"

    @classmethod
    def describe(cls) -> Description:
        described = Description(vendors("github.json"))
        described.require(f"POST {_PULLS.replace('number', 'pull_number')}", "head", "base", "title")
        described.require("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", "sha", "merge_method")
        described.require("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", "labels")
        described.add(f"GET {_PULL}/reviews", query=("per_page", "page"))
        described.add(
            f"PUT {_PULL}/reviews/{{id}}/dismissals", body={"message!": "string", "event": {"enum": ["DISMISS"]}}
        )
        described.add("GET /repos/{owner}/{repo}/rules/branches/{branch}", query=("per_page", "page"))
        described.add("GET /repos/{owner}/{repo}/rulesets/{ruleset_id}", query=("includes_parents",))
        described.add("POST /api/graphql", body={"query!": "string", "variables": "object"})
        return described

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return token if kind.lower() in ("bearer", "token") else None

    @route("GET /user")
    def user(self, request: Request) -> Response:
        (settings, *_) = (here.settings for here in self.server.repositories.values())
        told = {"X-OAuth-Scopes": ", ".join(settings.scopes)} if settings.scopes else {}
        if settings.expires:
            told["GitHub-Authentication-Token-Expiration"] = f"{settings.expires} 00:00:00 UTC"
        return Response(200, _user(request.user), told)

    @route("GET /repos/{owner}/{repo}")
    def show(self, request: Request, owner: str, repo: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        may = {"admin": False, "maintain": False, "push": here.settings.pushes, "triage": True, "pull": True}
        return Response(200, {**self._repository(here.path), "private": True, "permissions": may})

    @route("GET /repos/{owner}/{repo}/branches/{branch}")
    def branch(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        oid = self.repository(f"{owner}/{repo}").tips()[branch]
        return Response(
            200, {"name": branch, "commit": {"sha": oid}, "protected": False, "protection": {"enabled": False}}
        )

    @route("GET /repos/{owner}/{repo}/rules/branches/{branch}")
    def rules(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        settings = self.repository(f"{owner}/{repo}").settings
        checks = {"required_status_checks": [{"context": one} for one in settings.required]}
        found = [{"type": "deletion", "ruleset_id": 6}]
        if settings.guarded:
            found.append({"type": "pull_request", "ruleset_id": 7, "parameters": {}})  # type: ignore[dict-item]
        if settings.guarded and settings.required:
            found.append({"type": "required_status_checks", "ruleset_id": 7, "parameters": checks})  # type: ignore[dict-item]
        return Response(200, found)

    @route("GET /repos/{owner}/{repo}/rulesets/{ruleset_id}")
    def ruleset(self, request: Request, owner: str, repo: str, ruleset_id: str) -> Response:
        passes = self.repository(f"{owner}/{repo}").settings.passes
        return Response(200, {"id": int(ruleset_id), "current_user_can_bypass": "always" if passes else "never"})

    @route(f"GET {_PULLS}")
    def list(self, request: Request, owner: str, repo: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        found = sorted(here.pulls.values(), key=lambda one: -one.number)
        wanted = request.query.get("state", "open")
        if wanted != "all":
            found = [one for one in found if (one.state == "open") == (wanted == "open")]
        if base := request.query.get("base"):
            found = [one for one in found if one.base == base]
        # A head without an owner is no filter at all.
        its, colon, branch = request.query.get("head", "").partition(":")
        if colon:
            found = [one for one in found if (one.fork or owner, one.branch) == (its, branch)]
        return self.linked(request, [self._pull(here, one) for one in found])

    @route(f"POST {_PULLS}")
    def open(self, request: Request, owner: str, repo: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        branch = asked["head"].partition(":")[2] or asked["head"]
        if here.twin(branch, asked["base"]):
            return self._invalid(f"A pull request already exists for {owner}:{branch}.")
        if asked.get("draft") and not here.settings.drafts:
            return self._invalid("Draft pull requests are not supported in this repository.")
        try:
            body = asked.get("body") or ""
            made = here.open(branch, asked["base"], asked["title"], body, draft=asked.get("draft", False))
        except Refused as error:
            return self._invalid(str(error))
        return Response(201, self._pull(here, made))

    @route(f"GET {_PULL}")
    def get(self, request: Request, owner: str, repo: str, number: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        pull = here.pulls[int(number)]
        known = here.mergeable(pull) if pull.state == "open" else None
        return Response(200, {**self._pull(here, pull), "mergeable": known, "merged": pull.state == "merged"})

    @route(f"PATCH {_PULL}")
    def edit(self, request: Request, owner: str, repo: str, number: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        pull = here.pulls[int(number)]
        pull.title, pull.body = asked.get("title", pull.title), asked.get("body", pull.body) or ""
        if pull.state != "merged":
            pull.state = asked.get("state", pull.state)
        return Response(200, self._pull(here, pull))

    @route(f"PUT {_PULL}/merge")
    def merge(self, request: Request, owner: str, repo: str, number: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        pull = here.pulls[int(number)]
        method = asked["merge_method"]
        if pull.state != "open" or pull.draft or pull.looks:
            return self.no(405, "Pull Request is not mergeable")
        if method not in here.settings.methods:
            return self.no(405, f"{method.title()} commits are not allowed on this repository.")
        if here.settings.checks:
            return self.no(405, "Required status check “ci” is expected.")
        if asked["sha"] != pull.head:
            return self.no(409, "Head branch was modified. Review and try the merge again.")
        try:
            return Response(200, {"sha": here.merge(pull, method), "merged": True, "message": "merged"})
        except Refused:
            return self.no(405, "Pull Request is not mergeable")

    @route(f"GET {_PULL}/reviews")
    def reviews(self, request: Request, owner: str, repo: str, number: str) -> Response:
        pull = self.repository(f"{owner}/{repo}").pulls[int(number)]
        found = [{"id": number, "user": _user(who), "state": "APPROVED"} for who, number in pull.approvals.items()]
        return self.linked(request, [{"id": 1, "user": _user("zoe"), "state": "COMMENTED"}, *found])

    @route(f"PUT {_PULL}/reviews/{{id}}/dismissals")
    def dismiss(self, request: Request, owner: str, repo: str, number: str, id: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        pull = here.pulls[int(number)]
        if not here.settings.dismissals:
            return self.no(403, "Must have admin rights to Repository.")
        who = {review: who for who, review in pull.approvals.items()}[int(id)]
        del pull.approvals[who]
        return Response(200, {"id": int(id), "state": "DISMISSED"})

    @route(f"POST {_PULL}/requested_reviewers")
    def ask(self, request: Request, owner: str, repo: str, number: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        pull = here.pulls[int(number)]
        names = [*asked.get("reviewers", ()), *(f"team:{name}" for name in asked.get("team_reviewers", ()))]
        if not set(names) <= set(here.settings.people):
            return self._invalid("Reviews may only be requested from collaborators.")
        pull.reviewers += [name for name in names if name not in pull.reviewers]
        return Response(201, self._pull(here, pull))

    @route(f"POST {_ISSUE}/labels")
    def label(self, request: Request, owner: str, repo: str, number: str) -> Response:
        pull = self.repository(f"{owner}/{repo}").pulls[int(number)]
        pull.labels += [name for name in request.json["labels"] if name not in pull.labels]
        return Response(200, [_label(name) for name in pull.labels])

    @route(f"GET {_ISSUE}/comments")
    def comments(self, request: Request, owner: str, repo: str, number: str) -> Response:
        pull = self.repository(f"{owner}/{repo}").pulls[int(number)]
        return self.linked(request, [_comment(one) for one in pull.comments])

    @route(f"POST {_ISSUE}/comments")
    def write(self, request: Request, owner: str, repo: str, number: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        return Response(201, _comment(here.comment(here.pulls[int(number)], request.user, request.json["body"])))

    @route("PATCH /repos/{owner}/{repo}/issues/comments/{id}")
    def rewrite(self, request: Request, owner: str, repo: str, id: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        found = {one.id: one for pull in here.pulls.values() for one in pull.comments}[int(id)]
        found.body = request.json["body"]
        return Response(200, _comment(found))

    @route("GET /repos/{owner}/{repo}/compare/{basehead}")
    def compare(self, request: Request, owner: str, repo: str, basehead: str) -> Response:
        older, _, newer = basehead.partition("...")
        found = self.repository(f"{owner}/{repo}").compare(older, newer)
        if found is None:
            return self.no(404, "Not Found")
        commits = [{"sha": oid, "commit": {"message": message}} for oid, message in reversed(found)]
        return Response(200, {"status": "ahead", "commits": commits[-250:]})

    @route("POST /api/graphql")
    def graphql(self, request: Request) -> Response:
        asked = request.json
        done = graphql_sync(_schema(), asked["query"], _Root(self, request.user), variable_values=asked["variables"])
        invalid = [error for error in done.errors or () if not isinstance(error.original_error, Refused | KeyError)]
        self.server.seen.violations += [error.message for error in invalid]
        return Response(200, done.formatted)

    def _pull(self, here: Repository, pull: Pull) -> dict[str, Any]:
        address = f"{self.server.root_url}/{here.path}/pull/{pull.number}"
        fork = f"{pull.fork}/{here.path.partition('/')[2]}" if pull.fork else here.path
        return {
            "url": f"{self.server.api}/repos/{here.path}/pulls/{pull.number}",
            "issue_url": f"{self.server.api}/repos/{here.path}/issues/{pull.number}",
            "number": pull.number,
            "id": 7000 + pull.number,
            "node_id": f"PR_{here.path}#{pull.number}",
            "html_url": address,
            "state": "open" if pull.state == "open" else "closed",
            "merged_at": "2026-01-01T00:00:00Z" if pull.state == "merged" else None,
            "merge_commit_sha": pull.merge_commit,
            "title": pull.title,
            "body": pull.body or None,
            "draft": pull.draft,
            "user": _user(pull.author),
            "labels": [_label(name) for name in pull.labels],
            "auto_merge": {"merge_method": pull.armed} if pull.armed and not pull.queued else None,
            "head": {"ref": pull.branch, "sha": pull.head, "repo": self._repository(fork)},
            "base": {"ref": pull.base, "sha": here.tips().get(pull.base), "repo": self._repository(here.path)},
        }

    def _repository(self, path: str) -> dict[str, Any]:
        owner, _, name = path.partition("/")
        return {
            "id": 42,
            "name": name,
            "full_name": path,
            "owner": _user(owner),
            "url": f"{self.server.api}/repos/{path}",
            "default_branch": "main",
        }

    def _invalid(self, message: str) -> Response:
        return Response(
            422, {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": message}]}
        )


class _Root:
    """The GraphQL schema's queries and mutations."""

    def __init__(self, dialect: GitHub, user: str) -> None:
        self.dialect = dialect
        self.user = user

    def node(self, _: Any, id: str) -> "Found":
        return Found(self, *self._at(id))

    def repository(self, _: Any, owner: str, name: str) -> "Found":
        return Found(self, self.dialect.repository(f"{owner}/{name}"))

    def enablePullRequestAutoMerge(self, _: Any, input: dict[str, str]) -> dict[str, Any]:
        here, pull = self._at(input["pullRequestId"])
        if not here.settings.auto_merge:
            raise Refused("Pull request Auto merge is not allowed for this repository")
        if here.mergeable(pull) is None:
            raise Refused("Pull request Pull request is in unknown status")
        if input["expectedHeadOid"] != pull.head:
            raise Refused("Head sha didn't match expected head sha")
        if not here.settings.checks and not pull.draft:
            raise Refused("Pull request Pull request is in clean status")
        pull.armed = input["mergeMethod"].lower()
        return {"pullRequest": Found(self, here, pull)}

    def disablePullRequestAutoMerge(self, _: Any, input: dict[str, str]) -> dict[str, Any]:
        _, pull = self._at(input["pullRequestId"])
        if pull.armed is None:
            raise Refused("Can't disable auto-merge for this pull request")
        pull.armed = None
        return {}

    def dequeuePullRequest(self, _: Any, input: dict[str, str]) -> dict[str, Any]:
        _, pull = self._at(input["id"])
        pull.queued, pull.armed = False, None
        return {}

    def _at(self, id: str) -> tuple[Repository, Pull]:
        path, _, number = id.removeprefix("PR_").partition("#")
        here = self.dialect.server.repositories.get(path)
        if here is None or not id.startswith("PR_"):
            raise GraphQLError("Could not resolve to a node", original_error=Refused("unknown"))
        here.refresh()
        return here, here.pulls[int(number)]


class Found:
    """A repository, or a pull request of it."""

    __typename = "PullRequest"

    def __init__(self, root: _Root, here: Repository, pull: Pull | None = None) -> None:
        self.root = root
        self.here = here
        self.pull = pull
        self.isInMergeQueue = pull is not None and pull.queued
        self.autoMergeRequest = (
            {"enabledAt": "2026-01-01T00:00:00Z", "mergeMethod": pull.armed.upper()} if pull and pull.armed else None
        )

    def pullRequest(self, _: Any, number: int) -> "Found":
        return Found(self.root, self.here, self.here.pulls[number])

    def comments(self, _: Any, first: int, after: str | None = None) -> dict[str, Any]:
        assert self.pull is not None
        size = min(first, self.root.dialect.page)
        start = int(after or 0)
        nodes = self.pull.comments[start : start + size]
        more = len(self.pull.comments) > start + size
        return {
            "nodes": [
                {"databaseId": one.id, "body": one.body, "viewerDidAuthor": one.author == self.root.user}
                for one in nodes
            ],
            "pageInfo": {"hasNextPage": more, "endCursor": str(start + size)},
        }


def _user(name: str) -> dict[str, Any]:
    return {"login": unquote(name), "id": sum(name.encode()), "type": "User"}


def _label(name: str) -> dict[str, Any]:
    return {"id": sum(name.encode()), "name": name, "color": "ededed"}


def _comment(comment: Comment) -> dict[str, Any]:
    return {"id": comment.id, "body": comment.body, "user": _user(comment.author)}
