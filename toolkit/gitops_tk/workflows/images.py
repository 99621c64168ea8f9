"""Setting a service's image in one environment, first planned and planned again after a lost race."""

from collections.abc import Mapping

from msgspec import Struct

from gitops_tk.config.model import Config, ImageKeys
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Change
from gitops_tk.model.image import Image
from gitops_tk.model.refusals import moved
from gitops_tk.policy.order import newer_by_build, older_by
from gitops_tk.values.edit import Edit
from gitops_tk.values.image import image_edits, read_image
from gitops_tk.values.keys import format_key, parse_key
from gitops_tk.workflows.layers import Layers


class Move(Struct, frozen=True, kw_only=True):
    """What a command means for one image of a service: fixed by its first plan (CONTRACT: "moved").

    Attributes:
        name: which of the service's images.
        seen: the image that the first plan found; None where the service has none.
        wanted: the image that the command puts there.
    """

    service: str
    env: str
    name: str
    seen: Image | None
    wanted: Image


Moves = Mapping[tuple[str, str], Move]


def images_of(config: Config, layers: Layers) -> dict[str, Image]:
    """The images that a service has in an environment, by their names."""
    found = {name: read_image(layers.merged, keys) for name, keys in config.image_keys(layers.service).items()}
    return {name: image for name, image in found.items() if image is not None}


def edits_for(move: Move, layers: Layers, keys: ImageKeys, *, retry: bool, allow_older: bool) -> list[Edit]:
    """The edits that carry out a move on the values as they are now; none when it is done already.

    Args:
        retry: the race was lost: the values may differ from what the first plan saw.
        allow_older: let an older build overwrite a newer one.

    Raises:
        RefusedByPolicy: it would be an older build (`older-build`), or someone set a third image (`moved`).
    """
    edits = image_edits(layers.merged, layers.document, keys, move.wanted, layers.allows)
    if not edits:
        return []
    current = read_image(layers.merged, keys)
    if current is None:
        return edits
    reason = None if allow_older else older_by(current, move.wanted)
    # A build number orders what pipelines do at once: a newer build goes on over an older third one.
    is_third = retry and current != move.seen and not newer_by_build(current, move.wanted)
    if reason and not (is_third and (current.build is None or move.wanted.build is None)):
        raise RefusedByPolicy(
            f"{move.service} in {move.env} runs {current.version}, and {reason}",
            code="older-build",
            hint="--allow-older puts the older build there all the same",
            file=layers.own_path,
        )
    if is_third:
        before = move.seen.version if move.seen else "no image"
        happened = f"{move.service} in {move.env} moved from {before} to {current.version}"
        raise moved(happened, layers.own_path, move.wanted.version)
    return edits


def changes_of(move: Move, layers: Layers, edits: list[Edit]) -> list[Change]:
    """The reasons for a move's edits, key by key."""
    return [
        Change(
            kind="image",
            service=move.service,
            env=move.env,
            image=move.name,
            file=layers.own_path,
            key=format_key(edit.path),
            from_=layers.merged.get(edit.path),
            to=edit.value,
        )
        for edit in edits
    ]


def changed_images(config: Config, before: Layers, after: Layers) -> dict[str, Image]:
    """The images that come with a change of values, by their names; one that goes is none."""
    found = {}
    for name, keys in config.image_keys(after.service).items():
        image = read_image(after.merged, keys)
        if image is not None and image.version and image != read_image(before.merged, keys):
            found[name] = image
    return found


def refuse_emptied(config: Config, before: Layers, after: Layers) -> None:
    """Refuses a change after which a deployed service has no image any more: Argo CD would take the service away.

    Raises:
        RefusedByPolicy: an image was set, and none is (code `image-emptied`).
    """
    for keys in config.image_keys(before.service).values():
        if _is_set(before, keys) and not _is_set(after, keys):
            raise RefusedByPolicy(
                f"{before.service} runs in {before.env}, and would have no image there any more",
                code="image-emptied",
                hint=f"set another image with gitops-tk bump; to take the service out, remove {before.own_path}",
                file=before.own_path,
            )


def _is_set(layers: Layers, keys: ImageKeys) -> bool:
    # In the service's own file: what generates its Application.
    marks = (keys.reference, keys.tag, keys.digest)
    found = (layers.document.find(parse_key(mark)) for mark in marks if mark)
    image = read_image(layers.merged, keys)
    return image is not None and bool(image.version) and any(one is not None and one.value for one in found)
