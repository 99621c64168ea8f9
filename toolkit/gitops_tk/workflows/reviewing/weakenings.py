"""In which ways a pull request makes the policy weaker, be it beside gitops-tk.yaml: by the programs that gates run, by
what Argo CD is told, by what git makes of files.
"""

from collections.abc import Collection, Iterator
from typing import Any

from msgspec.structs import replace

from gitops_tk.argocd.generate import NotEvaluated, manifests
from gitops_tk.config.argocd import environment_of
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.errors import EditRefused
from gitops_tk.policy.review.model import Touched, Weakening
from gitops_tk.policy.review.weaker import weaker
from gitops_tk.workflows.comparing.reach import Side
from gitops_tk.workflows.gating.commands import Program
from gitops_tk.workflows.layers import read_layers
from gitops_tk.workflows.looking_back.timeline import images_of
from gitops_tk.workflows.reviewing.files import files_alone
from gitops_tk.workflows.views import Views
from gitops_tk.workflows.wiring.manifests import configured

# What Argo CD reads in a folder of manifests.
_MANIFESTS = (".yaml", ".yml", ".json", ".jsonnet", ".libsonnet")
_NOTHING = object()


def weakenings(
    before: Side, after: Side, touched: Collection[Touched], gates: Collection[Program], views: Views
) -> tuple[Weakening, ...]:
    """All of them, each in a few words.

    Args:
        before: the base.
        after: the base with what the pull request brings.
        touched: the paths that it changes.
        gates: the programs of the base's gates.
        views: of the base.
    """
    found: list[Weakening] = []
    if any(one.path == CONFIG_FILE for one in touched):
        found += map(Weakening, (*weaker(before.config, after.config, views.now), *_environments(before, after)))
        found += _coming(before, after, touched)
    found += _programs(gates, touched)
    found += [Weakening(f"git may check out other files otherwise: {one.path}", one.path) for one in _git(touched)]
    return (*found, *_wiring(before, after, touched, views))


def _environments(before: Side, after: Side) -> Iterator[str]:
    """Environments that go: what outlives them, be it under another name, would be judged by no policy."""
    come = [name for name in after.environments if name not in before.environments]
    for one in before.config.environments:
        if one.name in after.environments:
            continue
        if before.config.layout.find_services(after.snapshot, [one]):
            yield f"{one.name} goes, and its values stay"
        elif come:
            yield f"{one.name} goes while {', '.join(come)} comes, and takes its policy along"


def _coming(before: Side, after: Side, touched: Collection[Touched]) -> Iterator[Weakening]:
    """Images in environments that come: the base has no policy for these, and nothing that they are held to."""
    come = after.environments.keys() - before.environments.keys()
    pairs = [(one.service, one.env) for one in touched if one.service and one.place == "values" and one.env in come]
    for layers in read_layers(files_alone(after, pairs), after.config, pairs).values():
        try:
            images = images_of(after.config, layers.service, layers.merged) if layers.own is not None else {}
        except EditRefused:
            # It has a rule of its own.
            continue
        if images:
            said = f"{layers.env} comes with an image of {layers.service} in it, which no policy has judged"
            yield Weakening(said, layers.own_path)


def _programs(gates: Collection[Program], touched: Collection[Touched]) -> Iterator[Weakening]:
    """Files that a gate's program is, or may read; each is told once."""
    told = set[str]()
    for program in gates:
        for one in touched:
            if one.path not in told and program.reads(one.path):
                told.add(one.path)
                yield Weakening(f"{program.env}: {one.path} is of the command {program.name}", one.path)


def _git(touched: Collection[Touched]) -> Iterator[Touched]:
    return (one for one in touched if one.place == "git")


def _wiring(before: Side, after: Side, touched: Collection[Touched], views: Views) -> Iterator[Weakening]:
    """Manifests of Argo CD that become something else than gitops-tk.yaml says."""
    paths = [one.path for one in touched if one.place == "wiring" and one.path.endswith(_MANIFESTS)]
    if not paths:
        return
    known = after.config.argocd is not None
    made = configured(after.config, replace(views, snapshot=after.snapshot)) if known else {}
    there = [path for path, entry in after.snapshot.entries(paths).items() if entry.is_file]
    old, new = before.snapshot.read(_files(before, paths)), after.snapshot.read(there)
    for path in paths:
        if path in new:
            sides = [_documents(path, side.get(path)) for side in (old, new, made)]
            if not _towards(*sides):
                yield Weakening(f"{path} is written by hand, and decides what Argo CD deploys and where", path)
        elif environment_of(path) not in before.environments.keys() - after.environments.keys():
            yield Weakening(f"{path} goes, and with it what Argo CD is told", path)


def _files(side: Side, paths: Collection[str]) -> list[str]:
    return [path for path, entry in side.snapshot.entries(paths).items() if entry.is_file]


def _documents(path: str, data: bytes | None) -> Any:
    if data is None:
        return _NOTHING
    try:
        return [one.data for one in manifests({path: data})]
    except NotEvaluated:
        # What nobody can read is like nothing else.
        return object()


def _towards(before: Any, after: Any, wanted: Any) -> bool:
    """Whether all that changes is as wanted: nothing that is not wanted comes, and nothing goes but members of lists.

    So may the tool's own edits of manifests that a team has made its own.
    """
    if after == before:
        return True
    if after is _NOTHING:
        return False
    if after == wanted and not isinstance(before, dict | list):
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        sides = (before, after, wanted if isinstance(wanted, dict) else {})
        return all(
            _keeps_out(key, before.get(key), after.get(key)) and _towards(*(side.get(key, _NOTHING) for side in sides))
            for key in before | after
        )
    if not (isinstance(before, list) and isinstance(after, list) and isinstance(wanted, list)):
        return False
    if len(before) == len(after) == len(wanted) and all(map(_towards, before, after, wanted)):
        return True
    return all(one in wanted for one in after if one not in before) and not any(
        one in wanted for one in before if one not in after
    )


def _keeps_out(key: str, before: Any, after: Any) -> bool:
    """Whether what a list of an AppProject or an ApplicationSet keeps out is still kept out."""
    if not (isinstance(before, list) and isinstance(after, list)):
        return True
    gone = [one for one in before if one not in after]
    return not gone or not (key.endswith("Blacklist") or any(map(_denies, gone)))


def _denies(one: Any) -> bool:
    """Whether a member of a list takes something out: `!pattern`, a policy that denies, an excluded path."""
    if isinstance(one, dict):
        return one.get("exclude") is True or any(map(_denies, one.values()))
    return isinstance(one, str) and (one.startswith("!") or one.rstrip().endswith("deny"))
