"""The port: what the program asks of a forge, and nothing more. Each forge's file answers it.

What a forge cannot do is answered with `Unmet`, never dropped; what it cannot do yet with `NotYet`.
Everything else that goes wrong is a ForgeError.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from gitops_tk.config.forge import ForgeKind
from gitops_tk.config.forge import MergeMethod as MergeMethod
from gitops_tk.model.evidence import SourceCommit

State = Literal["open", "merged", "closed"]


class PullRequest(Struct, frozen=True, kw_only=True):
    """A pull request as the forge has it; what others call a merge request is one, too.

    Attributes:
        number: what people call it by; GitLab's iid, Azure's pullRequestId.
        url: where people read it.
        branch: the branch that is proposed, without `refs/heads/`.
        base: the branch that it is proposed for.
        head: the commit at the tip of `branch`, as far as the forge has seen; Bitbucket Cloud shortens it: see `is_at`.
        armed: whether the forge will merge it by itself when its checks have passed; False where it does not tell.
        key: what the adapter needs beside the number (GitHub's node id, Bitbucket DC's version); nobody else reads it.
    """

    number: int
    url: str
    branch: str
    base: str
    head: str
    title: str
    body: str
    state: State = "open"
    draft: bool = False
    armed: bool = False
    labels: tuple[str, ...] = ()
    key: str = ""

    def is_at(self, commit: str) -> bool:
        """Whether a commit is the tip that the forge has seen."""
        return bool(self.head) and commit.startswith(self.head)


class Wanted(Struct, frozen=True, kw_only=True):
    """A pull request that is to be opened.

    Attributes:
        reviewers: user names as the forge writes them; a team as `team:NAME` where the forge has teams.
    """

    branch: str
    base: str
    title: str
    body: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class Unmet(Struct, frozen=True):
    """What this forge, or this repository's plan or settings, cannot do: a sentence for people."""

    reason: str


class NotYet(Struct, frozen=True):
    """Not now, maybe later: checks still run, mergeability is not known, the queue has it. A sentence for people."""

    reason: str


class Merged(Struct, frozen=True):
    """It is merged; the commit where the forge says it."""

    commit: str = ""


class Account(Struct, frozen=True, kw_only=True):
    """Whose token it is, and what the forge tells of it; None where it does not tell.

    Attributes:
        name: empty for an app's or a job's token, which is nobody's.
        expires: the day, as 2026-12-31.
        pushes: whether it may push to this repository.
        proposes: whether it may open pull requests in it.
    """

    name: str = ""
    expires: str | None = None
    pushes: bool | None = None
    proposes: bool | None = None


class Protection(Struct, frozen=True, kw_only=True):
    """How a branch is protected; None where the forge does not tell.

    Attributes:
        restricted: whether not everybody who may push to the repository may push to the branch.
        pushes: whether this token may, without a pull request.
        checks: what has to pass before a merge, by name.
        pipeline: whether all of a pull request's pipeline has to pass.
    """

    restricted: bool
    pushes: bool | None = None
    checks: tuple[str, ...] | None = None
    pipeline: bool = False


class Forge(Protocol):
    """A repository on a forge.

    Each method may raise LoginFailed (the token is refused, or may not do this) and ForgeError (the forge answered
    something else, or nothing, until the time was up).
    """

    @property
    def kind(self) -> ForgeKind:
        """Which forge it is."""

    def open_pull_requests(self, base: str) -> Sequence[PullRequest]:
        """All open pull requests for the base branch from branches of this same repository (forks left out)."""

    def find(self, branch: str, base: str) -> PullRequest | None:
        """The open pull request of a branch of this repository, or None."""

    def get(self, number: int) -> PullRequest:
        """A pull request in whatever state it is."""

    def create(self, wanted: Wanted) -> tuple[PullRequest, Sequence[Unmet]]:
        """Opens a pull request, labels and reviewers included; one that is open already for this branch is adopted.

        A reply that is lost, or a forge that says it exists already, is looked up and adopted, never sent again.
        """

    def update(self, pull: PullRequest, *, title: str, body: str) -> PullRequest:
        """Gives it another title and body; labels and reviewers that people have set stay."""

    def comment(self, number: int, marker: str, body: str) -> None:
        """Writes one comment, kept in place: an earlier one of this login that holds the marker is overwritten."""

    def close(self, pull: PullRequest, reason: str) -> None:
        """Says why in a comment, and closes it without merging; the branch stays."""

    def merge(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet:
        """Merges it if it still is at `pull.head`."""

    def arm(self, pull: PullRequest, method: MergeMethod) -> Merged | NotYet | Unmet | None:
        """Has the forge merge it (or queue it) once its own conditions are met; None: it is armed.

        Where nothing is left to wait for it is merged there and then, if it still is at `pull.head`.
        """

    def disarm(self, pull: PullRequest) -> Unmet | None:
        """Takes that back, whatever `pull.armed` says; None: it is not armed now."""

    def dismiss_approvals(self, pull: PullRequest, reason: str) -> Unmet | None:
        """Takes the approvals back that stand; None: none stands now."""

    def commits_between(self, older: str, newer: str) -> Sequence[SourceCommit] | Unmet:
        """The commits that `newer` has and `older` has not, newest first, at most 100."""

    def account(self) -> Account | Unmet:
        """Whose token this is, and what it may do here."""

    def protection(self, branch: str) -> Protection | Unmet:
        """How a branch of this repository is protected."""
