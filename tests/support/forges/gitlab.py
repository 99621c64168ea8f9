"""GitLab: what is used of its REST API, as its documentation has it (https://docs.gitlab.com/api)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.support.forges.contract import Description
from tests.support.forges.server import Dialect, Request, Response, route
from tests.support.forges.state import Comment, Pull, Refused, Repository

_PROJECT = "/projects/{project}"
_ALL = _PROJECT + "/merge_requests"
_ONE = _ALL + "/{iid}"
_PAGES = ("page", "per_page")
_STATES = {"open": "opened", "closed": "closed", "merged": "merged"}


class GitLab(Dialect):
    """The dialect."""

    base = "/api/v4"
    bots = True

    @classmethod
    def describe(cls) -> Description:
        found = Description({})
        found.add("GET /user")
        found.add("GET /users", query=("username", *_PAGES))
        found.add(f"GET {_PROJECT}")
        found.add("GET /personal_access_tokens/self")
        found.add(f"GET {_PROJECT}/repository/branches/{{branch}}")
        found.add(f"GET {_PROJECT}/repository/compare", query=("from!", "to!", "straight"))
        filters = ("state", "source_branch", "target_branch", "labels", "order_by", "sort", "scope", *_PAGES)
        found.add(f"GET {_ALL}", query=filters)
        writable = {
            "description": "string",
            # One text with commas, or a list.
            "labels": {"type": ["string", "array"], "items": {"type": "string"}},
            "reviewer_ids": {"type": "array", "items": {"type": "integer"}},
            "assignee_ids": {"type": "array", "items": {"type": "integer"}},
            "remove_source_branch": "boolean",
            "squash": "boolean",
        }
        required = {"source_branch!": "string", "target_branch!": "string", "title!": "string"}
        found.add(f"POST {_ALL}", body={**writable, **required, "target_project_id": "integer"})
        found.add(f"GET {_ONE}")
        events = {"type": "string", "enum": ["close", "reopen"]}
        more = {"title": "string", "add_labels": "string", "remove_labels": "string", "state_event": events}
        found.add(f"PUT {_ONE}", body={**writable, **more, "target_branch": "string"})
        merging = {"sha!": "string", "squash": "boolean", "should_remove_source_branch": "boolean"}
        waiting = {"auto_merge": "boolean", "merge_when_pipeline_succeeds": "boolean"}
        found.add(f"PUT {_ONE}/merge", body={**merging, **waiting, "merge_commit_message": "string"})
        found.add(f"POST {_ONE}/cancel_merge_when_pipeline_succeeds")
        found.add(f"GET {_ONE}/approvals")
        found.add(f"PUT {_ONE}/reset_approvals")
        found.add(f"GET {_ONE}/notes", query=("sort", "order_by", *_PAGES))
        found.add(f"POST {_ONE}/notes", body={"body!": "string", "internal": "boolean"})
        found.add(f"PUT {_ONE}/notes/{{id}}", body={"body!": "string"})
        return found

    def repository(self, path: str) -> Repository:
        # A project has a number, too.
        return super().repository(next(iter(self.server.repositories)) if path == "1" else path)

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return headers.get("private-token") or headers.get("job-token") or (token if kind == "Bearer" else None)

    @route("GET /user")
    def me(self, request: Request) -> Response:
        if "job-token" in request.headers:
            return self.no(401, "401 Unauthorized")
        return Response(200, _user(request.user))

    @route("GET /users")
    def users(self, request: Request) -> Response:
        people = {name for here in self.server.repositories.values() for name in here.settings.people}
        return Response(200, [_user(name) for name in people if name == request.query.get("username")])

    @route(f"GET {_PROJECT}")
    def show(self, request: Request, project: str) -> Response:
        here = self.repository(project)
        about = {"id": 1, "path_with_namespace": here.path, "default_branch": "main"}
        level = {"access_level": 30 if here.settings.pushes else 20}
        whole = "verify-pr" in here.settings.required
        may = {"project_access": level, "group_access": None}
        return Response(200, {**about, "permissions": may, "only_allow_merge_if_pipeline_succeeds": whole})

    @route("GET /personal_access_tokens/self")
    def itself(self, request: Request) -> Response:
        if "job-token" in request.headers:
            return self.no(401, "401 Unauthorized")
        (settings, *_) = (here.settings for here in self.server.repositories.values())
        return Response(200, {"id": 5, "active": True, "scopes": settings.scopes, "expires_at": settings.expires})

    @route(f"GET {_PROJECT}/repository/branches/{{branch}}")
    def branch(self, request: Request, project: str, branch: str) -> Response:
        settings = self.repository(project).settings
        may = {"can_push": settings.passes or not settings.guarded, "developers_can_push": False}
        return Response(200, {"name": branch, "protected": settings.guarded, **may})

    @route(f"GET {_ALL}")
    def list(self, request: Request, project: str) -> Response:
        here = self.repository(project)
        asked = request.query
        found = sorted(here.pulls.values(), key=lambda one: -one.number)
        if "state" in asked and asked["state"] != "all":
            found = [one for one in found if _STATES[one.state] == asked["state"]]
        if "source_branch" in asked:
            found = [one for one in found if one.branch == asked["source_branch"]]
        if "target_branch" in asked:
            found = [one for one in found if one.base == asked["target_branch"]]
        return self.linked(request, [self._pull(here, one) for one in found])

    @route(f"POST {_ALL}")
    def open(self, request: Request, project: str) -> Response:
        here, asked = self.repository(project), request.json
        twin = here.twin(asked["source_branch"], asked["target_branch"])
        if twin:
            return Response(
                409, {"message": [f"Another open merge request already exists for this source branch: !{twin.number}"]}
            )
        try:
            made = here.open(
                asked["source_branch"], asked["target_branch"], asked["title"], asked.get("description", "")
            )
        except Refused as error:
            return Response(400, {"message": {"base": [str(error)]}})
        self._change(here, made, asked)
        return Response(201, self._pull(here, made))

    @route(f"GET {_ONE}")
    def get(self, request: Request, project: str, iid: str) -> Response:
        here = self.repository(project)
        pull = here.pulls[int(iid)]
        status = self._status(here, pull)
        here.mergeable(pull)
        return Response(200, {**self._pull(here, pull), "detailed_merge_status": status})

    @route(f"PUT {_ONE}")
    def edit(self, request: Request, project: str, iid: str) -> Response:
        here, asked = self.repository(project), request.json
        pull = here.pulls[int(iid)]
        self._change(here, pull, asked)
        if asked.get("state_event") == "close":
            if pull.state != "open":
                return self.no(422, 'state cannot transition via "close"')
            pull.state = "closed"
        return Response(200, self._pull(here, pull))

    @route(f"PUT {_ONE}/merge")
    def merge(self, request: Request, project: str, iid: str) -> Response:
        here, asked = self.repository(project), request.json
        pull = here.pulls[int(iid)]
        if pull.state != "open" or pull.looks or self._draft(pull):
            return self.no(405, "405 Method Not Allowed")
        if asked["sha"] != pull.head:
            return self.no(409, "SHA does not match HEAD of source branch")
        method = "squash" if asked.get("squash") else "merge"
        if here.settings.checks:
            if not (asked.get("auto_merge") or asked.get("merge_when_pipeline_succeeds")):
                return self.no(405, "405 Method Not Allowed")
            if not here.settings.auto_merge:
                return self.no(405, "405 Method Not Allowed")
            pull.armed = method
            return Response(200, self._pull(here, pull))
        try:
            here.merge(pull, method)
        except Refused:
            return self.no(422, "Branch cannot be merged")
        return Response(200, self._pull(here, pull))

    @route(f"POST {_ONE}/cancel_merge_when_pipeline_succeeds")
    def cancel(self, request: Request, project: str, iid: str) -> Response:
        pull = self.repository(project).pulls[int(iid)]
        if pull.armed is None:
            return self.no(406, "406 Not Acceptable")
        pull.armed = None
        return Response(201, {"status": "success"})

    @route(f"GET {_ONE}/approvals")
    def approvals(self, request: Request, project: str, iid: str) -> Response:
        pull = self.repository(project).pulls[int(iid)]
        return Response(200, {"approved_by": [{"user": _user(who)} for who in pull.approvals]})

    @route(f"PUT {_ONE}/reset_approvals")
    def reset(self, request: Request, project: str, iid: str) -> Response:
        here = self.repository(project)
        if not here.settings.dismissals:
            return self.no(401, "401 Unauthorized")
        here.pulls[int(iid)].approvals.clear()
        return Response(202, {"message": "202 Accepted"})

    @route(f"GET {_ONE}/notes")
    def notes(self, request: Request, project: str, iid: str) -> Response:
        pull = self.repository(project).pulls[int(iid)]
        system = {"id": 1, "body": "added 1 commit", "author": _user("zoe"), "system": True}
        return self.linked(request, [system, *(_note(one) for one in pull.comments)])

    @route(f"POST {_ONE}/notes")
    def write(self, request: Request, project: str, iid: str) -> Response:
        here = self.repository(project)
        return Response(201, _note(here.comment(here.pulls[int(iid)], request.user, request.json["body"])))

    @route(f"PUT {_ONE}/notes/{{id}}")
    def rewrite(self, request: Request, project: str, iid: str, id: str) -> Response:
        pull = self.repository(project).pulls[int(iid)]
        found = {one.id: one for one in pull.comments}[int(id)]
        if found.author != request.user:
            return self.no(403, "403 Forbidden")
        found.body = request.json["body"]
        return Response(200, _note(found))

    @route(f"GET {_PROJECT}/repository/compare")
    def compare(self, request: Request, project: str) -> Response:
        found = self.repository(project).compare(request.query["from"], request.query["to"])
        if found is None:
            return self.no(404, "404 Ref Not Found")
        commits = [{"id": oid, "title": message.partition("\n")[0], "message": message} for oid, message in found]
        return Response(200, {"commits": commits[::-1]})

    def _change(self, here: Repository, pull: Pull, asked: Mapping[str, Any]) -> None:
        pull.title, pull.body = asked.get("title", pull.title), asked.get("description", pull.body)
        labels = asked.get("labels", "")
        names = labels if not isinstance(labels, str) else labels.split(",")
        names = [*names, *asked.get("add_labels", "").split(",")]
        pull.labels += [name for name in names if name and name not in pull.labels]
        if "reviewer_ids" in asked:
            pull.reviewers = [name for name in here.settings.people if _user(name)["id"] in asked["reviewer_ids"]]

    def _draft(self, pull: Pull) -> bool:
        return pull.title.lower().startswith(("draft:", "[draft]", "(draft)"))

    def _status(self, here: Repository, pull: Pull) -> str:
        if pull.state != "open":
            return "not_open"
        if pull.looks:
            return "checking"
        if self._draft(pull):
            return "draft_status"
        return "ci_still_running" if here.settings.checks else "mergeable"

    def _pull(self, here: Repository, pull: Pull) -> dict[str, Any]:
        return {
            "id": 9000 + pull.number,
            "iid": pull.number,
            "project_id": 1,
            "web_url": f"{self.server.root_url}/{here.path}/-/merge_requests/{pull.number}",
            "source_branch": pull.branch,
            "target_branch": pull.base,
            "source_project_id": 2 if pull.fork else 1,
            "target_project_id": 1,
            "title": pull.title,
            "description": pull.body,
            "state": _STATES[pull.state],
            "sha": pull.head,
            "draft": self._draft(pull),
            "merge_when_pipeline_succeeds": pull.armed is not None,
            "detailed_merge_status": self._status(here, pull),
            "merge_commit_sha": pull.merge_commit,
            "squash_commit_sha": None,
            "labels": pull.labels,
            "author": _user(pull.author),
            "reviewers": [_user(name) for name in pull.reviewers],
        }


def _user(name: str) -> dict[str, Any]:
    return {"id": sum(name.encode()), "username": unquote(name), "name": name}


def _note(comment: Comment) -> dict[str, Any]:
    return {"id": comment.id, "body": comment.body, "author": _user(comment.author), "system": False}
