"""What environments have held: the facts for gates and for verify-pr."""

from collections.abc import Collection, Iterable, Iterator

from gitops_tk.policy.past import Holding, Past
from gitops_tk.values.merge import Merged
from gitops_tk.workflows.looking_back.timeline import State, timelines
from gitops_tk.workflows.views import Views


def pasts(views: Views, services: Collection[str], envs: Collection[str]) -> dict[str, Past]:
    """What each service's environments have held; one look into history for all of them."""
    look = Look(views, services, envs)
    return {service: look.past(service) for service in services}


class Look:
    """One look into history: what services' environments have held, along the first parents.

    Args:
        thorough: look at every commit, also at those whose trailers say that they are about something else.
    """

    def __init__(
        self, views: Views, services: Collection[str], envs: Collection[str], *, thorough: bool = False
    ) -> None:
        pairs = [(service, env) for service in services for env in envs]
        self._now = views.now
        self._envs = envs
        self._states = timelines(views, pairs, values=True, thorough=thorough) if pairs else {}

    def past(self, service: str) -> Past:
        """The images that its environments have held."""
        found = {env: list(_holdings(self._states[service, env]))[::-1] for env in self._envs}
        return Past(now=self._now, environments=found)

    def values(self, service: str, env: str) -> Iterator[Merged]:
        """What its values merged to in an environment, newest first."""
        return (state.merged for state in self._states[service, env] if state.merged is not None)


def _holdings(states: Iterable[State]) -> Iterator[Holding]:
    """The images of some states, newest first, as they were held, oldest first."""
    before: State | None = None
    for state in [*states][::-1]:
        if before is not None and state.images == before.images:
            continue
        if before is not None and before.images:
            yield _holding(before, state.since)
        before = state
    if before is not None and before.images:
        yield _holding(before, None)


def _holding(state: State, until: float | None) -> Holding:
    return Holding(images=state.images, since=state.since, until=until, commit=state.version.commit)
