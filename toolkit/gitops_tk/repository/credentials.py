"""Logins for HTTPS remotes: given to git by its environment, never shown."""

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from gitops_tk import logins
from gitops_tk.logins import Login


def settings(url: str, login: Login | None, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The git settings that send the remote's own host its login, and nobody else.

    Nothing for SSH and files, for plain HTTP beyond this machine, and where there is no token: then git's
    credential helpers answer, for the user that the URL names. A redirect is not followed with a token on board.

    Args:
        login: what was taken out of the URL; None for the environment's token.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not logins.may_carry(parts.scheme, host):
        return []
    found = login if login and login.password else logins.of_environment(host, environ)
    if found is None:
        return [(f"credential.{parts.scheme}://{parts.netloc}.username", login.user)] if login else []
    basic = base64.b64encode(f"{found.user}:{found.password}".encode()).decode()
    place = f"http.{parts.scheme}://{parts.netloc}/"
    # The empty one takes away what is there: CI systems leave a header in the checkout, and two are refused.
    headers = ("", f"Authorization: Basic {basic}")
    return [*((f"{place}.extraHeader", header) for header in headers), (f"{place}.followRedirects", "false")]
