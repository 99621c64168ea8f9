"""Services that are held back: their holds read together with what a plan reads anyway, and refused."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gitops_tk.config.model import Config
from gitops_tk.errors import ConfigError, RefusedByPolicy
from gitops_tk.model.image import Image
from gitops_tk.model.snapshot import Snapshot

if TYPE_CHECKING:
    from gitops_tk.policy.holds import Hold
    from gitops_tk.workflows.layers import Layers


def read_holds(
    snapshot: Snapshot, config: Config, pairs: Iterable[tuple[str, str]], beside: Iterable[str] = ()
) -> dict[tuple[str, str], "Hold"]:
    """The holds on services, by `(service, environment name)`, whether they are over or not.

    Args:
        beside: paths that are read next: a remote is then asked once for everything.
    """
    paths = {pair: config.layout.hold_path(*pair) for pair in pairs}
    found = snapshot.entries([*paths.values(), *beside])
    there = {pair: found[path] for pair, path in paths.items() if path in found}
    if not there:
        return {}
    from gitops_tk.policy.holds import broken, parse

    files = snapshot.read(entry.path for entry in there.values() if entry.is_file)
    return {
        pair: parse(files[entry.path], entry.path)
        if entry.is_file
        else broken(ConfigError(f"{entry.path} is not a file", code="hold-broken"), entry.path)
        for pair, entry in there.items()
    }


def refuse_held(layers: "Layers", wanted: Mapping[str, Image], now: float) -> None:
    """Refuses a change of a service that is held back.

    Args:
        layers: read with their holds.
        wanted: the images that would come, by their names.
        now: the time, in seconds since 1970 (UTC).

    Raises:
        RefusedByPolicy: the hold is on everything, or on one of these images (code `held`).
    """
    hold = layers.hold
    if hold is None or not hold.blocks(wanted, now):
        return
    named = [image.version for name, image in wanted.items() if hold.lists(name, image)]
    what = f"{layers.service} in {layers.env}" if hold.holds_all else f"{named[0]} of {layers.service} in {layers.env}"
    raise RefusedByPolicy(
        f"{what} is held: {hold.shown}",
        code="held",
        hint=f"gitops-tk unhold {layers.service} -e {layers.env} lets it go on",
        file=hold.file,
        line=hold.fault.line if hold.fault else None,
    )
