"""Services that are held back: their holds read together with what a plan reads anyway, and refused."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from gitops_tk.config.layout import HOLDS, Layout
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Change, Delete, Operation, Write
from gitops_tk.model.image import Image
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.quote import block

if TYPE_CHECKING:
    from gitops_tk.policy.holds import Hold
    from gitops_tk.workflows.layers import Layers


def read_holds(
    snapshot: Snapshot, pairs: Iterable[tuple[str, str]], beside: Iterable[str] = ()
) -> dict[tuple[str, str], "Hold"]:
    """The holds on services, by `(service, environment name)`, whether they are over or not.

    Args:
        beside: paths that are read next: a remote is then asked once for everything.
    """
    paths = {pair: Layout.hold_path(*pair) for pair in pairs}
    found = snapshot.entries([*paths.values(), *beside])
    there = {pair: found[path] for pair, path in paths.items() if path in found}
    if not there:
        return {}
    from gitops_tk.policy.holds import broken, parse

    files = snapshot.read(entry.path for entry in there.values() if entry.is_file)
    return {
        pair: parse(files[entry.path], entry.path) if entry.is_file else broken(f"{entry.path} is not a file")
        for pair, entry in there.items()
    }


def find_holds(snapshot: Snapshot, envs: Iterable[str]) -> dict[tuple[str, str], "Hold"]:
    """Every hold in these environments, by `(service, environment name)`, whether it is over or not."""
    listed = snapshot.children(f"{HOLDS}/{env}" for env in envs)
    pairs = (Layout.match_hold(entry.path) for entries in listed.values() for entry in entries)
    return read_holds(snapshot, [pair for pair in pairs if pair])


def hold_operations(service: str, env: str, before: "Hold | None", after: "Hold | None") -> tuple[Operation, ...]:
    """What makes one hold of another; None is no hold."""
    path = Layout.hold_path(service, env)
    if before == after:
        return ()
    return (Delete(path) if after is None else Write(path, _text(after, service, env)),)


def hold_changes(service: str, env: str, before: "Hold | None", after: "Hold | None") -> list[Change]:
    """The reasons for it, one for each thing that the hold says otherwise."""
    ours, theirs = _said(before), _said(after)
    return [
        Change(
            kind="hold",
            service=service,
            env=env,
            file=Layout.hold_path(service, env),
            key=f"hold.{key}",
            from_=ours.get(key),
            to=theirs.get(key),
        )
        for key in dict.fromkeys((*ours, *theirs))
        if ours.get(key) != theirs.get(key)
    ]


def _said(hold: "Hold | None") -> dict[str, Any]:
    if hold is None:
        return {}
    images = [one.tag or one.digest for one in hold.images]
    said = {"reason": hold.reason, "until": hold.until, "scope": hold.scope, "images": images}
    return {key: value for key, value in said.items() if value}


def _text(hold: "Hold", service: str, env: str) -> bytes:
    lines = [f"# gitops-tk leaves {service} alone; it goes on after: gitops-tk unhold {service} -e {env}"]
    for key, value in to_builtins(hold).items():
        lines += block(key, list(value) if isinstance(value, tuple) else value, 0)
    return ("\n".join(lines) + "\n").encode()


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
        file=Layout.hold_path(layers.service, layers.env),
        line=hold.fault.line if hold.fault else None,
    )


def refuse_left(source: "Layers", wanted: Mapping[str, Image], now: float) -> None:
    """Refuses to promote what may not come back to where it is promoted from: its fault goes no further.

    Args:
        source: layers in the environment that images are promoted from, read with their holds.
        wanted: the images that would come, by their names.
        now: the time, in seconds since 1970 (UTC).

    Raises:
        RefusedByPolicy: a hold there names one of these images (code `held`).
    """
    hold = source.hold
    if hold is None or not hold.names(wanted, now):
        return
    named = next(image.version for name, image in wanted.items() if hold.lists(name, image))
    raise RefusedByPolicy(
        f"{named} of {source.service} is held in {source.env}, and goes no further: {hold.shown}",
        code="held",
        hint=f"gitops-tk unhold {source.service} -e {source.env} lets it go on",
        file=Layout.hold_path(source.service, source.env),
    )
