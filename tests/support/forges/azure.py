"""Azure DevOps: its API as described."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from tests.support.forges.contract import Description, vendors
from tests.support.forges.server import Dialect, Request, Response, route
from tests.support.forges.state import Pull, Repository

_GIT = "/{organization}/{project}/_apis/git/repositories/{repositoryId}"
_PULLS = _GIT + "/pullrequests"
_PULL = _PULLS + "/{pullRequestId}"
_PARTS = _GIT + "/pullRequests/{pullRequestId}"
_STATES = {"open": "active", "closed": "abandoned", "merged": "completed"}
_STRATEGIES = {"noFastForward": "merge", "squash": "squash", "rebase": "rebase"}
_REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
_STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
_NOBODY = "00000000-0000-0000-0000-000000000000"
# Who has voted against every pull request.
_OBJECTS = "eve"
# Lists cut descriptions off.
_CUT = 400


class Azure(Dialect):
    """The dialect; branches are merged behind its answers."""

    base = ""

    def serves(self, path: str) -> bool:
        return "/_apis/" in path

    @classmethod
    def describe(cls) -> Description:
        document = vendors("azure-devops-git-7.1.json")
        # It calls an object a string in the form of one.
        document["definitions"]["PolicyConfiguration"]["properties"]["settings"] = {"type": "object"}
        found = Description(document)
        found.require(f"POST {_PULLS}", "sourceRefName", "targetRefName", "title")
        found.require(f"POST {_PARTS}/labels", "name")
        found.require(f"POST {_PARTS}/threads", "comments")
        found.add("GET /{organization}/_apis/connectionData")
        return found

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, secret = headers.get("authorization", "").partition(" ")
        return base64.b64decode(secret).decode().partition(":")[2] if kind == "Basic" else None

    def no(self, status: int, message: str) -> Response:
        return Response(status, {"$id": "1", "message": message, "typeKey": "GitException"})

    @route("GET /{organization}/_apis/connectionData")
    def me(self, request: Request, organization: str) -> Response:
        return Response(200, {"authenticatedUser": {"id": identity(request.user)}})

    @route(f"GET {_PULLS}")
    def list(self, request: Request, organization: str, project: str, repositoryId: str) -> Response:
        here, asked = self.repository(f"{organization}/{project}/{repositoryId}"), request.query
        found = sorted(here.pulls.values(), key=lambda one: -one.number)
        if (state := asked.get("searchCriteria.status", "active")) != "all":
            found = [one for one in found if _STATES[one.state] == state]
        if "searchCriteria.sourceRefName" in asked:
            found = [one for one in found if f"refs/heads/{one.branch}" == asked["searchCriteria.sourceRefName"]]
        if "searchCriteria.targetRefName" in asked:
            found = [one for one in found if f"refs/heads/{one.base}" == asked["searchCriteria.targetRefName"]]
        skip, top = int(asked.get("$skip", 0)), int(asked.get("$top", 101))
        rows = [self._pull(here, one) for one in found[skip : skip + top]]
        return Response(200, {"value": [{**row, "description": row["description"][:_CUT]} for row in rows]})

    @route(f"POST {_PULLS}")
    def open(self, request: Request, organization: str, project: str, repositoryId: str) -> Response:
        here, asked = self.repository(f"{organization}/{project}/{repositoryId}"), request.json
        if not all(asked[end].startswith("refs/heads/") for end in ("sourceRefName", "targetRefName")):
            return self.no(400, "TF401398: The pull request cannot be activated: no such ref")
        branch, base = (asked[end].removeprefix("refs/heads/") for end in ("sourceRefName", "targetRefName"))
        if here.twin(branch, base):
            message = "TF401179: An active pull request for the source and target branch already exists."
            return Response(409, {"message": message, "typeKey": "GitPullRequestExistsException"})
        if len(asked.get("description", "")) > 4000:
            return self.no(400, "The description must not be longer than 4000 characters.")
        made = here.open(branch, base, asked["title"], asked.get("description", ""), draft=asked.get("isDraft", False))
        made.labels = [one["name"] for one in asked.get("labels", ())]
        wanted = [one["id"] for one in asked.get("reviewers", ())]
        if not all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in wanted):
            return self.no(400, "TF401194: A reviewer is no identity.")
        made.reviewers = [name for name in here.settings.people if identity(name) in wanted]
        return Response(201, self._pull(here, made))

    @route(f"GET {_PULL}")
    def get(self, request: Request, **place: str) -> Response:
        here, pull = self._at(place)
        # What was asked for is done once it was looked at often enough.
        if pull.state == "open" and pull.queued and here.mergeable(pull):
            here.merge(pull, pull.armed or "merge")
        return Response(200, self._pull(here, pull))

    @route(f"PATCH {_PULL}")
    def edit(self, request: Request, **place: str) -> Response:
        here, pull = self._at(place)
        asked = request.json
        pull.title, pull.body = asked.get("title", pull.title), asked.get("description", pull.body)
        method = _STRATEGIES[asked.get("completionOptions", {}).get("mergeStrategy", "noFastForward")]
        status = asked.get("status")
        if status == "abandoned":
            if pull.state != "open":
                return self.no(400, "TF401181: The pull request cannot be edited due to its state.")
            pull.state = "closed"
        if status == "completed":
            if pull.state != "open":
                return self.no(400, "TF401181: The pull request cannot be edited due to its state.")
            if asked["lastMergeSourceCommit"]["commitId"] != pull.head:
                return self.no(409, "TF401192: The source commit is stale.")
            if here.settings.checks:
                return self.no(403, "TF402455: Pushes to this branch are not permitted; policies are not met.")
            pull.queued, pull.armed = True, method
        if "autoCompleteSetBy" in asked:
            nobody = asked["autoCompleteSetBy"]["id"] == _NOBODY
            pull.armed = None if nobody else method
            if pull.armed and not here.settings.checks:
                here.merge(pull, method)
        return Response(200, self._pull(here, pull))

    @route(f"POST {_PARTS}/labels")
    def label(self, request: Request, **place: str) -> Response:
        _, pull = self._at(place)
        pull.labels.append(request.json["name"])
        return Response(200, {"id": "1", "name": request.json["name"], "active": True})

    @route(f"PATCH {_PARTS}/reviewers")
    def votes(self, request: Request, **place: str) -> Response:
        here, pull = self._at(place)
        if not here.settings.dismissals:
            return self.no(403, "TF401027: You need the Git 'PullRequestContribute' permission.")
        reset = [one["id"] for one in request.json if one["vote"] == 0]
        if not reset or identity(_OBJECTS) in reset:
            return self.no(400, "TF401186: That is nobody's approval.")
        pull.approvals = {who: number for who, number in pull.approvals.items() if identity(who) not in reset}
        return Response(200)

    @route(f"GET {_PARTS}/threads")
    def threads(self, request: Request, **place: str) -> Response:
        _, pull = self._at(place)
        system = {"id": 1, "comments": [{"id": 1, "content": "joined", "author": {"id": _NOBODY}}]}
        found = [{"id": one.id, "comments": [_words(one.body, one.author)]} for one in pull.comments]
        return Response(200, {"value": [system, {"id": 2, "isDeleted": True, "comments": []}, *found]})

    @route(f"POST {_PARTS}/threads")
    def write(self, request: Request, **place: str) -> Response:
        here, pull = self._at(place)
        made = here.comment(pull, request.user, request.json["comments"][0]["content"])
        return Response(200, {"id": made.id, "comments": [_words(made.body, made.author)]})

    @route(f"PATCH {_PARTS}/threads/{{threadId}}/comments/{{commentId}}")
    def rewrite(self, request: Request, threadId: str, commentId: str, **place: str) -> Response:
        _, pull = self._at(place)
        found = {one.id: one for one in pull.comments}[int(threadId)]
        if found.author != request.user:
            return self.no(403, "TF401021: not yours")
        found.body = request.json["content"]
        return Response(200, _words(found.body, found.author))

    @route(f"POST {_GIT}/commitsbatch")
    def commits(self, request: Request, organization: str, project: str, repositoryId: str) -> Response:
        here, asked = self.repository(f"{organization}/{project}/{repositoryId}"), request.json
        found = here.compare(asked["itemVersion"]["version"], asked["compareVersion"]["version"])
        if found is None:
            return self.no(404, "TF401175: The version descriptor could not be resolved")
        return Response(200, {"value": [{"commitId": oid, "comment": message} for oid, message in found]})

    @route(f"GET {_GIT}")
    def about(self, request: Request, organization: str, project: str, repositoryId: str) -> Response:
        here = self.repository(f"{organization}/{project}/{repositoryId}")
        return Response(200, {"id": identity(here.path), "name": repositoryId})

    @route("GET /{organization}/{project}/_apis/git/policy/configurations")
    def policies(self, request: Request, organization: str, project: str) -> Response:
        asked = request.query
        (here,) = (one for path, one in self.server.repositories.items() if identity(path) == asked["repositoryId"])
        off = {"isEnabled": False, "isBlocking": True, "type": {"id": _REVIEWERS}, "settings": {}}
        if asked["refName"] != "refs/heads/main" or not here.settings.guarded:
            return Response(200, {"value": [off]})
        checks = [{"statusName": name, "statusGenre": "ci"} for name in here.settings.required]
        found = [(_REVIEWERS, {"minimumApproverCount": 1}), *((_STATUS, one) for one in checks)]
        on = [{"isEnabled": True, "isBlocking": True, "type": {"id": kind}, "settings": one} for kind, one in found]
        return Response(200, {"value": [off, *on]})

    def _at(self, place: Mapping[str, str]) -> tuple[Repository, Pull]:
        here = self.repository(f"{place['organization']}/{place['project']}/{place['repositoryId']}")
        return here, here.pulls[int(place["pullRequestId"])]

    def _status(self, here: Repository, pull: Pull) -> str:
        if pull.state != "open":
            return "succeeded"
        if pull.looks:
            return "queued"
        return ("queued" if pull.queued else "succeeded") if here.mergeable(pull) else "conflicts"

    def _pull(self, here: Repository, pull: Pull) -> dict[str, Any]:
        merged = {"commitId": pull.merge_commit} if pull.merge_commit else None
        setter = {"id": identity(pull.author)} if pull.armed and not pull.queued else None
        return {
            "pullRequestId": pull.number,
            "status": _STATES[pull.state],
            "title": pull.title,
            "description": pull.body,
            "sourceRefName": f"refs/heads/{pull.branch}",
            "targetRefName": f"refs/heads/{pull.base}",
            "isDraft": pull.draft,
            "mergeStatus": self._status(here, pull),
            "lastMergeSourceCommit": {"commitId": pull.head},
            "createdBy": {"id": identity(pull.author)},
            "reviewers": [
                {"id": identity(_OBJECTS), "vote": -10},
                *({"id": identity(who), "vote": 10} for who in pull.approvals),
            ],
            **({"lastMergeCommit": merged} if merged else {}),
            **({"autoCompleteSetBy": setter} if setter else {}),
            **({"labels": [{"id": "1", "name": name, "active": True} for name in pull.labels]} if pull.labels else {}),
            **({"forkSource": {"repository": {"id": "f"}}} if pull.fork else {}),
        }


def identity(name: str) -> str:
    """A person's id."""
    return f"{sum(name.encode()):08x}-0000-4000-8000-000000000000"


def _words(body: str, author: str) -> dict[str, Any]:
    return {"id": 1, "content": body, "author": {"id": identity(author)}}
