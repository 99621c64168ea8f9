"""The environments of gitops-tk.yaml, in promotion order."""

import re

from gitops_tk.config import model
from gitops_tk.config.gates import policy
from gitops_tk.config.lines import Path
from gitops_tk.config.model import Environment
from gitops_tk.config.source import Source
from gitops_tk.model import names

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def environments(source: Source) -> list[Environment]:
    """The environments in promotion order, with their defaults.

    Raises:
        ConfigError: two are the same, one is promoted from what is none, or promotions go in a circle.
    """
    written = source.content.get("environments")
    if not isinstance(written, list) or not written:
        raise source.error(("environments",), "config-value", "environments must be a list of at least one environment")
    found: list[model.FileEnvironment] = []
    known: set[str] = set()
    paths: set[str] = set()
    for position in range(len(written)):
        place: Path = ("environments", position)
        one = source.convert(place, model.FileEnvironment, {"gates"})
        source.check((*place, "name"), names.environment, one.name)
        if one.name in known:
            raise source.error(
                (*place, "name"), "config-duplicate-environment", f"there are two environments {one.name}"
            )
        path = one.name if one.path is None else one.path
        if not _SEGMENT.fullmatch(path):
            raise source.error((*place, "path"), "config-value", f"path {path!r} is not a path segment")
        if path.casefold() in paths:
            raise source.error(
                (*place, "path"), "config-duplicate-environment", f"two environments have the path {path}"
            )
        known.add(one.name)
        paths.add(path.casefold())
        found.append(one)
    return _ordered(source, found)


def _ordered(source: Source, found: list[model.FileEnvironment]) -> list[Environment]:
    known = [one.name for one in found]
    environments = []
    for position, one in enumerate(found):
        place: Path = ("environments", position, "from")
        before = (known[position - 1],) if position else ()
        sources = before if one.from_ is None else tuple(one.from_)
        if len(set(sources)) != len(sources):
            raise source.error(place, "config-value", f"{one.name} names an environment twice in from")
        source.check_environments(place, sources, known, f"{one.name} is promoted from")
        environments.append(
            Environment(
                name=one.name,
                path=one.path or one.name,
                from_=sources,
                publish=one.publish,
                push_now=one.push_now,
                policy=policy(source, ("environments", position), one, sources),
            )
        )
    _check_circles(source, environments)
    return environments


def _check_circles(source: Source, environments: list[Environment]) -> None:
    sources = {environment.name: environment.from_ for environment in environments}
    waiting = {name: len(came) for name, came in sources.items()}
    targets: dict[str, list[str]] = {}
    for name, came in sources.items():
        for one in came:
            targets.setdefault(one, []).append(name)
    ready = [name for name, count in waiting.items() if not count]
    settled: set[str] = set()
    while ready:
        settled.add(one := ready.pop())
        for name in targets.get(one, ()):
            waiting[name] -= 1
            if not waiting[name]:
                ready.append(name)
    if len(settled) < len(sources):
        circle = _circle(sources, settled)
        first = next(at for at, name in enumerate(sources) if name in circle)
        raise source.error(
            ("environments", first, "from"),
            "config-circle",
            f"promotions go in a circle: {' from '.join([*circle, circle[0]])}",
        )


def _circle(sources: dict[str, tuple[str, ...]], settled: set[str]) -> list[str]:
    # Whoever is not settled waits for another that is not: following them comes back somewhere.
    walked = [next(name for name in sources if name not in settled)]
    while True:
        following = next(name for name in sources[walked[-1]] if name not in settled)
        if following in walked:
            return walked[walked.index(following) :]
        walked.append(following)
