"""What environments have held: the facts for gates and for verify-pr."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from gitops_tk.policy.past import Holding, Images, Past
from gitops_tk.values.document import Document
from gitops_tk.values.merge import Merged
from gitops_tk.workflows.looking_back.timeline import State, timelines, times_of
from gitops_tk.workflows.views import Views

# Beyond so many parts of the past all of it is looked at.
_MOST_SPANS = 20


def pasts(views: Views, services: Collection[str], envs: Collection[str]) -> dict[str, Past]:
    """What each service's environments have held; one look into history for all of them."""
    look = Look(views, services, envs)
    return {service: look.past(service) for service in services}


def proven(
    views: Views, wanted: Mapping[str, Images], envs: Collection[str], sources: Collection[str], length: float
) -> dict[str, Past]:
    """The same, such that some environments have held images for as long as it says, if that is long enough.

    A commit may say of itself that it changed something else, and so hide that an image went out and came back. So
    each commit is looked at within the last part, as long as is asked, of that which an environment has held.

    Args:
        wanted: the images, by their services.
        sources: those of the environments that are to have held them.
        length: what is long enough, in seconds.
    """
    times = times_of(views)
    spans = {(views.now - length, views.now)}
    while True:
        doubted = [oid for oid, time in times.items() if any(start <= time <= end for start, end in spans)]
        whole = len(spans) > _MOST_SPANS
        look = Look(views, wanted, envs, doubted=doubted, thorough=whole)
        found = {service: look.past(service) for service in wanted}
        held = [
            next((one for one in found[service].of(env, images) if one.length(views.now) >= length), None)
            for service, images in wanted.items()
            for env in sources
        ]
        ends = {views.now if one.until is None else one.until for one in held if one is not None}
        more = {(end - length, end) for end in ends} - spans
        if not more or whole:
            return found
        spans |= more


class Look:
    """One look into history: what services' environments have held, along the first parents.

    Args:
        thorough: look at every commit, also at those whose trailers say that they are about something else.
        doubted: the ids of commits that are looked at all the same.
    """

    def __init__(
        self,
        views: Views,
        services: Collection[str],
        envs: Collection[str],
        *,
        thorough: bool = False,
        doubted: Collection[str] = (),
    ) -> None:
        pairs = [(service, env) for service in services for env in envs]
        self._now = views.now
        self._envs = envs
        self._states = timelines(views, pairs, values=True, thorough=thorough, doubted=doubted) if pairs else {}

    def past(self, service: str) -> Past:
        """The images that its environments have held."""
        found = {env: list(_holdings(self._states[service, env]))[::-1] for env in self._envs}
        return Past(now=self._now, environments=found)

    def values(self, service: str, env: str) -> Iterator[Merged]:
        """What its values merged to in an environment, newest first."""
        return (state.merged for state in self._states[service, env] if state.merged is not None)

    def own(self, service: str, env: str) -> Iterator[Document]:
        """Its own values in an environment, newest first."""
        return (state.merged.own for state in self._states[service, env] if state.merged is not None)


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
