"""Proposals: what is reviewed before it lands, at most one for a service and environment (docs/proposals.md).

A proposal is a branch with one commit; where it is reviewed, as a forge's pull request or as the branch alone, is
behind `Reviews`. No approval ever stands for content that its giver has not seen.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.errors import RepositoryError
from gitops_tk.model.changes import Plan
from gitops_tk.model.foreign import Link, Said
from gitops_tk.model.result import Closed, Problem, PullRequest
from gitops_tk.repository import proposal
from gitops_tk.repository.proposal import Standing
from gitops_tk.repository.publish import Published
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.workflows.proposing import overlaps
from gitops_tk.workflows.proposing.reviews import Replaced, Reviews, Step


class Outlook(Struct, frozen=True, kw_only=True):
    """What a plan means for the proposals that stand.

    Attributes:
        standing: all that were looked at, by branch.
        over: those that are to be closed with nothing in their place, each with the reason.
        problems: those that somebody has worked on, and that stay for that, as warnings.
    """

    steps: tuple[Step, ...]
    standing: Mapping[str, Standing]
    over: tuple[tuple[Standing, Said], ...] = ()
    problems: tuple[Problem, ...] = ()


class _LostRace(Exception):
    def __init__(self, pushed: Pushed) -> None:
        super().__init__(pushed.said)
        self.pushed = pushed


class Proposals:
    """The proposals of a remote: `publish` hands them what is not pushed.

    Args:
        now: the time, in seconds since 1970 (UTC).
    """

    def __init__(self, remote: Remote, reviews: Reviews, now: float) -> None:
        self._remote = remote
        self._reviews = reviews
        self._now = now
        # What the earlier tries of this command have done.
        self._shown: dict[str, PullRequest] = {}
        self._closed: dict[str, Closed] = {}

    def look(self, base: TreeSnapshot, plan: Plan) -> Outlook:
        """What a plan means for the proposals that stand; nothing is written.

        Raises:
            RefusedByPolicy: an older proposal changes more than this one (`proposed-with-others`).
            RepositoryError: a person has committed on a branch that would be replaced (`proposal-edited`).
        """
        standing = {one.branch: one for one in proposal.find(self._remote, _pattern(plan))}
        parts = plan.commits if plan.changeset.operations else ()
        under_review = self._reviews.open(standing.values(), {part.proposal or "" for part in parts})
        steps = [self._step(part, standing, under_review) for part in parts]
        # An equal one is gone on with as well: what stands beneath its commit would land together with it.
        proposal.require_own(self._remote, base, *(step.found for step in steps if step.found))
        left = (under_review & standing.keys()) - {step.branch for step in steps}
        others = [standing[branch] for branch in sorted(left) if overlaps.concerns(plan, standing[branch])]
        held = overlaps.held(self._remote, base, plan, others, self._now)
        over: list[tuple[Standing, Said]] = []
        problems: list[Problem] = []
        for one in others:
            gone = None if one.branch in held else overlaps.outdated(plan, one)
            successors = [at for at, step in enumerate(steps) if gone is not None and overlaps.replaces(step.plan, one)]
            if gone is not None and successors:
                proposal.require_own(self._remote, base, one)
                for at in successors:
                    steps[at] = replace(steps[at], replaces=(*steps[at].replaces, Replaced(one, gone)))
            elif gone is not None or one.branch in held:
                try:
                    proposal.require_own(self._remote, base, one)
                except RepositoryError as error:
                    problems.append(replace(Problem.of(error), severity="warning"))
                else:
                    over.append((one, overlaps.over(self._remote, base, one, held.get(one.branch))))
        return Outlook(steps=tuple(steps), standing=standing, over=tuple(over), problems=tuple(problems))

    def propose(self, base: TreeSnapshot, plan: Plan) -> Published | Pushed:
        """Brings a plan's proposals under review, and closes those that it outdates.

        Returns:
            How they stand, or the remote's answer where somebody else was first.

        Raises:
            PushRefused: the remote's rules refuse a branch.
            ForgeError, LoginFailed: the forge does not do what it is asked for.
            GitopsTkError: see `look`.
        """
        outlook = self.look(base, plan)
        steps = self._committed(base, outlook.steps)
        self._reviews.write(base, steps)
        try:
            pushed = self._pushed(base, steps, outlook.standing)
            self._require_alone(plan, [step for step, _ in pushed], outlook.standing)
        except _LostRace as race:
            return race.pushed
        problems = list(outlook.problems)
        for step, said in pushed:
            shown, unmet = self._reviews.show(step, said)
            self._remember(step, shown)
            problems += unmet
        try:
            self._require_alone_under_review(plan, [step for step, _ in pushed])
        except _LostRace as race:
            return race.pushed
        problems += self._close(outlook.over, [step for step, _ in pushed])
        if self._reviews.may_differ():
            tips = proposal.tips(self._remote, [step.branch for step, _ in pushed])
            if any(tips.get(step.branch) != step.commit for step, _ in pushed):
                # Whoever was faster has told of its own commit, or will: one of the two has to be the last.
                return Pushed("raced", "another command proposes something else on the same branch")
        return self._published(plan, [step for step, _ in pushed], problems)

    def planned(self, base: TreeSnapshot, plan: Plan) -> tuple[Sequence[PullRequest], Sequence[Closed]]:
        """What `propose` would bring under review, and what it would close.

        Raises:
            GitopsTkError: see `look`.
        """
        outlook = self.look(base, plan)
        for step in outlook.steps:
            known = self._reviews.known(step.branch) if step.is_open else PullRequest(branch=step.branch)
            action = "opened" if not step.is_open else "unchanged" if step.is_equal else "updated"
            self._shown[step.branch] = replace(known, action=action)
        ending = [*outlook.over, *((old.standing, _superseded(old, by)) for old, by in self._replaced(outlook.steps))]
        return tuple(self._shown.values()), tuple(self._closing(one, reason) for one, reason in ending)

    def _step(self, part: Plan, standing: Mapping[str, Standing], under_review: Iterable[str]) -> Step:
        name = part.proposal or ""
        mine = [branch for branch in under_review if proposal.stem(branch) == name]
        branch = max(mine, key=proposal.number) if mine else name
        found = standing.get(branch)
        equal = found is not None and proposal.is_equal(self._remote, found, part)
        return Step(plan=part, branch=branch, found=found, is_open=bool(mine), is_equal=equal)

    def _committed(self, base: TreeSnapshot, steps: Iterable[Step]) -> list[Step]:
        plans = [step.plan for step in steps if not step.is_equal]
        made = iter(self._remote.commit(base, plans, chained=False) if plans else ())
        return [
            replace(step, commit=step.found.commit if step.is_equal and step.found else next(made)) for step in steps
        ]

    def _pushed(
        self, base: TreeSnapshot, steps: Iterable[Step], standing: Mapping[str, Standing]
    ) -> list[tuple[Step, str]]:
        """The steps with their content on their branches, and what the remote said to each."""
        done = {step.plan.proposal: (step, "") for step in steps}
        # Content that is there, and not told of, came from a command that died before its second look.
        unseen = [step for step in steps if not step.is_equal or (step.is_open and not self._reviews.tells(step))]
        wanted = [safe for step in unseen for safe in [self._safe(step, base, standing)] if not safe.is_equal]
        while wanted:
            for step, said in self._push(wanted):
                done[step.plan.proposal] = (step, said)
            # Somebody may have approved, or armed it, between the last look and the push.
            looked = [(step, self._safe(step, base, standing, step.commit)) for step in wanted]
            wanted = [safe for step, safe in looked if safe is not step]
        return list(done.values())

    def _require_alone(self, plan: Plan, steps: Sequence[Step], standing: Mapping[str, Standing]) -> None:
        """Gives way where somebody proposes for the same releases on another branch, at this very time.

        Both push first and look then, and so one of the two sees the other.
        """
        known = {one.branch: one.commit for one in standing.values()} | {step.branch: step.commit for step in steps}
        known |= {old.standing.branch: old.standing.commit for step in steps for old in step.replaces}
        if _fresh(steps) and plan.releases:
            self._give_way(plan, steps, proposal.others(self._remote, _pattern(plan), known))

    def _require_alone_under_review(self, plan: Plan, steps: Sequence[Step]) -> None:
        """The same for a proposal that had its branch, and was not under review yet, when this command looked."""
        if _fresh(steps) and plan.releases:
            there = proposal.find(self._remote, _pattern(plan))
            since = self._reviews.opened_since(there)
            self._give_way(plan, steps, [one for one in there if one.branch in since], shown=True)

    def _give_way(self, plan: Plan, steps: Sequence[Step], others: Iterable[Standing], *, shown: bool = False) -> None:
        mine = {step.branch for step in steps}
        for one in others:
            if one.branch in mine or not overlaps.collides(plan, one):
                continue
            fresh = _fresh(steps)
            for branch in fresh if shown else ():
                self._reviews.close(branch, Said("{} was proposed at the same time.", (one.branch,)))
            self._remote.push(dict.fromkeys(fresh, ""), fresh)
            raise _LostRace(Pushed("raced", f"{one.branch} was proposed at the same time"))

    def _safe(
        self, step: Step, base: TreeSnapshot, standing: Mapping[str, Standing], pushed: str | None = None
    ) -> Step:
        """The step where its content may change, or one on a new branch that takes its place.

        Args:
            pushed: the commit that the branch is at by now, if that is not what was found.
        """
        if not step.is_open:
            return step
        unmet = self._reviews.release(step.branch)
        if unmet is None:
            return step
        if isinstance(unmet, Pushed):
            raise _LostRace(unmet)
        branch = proposal.successor(step.branch)
        found = standing.get(branch)
        if found is not None:
            proposal.require_own(self._remote, base, found)
        old = step.found or Standing(branch=step.branch, commit="", parents=(), message="")
        old = replace(old, commit=pushed or old.commit)
        replaces = (*step.replaces, Replaced(old, because=unmet.reason))
        return replace(step, branch=branch, found=found, is_open=False, is_equal=False, replaces=replaces)

    def _push(self, steps: Sequence[Step]) -> Iterable[tuple[Step, str]]:
        options = {step.branch: self._reviews.options(step) for step in steps}
        together = [step for step in steps if not options[step.branch]]
        for part in ([together] if together else []) + [[step] for step in steps if options[step.branch]]:
            pushed = proposal.push(
                self._remote,
                {step.branch: step.commit for step in part},
                {step.branch: step.found.commit for step in part if step.found},
                options[part[0].branch],
            )
            if pushed.answer != "accepted":
                raise _LostRace(pushed)
            yield from ((step, pushed.said) for step in part)

    def _close(self, over: Iterable[tuple[Standing, Said]], steps: Sequence[Step]) -> list[Problem]:
        ending = [*over, *((old.standing, _superseded(old, by)) for old, by in self._replaced(steps))]
        if not ending:
            return []
        for one, reason in ending:
            self._closed[one.branch] = self._closing(one, reason)
            self._reviews.close(one.branch, reason)
        leases = {one.branch: one.commit for one, _ in ending if one.commit}
        if not leases:
            return []
        pushed = self._remote.push(dict.fromkeys(leases, ""), leases)
        # Where somebody was faster, the branch is somebody's now.
        if pushed.answer in ("accepted", "raced"):
            return []
        said = f"nothing is proposed on {', '.join(leases)} any more, and that cannot be deleted: {pushed.said}"
        return [Problem(code="branch-left", message=said, severity="warning")]

    def _replaced(self, steps: Iterable[Step]) -> list[tuple[Replaced, list[PullRequest]]]:
        found: dict[str, tuple[Replaced, list[PullRequest]]] = {}
        for step in steps:
            for old in step.replaces:
                by = self._shown.get(step.branch) or PullRequest(branch=step.branch)
                found.setdefault(old.standing.branch, (old, []))[1].append(by)
        return list(found.values())

    def _closing(self, one: Standing, reason: Said) -> Closed:
        known = self._reviews.known(one.branch)
        return Closed(branch=one.branch, number=known.number, url=known.url, reason=reason.plain)

    def _remember(self, step: Step, shown: PullRequest) -> None:
        before = self._shown.get(step.branch)
        if shown.action == "unchanged" and before is not None:
            shown = replace(shown, action=before.action)
        elif shown.action == "unchanged" and step.commit in self._remote.made:
            shown = replace(shown, action="updated" if step.is_open else "opened")
        self._shown[step.branch] = shown

    def _published(self, plan: Plan, steps: Sequence[Step], problems: Iterable[Problem]) -> Published:
        shown = tuple(self._shown[step.branch] for step in steps)
        return Published(
            plan=plan,
            outcome="proposed" if any(one.action != "unchanged" for one in shown) else "unchanged",
            commits=tuple(step.commit for step in steps),
            branch=self._remote.branch,
            pull_requests=shown,
            closed=tuple(self._closed.values()),
            problems=tuple(problems),
            advice=tuple(self._reviews.advice(shown)),
        )


def _pattern(plan: Plan) -> str:
    name = (plan.proposal or "").removeprefix(proposal.PREFIX)
    # Where nothing else is concerned there is no need to look at all that is proposed for the environment.
    return f"{name.rpartition('/')[0]}/*" if plan.releases or plan.split else f"{name}*"


def _fresh(steps: Iterable[Step]) -> dict[str, str]:
    """The commits of the branches that are new with this command."""
    return {step.branch: step.commit for step in steps if step.found is None and not step.is_open}


def _superseded(old: Replaced, by: Iterable[PullRequest]) -> Said:
    places = [("{}", Link(one.url)) if one.url else ("the branch {}", one.branch) for one in by]
    place, words = ", ".join(form for form, _ in places), tuple(word for _, word in places)
    if old.because:
        return Said("What it proposes has changed, and {}. In its place: " + place, (old.because, *words))
    left = f" Nothing is proposed any more for {', '.join(['{}'] * len(old.left))}." if old.left else ""
    return Said(f"Superseded by {place}.{left}", (*words, *old.left))
