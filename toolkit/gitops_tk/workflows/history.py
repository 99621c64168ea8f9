"""history: each change of a service's images, and of its published chart, in each environment; how it came about."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, to_builtins

from gitops_tk.config.chart import PublishedChart
from gitops_tk.config.load import load
from gitops_tk.errors import UsageError
from gitops_tk.model import moments, names
from gitops_tk.model.image import Image
from gitops_tk.model.result import Result
from gitops_tk.workflows.chart_pins import written
from gitops_tk.workflows.layers import unknown_service
from gitops_tk.workflows.looking_back.credits import credit
from gitops_tk.workflows.looking_back.timeline import State, timelines
from gitops_tk.workflows.views import Views

Held = Callable[[State], Mapping[str, Image]]


class HistoryRequest(Struct, frozen=True, kw_only=True):
    """Whose history is asked for.

    Attributes:
        envs: only these environments; empty for all.
        limit: at most so many changes, the newest.
        since: only what came since then: a date, a time, or how long ago.
    """

    service: str
    envs: tuple[str, ...] = ()
    limit: int | None = None
    since: str | None = None

    def check(self) -> None:
        """Refuses what could be no name or time.

        Raises:
            UsageError: something is not what its option takes.
        """
        names.service(self.service)
        if self.limit is not None and self.limit < 1:
            raise UsageError("--limit is at least 1", code="bad-limit")
        if self.since is not None:
            moments.since(self.since, 0.0)


class Event(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A change of one image, or of the version of a chart that is published elsewhere, in one environment.

    Attributes:
        service: the name that the service had then.
        kind: image or chart.
        image: which of its images; `chart` for the chart, whose version is the tag.
        from_: the image before; None where there was none.
        to: the image that came; None where it was taken away.
        time: when, in UTC (ISO 8601).
        author: who wrote the commit.
        command: the command that made it, where its trailers say so and the files agree; None for a change by hand.
        source: the environment that it was promoted from.
        overrides: the gates that were overridden for it, each with the reason behind its name.
        until: when the next change of this image came; None where it is there still.
        seconds: for how long it stayed, or has been there.
    """

    service: str
    env: str
    kind: str = "image"
    image: str
    from_: Image | None
    to: Image | None
    time: str
    commit: str
    author: str
    command: str | None
    source: str | None
    overrides: tuple[str, ...]
    until: str | None
    seconds: int


def history(request: HistoryRequest, views: Views) -> list[Event]:
    """The changes, newest first.

    Raises:
        MissingFile: there is no such service, and never was.
        UsageError: there is no such environment.
        GitopsTkError: the history cannot be read.
    """
    request.check()
    config = load(views.snapshot)
    envs = [config.environment(env).name for env in request.envs] or [env.name for env in config.environments]
    pairs = [(request.service, env) for env in envs]
    found = timelines(views, pairs, renames=True, values=config.chart is not None)
    if not any(found.values()):
        services = config.layout.find_services(views.snapshot)
        if request.service not in services:
            raise unknown_service(request.service, services)
    events = [pair for (_, env), states in found.items() for pair in _events(env, states, _images, views.now)]
    if config.chart is not None:
        charts = _charts(config.chart)
        events += [pair for (_, env), states in found.items() for pair in _events(env, states, charts, views.now)]
    after = moments.since(request.since, views.now) if request.since is not None else float("-inf")
    order = {commit.oid: at for at, commit in enumerate(views.history.commits())}
    events.sort(key=lambda one: (order[one[1].commit], -envs.index(one[1].env)))
    return [event for when, event in events if when >= after][: request.limit]


def result(service: str, events: Sequence[Event]) -> Result:
    """The Result that a history is printed from."""
    return Result(
        command="history",
        outcome="unchanged",
        details={"service": service, "events": [to_builtins(event) for event in events]},
    )


def _images(state: State) -> Mapping[str, Image]:
    return state.images


def _charts(chart: PublishedChart) -> Held:
    """What tells the version of a chart as if it were an image."""

    def held(state: State) -> Mapping[str, Image]:
        version = written(chart, state.merged.own) if state.merged is not None else None
        return {"chart": Image(tag=str(version))} if version else {}

    return held


def _events(env: str, states: Sequence[State], held: Held, now: float) -> list[tuple[float, Event]]:
    events: list[tuple[float, Event]] = []
    ends: dict[str, float] = {}
    for at, state in enumerate(states):
        before, after = held(states[at + 1]) if at + 1 < len(states) else {}, held(state)
        if before == after:
            continue
        said = credit(state.version, f"{env}/{state.service}", before, after)
        for name in dict.fromkeys((*after, *before)):
            if after.get(name) == before.get(name):
                continue
            end = ends.get(name)
            ends[name] = state.since
            event = Event(
                service=state.service,
                env=env,
                kind="image" if held is _images else "chart",
                image=name,
                from_=before.get(name),
                to=after.get(name),
                time=moments.iso(state.since),
                commit=state.version.commit,
                author=state.version.author,
                command=said.command if said else None,
                source=said.source if said else None,
                overrides=said.overrides if said else (),
                until=None if end is None else moments.iso(end),
                seconds=max(int((now if end is None else end) - state.since), 0),
            )
            events.append((state.since, event))
    return events
