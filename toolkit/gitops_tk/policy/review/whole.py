"""Rules of the whole: what a pull request may be, and whether it is what its commits say."""

from collections.abc import Iterator

from gitops_tk.config.policy import KINDS
from gitops_tk.policy.review.model import DELIVERIES, Fault, Proposal, Release, Sorted, rule

_POLICY = ("configuration", "wiring")


@rule(
    "accepts",
    summary="An environment is changed only in the ways that it accepts",
    reason="gitops-tk.yaml says what pull requests may do there.",
    example="a chart is edited that reaches prod, and prod accepts promotions alone",
    fix="do it another way, or extend `accepts` in gitops-tk.yaml, in a pull request before this one",
)
def accepts(proposal: Proposal) -> Iterator[Fault]:
    """Kinds of changes that an environment does not accept."""
    accepted = {environment.name: environment.accepted for environment in proposal.config.environments}
    for part in proposal.parts:
        # What goes has a rule of its own.
        if part.kind in KINDS and part.kind != "removal" and part.kind not in accepted.get(part.env or "", KINDS):
            what = f"{part.kind} of {part.service}" if part.service else f"change of {part.kind} values"
            message = f"{part.env} accepts no {part.kind}: {what}"
            yield Fault(message=message, file=_first(part), service=part.service, env=part.env)


@rule(
    "mixed",
    summary="What brings images to an environment does nothing else",
    reason="A reviewer looks for the image, and misses what else comes with it.",
    example="a promotion to prod that also sets a key in dev, or of another service",
    fix="make two pull requests of it",
)
def mixed(proposal: Proposal) -> Iterator[Fault]:
    """What comes along with images."""
    delivered = _delivered(proposal)
    if not delivered:
        return
    env = delivered[0].env
    here = {(part.kind, part.service) for part in delivered if part.env == env}
    services = {service for _, service in here}
    for part in proposal.parts:
        if part.env == env and (part.kind, part.service) in here:
            continue
        if part.kind == "service" and part.service in services:
            # What is new comes to the environments before, too.
            continue
        companions = ("hold", "chart") if proposal.config.layout.chart_per_environment else ("hold",)
        if part.env == env and part.service in services and part.kind in companions:
            continue
        if part.kind in _POLICY and proposal.weaker:
            # It is told already, by `policy-weakened`.
            continue
        what = " of ".join(word for word in (part.kind, part.service) if word)
        where = f" in {part.env}" if part.env else ""
        message = f"images come to {env}, and with them a change of another kind: {what}{where}"
        yield Fault(message=message, file=_first(part), service=part.service, env=part.env)


@rule(
    "undeclared",
    summary="Commits of the tool change what their trailers say, and nothing else",
    reason="Whoever reads the message, or a program that reads the trailers, would be told something else.",
    example="the trailers name one service, and two are promoted",
    fix="let the tool make the commit, or take the trailers out",
)
def undeclared(proposal: Proposal) -> Iterator[Fault]:
    """What the trailers do not say."""
    said = proposal.declared
    if said is None:
        return
    for one in proposal.releases:
        if one.kind not in (*DELIVERIES, "values"):
            continue
        keys = [key.key for key in one.own] + _image_keys(one, proposal)
        for key in dict.fromkeys(keys):
            if not said.says(one.env, one.service, key):
                message = f"no trailer says that {key} of {one.service} changes in {one.env}"
                yield Fault(message=message, file=one.path, service=one.service, env=one.env)


@rule(
    "in-between",
    summary="No commit brings an image that was never tried, which a later one takes out again",
    reason="A rebase or a fast-forward keeps both commits, and the image would count as one that was there.",
    example="one commit sets v9.9.9 in staging, the next one takes it back; then prod asks for what staging has had",
    fix="make one commit of the branch: git reset --soft $(git merge-base BASE HEAD), and git commit",
)
def in_between(proposal: Proposal) -> Iterator[Fault]:
    """What comes and goes again on the way."""
    for one in proposal.passing:
        what = f"{one.said} of {one.service} to {one.env}" if one.service else one.said
        message = f"commit {one.commit[:10]} brings {what}, and it does not stay"
        yield Fault(message=message, file=one.path, service=one.service, env=one.env)


@rule(
    "policy-weakened",
    summary="What weakens the policy comes alone",
    reason="A pull request would open the door that it then goes through.",
    example="an image comes along with a shorter `soak`, a gate's program, Argo CD's manifests or .gitattributes",
    fix="make a pull request of that alone, and this one when that is merged",
)
def policy_weakened(proposal: Proposal) -> Iterator[Fault]:
    """A policy that will be weaker."""
    others = [part for part in proposal.parts if part.kind not in _POLICY]
    for one in proposal.weaker:
        yield Fault(message=f"the policy becomes weaker: {one.said}", file=one.file, warning=not others)


def _delivered(proposal: Proposal) -> list[Sorted]:
    """What brings images to where they are promoted to: deliveries, and new services that come with theirs."""
    guarded = {one.name for one in proposal.config.environments if one.from_}
    fresh = {(one.service, one.env) for one in proposal.releases if one.fresh and one.images}
    return [
        part
        for part in proposal.parts
        if part.env in guarded
        and (part.kind in DELIVERIES or (part.kind == "service" and (part.service, part.env) in fresh))
    ]


def _first(part: Sorted) -> str | None:
    return part.files[0] if part.files else None


def _image_keys(one: Release, proposal: Proposal) -> list[str]:
    found = []
    for move in one.moves if one.lower is None else ():
        keys = proposal.config.image_keys(one.service)[move.name]
        if keys.reference is not None:
            found.append(keys.reference)
            continue
        for part in ("tag", "digest", "build", "revision"):
            key = getattr(keys, part)
            if key is not None and getattr(move.before, part, None) != getattr(move.after, part, None):
                found.append(key)
    return found
