"""Bitbucket Data Center: what is used of its REST API, as its documentation has it."""

from collections.abc import Mapping
from typing import Any

from tests.support.forges.contract import Description
from tests.support.forges.server import Dialect, Request, Response, route
from tests.support.forges.state import Comment, Pull, Refused, Repository

_REPOSITORY = "/projects/{key}/repos/{slug}"
_PULLS = _REPOSITORY + "/pull-requests"
_PULL = _PULLS + "/{number}"
_STATES = {"open": "OPEN", "closed": "DECLINED", "merged": "MERGED"}
_STRATEGIES = {"no-ff": "merge", "squash": "squash", "rebase-no-ff": "rebase"}
_PAGES = ("start", "limit")
_PROJECT = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}
_SLUG = {"type": "object", "required": ["slug", "project"], "properties": {"slug": {}, "project": _PROJECT}}
_REF = {
    "type": "object",
    "required": ["id", "repository"],
    "properties": {"id": {"type": "string", "pattern": "^refs/heads/"}, "repository": _SLUG},
}
_USER = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
_REVIEWERS = {"type": "array", "items": {"type": "object", "required": ["user"], "properties": {"user": _USER}}}


class BitbucketDC(Dialect):
    """The dialect."""

    base = "/rest/api/1.0"
    version = "8.19.1"

    @classmethod
    def describe(cls) -> Description:
        found = Description({})
        found.add("GET /application-properties")
        found.add(f"GET {_PULLS}", query=("state", "at", "direction", "order", *_PAGES))
        text = {"title!": "string", "description": "string", "reviewers": _REVIEWERS}
        found.add(f"POST {_PULLS}", body={**text, "fromRef!": _REF, "toRef!": _REF, "draft": "boolean"})
        found.add(f"GET {_PULL}")
        # Without the reviewers that are there they are gone.
        found.add(f"PUT {_PULL}", body={**text, "version": "integer", "reviewers": _REVIEWERS, "draft": "boolean"})
        found.add(f"GET {_PULL}/activities", query=_PAGES)
        found.add(f"POST {_PULL}/comments", body={"text!": "string"})
        found.add(f"PUT {_PULL}/comments/{{id}}", body={"text!": "string", "version!": "integer"})
        found.add(f"POST {_PULL}/decline", query=("version!",), body={"comment": "string", "version": "integer"})
        merging = {"message": "string", "strategyId": "string", "autoMerge": "boolean", "autoSubject": "string"}
        found.add(f"POST {_PULL}/merge", query=("version!",), body=merging)
        found.add(f"GET {_PULL}/auto-merge")
        found.add(f"DELETE {_PULL}/auto-merge")
        found.add(f"GET {_REPOSITORY}/commits", query=("since", "until", *_PAGES))
        return found

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" else None

    def no(self, status: int, message: str) -> Response:
        return Response(status, {"errors": [{"context": None, "message": message, "exceptionName": None}]})

    def answer(self, request: Request) -> Response:
        found = super().answer(request)
        return found._replace(headers={**found.headers, "X-AUSERNAME": request.user})

    @route("GET /application-properties")
    def properties(self, request: Request) -> Response:
        return Response(200, {"version": self.version, "displayName": "Bitbucket"})

    @route(f"GET {_PULLS}")
    def list(self, request: Request, key: str, slug: str) -> Response:
        here, asked = self.repository(f"{key}/{slug}"), request.query
        found = sorted(here.pulls.values(), key=lambda one: -one.number)
        if (state := asked.get("state", "OPEN")) != "ALL":
            found = [one for one in found if _STATES[one.state] == state]
        if at := asked.get("at"):
            outgoing = asked.get("direction", "INCOMING") == "OUTGOING"
            found = [one for one in found if f"refs/heads/{one.branch if outgoing else one.base}" == at]
        return self._paged(request, [self._pull(here, one) for one in found])

    @route(f"POST {_PULLS}")
    def open(self, request: Request, key: str, slug: str) -> Response:
        here, asked = self.repository(f"{key}/{slug}"), request.json
        branch, base = (asked[end]["id"].removeprefix("refs/heads/") for end in ("fromRef", "toRef"))
        twin = here.twin(branch, base)
        if twin:
            fault = {"message": "Only one pull request may be open for a given source and target branch"}
            return Response(409, {"errors": [{**fault, "existingPullRequest": self._pull(here, twin)}]})
        names = [one["user"]["name"] for one in asked.get("reviewers", ())]
        if not set(names) <= set(here.settings.people):
            return self.no(409, "Errors encountered while adding some reviewers to this pull request.")
        made = here.open(branch, base, asked["title"], asked.get("description", ""), draft=asked.get("draft", False))
        made.reviewers = names
        return Response(201, self._pull(here, made))

    @route(f"GET {_PULL}")
    def get(self, request: Request, key: str, slug: str, number: str) -> Response:
        here = self.repository(f"{key}/{slug}")
        return Response(200, self._pull(here, here.pulls[int(number)]))

    @route(f"PUT {_PULL}")
    def edit(self, request: Request, key: str, slug: str, number: str) -> Response:
        here, asked = self.repository(f"{key}/{slug}"), request.json
        pull = here.pulls[int(number)]
        if asked["version"] != pull.version:
            return self.no(409, "You are attempting to modify a pull request based on out-of-date information.")
        pull.title, pull.body = asked["title"], asked.get("description", "")
        pull.reviewers = [one["user"]["name"] for one in asked.get("reviewers", ())]
        pull.version += 1
        return Response(200, self._pull(here, pull))

    @route(f"POST {_PULL}/decline")
    def decline(self, request: Request, key: str, slug: str, number: str) -> Response:
        here = self.repository(f"{key}/{slug}")
        pull = here.pulls[int(number)]
        if pull.state != "open" or int(request.query["version"]) != pull.version:
            return self.no(409, "This pull request cannot be declined.")
        pull.state = "closed"
        pull.version += 1
        return Response(200, self._pull(here, pull))

    @route(f"POST {_PULL}/merge")
    def merge(self, request: Request, key: str, slug: str, number: str) -> Response:
        here, asked = self.repository(f"{key}/{slug}"), request.json
        pull = here.pulls[int(number)]
        method = _STRATEGIES[asked["strategyId"]]
        if pull.state != "open" or int(request.query["version"]) != pull.version:
            return self.no(409, "This pull request cannot be merged: it has been updated.")
        if method not in here.settings.methods:
            return self.no(400, "The merge strategy is disabled in this repository.")
        if here.settings.checks:
            if not asked.get("autoMerge"):
                return self.no(409, "Not all required builds are successful yet.")
            if not here.settings.auto_merge:
                return self.no(409, "Auto-merge is not enabled for this repository.")
            if pull.armed:
                return self.no(409, "Auto-merge has already been requested for this pull request.")
            pull.armed = method
            return Response(200, self._pull(here, pull))
        try:
            here.merge(pull, method)
        except Refused as error:
            return self.no(409, str(error))
        return Response(200, self._pull(here, pull))

    @route(f"GET {_PULL}/auto-merge")
    def armed(self, request: Request, key: str, slug: str, number: str) -> Response:
        pull = self.repository(f"{key}/{slug}").pulls[int(number)]
        if pull.armed is None:
            return self.no(404, "Auto-merge was not requested")
        return Response(200, {"fromHash": pull.head, "strategyId": pull.armed, "toRefId": f"refs/heads/{pull.base}"})

    @route(f"DELETE {_PULL}/auto-merge")
    def cancel(self, request: Request, key: str, slug: str, number: str) -> Response:
        self.repository(f"{key}/{slug}").pulls[int(number)].armed = None
        return Response(204)

    @route(f"GET {_PULL}/activities")
    def activities(self, request: Request, key: str, slug: str, number: str) -> Response:
        pull = self.repository(f"{key}/{slug}").pulls[int(number)]
        comments = [{"id": one.id, "action": "COMMENTED", "comment": _comment(one)} for one in pull.comments]
        return self._paged(request, [*comments[::-1], {"id": 1, "action": "OPENED"}])

    @route(f"POST {_PULL}/comments")
    def write(self, request: Request, key: str, slug: str, number: str) -> Response:
        here = self.repository(f"{key}/{slug}")
        return Response(201, _comment(here.comment(here.pulls[int(number)], request.user, request.json["text"])))

    @route(f"PUT {_PULL}/comments/{{id}}")
    def rewrite(self, request: Request, key: str, slug: str, number: str, id: str) -> Response:
        pull = self.repository(f"{key}/{slug}").pulls[int(number)]
        found = {one.id: one for one in pull.comments}[int(id)]
        if found.author != request.user:
            return self.no(401, "You are not permitted to edit this comment")
        if found.version != request.json["version"]:
            return self.no(409, "out-of-date")
        found.body = request.json["text"]
        found.version += 1
        return Response(200, _comment(found))

    @route(f"GET {_REPOSITORY}/commits")
    def commits(self, request: Request, key: str, slug: str) -> Response:
        found = self.repository(f"{key}/{slug}").compare(request.query["since"], request.query["until"])
        if found is None:
            return self.no(404, "Commit does not exist in repository")
        return self._paged(request, [{"id": oid, "message": message} for oid, message in found])

    def _paged(self, request: Request, items: "list[Any]") -> Response:  # type: ignore[valid-type]
        start, length = int(request.query.get("start", 0)), min(int(request.query.get("limit", 25)), self.page)
        last = len(items) <= start + length
        content = {"values": items[start : start + length], "isLastPage": last, "start": start, "limit": length}
        return Response(200, {**content, "nextPageStart": None if last else start + length})

    def _pull(self, here: Repository, pull: Pull) -> dict[str, Any]:
        key, _, slug = here.path.partition("/")
        repository = {"slug": slug, "project": {"key": key}}
        origin = {"slug": slug, "project": {"key": f"~{pull.fork}"}} if pull.fork else repository
        reviewers = dict.fromkeys((*pull.reviewers, *pull.approvals))
        address = f"{self.server.root_url}/projects/{key}/repos/{slug}/pull-requests/{pull.number}"
        return {
            "id": pull.number,
            "version": pull.version,
            "title": pull.title,
            "description": pull.body,
            "state": _STATES[pull.state],
            "draft": pull.draft,
            "fromRef": {"id": f"refs/heads/{pull.branch}", "latestCommit": pull.head, "repository": origin},
            "toRef": {
                "id": f"refs/heads/{pull.base}",
                "latestCommit": here.tips().get(pull.base, ""),
                "repository": repository,
            },
            "reviewers": [{"user": {"name": name}, "approved": name in pull.approvals} for name in reviewers],
            "links": {"self": [{"href": address}]},
        }


def _comment(comment: Comment) -> dict[str, Any]:
    return {"id": comment.id, "version": comment.version, "text": comment.body, "author": {"name": comment.author}}
