"""What an AppProject allows. Source: Argo CD, "Projects": patterns, of which those with `!` deny."""

import re
from collections.abc import Iterable
from typing import Any


def allows_source(project: dict[str, Any], url: str) -> bool:
    """Whether Applications of a project may come from a repository."""
    return _allowed(_texts(project.get("sourceRepos")), _plain(url), _plain)


def allows_destination(project: dict[str, Any], destination: dict[str, Any]) -> bool:
    """Whether Applications of a project may go to a cluster and a namespace.

    A cluster may be meant by its name in one and by its server in the other: only Argo CD knows then, and nothing is
    said against it.
    """
    listed = [one for one in project.get("destinations") or () if isinstance(one, dict)]
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


def _allowed(patterns: Iterable[str], text: str, plain: Any) -> bool:
    listed = list(patterns)
    taken = any(_matches(plain(one), text) for one in listed if not one.startswith("!"))
    return taken and not any(_matches(plain(one[1:]), text) for one in listed if one.startswith("!"))


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _texts(value: Any) -> list[str]:
    return [one for one in value or () if isinstance(one, str)] if isinstance(value, list) else []


def _plain(url: str) -> str:
    # As Argo CD compares them: case, `.git` and a final slash do not count.
    return url.lower().rstrip("/").removesuffix(".git")
