"""What an AppProject allows. Sources: Argo CD, "Projects": patterns, of which those with `!` deny; argo-cd,
pkg/apis/application/v1alpha1/app_project_types.go, `IsSourcePermitted`.
"""

import re
from typing import Any

from gitops_tk.argocd.urls import normal

_PARTS = re.compile(r"\*+|\?|[^*?]+")


def allows_source(project: dict[str, Any], url: str) -> bool:
    """Whether Applications of a project may come from a repository; `*` stays in one part of a path, `**` does not."""
    listed = _texts(project.get("sourceRepos"))
    denied = [one[1:] for one in listed if one.startswith("!")]
    if any(_matches(normal(one), normal(url), "/") for one in denied):
        return False
    # Where something is denied, all else is allowed.
    return bool(denied) or any(_matches(normal(one), normal(url), "/") for one in listed)


def allows_destination(project: dict[str, Any], destination: dict[str, Any]) -> bool:
    """Whether Applications of a project may go to a cluster and a namespace.

    A cluster may be meant by its name in one and by its server in the other: only Argo CD knows then, and nothing is
    said against it.
    """
    found = project.get("destinations")
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    allowed = [one for one in listed if not _denies(one)]
    denied = [one for one in listed if _denies(one)]
    return any(_goes(one, destination) for one in allowed) and not any(
        _goes({key: str(text).removeprefix("!") for key, text in one.items()}, destination, sure=True) for one in denied
    )


def _goes(pattern: dict[str, Any], destination: dict[str, Any], *, sure: bool = False) -> bool:
    if not _matches(str(pattern.get("namespace", "")), str(destination.get("namespace", ""))):
        return False
    known = [key for key in ("server", "name") if key in pattern and key in destination]
    if not known:
        return not sure
    return any(_matches(str(pattern[key]), str(destination[key])) for key in known)


def _denies(destination: dict[str, Any]) -> bool:
    return any(str(text).startswith("!") for text in destination.values())


def _matches(pattern: str, text: str, separator: str = "") -> bool:
    if pattern in ("*", text):
        return True
    # Where what is read so far may end; a regular expression would try all of them again for every star.
    ends = {0}
    for part in _PARTS.findall(pattern):
        if part == "?":
            ends = {at + 1 for at in ends if at < len(text) and text[at] != separator}
        elif part.startswith("*"):
            ends = _stretched(ends, text, separator if part == "*" else "")
        else:
            ends = {at + len(part) for at in ends if text.startswith(part, at)}
    return len(text) in ends


def _stretched(ends: set[int], text: str, separator: str) -> set[int]:
    found = set(ends)
    for at, char in enumerate(text):
        if at in found and char != separator:
            found.add(at + 1)
    return found


def _texts(value: Any) -> list[str]:
    return [one for one in value or () if isinstance(one, str)] if isinstance(value, list) else []
