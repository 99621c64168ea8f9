"""Proposals without a forge's API: each a branch with one commit of the tool, on top of the base branch.

Running again replaces the branch, but only while everything on it is the tool's own.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gitops_tk.errors import GitopsTkError, PushRefused, RepositoryError
from gitops_tk.model.changes import Copy, Delete, Plan, Write
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot

_TRAILER = "Gitops-Tk-Command: "
_LOCAL = "refs/gitops-tk/proposal"


class Proposed(Struct, frozen=True):
    """A proposal that is on the remote: now, or as it was found."""

    branch: str
    commit: str
    new: bool


def propose(remote: Remote, base: TreeSnapshot, plans: Sequence[Plan]) -> list[Proposed] | Pushed:
    """Pushes each plan's change to its proposal branch; an equal proposal is left as it is.

    Returns:
        The proposals, or the remote's answer where someone else was first.

    Raises:
        RepositoryError: a person has committed on a branch (`proposal-edited`).
        PushRefused: the remote's rules refuse a branch.
    """
    by_branch = {plan.proposal or "": plan for plan in plans}
    tips = _tips(remote, by_branch)
    standing = {branch for branch in tips if _stands(remote, branch, by_branch[branch])}
    wanted = {branch: plan for branch, plan in by_branch.items() if branch not in standing}
    made = dict(zip(wanted, remote.commit(base, list(wanted.values()), chained=False), strict=True)) if wanted else {}
    if made:
        pushed = remote.push(made, {branch: tips.get(branch, "") for branch in made})
        if pushed.answer == "refused":
            raise PushRefused(
                f"the remote refused the proposal branch {', '.join(made)}: {pushed.said}",
                hint="may this login create branches under gitops-tk/? A branch called gitops-tk would be in the way",
            )
        if pushed.answer != "accepted":
            return pushed
    return [Proposed(branch, made.get(branch) or tips[branch], branch in made) for branch in by_branch]


def advice(branches: Sequence[str], base: str) -> tuple[str, ...]:
    """What a person does with proposals that are branches and nothing else."""
    return tuple(
        line
        for branch in branches
        for line in (
            f"The change is proposed on the branch {branch}. Review it, then merge it into {base}:",
            f"  git fetch origin {branch}",
            "  git show FETCH_HEAD",
            f"  git switch {base} && git merge --no-ff FETCH_HEAD && git push origin {base}",
        )
    )


def _tips(remote: Remote, branches: Iterable[str]) -> dict[str, str]:
    listed = remote.git.read("ls-remote", "origin", *(f"refs/heads/{branch}" for branch in branches))
    rows = (line.split("\t") for line in listed.splitlines())
    # ls-remote matches the ends of names: refs/heads/x/refs/heads/y too.
    found = {ref.removeprefix("refs/heads/"): oid for oid, ref in rows}
    return {branch: found[branch] for branch in branches if branch in found}


def _stands(remote: Remote, branch: str, plan: Plan) -> bool:
    _fetch_own_commits(remote, branch)
    own = remote.git.read("rev-list", _LOCAL, "--not", f"refs/heads/{remote.branch}").split()
    foreign = [oid for oid in own if _TRAILER not in remote.message(oid)]
    # What the branch holds beside its newest commit is history of the base, or somebody's work.
    if foreign or len(own) > 1:
        raise RepositoryError(
            f"somebody has committed on {branch}, and gitops-tk replaces nobody's work",
            code="proposal-edited",
            hint=f"merge or delete the branch: git push origin --delete {branch}",
        )
    # The message says every change; the files say what else has landed under them since.
    return remote.message(_LOCAL) == plan.message and _equal(remote.at(_LOCAL), plan)


def _fetch_own_commits(remote: Remote, branch: str) -> None:
    refspec = f"+refs/heads/{branch}:{_LOCAL}"
    try:
        remote.fetch(refspec, f"--shallow-exclude=refs/heads/{remote.branch}")
    except GitopsTkError:
        # Nothing on it is new: it was merged, or the server cannot exclude. Its tip alone tells enough then.
        remote.fetch(refspec, "--depth=1")


def _equal(tip: TreeSnapshot, plan: Plan) -> bool:
    paths = [operation.path for operation in plan.changeset.operations]
    entries = tip.entries(paths)
    contents = tip.read([op.path for op in plan.changeset.operations if isinstance(op, Write) and op.path in entries])
    for operation in plan.changeset.operations:
        match operation:
            case Write(path=path, data=data):
                if contents.get(path) != data:
                    return False
            case Copy(path=path, oid=oid):
                if path not in entries or entries[path].oid != oid:
                    return False
            case Delete(path=path):
                if path in entries:
                    return False
    return True
