"""Rules of paths: what a pull request may do to a file at all."""

from collections.abc import Iterator

from gitops_tk.config.policy import Kind
from gitops_tk.model.snapshot import EXECUTABLE, SUBMODULE
from gitops_tk.policy.review.model import Fault, Proposal, Touched, rule

_OURS = ("values", "shared", "hold", "configuration", "chart")


@rule(
    "stale",
    summary="No file was changed on the base as well",
    reason="Nobody has seen what the two changes make together.",
    example="`replicas` was set on both sides",
    fix="bring the branch up to date with the base",
)
def stale(proposal: Proposal) -> Iterator[Fault]:
    """Files that both sides have changed."""
    for one in proposal.touched:
        if one.crossed:
            yield _at(one, f"{one.path} was changed on the base since this branch was made")


@rule(
    "mode",
    summary="Files keep their mode, and new ones are not executable",
    reason="Values, charts and configuration are read, never run.",
    example="prod.yaml becomes executable",
    fix="git update-index --chmod=-x FILE",
)
def mode(proposal: Proposal) -> Iterator[Fault]:
    """Files whose mode changes."""
    for one in proposal.touched:
        if one.place not in _OURS or one.after is None or not one.after.is_file:
            continue
        if one.before is not None and one.before.is_file and one.before.mode != one.after.mode:
            yield _at(one, f"{one.path} changes its mode from {one.before.mode:o} to {one.after.mode:o}")
        elif one.before is None and one.after.mode == EXECUTABLE:
            yield _at(one, f"{one.path} is executable")


@rule(
    "not-a-file",
    summary="No symbolic link and no submodule comes in",
    reason="A link shows a reviewer one thing and Argo CD another, and may lead out of the repository.",
    example="prod.yaml becomes a link to staging.yaml",
    fix="put the file itself there",
)
def not_a_file(proposal: Proposal) -> Iterator[Fault]:
    """Links and submodules."""
    for one in proposal.touched:
        if one.after is not None and not one.after.is_file:
            kind = "a submodule" if one.after.mode == SUBMODULE else "a symbolic link"
            yield _at(one, f"{one.path} becomes {kind}")


@rule(
    "rename",
    summary="No values, shared file or configuration is renamed",
    reason="A service would go in one place and come in another, with an image that never ran there.",
    example="services/a/envs/prod.yaml becomes services/b/envs/prod.yaml",
    fix="add the new one, and take the old one away in a pull request of its own",
)
def rename(proposal: Proposal) -> Iterator[Fault]:
    """Files that go, and whose content is elsewhere."""
    for one in _gone(proposal):
        if one.moved is not None:
            yield _at(one, f"{one.path} is renamed to {one.moved}")


@rule(
    "deletion",
    summary="No values, shared file, chart or configuration goes, but with its whole environment",
    reason="Argo CD would take the service away.",
    example="services/a/envs/prod.yaml is deleted, or its tag emptied",
    fix="if it is meant: accepts: [..., removal] in gitops-tk.yaml, in a pull request before this one",
)
def deletion(proposal: Proposal) -> Iterator[Fault]:
    """Files and images that go."""
    for one in _gone(proposal):
        if one.moved is None and not one.whole and "removal" not in _accepted(proposal, one.env):
            yield _at(one, f"{one.path} is deleted")
    for release in proposal.releases:
        for move in release.moves:
            gone = move.before is not None and move.before.version and not (move.after and move.after.version)
            if gone and release.kind != "removal":
                message = f"the image of {release.service} in {release.env} is taken away"
                yield Fault(message=message, file=release.path, service=release.service, env=release.env)


@rule(
    "unreadable",
    summary="What is written can be read, and means one thing",
    reason="What cannot be read cannot be judged, and readers disagree on what it says.",
    example="`replicas` is there twice; a hold has no reason",
    fix="mend the file; gitops-tk validate says more",
)
def unreadable(proposal: Proposal) -> Iterator[Fault]:
    """Files that cannot be read as what they are for, and services that cannot be judged for one that is there."""
    told = set[str]()
    for one in proposal.touched:
        if one.fault is not None:
            told.add(one.path)
            yield Fault(message=one.fault.message, file=one.path, line=one.fault.line, service=one.service, env=one.env)
    for blind in proposal.blind:
        if blind.path not in told:
            message = f"{blind.service} in {blind.env} cannot be judged: {blind.fault.message}"
            yield Fault(message=message, file=blind.path, line=blind.fault.line, service=blind.service, env=blind.env)


@rule(
    "hidden-characters",
    summary="No line comes with characters that people do not see",
    reason="Marks that turn the direction of writing, and spaces without width, show a reviewer another text.",
    example="a comment with U+202E, which turns what follows around",
    fix="take the characters out; an escape in quotes shows what is meant",
)
def hidden_characters(proposal: Proposal) -> Iterator[Fault]:
    """Lines with invisible characters."""
    for one in proposal.touched:
        for line in one.hidden[:10]:
            where = f"line {line} of {one.path}" if line else f"the path {one.path!a}"
            message = f"{where} holds characters that people do not see"
            yield Fault(message=message, file=one.path, line=line or None, service=one.service, env=one.env)


@rule(
    "lookalike",
    summary="No path comes that could be taken for a service's, and is none",
    reason="Argo CD's patterns may take it, or a file system that folds letters, and no rule looks at what it holds.",
    example="services/evil.x/envs/prod.yaml, or Envs/prod.yaml: a service is lower-case letters, digits and dashes",
    fix="give the service a name that is one, and the folder the letters of the layout",
)
def lookalike(proposal: Proposal) -> Iterator[Fault]:
    """Paths beside the layout."""
    for one in proposal.touched:
        if one.lookalike is not None:
            yield _at(one, f"{one.path!r} could be taken for {one.lookalike}, and is none")
        elif one.generates:
            message = f"Argo CD makes an Application of {one.path}, which is no service's values"
            yield Fault(message=message, file=one.path, warning=True)
        elif one.deploys:
            message = f"{one.path} tells Argo CD what to deploy, and no rule looks at what that is"
            yield Fault(message=message, file=one.path, warning=True)


@rule(
    "overriding-file",
    summary="No file comes that Argo CD takes over what the values and charts say",
    reason="Another image would run than the values name, and no rule would look at it.",
    example="a chart's folder gets .argocd-source-user-service-prod.yaml, which sets `image.tag`",
    fix="say it in the values; what Argo CD has written there itself is taken out",
)
def overriding_file(proposal: Proposal) -> Iterator[Fault]:
    """Files that Argo CD looks for in a chart's folder."""
    for one in proposal.touched:
        if one.overrides is not None and one.after is not None:
            yield _at(one, f"Argo CD takes {one.path} over {one.overrides}")


def _gone(proposal: Proposal) -> Iterator[Touched]:
    for one in proposal.touched:
        if one.after is not None or one.before is None:
            continue
        # A chart is refactored file by file; without its Chart.yaml it is none any more.
        if one.place in ("values", "shared", "configuration") or (
            one.place == "chart" and one.path.endswith("/Chart.yaml")
        ):
            yield one


def _accepted(proposal: Proposal, env: str | None) -> frozenset[Kind]:
    """What an environment accepts; what belongs to none, what all of them do."""
    known = [one.accepted for one in proposal.config.environments if env is None or one.name == env]
    return frozenset.intersection(*known) if known else frozenset()


def _at(one: Touched, message: str) -> Fault:
    return Fault(message=message, file=one.path, service=one.service, env=one.env)
