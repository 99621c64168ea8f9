"""The keys that travel with a promotion beside the images: `promotion.keys`."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from gitops_tk.config.model import Config
from gitops_tk.model.changes import Change
from gitops_tk.model.refusals import moved
from gitops_tk.policy.keys import leaves, travelling
from gitops_tk.values.edit import Edit, same
from gitops_tk.values.image import image_leaves
from gitops_tk.values.keys import KeyPath, format_key
from gitops_tk.values.merge import Merged
from gitops_tk.values.splice import DELETE
from gitops_tk.workflows.layers import Layers
from gitops_tk.workflows.redaction import key_change


class Travel(Struct, frozen=True):
    """A key that travels: what the first plan saw in the target, and what the source holds, or None."""

    key: tuple[str, ...]
    seen: Any
    wanted: Any


def travels(config: Config, source: Merged, target: Layers) -> list[Travel]:
    """The travelling keys whose merged values differ from those of a source; those of images and charts are none."""
    patterns = config.promotion_keys(target.service)
    if not patterns:
        return []
    ours, theirs = dict(leaves(source.data)), dict(leaves(target.merged.data))
    apart = {leaf for keys in config.image_keys(target.service).values() for leaf in image_leaves(keys)}
    # The version of a published chart travels with its chart.
    apart |= {config.chart.key} if config.chart else set()
    keys = [key for key in travelling(patterns, dict.fromkeys((*ours, *theirs))) if key not in apart]
    return [
        Travel(key, theirs.get(key), ours.get(key))
        for key in keys
        if key not in ours or key not in theirs or not same(ours[key], theirs[key], ordered=False)
    ]


def key_edits(keys: Iterable[Travel], target: Layers, *, retry: bool) -> list[Edit]:
    """The edits that carry travelling keys into the target as it is now.

    Raises:
        RefusedByPolicy: someone else changed a key while the command ran (`moved`).
    """
    edits = []
    for travel in keys:
        path: KeyPath = travel.key
        current = target.merged.get(path)
        if same(current, travel.wanted, ordered=False):
            continue
        if retry and not same(current, travel.seen, ordered=False):
            raise moved(f"{format_key(path)} of {target.service} in {target.env} moved", target.own_path)
        # What a lower layer has is masked: it would show through where the key is taken out.
        takes_out = travel.wanted is None and not target.below.has(path)
        edits.append(Edit(path, DELETE if takes_out else travel.wanted))
    return edits


def key_changes(config: Config, target: Layers, edits: Iterable[Edit]) -> list[Change]:
    """The reasons for the edits of travelling keys and of charts' versions, with what looks secret hidden."""
    chart = config.chart.key if config.chart is not None else None
    return [
        key_change("chart" if edit.path == chart else "key", target, edit, target.merged.get(edit.path))
        for edit in edits
    ]
