"""Layers of values that are no files, and so are not read: folders and links."""

from collections.abc import Collection, Iterable

from gitops_tk.model.changes import ChangeSet, Delete
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.workflows.comparing.reach import Side
from gitops_tk.workflows.layers import layer_paths

Pair = tuple[str, str]


def not_files(side: Side, pairs: Iterable[Pair]) -> tuple[dict[Pair, list[str]], set[str]]:
    """Where the layers of services in environments are, and which of these are there without being a file."""
    paths = {pair: layer_paths(side.config, pair[0], side.config.environment(pair[1])) for pair in pairs}
    there = side.snapshot.entries({path for layers in paths.values() for path in layers})
    return paths, {path for path, entry in there.items() if not entry.is_file}


def files_alone(side: Side, pairs: Collection[Pair]) -> Snapshot:
    """A side without what is no file in the place of a layer."""
    _, others = not_files(side, pairs)
    return Overlay(side.snapshot, ChangeSet(tuple(map(Delete, sorted(others))))) if others else side.snapshot
