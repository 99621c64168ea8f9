"""Logins for HTTPS remotes: taken from the environment, given to git by its environment, never shown."""

import base64
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Variables by what a host's name holds, with the user name that the forge expects beside the token.
_FORGES = (
    ("github", ("GITHUB_TOKEN", "GH_TOKEN"), "x-access-token"),
    ("gitlab", ("GITLAB_TOKEN",), "oauth2"),
    ("bitbucket", ("BITBUCKET_TOKEN",), "x-token-auth"),
    ("gitea", ("GITEA_TOKEN",), "gitops-tk"),
    ("forgejo", ("FORGEJO_TOKEN", "GITEA_TOKEN"), "gitops-tk"),
    ("codeberg", ("FORGEJO_TOKEN", "GITEA_TOKEN"), "gitops-tk"),
    ("dev.azure.com", ("AZURE_DEVOPS_TOKEN", "SYSTEM_ACCESSTOKEN"), "gitops-tk"),
    ("visualstudio.com", ("AZURE_DEVOPS_TOKEN", "SYSTEM_ACCESSTOKEN"), "gitops-tk"),
)
_SECRET_NAMES = re.compile(r"TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 6


class Login(Struct, frozen=True):
    """A user name and a password or token."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Hides both: a user name may be a token too."""
        return "Login(…)"


def settings(url: str, login: Login | None, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The git settings that send the remote's own host its login, and nobody else.

    Nothing for SSH and files, for plain HTTP beyond this machine, and where there is no token: then git's
    credential helpers answer, for the user that the URL names. A redirect is not followed with a token on board.

    Args:
        login: what was taken out of the URL; None for the environment's token.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return []
    found = login if login and login.password else _from_environment(host, environ)
    if found is None:
        return [(f"credential.{parts.scheme}://{parts.netloc}.username", login.user)] if login else []
    basic = base64.b64encode(f"{found.user}:{found.password}".encode()).decode()
    place = f"http.{parts.scheme}://{parts.netloc}/"
    # The empty one takes away what is there: CI systems leave a header in the checkout, and two are refused.
    headers = ("", f"Authorization: Basic {basic}")
    return [*((f"{place}.extraHeader", header) for header in headers), (f"{place}.followRedirects", "false")]


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what its names call a secret; git's own helpers and SSH agents still answer."""
    return {name: value for name, value in environ.items() if not _SECRET_NAMES.search(name)}


def redact(text: str) -> str:
    """A text without logins in URLs, authorization headers and the secrets that the environment holds."""
    text = re.sub(r"(\w[\w+.-]*://)[^/\s@]+@", r"\1***@", text)
    text = re.sub(r"(?i)(authorization:\s*)(\w+ )?\S+", r"\1***", text)
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and _SECRET_NAMES.search(name):
            text = text.replace(value, "***")
    return text


def _is_of(host: str, forge: str) -> bool:
    # Whole labels alone: evil-github.example is nobody's GitHub.
    return host == forge or host.endswith("." + forge) or forge in host.split(".")


def _from_environment(host: str, environ: Mapping[str, str]) -> Login | None:
    forge = next((known for known in _FORGES if _is_of(host, known[0])), None)
    user = forge[2] if forge else "gitops-tk"
    if environ.get("GITOPS_TK_TOKEN"):
        return Login(environ.get("GITOPS_TK_USER") or user, environ["GITOPS_TK_TOKEN"])
    if forge is not None:
        token = next((environ[name] for name in forge[1] if environ.get(name)), None)
        if token:
            return Login(user, token)
    if environ.get("CI_JOB_TOKEN") and environ.get("CI_SERVER_HOST") == host:
        return Login("gitlab-ci-token", environ["CI_JOB_TOKEN"])
    return None
