"""Layout templates, both ways: a service and an environment to a path, and a path back to what it is.

A placeholder is a path segment or a part of one: `{service}`, a DNS label, and `{env}`, one of the
environments' paths. Because both are known sets, a template either reads every path in one way, or is refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from gitops_tk.config.template import PLACEHOLDER, Pattern, TemplateError, check, overlap, overlaps, pattern
from gitops_tk.model.names import DNS_LABEL
from gitops_tk.model.snapshot import FOLDER, Snapshot

_OURS = (".gitops-tk", "gitops-tk.yaml")
HOLDS = ".gitops-tk/holds"
DEFAULTS = {
    "chart": "services/{service}/chart",
    "values": "services/{service}/envs/{env}.yaml",
    "shared": "envs/{env}.yaml",
}
_NEEDS = {
    "chart": ({"service"}, set[str]()),
    "values": ({"service", "env"}, set[str]()),
    "shared": ({"env"}, {"service"}),
}


class Placed(Protocol):
    """What a layout needs to know of an environment."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def path(self) -> str:
        """What `{env}` is in paths."""


class LayoutError(ValueError):
    """A template that cannot work; `key` says which."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class Layout:
    """The three templates of a repository.

    Args:
        templates: `chart`, `values` and `shared`; shared may be None.
        environments: those that the repository has.
        published: `chart` is the address of one that is published elsewhere, and no path of any repository.

    Raises:
        LayoutError: a template leaves the repository, lacks a placeholder, or two readings of a path are possible.
    """

    def __init__(
        self, templates: Mapping[str, str | None], environments: Sequence[Placed], *, published: bool = False
    ) -> None:
        self.templates = {key: text for key, text in templates.items() if text is not None}
        self._names = {environment.path: environment.name for environment in environments}
        self._inside = {key: text for key, text in self.templates.items() if not (published and key == "chart")}
        for key, text in self._inside.items():
            _check(key, text)
        self._check_apart()

    @property
    def chart_per_environment(self) -> bool:
        """Whether each environment has its own copy of a chart."""
        return "{env}" in self.templates["chart"]

    def values_path(self, service: str, env: Placed) -> str:
        """Where a service's own values in an environment are."""
        return _filled(self.templates["values"], service, env.path)

    def chart_path(self, service: str, env: Placed) -> str:
        """The folder of a service's chart; of one that is published elsewhere its address, which is no path."""
        return _filled(self.templates["chart"], service, env.path)

    def shared_path(self, env: Placed) -> str | None:
        """Where the values that services share in an environment are, or None if the layout has none."""
        template = self.templates.get("shared")
        return _filled(template, "", env.path) if template else None

    @staticmethod
    def hold_path(service: str, env: str) -> str:
        """Where a service's hold in the environment of this name is."""
        return f"{HOLDS}/{env}/{service}.yaml"

    @staticmethod
    def match_hold(path: str) -> tuple[str, str] | None:
        """The service and the environment's name whose hold a path is, or None."""
        parts = path.removeprefix(f"{HOLDS}/").removesuffix(".yaml").split("/")
        return (parts[1], parts[0]) if len(parts) == 2 and path == Layout.hold_path(parts[1], parts[0]) else None

    def match_values(self, path: str) -> tuple[str, str] | None:
        """The service and the environment's name whose values a path is, or None."""
        match = self._patterns["values"].fullmatch(path)
        return (match["service"], self._names[match["env"]]) if match else None

    def match_shared(self, path: str) -> str | None:
        """The name of the environment whose shared values a path is, or None."""
        match = self._patterns["shared"].fullmatch(path) if "shared" in self._patterns else None
        return self._names[match["env"]] if match else None

    def match_chart(self, path: str) -> tuple[str, str | None] | None:
        """The service, and the environment's name where each has its own, of the chart that a path is, or is in."""
        match = re.match(self._patterns["chart"].pattern + r"(?=/|\Z)", path) if "chart" in self._patterns else None
        if not match:
            return None
        env = match.groupdict().get("env")
        return match["service"], self._names[env] if env else None

    def find_services(
        self, snapshot: Snapshot, environments: Iterable[Placed] | None = None
    ) -> dict[str, tuple[str, ...]]:
        """The services, by name, with the names of the environments in which they have values.

        Args:
            environments: look in these alone; None for all.
        """
        wanted = set(self._names) if environments is None else {environment.path for environment in environments}
        level = [""]
        segments = self.templates["values"].split("/")
        for depth, segment in enumerate(segments):
            wanted_names = re.compile(_segment_pattern(segment, sorted(wanted)))
            last = depth == len(segments) - 1
            listed = snapshot.children(level)
            level = [
                entry.path
                for folder in level
                for entry in listed.get(folder, ())
                if wanted_names.fullmatch(entry.path.rpartition("/")[2])
                and (entry.is_file if last else entry.mode == FOLDER)
            ]
        found: dict[str, set[str]] = {}
        for path in level:
            match = self.match_values(path)
            if match:
                found.setdefault(match[0], set()).add(match[1])
        order = list(self._names.values())
        return {service: tuple(sorted(found[service], key=order.index)) for service in sorted(found)}

    def find_gone(self, before: Snapshot, after: Snapshot, env: Placed) -> list[str]:
        """The services whose values in an environment are there before and not after, by name.

        Folders that are the same on both sides are not looked into.
        """
        level = [""]
        for segment in self.templates["values"].split("/"):
            names = re.compile(_segment_pattern(segment, [env.path]))
            ours, theirs = before.children(level), after.children(level)
            level = [
                entry.path
                for folder, entries in ours.items()
                for entry in entries
                if names.fullmatch(entry.path.rpartition("/")[2])
                and not (entry.oid and entry in theirs.get(folder, ()))
            ]
        there = after.entries(level)
        matches = (self.match_values(path) for path in level if path not in there)
        return sorted(match[0] for match in matches if match)

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        paths = sorted(self._names)
        patterns = {}
        for key, text in self._inside.items():
            seen: set[str] = set()
            patterns[key] = re.compile("/".join(_segment_pattern(part, paths, seen) for part in text.split("/")))
        return patterns

    def _check_apart(self) -> None:
        envs = sorted(self._names)
        found: dict[str, list[Pattern]] = {}
        for key in ("values", "shared", "chart"):
            text = self._inside.get(key, "")
            patterns = [pattern(text, env) for env in (envs if "{env}" in text else [""])]
            found |= {key: patterns} if text and patterns else {}
        for key, patterns in found.items():
            for one in patterns:
                if any(overlap((name,), one) for name in _OURS) or any(overlap((".git",), (part,)) for part in one):
                    raise LayoutError(key, f"{self.templates[key]!r} could be a place that is git's or gitops-tk's own")
        keys = list(found)
        for at, key in enumerate(keys):
            pairs = ((other, _first_overlap(found[key], found[other], key == other)) for other in keys[at:])
            met = [(*pair, other) for other, pair in pairs if pair]
            if met:
                first, second, other = min(met, key=lambda pair: pair[0])
                raise LayoutError(key, self._met(key, other, envs[first], envs[second]))

    def _met(self, key: str, other: str, env: str, other_env: str) -> str:
        """What is wrong where two templates could be the same path, or one template in two environments."""
        if key == other:
            return f"{self.templates[key]!r} cannot tell {env} from {other_env}: use '.' or '/'"
        if other == "chart" and self.templates[key].startswith(f"{self.templates[other]}/"):
            # A template may read any file of its chart (.Files): values of dev would be in prod, too.
            return f"{self.templates[key]} is a file of the chart {self.templates[other]}: keep them apart"
        return f"{self.templates[key]} and {other}: {self.templates[other]} could be the same path"


def _check(key: str, text: str) -> None:
    try:
        check(text)
    except TemplateError as error:
        raise LayoutError(key, str(error)) from error
    names = set(PLACEHOLDER.findall(text))
    needed, forbidden = _NEEDS[key]
    if needed - names:
        raise LayoutError(key, f"{text!r} lacks {' and '.join('{' + name + '}' for name in sorted(needed - names))}")
    if forbidden & names:
        raise LayoutError(key, f"{text!r} must not hold {{service}}: all services share it")


def _first_overlap(ones: Sequence[Pattern], others: Sequence[Pattern], same: bool) -> tuple[int, int] | None:
    return next((pair for pair in overlaps(ones, others) if not same or pair[0] < pair[1]), None)


def _filled(template: str, service: str, env: str) -> str:
    return template.replace("{service}", service).replace("{env}", env)


def _segment_pattern(segment: str, paths: Sequence[str], seen: set[str] | None = None) -> str:
    parts = PLACEHOLDER.split(segment)
    sources = {"service": DNS_LABEL, "env": "|".join(re.escape(path) for path in paths) or r"(?!)"}
    source = ""
    for position, part in enumerate(parts):
        if position % 2 == 0:
            source += re.escape(part)
        elif seen is None or part in seen:
            source += f"(?P={part})" if seen else f"(?:{sources[part]})"
        else:
            source += f"(?P<{part}>{sources[part]})"
            seen.add(part)
    return source
