"""Argo CD's API, as far as looking goes (https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/).

Its address and token come from the environment alone: what the repository's files say decides nothing about where a
token goes.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from gitops_tk.argocd.live import LiveApplication, Resource
from gitops_tk.errors import ArgocdError, GitopsTkError, LoginFailed, UsageError
from gitops_tk.http import Door, Patience, Reply, Unanswered, Unreadable

SERVER = "ARGOCD_SERVER"
TOKEN = "ARGOCD_AUTH_TOKEN"  # noqa: S105
RIGHTS = "the right to get applications (a project's role: p, proj:PROJECT:ROLE, applications, get, PROJECT/*, allow)"

T = TypeVar("T")


class Window(Struct, frozen=True, rename="camel"):
    """A sync window of a project: `allow` or `deny`, by a cron schedule and a duration."""

    kind: str = ""
    schedule: str = ""
    duration: str = ""


class Windows(Struct, frozen=True, rename="camel"):
    """Which sync windows hold for an Application now, and whether it may be synced."""

    active_windows: list[Window] | None = None
    can_sync: bool = False


class _List(Struct, frozen=True):
    items: list[LiveApplication] | None = None


class _Tree(Struct, frozen=True):
    nodes: list[Resource] | None = None


class _Said(Struct, frozen=True):
    message: str = ""
    error: str = ""


class Server:
    """An Argo CD.

    Args:
        base: its URL, with the path that it is served under.
        token: of an account or a project's role; never shown.
        namespace: where its Applications are.
        project: their AppProject. With its name Argo CD says "not there" rather than "not allowed".

    Raises:
        UsageError: the token cannot be sent there.
    """

    def __init__(
        self, base: str, token: str, *, namespace: str, project: str, patience: Patience | None = None
    ) -> None:
        self.base = base
        self._door = Door(base, {"Accept": "application/json"}, {"Authorization": f"Bearer {token}"}, patience)
        self._scope = {"project": project, "appNamespace": namespace}
        self._project = project

    def application(self, name: str, *, refresh: bool = False) -> LiveApplication | None:
        """An Application; None where it is not there (yet).

        Args:
            refresh: have Argo CD look at the repository first, in place of waiting until it does so by itself.

        Raises:
            LoginFailed: the token is refused, or may not see it.
            ArgocdError, Unanswered: Argo CD answered something else, or nothing.
        """
        query = {**self._scope, **({"refresh": "normal"} if refresh else {})}
        reply = self._door.send("GET", f"/api/v1/applications/{quote(name, safe='')}", query=query)
        return None if reply.status == 404 else self._read(reply, LiveApplication)

    def applications(self) -> Sequence[LiveApplication]:
        """All Applications of the project that the token may see.

        Raises:
            LoginFailed, ArgocdError, Unanswered: see `application`.
        """
        query = {"projects": self._project, "appNamespace": self._scope["appNamespace"]}
        reply = self._door.send("GET", "/api/v1/applications", query=query)
        return self._read(reply, _List).items or ()

    def resources(self, name: str) -> Sequence[Resource]:
        """All objects of an Application, with their health: since 3.0 the Application itself does not tell it.

        Raises:
            LoginFailed, ArgocdError, Unanswered: see `application`.
        """
        path = f"/api/v1/applications/{quote(name, safe='')}/resource-tree"
        return self._read(self._door.send("GET", path, query=self._scope), _Tree).nodes or ()

    def windows(self, name: str) -> Windows:
        """The sync windows that hold for an Application now.

        Raises:
            LoginFailed, ArgocdError, Unanswered: see `application`.
        """
        path = f"/api/v1/applications/{quote(name, safe='')}/syncwindows"
        return self._read(self._door.send("GET", path, query=self._scope), Windows)

    def close(self) -> None:
        """Ends its connections."""
        self._door.close()

    def _read(self, reply: Reply, form: type[T]) -> T:
        if not reply.ok:
            raise self._failure(reply)
        try:
            return reply.read(form)
        except Unreadable as error:
            raise ArgocdError(
                f"{self.base} answered something else than Argo CD's API describes: {error}",
                code="argocd-answer",
                hint=f"does {SERVER} lead to Argo CD itself, not to a login page or a proxy?",
            ) from None

    def _failure(self, reply: Reply) -> GitopsTkError:
        said = self._words(reply)
        if reply.status == 401:
            return LoginFailed(f"Argo CD refused the token: {said}", hint=f"set {TOKEN} to a token that still holds")
        if reply.status == 403:
            return LoginFailed(f"Argo CD does not let the token do this: {said}", code="forbidden", hint=RIGHTS)
        if reply.status >= 500:
            return Unanswered(f"Argo CD answered with {reply.status}: {said}", code="argocd-unavailable")
        return ArgocdError(f"Argo CD answered with {reply.status}: {said}")

    def _words(self, reply: Reply) -> str:
        try:
            found = reply.read(_Said)
        except Unreadable:
            found = _Said()
        return self._door.words(found.message or found.error) or f"status {reply.status}"


def address(environ: Mapping[str, str]) -> str | None:
    """The URL of the Argo CD that the environment names, as its own command line takes it; None where it names none.

    Raises:
        UsageError: it is no address, or holds a login.
    """
    text = environ.get(SERVER, "").strip()
    if not text:
        return None
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.username is not None or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise UsageError(
            f"{SERVER} is not the address of an Argo CD",
            code="bad-argocd-server",
            hint="write argocd.example.com, or https://example.com/argo-cd, without a login",
        )
    return url.rstrip("/")


def connect(environ: Mapping[str, str], *, namespace: str, project: str, patience: Patience | None = None) -> Server:
    """The Argo CD that the environment names, with its token.

    Raises:
        UsageError: the environment names none (`no-argocd`), or the token cannot be sent there.
        LoginFailed: there is no token (`no-token`).
    """
    base = address(environ)
    if base is None:
        raise UsageError(
            "it is not known where Argo CD is",
            code="no-argocd",
            hint=f"set {SERVER} to its address, and {TOKEN} to a token",
        )
    token = environ.get(TOKEN, "").strip()
    if not token:
        raise LoginFailed(f"there is no token for {base}", code="no-token", hint=f"set {TOKEN}; it needs {RIGHTS}")
    return Server(base, token, namespace=namespace, project=project, patience=patience)
