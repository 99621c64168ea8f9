"""The paths that a pull request changes: what each is for, and whether it can be read as that."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from posixpath import basename, dirname

from msgspec.structs import replace

from gitops_tk.argocd.generate import NotEvaluated, Paths, manifests, taken
from gitops_tk.config.argocd import FOLDER as WIRING
from gitops_tk.config.load import CONFIG_FILE, parse
from gitops_tk.config.lookalikes import Lookalikes
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.snapshot import Entry, Snapshot
from gitops_tk.policy.holds import parse as parse_hold
from gitops_tk.policy.review.model import Place, Touched, Unreadable
from gitops_tk.repository.comparison import Comparison, Difference
from gitops_tk.values.document import Document
from gitops_tk.workflows.comparing.reach import Side
from gitops_tk.workflows.gating.commands import Program
from gitops_tk.workflows.layers import CHART_VALUES

_OURS = ".gitops-tk/"
# What changes how git checks out other files: attributes convert them, submodules and LFS bring those of elsewhere.
_GIT = (".gitattributes", ".gitmodules", ".lfsconfig")
# https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git
_OVERRIDES = re.compile(r"\.argocd-source(?:-.+)?\.yaml")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Charts that a chart brings along, packed: nobody reads their lines.
_PACKED = (".tgz", ".tar.gz")
# Controls, marks that turn the direction of writing, spaces that are none or look like one, letters without a shape,
# variants of letters (after a picture they are usual), tags, soft hyphens.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
    "|(?<![\u203c-\u3299\U0001f000-\U0001faff])\ufe0f"
)

Meaning = tuple[Place, str | None, str | None]
_WIRING: Meaning = ("wiring", None, None)
# What tells Argo CD what to deploy, wherever it stands.
_DEPLOYING = ("Application", "ApplicationSet", "AppProject")


def touched(comparison: Comparison, before: Side, after: Side, gates: Collection[Program]) -> tuple[Touched, ...]:
    """Every path that the pull request changes.

    Args:
        before: the base.
        after: the base with what the pull request brings.
        gates: their programs, as the base has them.
    """
    listed = comparison.differences
    meant = {one.path: meaning(one.path, before.config, after.config, gates) for one in listed}
    others = [one for one in listed if meant[one.path][0] == "other"]
    meant |= dict.fromkeys(_deploying(before.snapshot, [one.path for one in others if one.before]), _WIRING)
    read = [one for one in listed if meant[one.path][0] != "other"]
    old = before.snapshot.read(one.path for one in read if one.before and one.before.is_file)
    new = after.snapshot.read(one.path for one in read if one.after and one.after.is_file)
    homes = {one.after.oid: one.path for one in listed if one.after is not None and one.before is None}
    generates = _generating(before.snapshot, [one.path for one in listed if meant[one.path][0] == "other"])
    comes = _deploying(after.snapshot, [one.path for one in others if one.before is None])
    found = (_touched(one, meant[one.path], old, new, homes, after.config) for one in listed)
    looks = (Lookalikes(before.config), Lookalikes(after.config))
    told = (_beside(one, before.config, after.config, looks, generates) for one in found)
    return tuple(replace(one, deploys=one.path in comes) for one in told)


def meaning(path: str, before: Config, after: Config, gates: Collection[Program]) -> Meaning:
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
    if wired and path.startswith(f"{WIRING}/"):
        return _WIRING
    if any(program.reads(path) for program in gates):
        return "gate", None, None
    return ("git" if basename(path) in _GIT else "other"), None, None


def _beside(
    one: Touched, before: Config, after: Config, looks: Collection[Lookalikes], generates: Collection[str]
) -> Touched:
    """What a path means beside the layout; what goes means nothing any more."""
    if one.after is None:
        return one
    return replace(
        one,
        lookalike=_lookalike(one, looks),
        generates=one.path in generates,
        overrides=_overridden(one, before, after),
        hidden=(0, *one.hidden) if _HIDDEN.search(one.path) or "\n" in one.path else one.hidden,
    )


def _lookalike(one: Touched, looks: Collection[Lookalikes]) -> str | None:
    # Whatever else has a place by one of the layouts has it by that.
    if one.place not in ("other", "configuration", "hold"):
        return None
    names = [look.of(one.path) for look in looks]
    # A hold may be one of an environment that comes.
    if one.place == "hold" and not all(names):
        return None
    return next((name for name in names if name), None)


def _overridden(one: Touched, before: Config, after: Config) -> str | None:
    folder, _, name = one.path.rpartition("/")
    if _OVERRIDES.fullmatch(name):
        return "the values"
    # In a chart's own folder, and not below it.
    layouts = (before.layout, after.layout)
    charts = [layout for layout in layouts if layout.match_chart(folder) and not layout.match_chart(dirname(folder))]
    return "the chart" if name in _KUSTOMIZATIONS and charts else None


def _generating(base: Snapshot, paths: list[str]) -> set[str]:
    """Those paths of which the base's ApplicationSets make Applications."""
    files = [one.path for one in base.children([WIRING]).get(WIRING, ()) if one.is_file] if paths else []
    found = set[str]()
    for path, data in base.read(one for one in files if one.endswith((".yaml", ".yml", ".json"))).items():
        try:
            for manifest in manifests({path: data}):
                if manifest.kind == "ApplicationSet":
                    found.update(path for taken_ in taken(manifest, Paths(paths), "greedy") for path in taken_)
        except NotEvaluated:
            # validate tells of it.
            continue
    return found


def _deploying(snapshot: Snapshot, paths: Collection[str]) -> set[str]:
    """Those paths that hold manifests of Argo CD."""
    listed = [path for path in paths if path.endswith((".yaml", ".yml", ".json"))]
    files = [path for path, entry in snapshot.entries(listed).items() if entry.is_file]
    return {path for path, data in snapshot.read(files).items() if _deploys(path, data)}


def _deploys(path: str, data: bytes) -> bool:
    # The group's name stands there as it is, unless escapes or another encoding hide it.
    text = data.replace(b"\0", b"")
    if b"argoproj" not in text and b"\\" not in text:
        return False
    try:
        objects = [one.data for one in manifests({path: data})]
    except NotEvaluated:
        # Templates, for instance: what is written there may be a manifest all the same.
        return b"argoproj.io/" in text
    lists = [items for one in objects if isinstance(items := one.get("items"), list)]
    listed = [item for items in lists for item in items if isinstance(item, dict)]
    return any(
        str(one.get("apiVersion")).startswith("argoproj.io/") and one.get("kind") in _DEPLOYING
        for one in (*objects, *listed)
    )


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
        hidden=() if data is None or one.path.endswith(_PACKED) else _hidden(old.get(one.path, b""), data),
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
