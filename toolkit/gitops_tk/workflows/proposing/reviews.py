"""Where proposals are reviewed: what a forge's pull requests and bare branches have in common."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from gitops_tk.forges.port import Unmet
from gitops_tk.model.changes import Gate, Plan, unopened
from gitops_tk.model.foreign import Said
from gitops_tk.model.result import Problem, PullRequest
from gitops_tk.repository.proposal import Standing
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.tree import TreeSnapshot


class Replaced(Struct, frozen=True):
    """An older proposal that another one takes the place of.

    Attributes:
        left: the releases that nothing is proposed for any more.
        because: why its own content could not change; empty where the other one covers it.
    """

    standing: Standing
    left: tuple[str, ...] = ()
    because: str = ""


class Step(Struct, frozen=True, kw_only=True):
    """One plan on its way to be a proposal.

    Attributes:
        branch: where it goes.
        found: what stands on that branch.
        is_open: whether that is under review.
        is_equal: whether that is what the plan wants.
        commit: the commit that proposes it; empty until it is made.
        replaces: the older proposals that it takes the place of.
    """

    plan: Plan
    branch: str
    found: Standing | None = None
    is_open: bool = False
    is_equal: bool = False
    commit: str = ""
    replaces: tuple[Replaced, ...] = ()

    @property
    def unopened(self) -> Gate | None:
        """A gate that has not opened for what is proposed, if there is one: so long nothing may merge it by itself."""
        return next(iter(unopened(self.plan.gates, self.plan.skipped)), None)


class Reviews(Protocol):
    """Where proposals are reviewed."""

    def open(self, standing: Iterable[Standing], names: Collection[str]) -> set[str]:
        """Which branches are under review: of those that stand, and of these names though their branch is gone.

        Args:
            names: what proposals are called, without the numbers of successors.
        """

    def opened_since(self, standing: Iterable[Standing]) -> set[str]:
        """Which of the branches that stand have come under review since `open` was asked."""

    def known(self, branch: str) -> PullRequest:
        """A branch's review, as far as it is known."""

    def tells(self, step: Step) -> bool:
        """Whether what reviewers read of an open proposal is about the step's commit."""

    def write(self, base: TreeSnapshot, steps: Iterable[Step]) -> None:
        """Makes the texts that reviewers will read; the steps have their commits, and nothing is pushed yet."""

    def release(self, branch: str) -> Unmet | Pushed | None:
        """Takes back whatever would let other content on the branch land unseen: approvals, and auto-merge.

        Returns:
            None where the content may change; what cannot be taken back; or a lost race, if the review has ended.
        """

    def options(self, step: Step) -> Sequence[str]:
        """The push options that the step's branch is pushed with; if there are any, it is pushed by itself."""

    def show(self, step: Step, said: str) -> tuple[PullRequest, Sequence[Problem]]:
        """Puts a step's branch, which is pushed, under review.

        Args:
            said: what the remote said to the push; empty where nothing had to be pushed.

        Returns:
            The review, and what could not be done for it, as warnings.
        """

    def close(self, branch: str, reason: Said) -> None:
        """Closes the review of a branch, and says why."""

    def may_differ(self) -> bool:
        """Whether texts were written that could tell of another commit than their branch is at by now."""

    def advice(self, shown: Sequence[PullRequest]) -> Sequence[str]:
        """What a person does next."""
