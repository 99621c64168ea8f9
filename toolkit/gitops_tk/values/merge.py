"""Values merged as Helm merges them: maps deep, lists replaced, `null` takes away what the chart has.

Source: Helm's `pkg/chart/common/util/coalesce.go` (chart defaults under the given values) and
`pkg/cli/values/options.go` (one values file over another); the tests hold it against the engine.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from gitops_tk.values.document import Document
from gitops_tk.values.keys import Index, KeyPath, Selector


class Origin(Struct, frozen=True):
    """The file and the 1-based line that a value comes from."""

    file: str
    line: int


class Merged:
    """Merged values, and where each comes from.

    Attributes:
        data: the values as plain data.
        given: what the files alone say, nulls included: what Helm has to be given, since it adds the chart's defaults
            itself, and brings back what a null has taken away where it does not see the null.
    """

    def __init__(
        self, data: dict[str, Any], given: dict[str, Any], files: Sequence[Document], chart: Document | None = None
    ) -> None:
        self.data = data
        self.given = given
        self._files = files
        self._chart = chart

    @property
    def own(self) -> Document:
        """The highest of the files."""
        return self._files[-1]

    def has(self, path: KeyPath) -> bool:
        """Whether there is a value at a path, be it null."""
        return _step_through(self.data, path) is not _NOTHING

    def get(self, path: KeyPath) -> Any:
        """The value at a path; None where there is none."""
        found = _step_through(self.data, path)
        return None if found is _NOTHING else found

    def origin(self, path: KeyPath) -> Origin | None:
        """Where the value at a path comes from: the highest layer that has it."""
        if not self.has(path):
            return None
        for document in reversed(self._files):
            found = document.find(path)
            if found is not None:
                return Origin(document.file, found.line)
            if _is_covered(document, path):
                break
        found = self._chart.find(path) if self._chart else None
        return Origin(self._chart.file, found.line) if self._chart and found else None

    def nearest(self, path: KeyPath) -> Origin | None:
        """Where a value comes from or, if it is missing, the nearest one above it."""
        while path:
            origin = self.origin(path)
            if origin is not None:
                return origin
            path = path[:-1]
        return None

    def origins(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any, Origin]]:
        """Every value at or below a path with its key and origin; a list is one value, as Helm takes it."""
        value = self.get(path)
        if isinstance(value, dict) and value:
            for key in value:
                yield from self.origins((*path, key))
            return
        origin = self.origin(path) if path else None
        if origin is not None:
            yield path, value, origin


def merge(files: Sequence[Document], chart: Document | None = None) -> Merged:
    """Merges values files, later ones winning, over the chart's own defaults."""
    values: dict[str, Any] = {}
    for document in files:
        values = _over(values, document.data)
    data = _under(values, chart.data) if chart else values
    return Merged(data, values, files, chart)


class _Nothing:
    pass


_NOTHING = _Nothing()


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        merged[key] = _over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _under(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, default in defaults.items():
        if key not in merged:
            if default is not None:
                merged[key] = _without_null(default)
        elif merged[key] is None:
            del merged[key]
        elif isinstance(merged[key], dict) and isinstance(default, dict):
            merged[key] = _under(merged[key], _without_null(default))
    return merged


def _without_null(default: Any) -> Any:
    # Helm drops the chart's nulls; at the top they still take a null of the files with them.
    if isinstance(default, dict):
        return {key: _without_null(value) for key, value in default.items() if value is not None}
    return default


def _is_covered(document: Document, path: KeyPath) -> bool:
    # A value that is no map hides what lower files have below it; the chart's defaults show under a null again.
    found = (document.find(path[:length]) for length in range(1, len(path)))
    return any(one is not None and not isinstance(one.value, dict) for one in found)


def _step_through(data: Any, path: KeyPath) -> Any:
    for step in path:
        if isinstance(step, str):
            data = data.get(step, _NOTHING) if isinstance(data, dict) else _NOTHING
        elif not isinstance(data, list):
            return _NOTHING
        elif isinstance(step, Index):
            data = data[step.at] if step.at < len(data) else _NOTHING
        elif isinstance(step, Selector):
            at = step.position(data)
            data = _NOTHING if at is None else data[at]
        if data is _NOTHING:
            return data
    return data
