"""What becomes of the proposals that stand when something is proposed for the same releases."""

from collections.abc import Sequence

from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Plan
from gitops_tk.model.foreign import Said
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.proposal import Standing, is_beside, stem
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.workflows.holding import read_holds
from gitops_tk.workflows.images import images_of
from gitops_tk.workflows.layers import read_layers

# Commands that take the place of what is proposed with more beside; what they propose gives way to nothing.
_URGENT = ("rollback",)
# Commands that a hold is for.
_HELD = ("bump", "promote")


def concerns(plan: Plan, one: Standing) -> bool:
    """Whether a standing proposal is about anything that the plan is about."""
    if stem(one.branch) in _stems(plan):
        return True
    return not is_beside(one.branch) and bool(one.releases & set(plan.releases))


def outdated(plan: Plan, one: Standing) -> tuple[str, ...] | None:
    """Whether a plan takes the place of a standing proposal that it concerns; None where that goes on.

    Returns:
        The releases that nothing is proposed for any more.

    Raises:
        RefusedByPolicy: both change a release, and the standing one changes others beside (`proposed-with-others`).
    """
    if stem(one.branch) in _stems(plan):
        return ()
    urgent = dict(plan.trailers).get("Gitops-Tk-Command") in _URGENT
    if is_beside(plan.proposal or "") and not urgent:
        return None
    more = tuple(sorted(one.releases - set(plan.releases)))
    if not more:
        return ()
    common = sorted(one.releases & _changed(plan))
    if not common:
        return None
    if urgent:
        return more
    others = more[0] if len(more) == 1 else f"{len(more)} others"
    raise RefusedByPolicy(
        f"{common[0]} is proposed already on {one.branch}, together with {others}",
        code="proposed-with-others",
        hint="merge or close that proposal first, or name its other services too, and it gives way to the new one",
    )


def collides(plan: Plan, one: Standing) -> bool:
    """Whether a plan and another proposal cannot both be under review."""
    try:
        return concerns(plan, one) and outdated(plan, one) is not None
    except RefusedByPolicy:
        return True


def replaces(part: Plan, one: Standing) -> bool:
    """Whether it is this part of a plan that takes the place of an outdated proposal."""
    return stem(one.branch) in _stems(part) or bool(one.releases & _changed(part))


def held(remote: Remote, base: TreeSnapshot, plan: Plan, standing: Sequence[Standing], now: float) -> dict[str, Said]:
    """Why proposals may not go on, by branch: an image that they bring is held back.

    Args:
        plan: what is proposed in place of a part of them.
        now: the time, in seconds since 1970 (UTC).
    """
    of_images = [one for one in standing if one.command in _HELD and not is_beside(one.branch)]
    if not of_images:
        return {}
    config = load(base)
    holds = read_holds(base, {pair for one in of_images for pair in _pairs(config, one)})
    found: dict[str, Said] = {}
    for one in of_images if holds else ():
        pairs = [pair for pair in _pairs(config, one) if pair in holds]
        for pair, layers in read_layers(remote.at(one.commit), config, pairs).items():
            if holds[pair].blocks(images_of(config, layers), now):
                left = sorted(one.releases - {f"{layers.env}/{layers.service}"} - _changed(plan))
                more = f". Nothing is proposed any more for {', '.join(['{}'] * len(left))}" if left else ""
                words = (layers.service, layers.env, holds[pair].shown, *left)
                found.setdefault(one.branch, Said("{} in {} is held: {}" + more, words))
    return found


def over(remote: Remote, base: TreeSnapshot, one: Standing, held: Said | None) -> Said:
    """Why a proposal that the plan concerns is over: it has landed, is held, or there is nothing left to propose.

    Args:
        held: why it is held; None where it is not.
    """
    tip = remote.at(one.commit)
    paths = changed_paths(remote.at(one.parents[0]), tip) if one.parents else []
    # By whatever way it came: merged by hand on the forge's page as well as pushed by somebody.
    if paths and tip.entries(paths) == base.entries(paths):
        return Said("What it proposes has landed: {} holds the same.", (remote.branch,))
    nothing = "There is nothing left to propose: what {} holds is what is wanted now."
    return held or Said(nothing, (remote.branch,))


def _stems(plan: Plan) -> set[str]:
    return {part.proposal for part in (plan, *plan.split) if part.proposal}


def _pairs(config: Config, one: Standing) -> list[tuple[str, str]]:
    known = {environment.name for environment in config.environments}
    split = (release.partition("/") for release in sorted(one.releases))
    return [(service, env) for env, _, service in split if env in known]


def _changed(plan: Plan) -> frozenset[str]:
    return frozenset(f"{one.env}/{one.service}" for one in plan.changeset.changes if one.env and one.service)
