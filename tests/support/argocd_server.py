"""A local Argo CD: its API as described, and Applications that go through states, one each time they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.forges.contract import Description, vendors
from tests.support.forges.server import Dialect, Request, Response, route

_APPLICATIONS = "/api/v1/applications"
_APPLICATION = _APPLICATIONS + "/{name}"
BEFORE, AFTER = "2026-11-25T08:00:00Z", "2026-11-25T08:00:05Z"


@dataclass
class App:
    """An Application.

    Attributes:
        states: what is answered, one after the other; the last one stays. None: it is not there.
        tree: the objects in its resource tree.
        windows: the answer about sync windows.
        refreshes: how often it was asked to look at the repository.
    """

    states: list[dict[str, Any] | None]
    tree: list[dict[str, Any]] = field(default_factory=list)
    windows: dict[str, Any] = field(default_factory=lambda: {"canSync": True})
    refreshes: int = 0


class ArgoCD(Dialect):
    """The API; `apps` are by their names."""

    base = "/argo-cd"

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.apps: dict[str, App] = {}
        self.project = "gitops"

    @classmethod
    def describe(cls) -> Description:
        return Description(vendors("../argocd-api.json"))

    def token(self, headers: Mapping[str, str]) -> str | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" else None

    def no(self, status: int, message: str) -> Response:
        return Response(status, {"code": status, "error": message, "message": message})

    @route(f"GET {_APPLICATIONS}")
    def list(self, request: Request) -> Response:
        shown = [(name, app.states[0]) for name, app in self.apps.items()]
        mine = [_application(name, state) for name, state in shown if state is not None]
        return Response(200, {"metadata": {}, "items": mine if request.query["projects"] == self.project else []})

    @route(f"GET {_APPLICATION}")
    def get(self, request: Request, name: str) -> Response:
        # As Argo CD does it: whoever names another project, or none, learns nothing of what is there.
        if request.query.get("project") != self.project:
            return self.no(403, "permission denied")
        app = self.apps.get(name)
        if app is None:
            return self.no(404, f'applications.argoproj.io "{name}" not found')
        app.refreshes += "refresh" in request.query
        state = app.states.pop(0) if len(app.states) > 1 else app.states[0]
        if state is None:
            return self.no(404, f'applications.argoproj.io "{name}" not found')
        return Response(200, _application(name, state))

    @route("GET /api/v1/applications/{applicationName}/resource-tree")
    def tree(self, request: Request, applicationName: str) -> Response:
        return Response(200, {"nodes": self.apps[applicationName].tree})

    @route(f"GET {_APPLICATION}/syncwindows")
    def windows(self, request: Request, name: str) -> Response:
        return Response(200, self.apps[name].windows)


def state(
    revision: str,
    sync: str = "Synced",
    health: str = "Healthy",
    *,
    phase: str = "Succeeded",
    synced: str | None = None,
    message: str = "successfully synced",
    results: list[dict[str, Any]] | None = None,
    conditions: Mapping[str, str] | None = None,
    reconciled: str = AFTER,
    image: str = "registry.example.com/user-service:v1.0.0",
    chart: str | None = None,
) -> dict[str, Any]:
    """An Application's status: compared to a revision, and last synced to one (default: the same).

    Args:
        chart: the version of a chart that is a source of its own, before the repository.
    """

    def at(commit: str) -> dict[str, Any]:
        return {"revision": commit} if chart is None else {"revision": "", "revisions": [chart, commit]}

    return {
        "sync": {"status": sync, **at(revision)},
        "health": {"status": health},
        "operationState": {
            "phase": phase,
            "message": message,
            "startedAt": BEFORE,
            **({} if phase == "Running" else {"finishedAt": BEFORE}),
            "syncResult": {**at(synced or revision), "resources": results or []},
        },
        "conditions": [{"type": kind, "message": said} for kind, said in (conditions or {}).items()],
        "summary": {"images": [image]},
        "reconciledAt": reconciled,
    }


def _application(name: str, status: dict[str, Any]) -> dict[str, Any]:
    shown = dict(status)
    operation = shown.pop("operation", None)
    found = {"metadata": {"name": name}, "spec": {"project": "gitops"}, "status": shown}
    return {**found, "operation": operation} if operation else found
