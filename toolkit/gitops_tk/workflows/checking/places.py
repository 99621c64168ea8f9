"""Where what a rule found is written: in a values file where that is certain, else in the template.

A value counts as the source of what was rendered if another value in its place changes what is rendered there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from gitops_tk.charts.lines import line_of
from gitops_tk.charts.rules.model import Finding
from gitops_tk.charts.rules.objects import Object, parse, step
from gitops_tk.errors import GitopsTkError
from gitops_tk.values.keys import Index, KeyPath
from gitops_tk.workflows.releases import Release, Target

# Each costs a render. The likeliest come first.
_MOST_TRIES = 8


class Place(Struct, frozen=True):
    """A file of the repository and a line in it, as far as they are known."""

    file: str | None = None
    line: int | None = None


def place(release: Release, target: Target, objects: list[Object], finding: Finding) -> Place:
    """The place of a finding.

    Args:
        objects: the release's objects, which the finding's position is in.
    """
    value = step(objects[finding.position].data, finding.path)
    if isinstance(value, str | int | float):
        for candidate in _candidates(release.layers.merged.data, value):
            if _decides(release, target, candidate, objects[finding.position], finding, value):
                origin = release.layers.merged.nearest(candidate)
                if origin:
                    return Place(origin.file, origin.line)
    return _in_template(release, objects[finding.position], finding)


def _in_template(release: Release, one: Object, finding: Finding) -> Place:
    if finding.template is None:
        return Place()
    # Helm names templates from the chart's name; people look for the file in the repository.
    inside = finding.template.partition("/")[2]
    text = release.files.get(inside, b"").decode("utf-8", "replace")
    return Place(f"{release.chart_path}/{inside}", line_of(text, one.kind, finding.path))


def _candidates(values: Mapping[str, Any], rendered: Any) -> list[KeyPath]:
    text = _text(rendered)
    found = [(path, _text(value)) for path, value in _leaves(values, ())]
    same = [path for path, value in found if value == text]
    parts = [(path, value) for path, value in found if len(value) > 1 and value != text and value in text]
    longest = sorted(parts, key=lambda one: -len(one[1]))
    return [*same, *(path for path, _ in longest)][:_MOST_TRIES]


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from _leaves(below, (*path, Index(at)))
    elif isinstance(value, str | int | float):
        yield path, value


def _decides(release: Release, target: Target, path: KeyPath, one: Object, finding: Finding, value: Any) -> bool:
    merged = release.layers.merged
    for new in _others(merged.get(path)):
        try:
            rendered = parse(release.manifest(target, _with(merged.given, merged.data, path, new)))
        except GitopsTkError:
            # The schema, or the template, does not take this one.
            continue
        if finding.position < len(rendered) and rendered[finding.position].kind == one.kind:
            return bool(step(rendered[finding.position].data, finding.path) != value)
    return False


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value - 1]
    return [f"{value}x", f"{value}0", value[:-1]]


def _with(given: Any, merged: Any, path: KeyPath, new: Any) -> Any:
    """What is given to Helm, with another value at a path of what that merges to; nothing is changed in place."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(first, Index):
        # A list is one value: whoever changes an item gives all of them.
        return [_with(one, one, rest, new) if at == first.at else one for at, one in enumerate(merged)]
    known = given if isinstance(given, dict) else {}
    return {**known, first: _with(known.get(first), merged[first], rest, new)} if isinstance(first, str) else given


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
