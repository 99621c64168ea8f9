"""Rules of time: the gates, asked at the moment when verify-pr runs. What waits may be proposed, and not be merged."""

from collections.abc import Iterator

from gitops_tk.policy.review.model import Fault, Proposal, Release, rule

_MOST_NAMED = 5
_AGAIN = "run the check again then; --override GATE --reason TEXT where gitops-tk.yaml allows it"


@rule(
    "soak",
    summary="The source environment has held exactly this image for long enough",
    reason="Faults that take time to show are found in the source.",
    example="staging has had the image since this morning",
    fix=_AGAIN,
)
def soak(proposal: Proposal) -> Iterator[Fault]:
    """Images that have not soaked."""
    yield from _closed("soak", proposal)


@rule(
    "freeze",
    summary="Nothing but rollbacks and holds comes while a freeze holds",
    reason="Nobody is there, or nothing may go wrong.",
    example="a promotion on the day before Christmas",
    fix=_AGAIN,
)
def freeze(proposal: Proposal) -> Iterator[Fault]:
    """What comes during a freeze."""
    yield from _closed("freeze", proposal)


@rule(
    "order",
    summary="The image has been in every environment before this one",
    reason="Each environment tries something else.",
    example="staging was bumped by hand, and dev never had the image",
    fix="promote it through the environments, one after the other",
)
def order(proposal: Proposal) -> Iterator[Fault]:
    """Images that have skipped an environment."""
    yield from _closed("order", proposal)


@rule(
    "healthy",
    summary="The source environment runs the image, synced and healthy, as Argo CD reports it",
    reason="What files say is not yet what runs.",
    example="the image crashes in staging, or Argo CD cannot be asked",
    fix="see gitops-tk wait; the check needs ARGOCD_SERVER and a token",
)
def healthy(proposal: Proposal) -> Iterator[Fault]:
    """Images that do not run well in the source, as far as anybody knows."""
    yield from _closed("healthy", proposal)


@rule(
    "commands",
    summary="The programs that gitops-tk.yaml names agree",
    reason="They know what files cannot say: tests, metrics, budgets.",
    example="the program says that the error budget is spent",
    fix="verify-pr runs them with --allow-commands, as the base has them",
)
def commands(proposal: Proposal) -> Iterator[Fault]:
    """What a program refuses, or was not asked about."""
    yield from _closed("commands", proposal)


def _closed(name: str, proposal: Proposal) -> Iterator[Fault]:
    for one in proposal.releases:
        for gate in one.gates:
            if gate.name != name or gate.answer == "passed":
                continue
            when = f", until {gate.until}" if gate.until else ""
            told = f"{one.service} in {one.env}: {gate.message}{when}"
            if gate.override is not None:
                told = f"{told}; overridden: {gate.override}"
            yield Fault(
                message=told,
                file=one.path,
                service=one.service,
                env=one.env,
                hint=_hint(name, one, proposal) if name in ("soak", "freeze") else None,
                warning=gate.override is not None,
            )


def _together(one: Release, proposal: Proposal) -> str:
    # What is proposed together is proposed anew together; more than a line holds is all that differs.
    services = [other.service for other in proposal.releases if (other.kind, other.env) == (one.kind, one.env)]
    return "".join(f" {service}" for service in services) if len(services) <= _MOST_NAMED else ""


def _hint(name: str, one: Release, proposal: Proposal) -> str:
    again = "run the check again then"
    if name not in proposal.config.environment(one.env).policy.override:
        return f"{again}; {one.env} lets nobody override {name}"
    if one.kind == "promotion" and one.sources:
        command = f"promote {one.sources[0]} {one.env}{_together(one, proposal)}"
    elif one.kind == "values":
        command = f"values set {one.service} -e {one.env} KEY=VALUE"
    else:
        return f"{again}, or let the tool make the change with --override {name} --reason TEXT"
    return f"{again}, or propose it with: gitops-tk {command} --override {name} --reason TEXT"
