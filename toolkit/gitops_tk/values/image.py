"""A service's image in values: read from what the layers merge to, and set as one thing."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import takewhile
from typing import Any

from gitops_tk.config.model import ImageKeys
from gitops_tk.errors import EditRefused
from gitops_tk.helm_yaml import printed
from gitops_tk.model.image import Image
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit
from gitops_tk.values.keys import Index, KeyPath, Selector, format_key, parse_key
from gitops_tk.values.merge import Merged

_PARTS = ("tag", "digest", "build", "revision")
# What charts call, beside a tag, the place that an image is pulled from; and what wins over the tag, where
# gitops-tk.yaml does not say that it is a part of the image.
_PLACES = ("digest", "hub", "image", "name", "newName", "registry", "repo", "repository", "sha", "sha256")
# `repository[:tag][@digest]`; a port's colon is followed by a slash somewhere (OCI distribution specification).
_REFERENCE = re.compile(r"(?P<repository>[^@]*?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?")


def read_image(merged: Merged, keys: ImageKeys) -> Image | None:
    """The image that merged values hold, or None where none of its keys is there."""
    if keys.reference is not None:
        text = merged.get(parse_key(keys.reference))
        match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
        return Image(tag=match["tag"] or "", digest=match["digest"] or "") if match else None
    paths = _paths(keys)
    if not any(merged.has(path) for path in paths.values()):
        return None
    parts = {part: merged.get(path) for part, path in paths.items()}
    return Image(
        tag=_text(parts.get("tag")),
        digest=_text(parts.get("digest")),
        build=_number(parts.get("build")),
        revision=_text(parts.get("revision")),
    )


def image_leaves(keys: ImageKeys) -> set[tuple[str, ...]]:
    """The values that hold an image or a part of it, a list being one value."""
    paths = [parse_key(keys.reference)] if keys.reference is not None else list(_paths(keys).values())
    return {tuple(str(step) for step in takewhile(lambda step: isinstance(step, str), path)) for path in paths}


def image_places(merged: Merged, images: Iterable[ImageKeys]) -> dict[KeyPath, str]:
    """What merged values say of where images are pulled from, by its keys: those beside their tags and digests.

    Of a whole reference it is the repository.
    """
    references, places = _place_paths(tuple(images))
    found = {path: _repository(merged.get(path)) for path in references}
    found |= {path: merged.get(path) for path in places}
    return {
        path: printed(value) for path, value in found.items() if isinstance(value, str | int | float) and value != ""
    }


def ambiguous(merged: Merged, images: Iterable[ImageKeys]) -> KeyPath | None:
    """The element of a list that images are looked for in, and that is there more than once; None for none."""
    for keys in images:
        for path in [parse_key(keys.reference)] if keys.reference is not None else _paths(keys).values():
            for length, step in enumerate(path):
                items = merged.get(path[:length]) if isinstance(step, Selector) else None
                if isinstance(step, Selector) and isinstance(items, list) and len(step.positions(items)) > 1:
                    return path[: length + 1]
    return None


def without_images(data: dict[str, Any], images: Iterable[ImageKeys]) -> dict[str, Any]:
    """Values without their images: what is left of a whole reference is its repository."""
    left: Any = data
    for keys in images:
        if keys.reference is not None:
            left = _replaced(left, parse_key(keys.reference), _repository)
        for path in _paths(keys).values():
            left = _replaced(left, path, lambda _: None)
    return dict(left)


def image_edits(
    merged: Merged, own: Document, keys: ImageKeys, wanted: Image, allows: Callable[[str, int | str], bool]
) -> list[Edit]:
    """The edits of a service's own values file after which the layers merge to the wanted image.

    A part that the image does not have is emptied; in the service's own file even where a lower layer has it,
    so that nothing of an older image shows through.

    Args:
        merged: what the layers merge to now.
        own: the service's own file, which the edits are for.
        keys: where the parts are.
        wanted: the image.
        allows: whether the chart's schema lets a dotted key have a value; asked for build and revision alone.

    Raises:
        EditRefused: a whole reference is wanted where there is none to take the repository from, or a digest where
            values keep none.
    """
    if keys.reference is not None:
        return _reference_edits(merged, own, keys.reference, wanted)
    if wanted.digest and keys.digest is None:
        raise EditRefused(
            "the values keep no digest, so that the image would not be pinned to it",
            code="no-digest-key",
            hint="leave the digest out, or name its key in gitops-tk.yaml if the chart reads one",
            file=own.file,
        )
    edits = []
    for part, path in _paths(keys).items():
        value = getattr(wanted, part)
        current = merged.get(path)
        if value in ("", None):
            if current not in ("", None):
                edits.append(Edit(path, ""))
            continue
        if _is(current, value):
            continue
        if part in ("build", "revision"):
            forms = [form for form in dict.fromkeys((value, str(value))) if allows(getattr(keys, part), form)]
            if not forms and not merged.has(path):
                continue
            found = own.find(path)
            # A number that is kept in quotes stays a string.
            quoted = found is not None and isinstance(found.value, str) and found.value
            value = str(value) if quoted else forms[0] if forms else value
        edits.append(Edit(path, value))
    return edits


def _reference_edits(merged: Merged, own: Document, key: str, wanted: Image) -> list[Edit]:
    path = parse_key(key)
    current = merged.get(path)
    match = _REFERENCE.fullmatch(current) if isinstance(current, str) else None
    if match is None or not match["repository"]:
        raise EditRefused(
            f"{key} holds no image reference to take the repository from",
            code="no-reference",
            hint=f"set it once by hand: {key}: registry.example.com/name:tag",
            file=own.file,
        )
    tag = f":{wanted.tag}" if wanted.tag else ""
    digest = f"@{wanted.digest}" if wanted.digest else ""
    reference = match["repository"] + tag + digest
    return [] if reference == current else [Edit(path, reference)]


@lru_cache(maxsize=256)
def _place_paths(images: tuple[ImageKeys, ...]) -> tuple[list[KeyPath], list[KeyPath]]:
    """The keys of whole references, and those beside tags and digests, without those of images themselves."""
    references = [parse_key(keys.reference) for keys in images if keys.reference is not None]
    parts = [path for keys in images for path in _paths(keys).values()]
    beside = {path[:-1] for keys in images for part, path in _paths(keys).items() if part in ("tag", "digest")}
    places = sorted({(*above, name) for above in beside for name in _PLACES} - {*references, *parts}, key=format_key)
    return references, places


def _repository(reference: Any) -> Any:
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return match["repository"] if match else reference


def _replaced(data: Any, path: KeyPath, new: Callable[[Any], Any]) -> Any:
    # Only what is on the way is copied; a key whose value becomes None is taken out.
    if not path:
        return new(data)
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        if not isinstance(data, dict) or step not in data:
            return data
        value = _replaced(data[step], rest, new)
        return {key: value if key == step else one for key, one in data.items() if key != step or value is not None}
    at = (step.at if isinstance(step, Index) else step.position(data)) if isinstance(data, list) else None
    if at is None or at >= len(data):
        return data
    return [*data[:at], _replaced(data[at], rest, new), *data[at + 1 :]]


# A repository has a handful of images, and asks for them in each service and in each of its states.
@lru_cache(maxsize=256)
def _paths(keys: ImageKeys) -> dict[str, KeyPath]:
    return {part: parse_key(key) for part in _PARTS if (key := getattr(keys, part)) is not None}


def _is(current: Any, value: Any) -> bool:
    if isinstance(value, int):
        return _number(current) == value
    return isinstance(current, str) and current == value


def _text(value: Any) -> str:
    # A tag that stands without quotes may be a number to Helm: what it prints then is what runs.
    return "" if value is None else printed(value)


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) else None
