"""Proposals as branches alone: no API is asked, and a person, or GitLab on the push, opens what is reviewed."""

import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote

from gitops_tk.config.forge import FileForge
from gitops_tk.forges.place import Place
from gitops_tk.forges.port import Unmet
from gitops_tk.model.foreign import Said
from gitops_tk.model.result import Action, Problem, PullRequest
from gitops_tk.repository.proposal import Standing
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.workflows.proposing.reviews import Step

# Where a pull request is opened by hand: {branch} and {base} come percent-encoded.
_NEW = {
    "github": "{web}/{path}/compare/{base}...{branch}?expand=1",
    "gitlab": "{web}/{path}/-/merge_requests/new"
    "?merge_request[source_branch]={branch}&merge_request[target_branch]={base}",
    "gitea": "{web}/{path}/compare/{base}...{branch}",
    "bitbucket": "{web}/{path}/pull-requests/new?source={branch}&dest={base}",
    "bitbucket-dc": "{web}/projects/{key}/repos/{name}/pull-requests?create&sourceBranch={branch}&targetBranch={base}",
    "azure": "{web}/{key}/_git/{name}/pullrequestcreate?sourceRef={branch}&targetRef={base}",
}


class Branches:
    """The proposal branches of a remote.

    Args:
        place: where the remote is; of a forge that is known there may be pull requests that nobody can ask for.
        settings: what gitops-tk.yaml says about pull requests, options of the command line included.
    """

    def __init__(self, place: Place, base: str, settings: FileForge) -> None:
        self._place = place
        self._base = base
        self._settings = settings

    def open(self, standing: Iterable[Standing], names: Collection[str]) -> set[str]:  # noqa: ARG002
        """See Reviews."""
        return {one.branch for one in standing}

    def opened_since(self, standing: Iterable[Standing]) -> set[str]:  # noqa: ARG002
        """See Reviews: a branch is under review once it is there."""
        return set()

    def known(self, branch: str) -> PullRequest:
        """See Reviews."""
        return PullRequest(branch=branch)

    def tells(self, step: Step) -> bool:  # noqa: ARG002
        """See Reviews: the commit tells of itself."""
        return True

    def write(self, base: TreeSnapshot, steps: Iterable[Step]) -> None:
        """See Reviews: the commit's message is all that there is to read."""

    def release(self, branch: str) -> Unmet | None:  # noqa: ARG002
        """See Reviews: whoever merges a mere branch looks at it then."""
        if self._place.kind == "git":
            return None
        return Unmet(f"without a token for {self._place.host} nobody can see who has approved it")

    def options(self, step: Step) -> Sequence[str]:
        """See Reviews; GitLab opens a merge request, with title and description from the commit."""
        if self._place.kind != "gitlab":
            return ()
        settings = self._settings
        return (
            "merge_request.create",
            f"merge_request.target={self._base}",
            *(f"merge_request.label={label}" for label in settings.labels),
            *(["merge_request.draft"] if settings.draft else []),
            *(["merge_request.squash"] if settings.merge_method == "squash" else []),
            *(["merge_request.merge_when_pipeline_succeeds"] if settings.auto_merge and not step.unopened else []),
        )

    def show(self, step: Step, said: str) -> tuple[PullRequest, Sequence[Problem]]:
        """See Reviews."""
        made = self._made(said)
        left = self._left(opened=made is not None, waits=step.unopened is not None) if not step.is_equal else ""
        action: Action = "unchanged" if step.is_equal else "updated" if step.is_open else "opened"
        shown = PullRequest(
            branch=step.branch,
            number=int(made[1]) if made else None,
            url=made[0] if made else None,
            action=action,
        )
        if not left:
            return shown, ()
        hint = None if self._place.kind == "git" else f"with a token for {self._place.host}, gitops-tk sets them"
        return shown, (Problem(code="forge-unmet", message=f"{left}: not set", hint=hint, severity="warning"),)

    def close(self, branch: str, reason: Said) -> None:
        """See Reviews: a branch that goes is closed, and forges close what is open for it."""

    def may_differ(self) -> bool:
        """See Reviews."""
        return False

    def advice(self, shown: Sequence[PullRequest]) -> Sequence[str]:
        """See Reviews."""
        return [line for one in shown if one.url is None for line in self._next(one.branch)]

    def _next(self, branch: str) -> Sequence[str]:
        if self._place.kind == "git":
            base = shlex.quote(self._base)
            return (
                f"The change is proposed on the branch {branch}. Review it, then merge it into {self._base}:",
                # The first one is what FETCH_HEAD means.
                f"  git fetch origin {branch} {base}",
                f"  gitops-tk verify-pr --base {shlex.quote(f'origin/{self._base}')} --head FETCH_HEAD",
                f"  git switch {base} && git merge --no-ff FETCH_HEAD && git push origin {base}",
            )
        key, _, name = self._place.path.rpartition("/")
        link = _NEW[self._place.kind].format(
            web=self._place.web,
            path=quote(self._place.path),
            key=quote(key),
            name=quote(name),
            branch=quote(branch, safe="/" if self._place.kind in ("github", "gitea") else ""),
            base=quote(self._base, safe="/" if self._place.kind in ("github", "gitea") else ""),
        )
        return (
            f"The change is proposed on the branch {branch}, without a token: open its pull request at",
            f"  {link}",
        )

    def _made(self, said: str) -> re.Match[str] | None:
        """The merge request that GitLab says it has opened."""
        if self._place.kind != "gitlab":
            return None
        at = re.escape(f"{self._place.web}/{self._place.path}/-/merge_requests/")
        return re.search(rf"{at}([1-9][0-9]{{0,9}})(?![\w/-])", said)

    def _left(self, *, opened: bool, waits: bool) -> str:
        settings = self._settings
        rest = {
            "labels": bool(settings.labels) and not opened,
            "reviewers": bool(settings.reviewers),
            "draft": settings.draft and not opened,
            "auto-merge": settings.auto_merge and (waits or not opened),
        }
        return ", ".join(name for name, wanted in rest.items() if wanted)
