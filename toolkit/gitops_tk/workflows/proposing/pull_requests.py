"""Proposals as pull requests of a forge."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from gitops_tk.config.forge import FileForge
from gitops_tk.forges.port import Forge, Merged, PullRequest, Unmet, Wanted
from gitops_tk.model.changes import Plan
from gitops_tk.model.foreign import Said, code
from gitops_tk.model.result import Action, Problem
from gitops_tk.model.result import PullRequest as Shown
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.proposal import Standing, stem
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.workflows.proposing.reviews import Step

Page = Callable[[Snapshot, Plan], str]
# What a body ends with is not longer than this, in bytes.
FOOTER = 600

# The commit that a body tells of: a line that begins like this is in no code, where everything else stands. A forge and
# its users may have changed what is around it.
_TOLD = re.compile(r"^This tells of commit ([0-9a-f]{40}), proposed by gitops-tk\b", re.MULTILINE)
_LONGEST_TITLE = 250
# How many of the older proposals are named in a body.
_NAMED = 2
_NEW_CONTENT = "gitops-tk proposes something else here now: please look again."


class PullRequests:
    """The pull requests of a forge for one base branch.

    Args:
        settings: what gitops-tk.yaml says about pull requests, options of the command line included.
        page: makes the body that tells of a plan.
    """

    def __init__(self, forge: Forge, base: str, settings: FileForge, page: Page) -> None:
        self._forge = forge
        self._base = base
        self._settings = settings
        self._page = page
        self._pulls: dict[str, PullRequest] = {}
        self._texts: dict[str, str] = {}
        self._has_written = False

    def open(self, standing: Iterable[Standing], names: Collection[str]) -> set[str]:
        """See Reviews."""
        self._pulls = {pull.branch: pull for pull in self._forge.open_pull_requests(self._base)}
        there = {one.branch for one in standing}
        return {branch for branch in self._pulls if branch in there or stem(branch) in names}

    def opened_since(self, standing: Iterable[Standing]) -> set[str]:
        """See Reviews."""
        found = {pull.branch: pull for pull in self._forge.open_pull_requests(self._base)}
        new = found.keys() - self._pulls.keys()
        self._pulls |= {branch: found[branch] for branch in new}
        return new & {one.branch for one in standing}

    def known(self, branch: str) -> Shown:
        """See Reviews."""
        return _shown(self._pulls[branch])

    def tells(self, step: Step) -> bool:
        """See Reviews."""
        pull = self._pulls.get(step.branch)
        told = _TOLD.findall(pull.body) if pull else []
        return step.is_open and told[-1:] == [step.commit]

    def write(self, base: TreeSnapshot, steps: Iterable[Step]) -> None:
        """See Reviews."""
        untold = (step.plan for step in steps if not (step.is_equal and self.tells(step)))
        self._texts = {plan.proposal or "": self._page(base, plan) for plan in untold}

    def release(self, branch: str) -> Unmet | Pushed | None:
        """See Reviews."""
        pull = self._forge.get(self._pulls[branch].number)
        unmet = None
        if pull.state == "open":
            unmet = self._forge.disarm(pull) or self._forge.dismiss_approvals(pull, _NEW_CONTENT)
            # What cannot be taken back may have been merged just now.
            pull = self._forge.get(pull.number) if unmet else pull
        return unmet if pull.state == "open" else Pushed("raced", f"{pull.url} was {pull.state} meanwhile")

    def options(self, step: Step) -> Sequence[str]:  # noqa: ARG002
        """See Reviews."""
        return ()

    def show(self, step: Step, said: str) -> tuple[Shown, Sequence[Problem]]:  # noqa: ARG002
        """See Reviews."""
        pull = self._pulls.get(step.branch)
        if pull is not None and self.tells(step):
            return self._armed(pull, step, "unchanged", ())
        self._has_written = True
        title = _title(step.plan.subject)
        body = self._texts[step.plan.proposal or ""] + _footer(step, self._pulls)
        if pull is not None:
            return self._armed(self._forge.update(pull, title=title, body=body), step, "updated", ())
        wanted = Wanted(
            branch=step.branch,
            base=self._base,
            title=title,
            body=body,
            draft=self._settings.draft,
            labels=tuple(self._settings.labels),
            reviewers=tuple(self._settings.reviewers),
        )
        made, unmet = self._forge.create(wanted)
        return self._armed(made, step, "opened", unmet)

    def close(self, branch: str, reason: Said) -> None:
        """See Reviews."""
        self._forge.close(self._pulls[branch], reason.markdown)

    def may_differ(self) -> bool:
        """See Reviews."""
        return self._has_written

    def advice(self, shown: Sequence[Shown]) -> Sequence[str]:  # noqa: ARG002
        """See Reviews."""
        return ()

    def _armed(
        self, pull: PullRequest, step: Step, action: Action, unmet: Sequence[Unmet]
    ) -> tuple[Shown, Sequence[Problem]]:
        problems = [_problem("forge-unmet", one.reason) for one in unmet]
        if self._settings.auto_merge and not pull.armed and (gate := step.unopened):
            # Whether the forge has a required check that asks the gates, nobody can see: it may merge at once.
            said = f"auto-merge is not set yet: {gate.gate} of {gate.service} has not opened: {gate.message}"
            problems.append(_problem("gates-closed", said, "run the same command again when the gates have opened"))
        elif self._settings.auto_merge and not pull.armed:
            # What the forge has seen of the branch may be older than what was pushed to it.
            answer = self._forge.arm(replace(pull, head=step.commit), self._settings.merge_method)
            if isinstance(answer, Merged):
                action = "merged"
            elif isinstance(answer, Unmet):
                problems.append(_problem("forge-unmet", f"auto-merge is not set: {answer.reason}"))
            elif answer is not None:
                hint = "run the same command again in a while"
                problems.append(_problem("forge-not-yet", f"auto-merge is not set yet: {answer.reason}", hint))
        return _shown(pull, action), problems


def _footer(step: Step, pulls: Mapping[str, PullRequest]) -> str:
    older = [_place(old.standing.branch, pulls) for old in step.replaces]
    if step.is_open and step.found is not None and not step.is_equal:
        older.append(f"commit {step.found.commit}")
    more = f" and {len(older) - _NAMED} others" if len(older) > _NAMED else ""
    lines = [f"Takes the place of {', '.join(older[:_NAMED])}{more}."] if older else []
    lines.append(f"This tells of commit {step.commit}, proposed by gitops-tk, which keeps it up to date.")
    return "\n\n---\n" + "\n".join(lines) + "\n"


def _place(branch: str, pulls: Mapping[str, PullRequest]) -> str:
    return pulls[branch].url if branch in pulls else code(branch)


def _title(subject: str) -> str:
    return subject if len(subject) <= _LONGEST_TITLE else subject[: _LONGEST_TITLE - 1] + "…"


def _shown(pull: PullRequest, action: Action = "unchanged") -> Shown:
    return Shown(branch=pull.branch, number=pull.number, url=pull.url, action=action)


def _problem(code: str, message: str, hint: str | None = None) -> Problem:
    return Problem(code=code, message=message, hint=hint, severity="warning")
