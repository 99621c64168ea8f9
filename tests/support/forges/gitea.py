"""Gitea: its API as described."""

from collections.abc import Mapping
from typing import Any

from tests.support.forges.contract import Description, vendors
from tests.support.forges.server import Dialect, Request, Response, route
from tests.support.forges.state import Comment, Pull, Refused, Repository

_REPOSITORY = "/repos/{owner}/{repo}"
_PULLS = _REPOSITORY + "/pulls"
_PULL = _PULLS + "/{index}"
_ISSUE = _REPOSITORY + "/issues/{index}"


class Gitea(Dialect):
    """The dialect."""

    base = "/api/v1"
    page = 50

    @classmethod
    def describe(cls) -> Description:
        found = Description(vendors("gitea.json"))
        found.require(f"POST {_PULLS}", "head", "base", "title")
        found.require(f"POST {_PULL}/merge", "do", "head_commit_id")
        found.require(f"POST {_ISSUE}/labels", "labels")
        return found

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return token if kind == "token" else None

    @route("GET /user")
    def me(self, request: Request) -> Response:
        return Response(200, _user(request.user))

    @route(f"GET {_REPOSITORY}")
    def show(self, request: Request, owner: str, repo: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        may = {"admin": False, "push": here.settings.pushes, "pull": True}
        return Response(200, {"id": 42, "full_name": here.path, "permissions": may})

    @route(f"GET {_REPOSITORY}/branches/{{branch}}")
    def branch(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        settings = self.repository(f"{owner}/{repo}").settings
        checks = {"enable_status_check": bool(settings.required), "status_check_contexts": list(settings.required)}
        may = {"protected": settings.guarded, "user_can_push": settings.passes or not settings.guarded}
        return Response(200, {"name": branch, **may, **checks})

    @route(f"GET {_PULLS}")
    def list(self, request: Request, owner: str, repo: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.query
        found = sorted(here.pulls.values(), key=lambda one: -one.number)
        wanted = asked.get("state", "open")
        if wanted != "all":
            found = [one for one in found if (one.state == "open") == (wanted == "open")]
        if "base_branch" in asked:
            found = [one for one in found if one.base == asked["base_branch"]]
        return self.linked(request, [self._pull(here, one) for one in found], size="limit")

    @route(f"POST {_PULLS}")
    def open(self, request: Request, owner: str, repo: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        if here.twin(asked["head"], asked["base"]):
            return self.no(409, "pull request already exists for these targets")
        try:
            made = here.open(asked["head"], asked["base"], asked["title"], asked.get("body", ""))
        except Refused as error:
            return self.no(404, str(error))
        return Response(201, self._pull(here, made))

    @route(f"GET {_PULL}")
    def get(self, request: Request, owner: str, repo: str, index: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        return Response(200, self._pull(here, here.pulls[int(index)]))

    @route(f"PATCH {_PULL}")
    def edit(self, request: Request, owner: str, repo: str, index: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        pull = here.pulls[int(index)]
        pull.title, pull.body = asked.get("title", pull.title), asked.get("body", pull.body)
        if "state" in asked:
            if pull.state == "merged":
                return self.no(412, "cannot change state of this pull request, it was already merged")
            pull.state = asked["state"]
        return Response(201, self._pull(here, pull))

    @route(f"POST {_PULL}/merge")
    def merge(self, request: Request, owner: str, repo: str, index: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        pull = here.pulls[int(index)]
        if pull.state != "open":
            return self.no(405, "The PR is already merged" if pull.state == "merged" else "The PR is closed")
        if asked["do"] not in here.settings.methods:
            return self.no(405, f"{asked['do']} is not allowed an allowed merge style for this repository")
        if here.mergeable(pull) is None:
            return self.no(405, "Please try again later")
        if asked.get("merge_when_checks_succeed") and here.settings.checks:
            if pull.armed:
                return self.no(409, "pull request is already scheduled to auto merge when checks succeed")
            pull.armed = asked["do"]
            return Response(201)
        if pull.title.startswith(("WIP:", "[WIP]")):
            return self.no(405, "Work in progress PRs cannot be merged")
        if here.settings.checks:
            return self.no(405, "Not all required status checks successful")
        if asked["head_commit_id"] != pull.head:
            return self.no(409, "head out of date")
        try:
            here.merge(pull, asked["do"])
        except Refused:
            return self.no(409, "merge conflict")
        return Response(200)

    @route(f"DELETE {_PULL}/merge")
    def cancel(self, request: Request, owner: str, repo: str, index: str) -> Response:
        pull = self.repository(f"{owner}/{repo}").pulls[int(index)]
        if pull.armed is None:
            return self.no(404, "not scheduled")
        pull.armed = None
        return Response(204)

    @route(f"GET {_PULL}/reviews")
    def reviews(self, request: Request, owner: str, repo: str, index: str) -> Response:
        pull = self.repository(f"{owner}/{repo}").pulls[int(index)]
        found = [{"id": number, "user": _user(who), "state": "APPROVED"} for who, number in pull.approvals.items()]
        old = {"id": 1, "user": _user("zoe"), "state": "APPROVED", "dismissed": True}
        return self.linked(request, [old, *found], size="limit")

    @route(f"POST {_PULL}/reviews/{{id}}/dismissals")
    def dismiss(self, request: Request, owner: str, repo: str, index: str, id: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        pull = here.pulls[int(index)]
        if not here.settings.dismissals:
            return self.no(403, "Must be repo admin")
        del pull.approvals[{review: who for who, review in pull.approvals.items()}[int(id)]]
        return Response(200, {"id": int(id), "dismissed": True, "state": "APPROVED"})

    @route(f"POST {_PULL}/requested_reviewers")
    def ask(self, request: Request, owner: str, repo: str, index: str) -> Response:
        here, asked = self.repository(f"{owner}/{repo}"), request.json
        pull = here.pulls[int(index)]
        names = [*asked.get("reviewers", ()), *(f"team:{name}" for name in asked.get("team_reviewers", ()))]
        unknown = [name for name in names if name not in here.settings.people]
        if unknown:
            return self.no(404, f"user redirect does not exist [name: {unknown[0]}]")
        pull.reviewers += [name for name in names if name not in pull.reviewers]
        return Response(201, [])

    @route("GET /orgs/{org}/labels")
    def organization_labels(self, request: Request, org: str) -> Response:
        return self.no(404, "org does not exist")

    @route(f"GET {_REPOSITORY}/labels")
    def labels(self, request: Request, owner: str, repo: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        found = [_label(name, number) for name, number in here.labels.items()]
        return self.linked(request, found, size="limit")

    @route(f"POST {_REPOSITORY}/labels")
    def new_label(self, request: Request, owner: str, repo: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        name = request.json["name"]
        here.labels[name] = here.new_id()
        return Response(201, _label(name, here.labels[name]))

    @route(f"POST {_ISSUE}/labels")
    def label(self, request: Request, owner: str, repo: str, index: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        pull = here.pulls[int(index)]
        names = {number: name for name, number in here.labels.items()}
        pull.labels += [names[number] for number in request.json["labels"] if names[number] not in pull.labels]
        return Response(200, [_label(name, here.labels[name]) for name in pull.labels])

    @route(f"GET {_ISSUE}/comments")
    def comments(self, request: Request, owner: str, repo: str, index: str) -> Response:
        pull = self.repository(f"{owner}/{repo}").pulls[int(index)]
        return Response(200, [_comment(one) for one in pull.comments])

    @route(f"POST {_ISSUE}/comments")
    def write(self, request: Request, owner: str, repo: str, index: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        return Response(201, _comment(here.comment(here.pulls[int(index)], request.user, request.json["body"])))

    @route(f"PATCH {_REPOSITORY}/issues/comments/{{id}}")
    def rewrite(self, request: Request, owner: str, repo: str, id: str) -> Response:
        here = self.repository(f"{owner}/{repo}")
        found = {one.id: one for pull in here.pulls.values() for one in pull.comments}[int(id)]
        found.body = request.json["body"]
        return Response(200, _comment(found))

    @route(f"GET {_REPOSITORY}/compare/{{basehead}}")
    def compare(self, request: Request, owner: str, repo: str, basehead: str) -> Response:
        older, _, newer = basehead.partition("...")
        found = self.repository(f"{owner}/{repo}").compare(older, newer)
        if found is None:
            return self.no(404, "GetCommit")
        commits = [{"sha": oid, "commit": {"message": message}} for oid, message in found]
        return Response(200, {"total_commits": len(found), "commits": commits})

    def _pull(self, here: Repository, pull: Pull) -> dict[str, Any]:
        fork = f"{pull.fork}/{here.path.partition('/')[2]}" if pull.fork else here.path
        return {
            "id": 7000 + pull.number,
            "number": pull.number,
            "html_url": f"{self.server.root_url}/{here.path}/pulls/{pull.number}",
            "state": "open" if pull.state == "open" else "closed",
            "merged": pull.state == "merged",
            "mergeable": not pull.looks,
            "title": pull.title,
            "body": pull.body,
            "draft": pull.title.startswith(("WIP:", "[WIP]")),
            "user": _user(pull.author),
            "labels": [_label(name, here.labels[name]) for name in pull.labels] or None,
            "head": {"ref": pull.branch, "sha": pull.head, "repo": {"full_name": fork}},
            "base": {"ref": pull.base, "sha": here.tips().get(pull.base), "repo": {"full_name": here.path}},
        }


def _user(name: str) -> dict[str, Any]:
    return {"login": name, "id": sum(name.encode())}


def _label(name: str, number: int) -> dict[str, Any]:
    return {"id": number, "name": name, "color": "ededed"}


def _comment(comment: Comment) -> dict[str, Any]:
    return {"id": comment.id, "body": comment.body, "user": _user(comment.author)}
