"""Bitbucket Cloud: its API as described, and what its description here leaves out as its documentation has it."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from tests.support.forges.contract import Description, vendors
from tests.support.forges.server import Dialect, Request, Response, route
from tests.support.forges.state import Comment, Pull, Refused, Repository

_REPOSITORY = "/repositories/{workspace}/{repo_slug}"
_PULLS = _REPOSITORY + "/pullrequests"
_PULL = _PULLS + "/{pull_request_id}"
_STATES = {"open": "OPEN", "closed": "DECLINED", "merged": "MERGED"}
_STRATEGIES = {"merge_commit": "merge", "squash": "squash", "rebase_merge": "rebase"}
# It shows commits shortened.
_SHORT = 12


class Bitbucket(Dialect):
    """The dialect."""

    base = "/2.0"
    page = 50

    @classmethod
    def describe(cls) -> Description:
        document = dict(vendors("bitbucket-cloud.json"))
        paths = dict(document["paths"])
        # Changing one takes what making one takes.
        paths[_PULL] = {**paths[_PULL], "put": paths[_PULLS]["post"]}
        found = Description({**document, "paths": paths})
        listed = ("state", "q", "sort", "page", "pagelen")
        found.add(f"GET {_PULLS}", query=listed)
        found.require(f"POST {_PULLS}", "title", "source", "type", told=["description"])
        found.require(f"PUT {_PULL}", "type", "title", told=["description"])
        found.require(f"POST {_PULL}/merge", "merge_strategy")
        found.add("GET /user")
        found.add(f"POST {_PULL}/decline")
        found.add(f"GET {_REPOSITORY}/commits", query=("include", "exclude", "page", "pagelen"))
        found.add(f"GET {_PULL}/comments", query=("page", "pagelen", "q", "sort"))
        content = {"type": "object", "required": ["raw"], "properties": {"raw": {"type": "string"}}}
        found.add(f"POST {_PULL}/comments", body={"content!": content})
        found.add(f"PUT {_PULL}/comments/{{id}}", body={"content!": content})
        return found

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            user, _, token = base64.b64decode(token).decode().partition(":")
            return token if "@" in user else None
        return token if kind == "Bearer" else None

    def no(self, status: int, message: str) -> Response:
        return Response(status, {"type": "error", "error": {"message": message}})

    @route("GET /user")
    def me(self, request: Request) -> Response:
        return Response(200, _user(request.user))

    @route(f"GET {_PULLS}")
    def list(self, request: Request, workspace: str, repo_slug: str) -> Response:
        here = self.repository(f"{workspace}/{repo_slug}")
        found = sorted(here.pulls.values(), key=lambda one: -one.number)
        if state := request.query.get("state", "OPEN"):
            found = [one for one in found if _STATES[one.state] == state]
        for key, name in re.findall(r'(\w+)\.branch\.name="([^"]*)"', request.query.get("q", "")):
            found = [one for one in found if {"source": one.branch, "destination": one.base}[key] == name]
        return self._paged(request, [self._pull(here, one) for one in found])

    @route(f"POST {_PULLS}")
    def open(self, request: Request, workspace: str, repo_slug: str) -> Response:
        here, asked = self.repository(f"{workspace}/{repo_slug}"), request.json
        branch, base = asked["source"]["branch"]["name"], asked["destination"]["branch"]["name"]
        unknown = [one for one in asked.get("reviewers", ()) if one.get("uuid") not in map(uuid, here.settings.people)]
        if unknown:
            return self.no(400, "reviewers: not a member of this workspace")
        made = here.twin(branch, base)
        if made is None:
            made = here.open(
                branch, base, asked["title"], asked.get("description", ""), draft=asked.get("draft", False)
            )
        # The same branches once more: what is there is changed.
        made.title, made.body = asked["title"], asked.get("description", "")
        self._review(here, made, asked)
        return Response(201, self._pull(here, made))

    @route(f"GET {_PULL}")
    def get(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str) -> Response:
        here = self.repository(f"{workspace}/{repo_slug}")
        return Response(200, self._pull(here, here.pulls[int(pull_request_id)]))

    @route(f"PUT {_PULL}")
    def edit(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str) -> Response:
        here, asked = self.repository(f"{workspace}/{repo_slug}"), request.json
        pull = here.pulls[int(pull_request_id)]
        if pull.state != "open":
            return self.no(400, "This pull request is closed")
        pull.title, pull.body = asked["title"], asked.get("description", pull.body)
        self._review(here, pull, asked)
        return Response(200, self._pull(here, pull))

    @route(f"POST {_PULL}/decline")
    def decline(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str) -> Response:
        here = self.repository(f"{workspace}/{repo_slug}")
        pull = here.pulls[int(pull_request_id)]
        if pull.state != "open":
            return self.no(400, "This pull request is already closed.")
        pull.state = "closed"
        return Response(200, self._pull(here, pull))

    @route(f"POST {_PULL}/merge")
    def merge(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str) -> Response:
        here, asked = self.repository(f"{workspace}/{repo_slug}"), request.json
        pull = here.pulls[int(pull_request_id)]
        method = _STRATEGIES[asked["merge_strategy"]]
        if method not in here.settings.methods:
            return self.no(400, "merge_strategy is not allowed here")
        if pull.state != "open" or here.settings.checks:
            return self.no(409, "The pull request cannot be merged: builds are running")
        try:
            here.merge(pull, method)
        except Refused as error:
            return self.no(409, str(error))
        if pull.looks:
            # It says that it is still at it.
            return Response(202, None, {"Location": f"{self.server.api}{request.path}/task-status/1"})
        return Response(200, self._pull(here, pull))

    @route(f"GET {_PULL}/comments")
    def comments(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str) -> Response:
        pull = self.repository(f"{workspace}/{repo_slug}").pulls[int(pull_request_id)]
        gone = {"id": 1, "content": {"raw": ""}, "user": _user("zoe"), "deleted": True}
        return self._paged(request, [gone, *(_comment(one) for one in pull.comments)])

    @route(f"POST {_PULL}/comments")
    def write(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str) -> Response:
        here = self.repository(f"{workspace}/{repo_slug}")
        made = here.comment(here.pulls[int(pull_request_id)], request.user, request.json["content"]["raw"])
        return Response(201, _comment(made))

    @route(f"PUT {_PULL}/comments/{{id}}")
    def rewrite(self, request: Request, workspace: str, repo_slug: str, pull_request_id: str, id: str) -> Response:
        pull = self.repository(f"{workspace}/{repo_slug}").pulls[int(pull_request_id)]
        found = {one.id: one for one in pull.comments}[int(id)]
        if found.author != request.user:
            return self.no(403, "not yours")
        found.body = request.json["content"]["raw"]
        return Response(200, _comment(found))

    @route(f"GET {_REPOSITORY}/commits")
    def commits(self, request: Request, workspace: str, repo_slug: str) -> Response:
        here = self.repository(f"{workspace}/{repo_slug}")
        found = here.compare(request.query["exclude"], request.query["include"])
        if found is None:
            return self.no(404, "Commit not found")
        return self._paged(request, [{"hash": oid, "message": message} for oid, message in found])

    def _review(self, here: Repository, pull: Pull, asked: Mapping[str, Any]) -> None:
        wanted = [one.get("uuid") for one in asked.get("reviewers", ())]
        pull.reviewers = [name for name in here.settings.people if uuid(name) in wanted]

    def _paged(self, request: Request, items: "list[Any]") -> Response:  # type: ignore[valid-type]
        page, length = self.window(request, size="pagelen")
        content = {"values": items[(page - 1) * length : page * length], "pagelen": length}
        if len(items) > page * length:
            query = re.sub(r"&?\bpage=\d+", "", request.raw_query)
            content["next"] = f"{self.server.api}{request.path}?{query}&page={page + 1}"
        return Response(200, content)

    def _pull(self, here: Repository, pull: Pull) -> dict[str, Any]:
        fork = f"{pull.fork}/{here.path.partition('/')[2]}" if pull.fork else here.path
        merged = {"hash": pull.merge_commit[:_SHORT]} if pull.merge_commit else None
        return {
            "type": "pullrequest",
            "id": pull.number,
            "title": pull.title,
            "summary": {"raw": pull.body, "markup": "markdown", "html": ""},
            "state": _STATES[pull.state],
            "draft": pull.draft,
            "author": _user(pull.author),
            "merge_commit": merged,
            "links": {"html": {"href": f"{self.server.root_url}/{here.path}/pull-requests/{pull.number}"}},
            "reviewers": [_user(name) for name in pull.reviewers],
            "participants": [{"user": _user(name), "approved": True} for name in pull.approvals],
            "source": {
                "branch": {"name": pull.branch},
                "commit": {"hash": pull.head[:_SHORT]},
                "repository": {"full_name": fork},
            },
            "destination": {"branch": {"name": pull.base}, "repository": {"full_name": here.path}},
        }


def uuid(name: str) -> str:
    """A person's id."""
    return f"{{{sum(name.encode()):08x}-0000-4000-8000-000000000000}}"


def _user(name: str) -> dict[str, Any]:
    return {"type": "user", "uuid": uuid(name), "display_name": name}


def _comment(comment: Comment) -> dict[str, Any]:
    content = {"raw": comment.body, "markup": "markdown", "html": ""}
    return {"id": comment.id, "content": content, "user": _user(comment.author), "deleted": False}
