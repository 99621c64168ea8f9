"""Where the GitOps repository is: a remote's URL, or a checkout."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from gitops_tk.errors import RepositoryError, UsageError
from gitops_tk.logins import Login

_SCHEMES = ("https", "http", "ssh", "git+ssh", "file")
_SCP = re.compile(r"(?:[A-Za-z0-9_.][\w.-]*@)?[A-Za-z0-9\[][\w.:\]-]*:(?!//|:)(?!-).+")


class RemoteLocation(NamedTuple):
    """A remote's URL without secrets, and the login that a CI system had put into it, if any."""

    url: str
    login: Login | None = None


class CheckoutLocation(NamedTuple):
    """A checkout's root folder."""

    root: Path


def locate(repo: str | None, cwd: Path, environ: Mapping[str, str]) -> RemoteLocation | CheckoutLocation:
    """Finds the repository that `--repo` names, or the nearest parent folder with gitops-tk.yaml.

    Args:
        repo: a URL, a path to a checkout or a bare repository, or None.
        cwd: where relative paths and the search begin.
        environ: tells whether the URL came from GITOPS_TK_REPO, where CI systems may put a login into it.

    Raises:
        UsageError: it is neither, or it holds a secret on the command line.
        RepositoryError: there is no such folder, or none above with gitops-tk.yaml.
    """
    if repo is None:
        return CheckoutLocation(_nearest(cwd))
    if is_url(repo):
        location = remote(repo)
        if location.login is not None and environ.get("GITOPS_TK_REPO") != repo:
            raise UsageError(
                f"--repo {location.url} holds a password, which the process list shows to everybody",
                code="secret-in-url",
                hint="leave it out, and set GITOPS_TK_TOKEN",
            )
        return location
    if _is_no_path(repo):
        raise _bad(repo)
    path = (cwd / repo).resolve()
    if is_bare(path):
        return RemoteLocation("file://" + quote(str(path)))
    if not path.is_dir():
        raise RepositoryError(f"there is no folder {path}", code="no-repository", hint="--repo takes a URL or a path")
    return CheckoutLocation(_nearest(path))


def is_remote(repo: str, cwd: Path) -> bool:
    """Whether `--repo` names a remote or what is no address at all, rather than a folder to work in."""
    return is_url(repo) or _is_no_path(repo) or is_bare((cwd / repo).resolve())


def is_url(text: str) -> bool:
    """Whether git would take the text as a remote's address rather than a local path."""
    return text.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)) or bool(
        _SCP.fullmatch(text) and "::" not in text
    )


def remote(url: str) -> RemoteLocation:
    """Checks a remote's URL and takes a login out of it.

    Raises:
        UsageError: it is no URL that git could take without running a program.
    """
    if any(character.isspace() or not character.isprintable() for character in url):
        raise _bad(url)
    if "://" not in url:
        return RemoteLocation(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _bad(url) from error
    host = parts.netloc.rpartition("@")[2]
    if host.startswith("-") or (not host and parts.scheme != "file") or not parts.path.strip("/"):
        raise _bad(url)
    if parts.username is None or parts.scheme not in ("https", "http"):
        return (
            RemoteLocation(url) if parts.password is None else RemoteLocation(url.replace(f":{parts.password}@", "@"))
        )
    user, password = unquote(parts.username), unquote(parts.password or "")
    clean = parts._replace(netloc=host).geturl()
    # A lone user name is a name in some systems and a token in others: it is not shown.
    return RemoteLocation(clean, Login(user, password))


def is_bare(path: Path) -> bool:
    """Whether a folder is a bare repository: a remote, not a checkout."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _is_no_path(text: str) -> bool:
    return text.startswith("-") or any(mark in text for mark in ("\n", "\0", "::", "://"))


def _nearest(start: Path) -> Path:
    # Imported here, for an early clone needs the rest of this file and no YAML.
    from gitops_tk.config.load import CONFIG_FILE

    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise RepositoryError(
        f"there is no {CONFIG_FILE} in {start} or above it",
        code="no-repository",
        hint="gitops-tk init starts one, gitops-tk adopt takes one over that exists; --repo names another",
    )


def _bad(text: str) -> UsageError:
    # What cannot be taken apart may hold a login all the same.
    shown = re.sub(r"://.*@", "://***@", text, flags=re.DOTALL)
    return UsageError(
        f"{shown!r} is not a repository's address",
        code="bad-repository",
        hint="use https://, ssh://, user@host:path, file:// or a path",
    )
