"""One plan, one commit, one push; a lost race is planned again from the new head (CONTRACT: "What a publish does")."""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.errors import GitopsTkError, PushRefused, RaceLost, RefusedByPolicy, RemoteUnreachable
from gitops_tk.model.changes import ChangeSet, Plan
from gitops_tk.model.result import Closed, Outcome, Problem, PullRequest
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot

Planner = Callable[[Snapshot, Any], Plan]
Proposer = Callable[[TreeSnapshot, Plan], "Published | Pushed"]

# Waits are drawn from nothing to this, doubled with each try: tried with 0.1, 0.25 and 0.5, see docs/benchmarks.md.
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 5.0
# How many commits others may have pushed on top of one whose answer was lost.
_LOOK_BACK = 200


class Published(Struct, frozen=True, kw_only=True):
    """How a publish ended.

    Attributes:
        plan: the plan that was carried out, or found nothing left to do.
        commits: the commits that were made, or stand as proposals; of `--split` one a service.
        branch: the branch that was changed or proposed to.
        attempts: how many plans were made.
        closed: proposals that gave way, or had nothing left to propose.
        problems: what the forge could not do, as warnings.
        advice: what a person does next.
    """

    plan: Plan
    outcome: Outcome
    commits: tuple[str, ...]
    branch: str
    attempts: int = 1
    pull_requests: tuple[PullRequest, ...] = ()
    closed: tuple[Closed, ...] = ()
    problems: tuple[Problem, ...] = ()
    advice: tuple[str, ...] = ()


class Timing(Struct, frozen=True, kw_only=True):
    """Time and chance, so that tests can hold them still."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


def publish(
    remote: Remote, planner: Planner, proposer: Proposer, *, retry_for: float, timing: Timing | None = None
) -> Published:
    """Plans and publishes until it is done, refused, or the time is up.

    Args:
        proposer: proposes a plan whose change is not pushed; where it lost a race it returns the remote's answer.
        retry_for: how long a lost race is run again, in seconds.

    Raises:
        RaceLost: others pushed first on every try.
        PushRefused: the remote's rules refuse the push.
        GitopsTkError: the planner's own refusals.
    """
    publication = _Publication(remote, planner, proposer, retry_for, timing or Timing())
    try:
        return publication.run()
    except GitopsTkError as error:
        error.attempts = publication.attempts
        raise


class _Publication:
    def __init__(self, remote: Remote, planner: Planner, proposer: Proposer, retry_for: float, timing: Timing) -> None:
        self.remote = remote
        self.planner = planner
        self.proposer = proposer
        self.timing = timing
        self.until = timing.clock() + retry_for
        self.attempts = 0
        self.intent: Any = None
        # What pushes carried that were not taken, as far as we know.
        self.carried: list[tuple[Plan, list[str]]] = []

    def run(self) -> Published:
        snapshot = self.remote.snapshot()
        while True:
            self.attempts += 1
            try:
                plan = self.planner(snapshot, self.intent)
            except RefusedByPolicy:
                landed = self._landed()
                if landed is None:
                    raise
                return landed
            if self.attempts == 1:
                self.intent = plan.intent
            ended = self._try(snapshot, plan)
            if isinstance(ended, Published):
                return ended
            if self.timing.clock() >= self.until:
                return self._ended_in_vain(ended)
            longest = min(_FIRST_WAIT * 2 ** min(self.attempts - 1, 8), _LONGEST_WAIT)
            self.timing.sleep(longest * self.timing.random())
            snapshot = self.remote.refresh()

    def _try(self, snapshot: TreeSnapshot, plan: Plan) -> Published | Pushed:
        if proposes(plan, snapshot):
            ended = self.proposer(snapshot, plan)
            return ended if isinstance(ended, Pushed) else replace(ended, attempts=self.attempts)
        if not plan.changeset.operations:
            return self._landed() or self._done(plan, "unchanged", ())
        oids = self.remote.commit(snapshot, plan.commits)
        # The branch must be where the plan saw it: the push brings back none that is gone, and no commit taken out.
        pushed = self.remote.push({self.remote.branch: oids[-1]}, {self.remote.branch: snapshot.revision or ""})
        if pushed.answer == "accepted":
            return self._settled(self._done(plan, "changed", oids))
        if pushed.answer == "refused":
            raise refused(pushed, self.remote.branch)
        self.carried.append((plan, oids))
        return pushed

    def _settled(self, done: Published) -> Published:
        # What is pushed where others propose may leave proposals behind that are over now.
        if not done.plan.releases:
            return done
        try:
            ended = self.proposer(self.remote.at(done.commits[-1]), replace(done.plan, changeset=ChangeSet(), split=()))
        except GitopsTkError as error:
            return replace(done, problems=(replace(Problem.of(error), severity="warning"),))
        return done if isinstance(ended, Pushed) else replace(done, closed=ended.closed, problems=ended.problems)

    def _landed(self) -> Published | None:
        # A push may have arrived though its answer was lost, or though HTTP sent it twice and the second was
        # refused: it did if the branch holds the commit.
        if not self.carried:
            return None
        head = f"refs/heads/{self.remote.branch}"
        if self.remote.at(head).revision not in self.remote.made:
            self.remote.fetch(f"+{head}:{head}", f"--depth={_LOOK_BACK}")
        for plan, oids in reversed(self.carried):
            if self.remote.git.run("merge-base", "--is-ancestor", oids[-1], head).status == 0:
                return self._done(plan, "changed", oids)
        return None

    def _ended_in_vain(self, pushed: Pushed) -> Published:
        if landed := self._landed():
            return landed
        if pushed.answer == "unknown":
            raise RemoteUnreachable(
                f"the remote did not answer the push: {pushed.said}",
                hint="run the same command again: it does nothing twice",
            )
        raise RaceLost(
            f"others pushed to {self.remote.branch} first, {self.attempts} times; at last: {pushed.said}",
            hint="run the command again, or give it longer with --retry-for",
        )

    def _done(self, plan: Plan, outcome: Outcome, oids: Iterable[str]) -> Published:
        return Published(
            plan=plan, outcome=outcome, commits=tuple(oids), branch=self.remote.branch, attempts=self.attempts
        )


def proposes(plan: Plan, base: Snapshot) -> bool:
    """Whether a plan is proposed, or is about releases that are; with nothing to change it may outdate a proposal."""
    wanted = plan.publish == "pull-request" if plan.changeset.operations else bool(plan.releases)
    # An empty repository has nothing to compare a proposal with: its first commit is pushed.
    return wanted and plan.proposal is not None and base.revision is not None


def refused(pushed: Pushed, branch: str) -> PushRefused:
    """The error for a push that the remote's rules refuse."""
    return PushRefused(
        f"the remote refused the push to {branch}: {pushed.said}",
        hint="a protected branch takes proposals alone: publish: pull-request in gitops-tk.yaml",
    )
