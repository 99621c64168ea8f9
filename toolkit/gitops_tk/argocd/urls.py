"""Repositories' URLs as Argo CD compares them. Source: argo-cd, util/git/git.go, `NormalizeGitURL`."""

import re

from gitops_tk.logins import redact

# `git@host:path`, which is `ssh://git@host/path`.
_SHORT_SSH = re.compile(r"[^/:]*@[^@]+")
_SSH_USER = re.compile(r"ssh://[\w.-]+@[^@]*")


def normal(url: str) -> str:
    """A URL in the form in which it is compared: case, a final `.git` and the way that SSH is written do not count.

    SSH and HTTPS stay two, and so do a path with a final slash and one without.
    """
    text = url.strip().lower()
    if _SHORT_SSH.fullmatch(text):
        text = text.replace(":", "/", 1)
    return text.removesuffix(".git").removeprefix("ssh://")


def same(one: str, other: str) -> bool:
    """Whether two URLs are one repository to Argo CD."""
    return normal(one) == normal(other)


def same_place(one: str, other: str) -> bool:
    """Whether two URLs lead to one repository as people see it, by whichever protocol and as whichever user."""
    return _place(one) == _place(other)


def shown(url: str) -> str:
    """A URL for people, without a login."""
    return url if _SSH_USER.fullmatch(url) else redact(url)


def _place(url: str) -> str:
    _, _, rest = normal(url).rpartition("://")
    authority, _, path = rest.partition("/")
    return f"{authority.rpartition('@')[2].partition(':')[0]}/{path.strip('/').removesuffix('.git')}"
