"""Proposals as branches: each holds one commit of the tool, on top of the base branch.

A branch is replaced or taken away only while everything on it is the tool's own.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from gitops_tk.errors import GitopsTkError, PushRefused, RepositoryError
from gitops_tk.model.changes import Copy, Delete, Plan, Write
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot

# What every branch of a proposal begins with.
PREFIX = "gitops-tk/"

_COMMAND = re.compile(r"^Gitops-Tk-Command: (.+)$", re.MULTILINE)
_CHANGE = re.compile(r"^Gitops-Tk-Change: (\S+/\S+) ", re.MULTILINE)
_NUMBERED = re.compile(r"(.+)\.([1-9][0-9]{0,5})")
_LOCAL = "refs/proposals/"


class Standing(Struct, frozen=True, kw_only=True, dict=True):
    """A proposal branch as it is on the remote.

    Attributes:
        commit: its newest commit.
        parents: that commit's parents.
        message: its message.
    """

    branch: str
    commit: str
    parents: tuple[str, ...]
    message: str

    @cached_property
    def releases(self) -> frozenset[str]:
        """The releases that it changes, each as `env/service`; where a person wrote over it, what its name says."""
        told = frozenset(_CHANGE.findall(self.message))
        return told if told and self.is_own else frozenset({stem(self.branch).removeprefix(PREFIX)})

    @property
    def command(self) -> str:
        """The command that its newest commit says to come from; empty where it says none."""
        found = _COMMAND.search(self.message)
        return found[1] if found else ""

    @property
    def is_own(self) -> bool:
        """Whether its newest commit is the tool's."""
        return bool(self.command) and len(self.parents) <= 1

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0]


def stem(branch: str) -> str:
    """The name that a proposal has from what it proposes, without the number of a successor."""
    numbered = _NUMBERED.fullmatch(branch)
    return numbered[1] if numbered else branch


def is_beside(branch: str) -> bool:
    """Whether a proposal is about something beside the images, such as a hold, and takes no image's place."""
    return "." in stem(branch).rpartition("/")[2]


def number(branch: str) -> int:
    """Which of the proposals of one name it is, from 1."""
    numbered = _NUMBERED.fullmatch(branch)
    return int(numbered[2]) if numbered else 1


def successor(branch: str) -> str:
    """The branch that takes the place of one that must not change any more."""
    return f"{stem(branch)}.{number(branch) + 1}"


def find(remote: Remote, pattern: str) -> list[Standing]:
    """The proposal branches that match, with their newest commits, in one request.

    Args:
        pattern: below PREFIX, with one `*`.

    Raises:
        RemoteUnreachable, LoginFailed, RepositoryError: the remote cannot be read.
    """
    if not remote.fetch(f"+refs/heads/{PREFIX}{pattern}:{_LOCAL}{pattern}", "--depth=2", "--prune"):
        return []
    listed = remote.git.read("for-each-ref", "--format=%(refname) %(objectname) %(parent)", _LOCAL)
    rows = [line.split(" ") for line in listed.splitlines()]
    return [
        Standing(
            branch=PREFIX + name.removeprefix(_LOCAL),
            commit=commit,
            parents=tuple(filter(None, parents)),
            message=remote.message(commit),
        )
        for name, commit, *parents in rows
    ]


def require_own(remote: Remote, base: TreeSnapshot, *standing: Standing) -> None:
    """Refuses to go on with branches that hold anything but one commit of the tool.

    Raises:
        RepositoryError: a person has committed on one (`proposal-edited`).
    """
    doubtful = [one for one in standing if not (one.is_own and one.parents == (base.revision,))]
    _fetch_own_commits(remote, [one.branch for one in doubtful if one.is_own])
    for one in doubtful:
        # What a branch holds beside its newest commit is history of the base, or somebody's work.
        beside = ("rev-list", one.commit, "--not", f"refs/heads/{remote.branch}")
        if one.is_own and len(remote.git.read(*beside).split()) <= 1:
            continue
        raise RepositoryError(
            f"somebody has committed on {one.branch}, and gitops-tk replaces nobody's work",
            code="proposal-edited",
            hint=f"merge or delete the branch: git push origin --delete {shlex.quote(one.branch)}",
        )


def is_equal(remote: Remote, standing: Standing, plan: Plan) -> bool:
    """Whether a branch proposes what a plan would, and nothing beside it.

    The message says every change, the files what landed since.
    """
    if standing.message != plan.message or not standing.parents:
        return False
    before, tip = remote.at(standing.parents[0]), remote.at(standing.commit)
    operations = [operation.path for operation in plan.changeset.operations]
    changed = changed_paths(before, tip)
    if any(path not in operations and not path.startswith(tuple(f"{one}/" for one in operations)) for path in changed):
        return False
    return _holds(tip, plan, before)


def push(remote: Remote, oids: Mapping[str, str], leases: Mapping[str, str], options: Iterable[str] = ()) -> Pushed:
    """Pushes commits to proposal branches; a branch whose commit is empty is deleted.

    Args:
        leases: the commits that the branches are known to be at; one that is not named must not exist.
        options: push options for the server (git-push(1)), left out where it takes none.

    Raises:
        PushRefused: the remote's rules refuse a branch.
    """
    pushed = remote.push(oids, {branch: leases.get(branch, "") for branch in oids}, options)
    if pushed.answer == "refused":
        raise PushRefused(
            f"the remote refused the proposal branch {', '.join(oids)}: {pushed.said}",
            hint="may this login create branches under gitops-tk/? A branch called gitops-tk would be in the way",
        )
    return pushed


def tips(remote: Remote, branches: Iterable[str]) -> dict[str, str]:
    """The commits of those branches that exist on the remote now."""
    wanted = tuple(branches)
    found = _listed(remote, *wanted)
    return {branch: found[branch] for branch in wanted if branch in found}


def others(remote: Remote, pattern: str, known: Mapping[str, str]) -> list[Standing]:
    """The proposal branches that match, and are not at the commits that are known; in one request, if there are none.

    Args:
        pattern: below PREFIX, with one `*`.
    """
    listed = _listed(remote, f"{PREFIX}{pattern}")
    unknown = {branch for branch, commit in listed.items() if known.get(branch) != commit}
    return [one for one in find(remote, pattern) if one.branch in unknown] if unknown else []


def _listed(remote: Remote, *names: str) -> dict[str, str]:
    listed = remote.git.read("ls-remote", "origin", *(f"refs/heads/{name}" for name in names))
    rows = (line.split("\t") for line in listed.splitlines())
    # ls-remote matches the ends of names: refs/heads/x/refs/heads/y too.
    return {ref.removeprefix("refs/heads/"): oid for oid, ref in rows}


def _fetch_own_commits(remote: Remote, branches: Sequence[str]) -> None:
    if not branches:
        return
    refspecs = [f"+refs/heads/{branch}:{_LOCAL}{branch.removeprefix(PREFIX)}" for branch in branches]
    try:
        remote.fetch(refspecs, f"--shallow-exclude=refs/heads/{remote.branch}")
    except GitopsTkError:
        if len(branches) > 1:
            # One of them stands in the way of all.
            for branch in branches:
                _fetch_own_commits(remote, [branch])
            return
        # Nothing on it is new: it was merged, or the server cannot exclude. Its tip alone tells enough then.
        remote.fetch(refspecs, "--depth=1")


def _holds(tip: TreeSnapshot, plan: Plan, before: TreeSnapshot) -> bool:
    operations = plan.changeset.operations
    paths = [operation.path for operation in operations]
    there, were = tip.entries(paths), before.entries(paths)
    written = (operation.path for operation in operations if isinstance(operation, Write))
    contents = tip.read(path for path in written if path in there and there[path].is_file)
    for operation in operations:
        entry, was = there.get(operation.path), were.get(operation.path)
        match operation:
            case Write(path=path, data=data):
                # Beside the content: a symbolic link holds a text, too.
                mode = operation.mode_over(was.mode if was else None)
                if entry is None or entry.mode != mode or contents.get(path) != data:
                    return False
            case Copy(oid=oid, mode=mode):
                if entry is None or (entry.oid, entry.mode) != (oid, mode):
                    return False
            case Delete():
                if entry is not None:
                    return False
    return True
