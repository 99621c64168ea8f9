"""The paths that a pull request changes: what each is for, and whether it can be read as that."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from gitops_tk.config.argocd import FOLDER as WIRING
from gitops_tk.config.load import CONFIG_FILE, parse
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.snapshot import Entry
from gitops_tk.policy.holds import parse as parse_hold
from gitops_tk.policy.review.model import Place, Touched, Unreadable
from gitops_tk.repository.comparison import Comparison, Difference
from gitops_tk.values.document import Document
from gitops_tk.workflows.comparing.reach import Side
from gitops_tk.workflows.layers import CHART_VALUES

_OURS = ".gitops-tk/"
# Controls, marks that turn the direction of writing, spaces that are none or look like one, tags, soft hyphens.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

Meaning = tuple[Place, str | None, str | None]


def touched(comparison: Comparison, before: Side, after: Side) -> tuple[Touched, ...]:
    """Every path that the pull request changes.

    Args:
        before: the base.
        after: the base with what the pull request brings.
    """
    listed = comparison.differences
    meant = {one.path: meaning(one.path, before.config, after.config) for one in listed}
    read = [one for one in listed if meant[one.path][0] != "other"]
    old = before.snapshot.read(one.path for one in read if one.before and one.before.is_file)
    new = after.snapshot.read(one.path for one in read if one.after and one.after.is_file)
    homes = {one.after.oid: one.path for one in listed if one.after is not None and one.before is None}
    return tuple(_touched(one, meant[one.path], old, new, homes, after.config) for one in listed)


def meaning(path: str, before: Config, after: Config) -> Meaning:
    """What a path is for, by the base's layout, else by the new one; with its service and environment."""
    if path == CONFIG_FILE:
        return "configuration", None, None
    hold = before.layout.match_hold(path)
    if hold is not None:
        return "hold", *hold
    if path.startswith(_OURS):
        return "configuration", None, None
    for config in (before, after):
        values, shared, chart = (
            config.layout.match_values(path),
            config.layout.match_shared(path),
            config.layout.match_chart(path),
        )
        if values:
            return "values", *values
        if shared:
            return "shared", None, shared
        if chart:
            return "chart", *chart
    wired = before.argocd is not None or after.argocd is not None
    return ("wiring" if wired and path.startswith(f"{WIRING}/") else "other"), None, None


def _touched(
    one: Difference,
    meant: Meaning,
    old: Mapping[str, bytes],
    new: Mapping[str, bytes],
    homes: Mapping[str, str],
    after: Config,
) -> Touched:
    place, service, env = meant
    data = new.get(one.path)
    gone = one.before is not None and one.after is None
    return Touched(
        path=one.path,
        before=one.before,
        after=one.after,
        place=place,
        service=service,
        env=env,
        crossed=one.crossed,
        whole=gone and env is not None and env not in {environment.name for environment in after.environments},
        moved=_home(one.before, homes) if gone else None,
        fault=None if data is None else _fault(place, one.path, data),
        hidden=() if data is None else _hidden(old.get(one.path, b""), data),
    )


def _home(entry: Entry | None, homes: Mapping[str, str]) -> str | None:
    return homes.get(entry.oid) if entry is not None else None


def _fault(place: Place, path: str, data: bytes) -> Unreadable | None:
    if place == "hold":
        fault = parse_hold(data, path).fault
        return Unreadable(f"the hold cannot be read: {fault.message}", fault.line) if fault else None
    try:
        if path == CONFIG_FILE:
            parse(data)
        elif place in ("values", "shared") or (place == "chart" and path.endswith(f"/{CHART_VALUES}")):
            Document.read(data, path)
    except GitopsTkError as error:
        return Unreadable(error.message, error.line)
    return None


def _hidden(before: bytes, after: bytes) -> tuple[int, ...]:
    known = Counter(_lines(before))
    found = []
    for number, line in enumerate(_lines(after), 1):
        if known[line]:
            known[line] -= 1
        # A byte order mark at the beginning is what some editors write.
        elif _HIDDEN.search(line.removeprefix("\ufeff") if number == 1 else line):
            found.append(number)
    return tuple(found)


def _lines(data: bytes) -> Iterable[str]:
    return (line.removesuffix("\r") for line in data.decode("utf-8", "replace").split("\n"))
