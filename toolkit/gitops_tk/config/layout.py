"""Layout templates, both ways: a service and an environment to a path, and a path back to what it is.

A placeholder is a path segment or a part of one: `{service}`, a DNS label, and `{env}`, one of the
environments' paths. Because both are known sets, a template either reads every path in one way, or is refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from gitops_tk.model.snapshot import FOLDER, Snapshot

_SERVICE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SERVICE_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_RESERVED = (".git", ".gitops-tk", "gitops-tk.yaml")
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

    Raises:
        LayoutError: a template leaves the repository, lacks a placeholder, or two readings of a path are possible.
    """

    def __init__(self, templates: Mapping[str, str | None], environments: Sequence[Placed]) -> None:
        self.templates = {key: text for key, text in templates.items() if text is not None}
        self._names = {environment.path: environment.name for environment in environments}
        for key, text in self.templates.items():
            _check(key, text)
            _check_segments(key, text, sorted(self._names))
        self._check_apart()

    @property
    def chart_per_environment(self) -> bool:
        """Whether each environment has its own copy of a chart."""
        return "{env}" in self.templates["chart"]

    def values_path(self, service: str, env: Placed) -> str:
        """Where a service's own values in an environment are."""
        return _filled(self.templates["values"], service, env.path)

    def chart_path(self, service: str, env: Placed) -> str:
        """The folder of a service's chart."""
        return _filled(self.templates["chart"], service, env.path)

    def shared_path(self, env: Placed) -> str | None:
        """Where the values that services share in an environment are, or None if the layout has none."""
        template = self.templates.get("shared")
        return _filled(template, "", env.path) if template else None

    def match_values(self, path: str) -> tuple[str, str] | None:
        """The service and the environment's name whose values a path is, or None."""
        match = self._patterns["values"].fullmatch(path)
        return (match["service"], self._names[match["env"]]) if match else None

    def match_shared(self, path: str) -> str | None:
        """The name of the environment whose shared values a path is, or None."""
        match = self._patterns["shared"].fullmatch(path) if "shared" in self._patterns else None
        return self._names[match["env"]] if match else None

    def match_chart(self, path: str) -> tuple[str, str | None] | None:
        """The service, and the environment's name where each has its own, of the chart that a path is in."""
        match = re.match(self._patterns["chart"].pattern + "(?=/)", path)
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
            pattern = re.compile(_segment_pattern(segment, sorted(wanted)))
            last = depth == len(segments) - 1
            listed = snapshot.children(level)
            level = [
                entry.path
                for folder in level
                for entry in listed.get(folder, ())
                if pattern.fullmatch(entry.path.rpartition("/")[2])
                and (entry.is_file if last else entry.mode == FOLDER)
            ]
        found: dict[str, set[str]] = {}
        for path in level:
            match = self.match_values(path)
            if match:
                found.setdefault(match[0], set()).add(match[1])
        order = list(self._names.values())
        return {service: tuple(sorted(found[service], key=order.index)) for service in sorted(found)}

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        paths = sorted(self._names)
        patterns = {}
        for key, text in self.templates.items():
            seen: set[str] = set()
            patterns[key] = re.compile("/".join(_segment_pattern(part, paths, seen) for part in text.split("/")))
        return patterns

    def _check_apart(self) -> None:
        globs = {key: _globs(text, sorted(self._names)) for key, text in self.templates.items()}
        for key, other in (("values", "shared"), ("values", "chart"), ("shared", "chart")):
            for one in globs.get(key, ()):
                for two in globs.get(other, ()):
                    inside = other == "chart" and len(one) > len(two)
                    same = len(one) == len(two)
                    if (inside or same) and all(_meet(a, b) for a, b in zip(one, two, strict=False)):
                        raise LayoutError(
                            key,
                            f"{self.templates[key]} and {other}: {self.templates[other]} could be the same path",
                        )


def _check(key: str, text: str) -> None:
    segments = text.split("/")
    if not text or text.startswith("/") or {"", ".", ".."} & set(segments):
        raise LayoutError(key, f"{text!r} is not a path inside the repository")
    if "\\" in text or not text.isprintable() or any(segment.startswith("-") for segment in segments):
        raise LayoutError(key, f"{text!r} holds a backslash, a control character or a segment that starts with '-'")
    if segments[0].lower() in _RESERVED:
        raise LayoutError(key, f"{segments[0]} is not a place for {key}")
    names = set(_PLACEHOLDER.findall(text))
    unknown = names - {"service", "env"}
    if unknown or "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
        raise LayoutError(key, f"{text!r} has a placeholder other than {{service}} and {{env}}")
    needed, forbidden = _NEEDS[key]
    if needed - names:
        raise LayoutError(key, f"{text!r} lacks {' and '.join('{' + name + '}' for name in sorted(needed - names))}")
    if forbidden & names:
        raise LayoutError(key, f"{text!r} must not hold {{service}}: all services share it")


def _check_segments(key: str, text: str, paths: Sequence[str]) -> None:
    for segment in text.split("/"):
        names = _PLACEHOLDER.findall(segment)
        if len(names) < 2:
            continue
        between = _PLACEHOLDER.split(segment)[2]
        if len(names) > 2 or names[0] == names[1] or not between:
            raise LayoutError(key, f"{segment!r} can be read in two ways: put a '.' or '/' between the placeholders")
        if not set(between) <= _SERVICE_LETTERS:
            continue
        ends = str.endswith if names[1] == "env" else str.startswith
        if any(one != two and ends(one, two) for one in paths for two in paths):
            raise LayoutError(key, f"{segment!r} can be read in two ways with these environments: use '.' or '/'")


def _filled(template: str, service: str, env: str) -> str:
    return template.replace("{service}", service).replace("{env}", env)


def _segment_pattern(segment: str, paths: Sequence[str], seen: set[str] | None = None) -> str:
    parts = _PLACEHOLDER.split(segment)
    sources = {"service": _SERVICE, "env": "|".join(re.escape(path) for path in paths) or r"(?!)"}
    pattern = ""
    for position, part in enumerate(parts):
        if position % 2 == 0:
            pattern += re.escape(part)
        elif seen is None or part in seen:
            pattern += f"(?P={part})" if seen else f"(?:{sources[part]})"
        else:
            pattern += f"(?P<{part}>{sources[part]})"
            seen.add(part)
    return pattern


def _globs(text: str, paths: Sequence[str]) -> list[list[str]]:
    # One list of segments for each environment, `*` where a service's name goes.
    filled = [_filled(text, "*", path) for path in paths] if "{env}" in text else [text.replace("{service}", "*")]
    return [one.split("/") for one in filled]


def _meet(one: str, two: str) -> bool:
    # Whether two segments with at most one `*` each can be the same text.
    if "*" not in one or "*" not in two:
        fixed, glob = (one, two) if "*" not in one else (two, one)
        return bool(re.fullmatch(re.escape(glob).replace(r"\*", _SERVICE), fixed))
    (head, _, tail), (other_head, _, other_tail) = one.partition("*"), two.partition("*")
    heads, tails = sorted((head, other_head), key=len), sorted((tail, other_tail), key=len)
    return (
        heads[1].startswith(heads[0])
        and tails[1].endswith(tails[0])
        and set(heads[1][len(heads[0]) :] + tails[1][: len(tails[1]) - len(tails[0])]) <= _SERVICE_LETTERS
    )
