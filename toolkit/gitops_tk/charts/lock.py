"""Chart.lock: the exact versions of a chart's dependencies, and whether they are still the ones that are asked for.

Source: Helm's `internal/resolver` (`HashReq`) and `pkg/chart` (`Dependency`).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_tk.charts.engine import Dependency
from gitops_tk.errors import ChartError

LOCK = "Chart.lock"
# The order of Helm's own fields, which its digest depends on; name and repository are there even when empty.
_FIELDS = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
_ALWAYS = ("name", "repository")
_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*")
_VERSION = re.compile(r"v?[0-9]+(?:\.[0-9]+){0,2}(?:[-+][0-9A-Za-z.+-]+)?")
_REPOSITORY = re.compile(r"(?:https?|oci)://[^\s@?#]+")


def locked(wanted: Mapping[str, Any], declared: Sequence[Mapping[str, Any]], lock: Any, root: str) -> Dependency | None:
    """The dependency at the version that the lock has for it; None where it cannot be fetched from anywhere.

    Args:
        wanted: one of those that Chart.yaml declares.
        declared: all of them.
        lock: what Chart.lock says, or None.

    Raises:
        ChartError: the lock was made for other dependencies (code `lock-out-of-date`).
    """
    if not isinstance(lock, Mapping) or not isinstance(lock.get("dependencies"), list):
        return None
    entries = [one for one in lock["dependencies"] if isinstance(one, Mapping)]
    if digest(declared, entries) != lock.get("digest"):
        raise ChartError(
            f"{root}/{LOCK} was not made for the dependencies in {root}/Chart.yaml",
            code="lock-out-of-date",
            hint=f"helm dependency update {root}, and commit {LOCK}",
            file=f"{root}/{LOCK}",
        )
    position = [one is wanted for one in declared].index(True)
    if position >= len(entries):
        return None
    found = Dependency(*(str(entries[position].get(key, "")) for key in ("name", "version", "repository")))
    sound = _NAME.fullmatch(found.name) and _VERSION.fullmatch(found.version) and found.name == wanted.get("name")
    return found if sound and _REPOSITORY.fullmatch(found.repository) else None


def digest(declared: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]]) -> str:
    """The digest that Helm writes into a lock: of what was asked for, and of what it was resolved to."""
    text = json.dumps(
        [[_plain(one) for one in declared], [_plain(one) for one in entries]], separators=(",", ":"), ensure_ascii=False
    )
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(dependency: Mapping[str, Any]) -> dict[str, Any]:
    return {key: dependency.get(key) or "" for key in _FIELDS if dependency.get(key) or key in _ALWAYS}
