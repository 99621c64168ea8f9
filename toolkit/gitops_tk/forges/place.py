"""Where a repository is on its forge, told from the remote's URL: what kind of forge, which path, which API.

A file of the repository may say the kind and the path; which host is asked, and so which host a token goes to, is
told from the remote's own URL or by a variable of the environment alone.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from gitops_tk import logins
from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.logins import host_of

API = "GITOPS_TK_FORGE_API"

_SCP = re.compile(r"(?:[^@/]+@)?(\[[^\]]+\]|[^:/\[]+):(?!//)(.+)")
_SEGMENT = re.compile(r"[\w.~ +()$-]+")
# Hosts that take SSH for another one.
_SSH_FOR = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "ssh.dev.azure.com": "dev.azure.com",
    "vs-ssh.visualstudio.com": "dev.azure.com",
}
# What a kind's API adds to the address that people know.
_API_PATHS: Mapping[str, str] = {
    "github": "/api/v3",
    "gitlab": "/api/v4",
    "gitea": "/api/v1",
    "bitbucket-dc": "/rest/api/1.0",
    "azure": "",
}
# The variables in which CI systems say a server's API, with the one that says which server they mean.
_CI_APIS = {
    "github": ("GITHUB_API_URL", "GITHUB_SERVER_URL"),
    "gitea": ("GITHUB_API_URL", "GITHUB_SERVER_URL"),
    "gitlab": ("CI_API_V4_URL", "CI_SERVER_HOST"),
}


class Place(Struct, frozen=True, kw_only=True):
    """A repository on its forge.

    Attributes:
        kind: `git` where it has no API that is known.
        host: the remote's host; empty for a folder.
        web: the address that people know, up to the repository's path.
        path: the repository's path on the forge: `owner/name`, a GitLab path with subgroups, `KEY/slug` of Bitbucket
            Data Center, `organization/project/name` of Azure DevOps.
        api: the API's base URL; empty for `git`.
    """

    kind: ForgeKind
    host: str = ""
    web: str = ""
    path: str = ""
    api: str = ""


class _Remote(Struct, frozen=True):
    """A remote's address in parts.

    Attributes:
        web: how a browser reaches the host.
        over_http: whether the path is the one that a browser sees, too.
    """

    host: str
    web: str
    segments: tuple[str, ...]
    over_http: bool


def find(url: str, environ: Mapping[str, str], kind: ForgeKind | None = None, repository: str | None = None) -> Place:
    """Where a remote is on its forge.

    Args:
        url: the remote's URL, without a login.
        kind: what gitops-tk.yaml calls the forge; None to tell it from the host.
        repository: what gitops-tk.yaml calls the repository's path; None to tell it from the URL.

    Raises:
        ConfigError: kind or repository do not fit the remote (`forge-kind`, `forge-repository`).
        UsageError: GITOPS_TK_FORGE_API is no URL.
    """
    remote = _remote(url)
    if kind == "git" or remote is None:
        return Place(kind="git")
    named = _named_api(environ)
    told = kind
    kind = kind or _kind(remote.host, environ) or _kind(host_of(named), environ)
    if kind is None:
        return Place(kind="git", host=remote.host)
    api, web = _api(kind, remote, environ, named)
    segments = _below(web, remote) if repository is None else _given(repository, remote)
    found = _path(kind, segments, remote)
    if found is None and told is None and repository is None:
        return Place(kind="git", host=remote.host)
    if found is None:
        raise ConfigError(
            f"{'/'.join(segments) or 'the remote'} is no repository of a forge of the kind {kind}",
            code="forge-repository",
            hint="forge.repository in gitops-tk.yaml says where the repository is on the forge",
        )
    path, prefix = found
    if prefix and not named:
        # What comes before the repository is where the forge itself begins.
        web = f"{web}/{prefix}"
        api = web + _API_PATHS[kind]
    return Place(kind=kind, host=remote.host, web=web, path=path, api=api)


def sibling(place: Place, url: str, environ: Mapping[str, str]) -> Place | None:
    """Another repository that the repository's content names, if it is on the same forge; else None.

    Content decides nothing about where a token goes: anything on another host is None.
    """
    if place.kind == "git":
        return None
    try:
        found = find(url, environ, place.kind)
    except (ConfigError, UsageError):
        return None
    return found if (found.host, found.api) == (place.host, place.api) else None


def _remote(url: str) -> _Remote | None:
    if "://" not in url:
        match = _SCP.fullmatch(url)
        if match is None:
            return None
        host = match[1].strip("[]").lower()
        return _ssh(host, match[2])
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme in ("ssh", "git+ssh"):
        return _ssh(host, parts.path)
    if parts.scheme not in ("http", "https") or not host:
        return None
    if host.endswith(".visualstudio.com"):
        # The older address of the same service.
        organization = host.partition(".")[0]
        below = (part for part in _segments(parts.path) if part != "DefaultCollection")
        return _Remote("dev.azure.com", "https://dev.azure.com", (organization, *below), True)
    shown = f"[{host}]" if ":" in host else host
    web = f"{parts.scheme}://{shown}{f':{port}' if port else ''}"
    return _Remote(host, web, _segments(parts.path), True)


def _ssh(host: str, path: str) -> _Remote:
    host = _SSH_FOR.get(host, host)
    return _Remote(host, f"https://[{host}]" if ":" in host else f"https://{host}", _segments(path), False)


def _segments(path: str) -> tuple[str, ...]:
    found = [unquote(part) for part in path.strip("/").removesuffix(".git").split("/") if part]
    return tuple(found) if all(_SEGMENT.fullmatch(part) and part not in (".", "..") for part in found) else ()


def _kind(host: str, environ: Mapping[str, str]) -> ForgeKind | None:
    known = logins.known(host, environ)
    if known is None:
        return None
    cloud = host in ("bitbucket.org", "api.bitbucket.org")
    return "bitbucket-dc" if known.kind == "bitbucket" and not cloud else known.kind


def _named_api(environ: Mapping[str, str]) -> str:
    named = environ.get(API, "").strip().rstrip("/")
    if named and (not host_of(named) or not named.startswith(("https://", "http://"))):
        raise UsageError(f"{API} is {logins.redact(named)!r}, which is no URL", code="bad-environment")
    return named


def _api(kind: ForgeKind, remote: _Remote, environ: Mapping[str, str], named: str) -> tuple[str, str]:
    """The API's base URL, and the address that people know."""
    if named:
        suffix = _API_PATHS.get(kind, "")
        return named, named.removesuffix(suffix) if suffix and named.endswith(suffix) else remote.web
    variable, server = _CI_APIS.get(kind, ("", ""))
    said = environ.get(variable, "").rstrip("/")
    encrypted = logins.may_carry(said.partition("://")[0], host_of(said))
    if encrypted and host_of(environ.get(server, "")) == remote.host:
        suffix = _API_PATHS[kind]
        return said, said.removesuffix(suffix) if said.endswith(suffix) else remote.web
    if kind == "github" and (remote.host == "github.com" or remote.host.endswith(".ghe.com")):
        return f"https://api.{remote.host}", f"https://{remote.host}"
    if kind == "bitbucket":
        if remote.host != "bitbucket.org":
            raise ConfigError(
                f"forge.kind is bitbucket, and the remote's host is {remote.host}",
                code="forge-kind",
                hint="a Bitbucket of your own is bitbucket-dc",
            )
        return "https://api.bitbucket.org/2.0", "https://bitbucket.org"
    return remote.web + _API_PATHS[kind], remote.web


def _below(web: str, remote: _Remote) -> Sequence[str]:
    prefix = _segments(urlsplit(web).path)
    below = remote.segments
    return below[len(prefix) :] if remote.over_http and below[: len(prefix)] == prefix else below


def _given(repository: str, remote: _Remote) -> Sequence[str]:
    other = _remote(repository) if "://" in repository or "@" in repository else None
    if other is not None and other.host != remote.host:
        raise ConfigError(
            f"forge.repository is on {other.host}, and the remote's host is {remote.host}",
            code="forge-repository",
            hint=f"no file decides where a token goes: {API} names another host's API",
        )
    return other.segments if other is not None else _segments(repository)


def _path(kind: ForgeKind, segments: Sequence[str], remote: _Remote) -> tuple[str, str] | None:
    """The repository's path on the forge, and what came before it."""
    found: Sequence[str] | None = None
    before: Sequence[str] = ()
    if kind == "azure":
        found = _azure(segments)
    elif kind == "bitbucket-dc" and "scm" in segments[:-2]:
        place = segments.index("scm")
        before, found = segments[:place], segments[place + 1 :]
    elif kind == "gitea" and remote.over_http:
        before, found = segments[:-2], segments[-2:]
    else:
        found = segments
    if found is None or len(found) < 2 or (len(found) > 2 and kind not in ("gitlab", "azure")):
        return None
    return "/".join(found), "/".join(quote(part) for part in before)


def _azure(segments: Sequence[str]) -> Sequence[str] | None:
    """Collection (an organization, in the cloud), project and name; all else before them belongs to the collection."""
    parts = list(segments)
    if parts[:1] == ["v3"]:
        return parts[1:] if len(parts) == 4 else None
    mark = next((place for place, part in enumerate(parts) if part in ("_git", "_ssh")), None)
    if mark is None:
        return parts if len(parts) >= 3 else None
    before, name = parts[:mark], parts[mark + 1 :]
    if len(before) == 1:
        # The repository that is called like its project is known without the project, too.
        before = [*before, *name]
    return [*before, *name] if len(name) == 1 else None
