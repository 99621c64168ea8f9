"""Which login of the environment goes to which host, and texts without any of them.

What a repository's files say decides nothing here: a host is told by its own name, or by a variable that names it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# The user name beside a token where nobody reads it.
ANYBODY = "gitops-tk"
_SECRET_NAMES = re.compile(r"TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 6


class Login(NamedTuple):
    """A user name and a password or token.

    Attributes:
        job: whether it is a GitLab job's own token, which is sent under another header.
    """

    user: str
    password: str
    job: bool = False

    def __repr__(self) -> str:
        """Hides both: a user name may be a token too."""
        return "Login(…)"


class Known(NamedTuple):
    """A forge that is known by its hosts' names.

    Attributes:
        names: what a host is called, whole labels of it.
        tokens: the variables that hold its token.
        user: the user name that git sends beside the token.
        servers: the variables that name a host or URL of this kind, which CI systems and its own tools set.
        within: the variables of which one is `true` where `servers` mean this kind; empty for everywhere.
    """

    kind: Literal["github", "gitlab", "gitea", "bitbucket", "azure"]
    names: tuple[str, ...]
    tokens: tuple[str, ...]
    user: str = ANYBODY
    servers: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


FORGES = (
    # Gitea's and Forgejo's runners set GitHub's variables, with their own server in them.
    Known(
        kind="gitea",
        names=(),
        tokens=("GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"),
        servers=("GITHUB_SERVER_URL",),
        within=("GITEA_ACTIONS", "FORGEJO_ACTIONS"),
    ),
    Known(
        kind="github",
        names=("github", "ghe.com"),
        tokens=("GITHUB_TOKEN", "GH_TOKEN"),
        user="x-access-token",
        servers=("GITHUB_SERVER_URL", "GH_HOST"),
    ),
    Known(
        kind="gitlab",
        names=("gitlab",),
        tokens=("GITLAB_TOKEN",),
        user="oauth2",
        servers=("CI_SERVER_URL", "CI_SERVER_HOST", "GITLAB_HOST"),
    ),
    Known(kind="bitbucket", names=("bitbucket",), tokens=("BITBUCKET_TOKEN",), user="x-token-auth"),
    Known(kind="gitea", names=("gitea",), tokens=("GITEA_TOKEN",), servers=("GITEA_SERVER_URL",)),
    Known(
        kind="gitea",
        names=("forgejo", "codeberg"),
        tokens=("FORGEJO_TOKEN", "GITEA_TOKEN"),
        servers=("FORGEJO_SERVER_URL",),
    ),
    Known(
        kind="azure",
        names=("dev.azure.com", "visualstudio.com"),
        tokens=("AZURE_DEVOPS_TOKEN", "SYSTEM_ACCESSTOKEN"),
        servers=("SYSTEM_COLLECTIONURI",),
    ),
)


def known(host: str, environ: Mapping[str, str]) -> Known | None:
    """The forge that a host is known as, by a variable that names this host or else by its own name."""
    for forge in FORGES:
        here = not forge.within or any(environ.get(name) == "true" for name in forge.within)
        if host and here and any(host_of(environ.get(name, "")) == host for name in forge.servers):
            return forge
    return next((forge for forge in FORGES if any(_is_of(host, name) for name in forge.names)), None)


def of_environment(host: str, environ: Mapping[str, str]) -> Login | None:
    """The login that the environment has for a host; None where it has none."""
    forge = known(host, environ)
    user = forge.user if forge else ANYBODY
    job = _token(environ, ("CI_JOB_TOKEN",)) if environ.get("CI_SERVER_HOST") == host else ""
    chosen = _token(environ, ("GITOPS_TK_TOKEN",))
    if chosen and chosen != job:
        return Login(environ.get("GITOPS_TK_USER") or user, chosen)
    if not chosen and forge is not None and (token := _token(environ, forge.tokens)):
        return Login(user, token)
    return Login("gitlab-ci-token", job, job=True) if job else None


def host_of(address: str) -> str:
    """The host of a URL, or of a bare host name with or without a port."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def may_carry(scheme: str, host: str) -> bool:
    """Whether a login may be sent: encrypted, or on this very machine."""
    return scheme == "https" or (scheme == "http" and host in LOOPBACK)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what its names call a secret; git's own helpers and SSH agents still answer."""
    return {name: value for name, value in environ.items() if not _SECRET_NAMES.search(name)}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """A text without logins in URLs, authorization headers, and secrets: those given and the environment's."""
    text = re.sub(r"(\w[\w+.-]*://)[^/\s@]+@", r"\1***@", text)
    text = re.sub(r"(?i)(authorization:\s*)(\w+ )?\S+", r"\1***", text)
    text = re.sub(r"(?i)((?:private|job)-token:\s*)\S+", r"\1***", text)
    held = (value for name, value in os.environ.items() if _SECRET_NAMES.search(name))
    for value in (*secrets, *held):
        # A line break at its end belongs to how the variable was set.
        if len(value.strip()) >= _SHORTEST_SECRET:
            text = text.replace(value.strip(), "***")
    return text


def _token(environ: Mapping[str, str], names: Iterable[str]) -> str:
    return next((token for name in names if (token := environ.get(name, "").strip())), "")


def _is_of(host: str, forge: str) -> bool:
    # Whole labels alone: evil-github.example is nobody's GitHub.
    return host == forge or host.endswith("." + forge) or forge in host.split(".")
