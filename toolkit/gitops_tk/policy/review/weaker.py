"""In which ways one policy is weaker than another: what a reviewer of gitops-tk.yaml has to see."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import get_args

from gitops_tk.config.argocd import Argocd, PodSecurity
from gitops_tk.config.model import Config, Environment
from gitops_tk.config.policy import Gates
from gitops_tk.model.durations import exact


def weaker(before: Config, after: Config, now: float) -> tuple[str, ...]:
    """What `after` lets through that `before` does not, each in a few words.

    Args:
        now: windows that are over are nobody's loss.
    """
    known = {one.name: one for one in after.environments}
    found = []
    for one in before.environments:
        if one.name in known:
            found += [f"{one.name}: {said}" for said in _environment(one, known[one.name], known, now)]
    found += list(_common(before, after))
    found += list(_argocd(before, after))
    return tuple(found)


def _environment(
    before: Environment, after: Environment, known: Mapping[str, Environment], now: float
) -> Iterator[str]:
    new = {source for source in after.from_ if not _passes(source, before.from_, known)}
    if new or (before.from_ and not after.from_):
        yield f"images may come from {', '.join(sorted(new)) or 'anywhere'}"
    if before.publish == "pull-request" and after.publish == "push":
        yield "changes are pushed without a pull request"
    if after.push_now and not before.push_now:
        yield "--push-now is allowed"
    if before.path != after.path:
        yield f"its files move from {before.path} to {after.path}, and those that are left are judged by nobody"
    old, new_ = before.policy, after.policy
    if old.protected != new_.protected and old.protected:
        yield f"protected keys were {', '.join(old.protected)}, and are {', '.join(new_.protected) or 'none'}"
    more = set(new_.override) - set(old.override)
    if more:
        yield f"{', '.join(sorted(more))} may be overridden"
    kinds = after.accepted - before.accepted
    if kinds:
        yield f"{', '.join(sorted(kinds))} is accepted"
    yield from _gates(old.gates, new_.gates, now)


def _passes(env: str, sources: Collection[str], known: Mapping[str, Environment]) -> bool:
    """Whether what comes from an environment has been in one of these: an environment put in between is no shortcut."""
    before = known[env].from_
    return env in sources or (bool(before) and all(_passes(one, sources, known) for one in before))


def _gates(before: Gates, after: Gates, now: float) -> Iterator[str]:
    if before.soak is not None and (after.soak or 0) < before.soak:
        yield f"soak was {exact(before.soak)}, and is {exact(after.soak) if after.soak else 'none'}"
    for name in ("order", "healthy"):
        if getattr(before, name) and not getattr(after, name):
            yield f"the gate {name} goes"
    for one in before.freeze:
        if one not in after.freeze and not one.is_over(now):
            yield f"a freeze goes or changes: {one.reason}"
    kept = set(after.commands)
    for command in before.commands:
        if command not in kept:
            yield f"the command {command.name} goes or changes"
    if (after.approvals or 0) < (before.approvals or 0):
        yield f"{before.approvals} approvals become {after.approvals or 'none'}"


def _common(before: Config, after: Config) -> Iterator[str]:
    services = {*before.travelling, *after.travelling, *before.services, *after.services}
    if list(before.promotion.keys) != list(after.promotion.keys) and after.promotion.keys:
        yield f"the keys that travel become {', '.join(after.promotion.keys)}"
    for service in sorted(services):
        keys = list(after.promotion_keys(service))
        own = service in after.travelling or list(before.promotion.keys) == list(after.promotion.keys)
        if own and keys != list(before.promotion_keys(service)) and keys:
            yield f"the keys of {service} that travel become {', '.join(keys)}"
    differs: list[tuple[str, Callable[[Config], object]]] = [
        ("the layout", lambda config: config.layout.templates),
        ("where images are", lambda config: config.images),
        ("the published chart", lambda config: config.chart),
    ]
    for what, of in differs:
        if of(before) != of(after):
            yield f"{what} changes"
    for service in sorted({*before.services, *after.services}):
        if before.image_keys(service) != after.image_keys(service) and before.images == after.images:
            yield f"where the images of {service} are changes"
    for listed, more in ((before.verify, after.verify), (before.validate.off, after.validate.off)):
        known = {(one.rule, one.services, one.environments) for one in listed}
        for off in more:
            if (off.rule, off.services, off.environments) not in known:
                yield f"the rule {off.rule} is switched off: {off.reason}"


def _argocd(before: Config, after: Config) -> Iterator[str]:
    """What Argo CD would deploy from elsewhere, to elsewhere, or with less care."""
    old, new = before.argocd, after.argocd
    if old is None:
        return
    if new is None:
        yield "the section argocd goes, and nothing is held to it"
        return
    for key in ("repository", "revision", "project", "installed_in", "application"):
        was, is_ = getattr(old, key), getattr(new, key)
        if was != is_:
            yield f"argocd.{key.replace('_', '-')} was {was}, and is {is_}"
    levels = get_args(PodSecurity)
    if levels.index(new.pod_security) > levels.index(old.pod_security):
        yield f"argocd: Pod Security was {old.pod_security}, and is {new.pod_security}"
    taken = {_destination(old, name): name for name in old.environments}
    for name in new.environments:
        other = taken.get(_destination(new, name), name)
        if other != name:
            yield f"argocd: {name} is deployed to where {other} is"
        elif name in old.environments:
            yield from (f"{name}: {said}" for said in _deployed(old, new, name))


def _deployed(old: Argocd, new: Argocd, env: str) -> Iterator[str]:
    before, after = old.environments[env], new.environments[env]
    if _destination(old, env) != _destination(new, env):
        yield f"it is deployed to {after.cluster or after.server} in {after.namespace}"
    for key, what in (
        ("protect", "Applications go with their values files"),
        ("self_heal", "what is changed in the cluster is not changed back"),
        ("prune", "what is gone from git stays in the cluster"),
    ):
        if getattr(before, key) and not getattr(after, key):
            yield what


def _destination(argocd: Argocd, env: str) -> tuple[str, str]:
    settings = argocd.environments[env]
    return settings.cluster or settings.server or "", settings.namespace.replace("{env}", env)
