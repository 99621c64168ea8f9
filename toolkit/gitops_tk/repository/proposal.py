"""A proposal without a forge's API: a branch with one commit of the tool, on top of the base branch.

Running again replaces the branch, but only while everything on it is the tool's own.
"""

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
    advice: tuple[str, ...]


def propose(remote: Remote, base: TreeSnapshot, plan: Plan) -> Proposed | Pushed:
    """Pushes the plan's change to its proposal branch; an equal proposal is left as it is.

    Returns:
        The proposal, or the remote's answer where someone else was first.

    Raises:
        RepositoryError: a person has committed on the branch (`proposal-edited`).
        PushRefused: the remote's rules refuse the branch.
    """
    branch = plan.proposal or ""
    standing = _standing(remote, branch)
    # The message says every change; the files say what else has landed under them since.
    if standing is not None and remote.message(_LOCAL) == plan.message and _equal(remote.at(_LOCAL), plan):
        return Proposed(branch, standing, False, _advice(remote, branch))
    oid = remote.commit(base, plan.changeset, plan.message)
    pushed = remote.push(oid, branch, lease=standing or "")
    if pushed.answer == "accepted":
        return Proposed(branch, oid, True, _advice(remote, branch))
    if pushed.answer == "refused":
        raise PushRefused(
            f"the remote refused the proposal branch {branch}: {pushed.said}",
            hint="may this login create and replace branches under gitops-tk/?",
        )
    return pushed


def _standing(remote: Remote, branch: str) -> str | None:
    listed = remote.git.read("ls-remote", "origin", f"refs/heads/{branch}").split()
    if not listed:
        return None
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
    return listed[0]


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


def _advice(remote: Remote, branch: str) -> tuple[str, ...]:
    return (
        f"The change is proposed on the branch {branch}. Review it, then merge it into {remote.branch}:",
        f"  git fetch origin {branch}",
        "  git show FETCH_HEAD",
        f"  git switch {remote.branch} && git merge --no-ff FETCH_HEAD && git push origin {remote.branch}",
    )
