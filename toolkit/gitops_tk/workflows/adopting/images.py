"""Where values keep an image: the keys that people use, found in what the files hold."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gitops_tk.values.keys import KeyPath, Selector, format_key

_DEEPEST = 8
# Keys of a tag that stand by themselves, beside others.
_ALONE = re.compile(r"(?:image|docker|container|app)[-_]?(?:tag|version)", re.IGNORECASE)
_IMAGE = re.compile(r".*image", re.IGNORECASE)
# `repository:tag`, `repository@digest` or both; a port's colon is followed by a slash.
_REFERENCE = re.compile(
    r"(?P<repository>[a-z0-9][\w.-]*(?::\d+(?=/))?(?:/[\w.-]+)*)(?P<version>:[\w][\w.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_LONGEST = 512


class Keys(Struct, frozen=True, order=True):
    """Where an image is, as gitops-tk.yaml says it; `{service}` stands for the service's name.

    Attributes:
        key: the key of the tag, or of a whole reference.
        digest: the key that a digest has beside the tag; None where none could be.
        notes: the key below which a build's number and the source commit may be noted; None where the file's reader
            would refuse keys that it does not know, as Kustomize does.
    """

    key: str
    is_reference: bool = False
    digest: str | None = None
    notes: str | None = None


class Spot(Struct, frozen=True):
    """An image in a file.

    Attributes:
        repository: the last part of its repository's name; empty where the file does not say.
        pinned: whether a digest is there.
    """

    keys: Keys
    repository: str = ""
    pinned: bool = False


class Images(Struct, frozen=True, kw_only=True):
    """The images of a repository's services.

    Attributes:
        default: where most services keep theirs; None where none was found.
        own: where services keep theirs that do not, by service.
        pinned: those beside which digests are.
        services: how many services have theirs at the default.
        rivals: keys that are as likely to be meant as the default.
        others: further keys that hold images, each with how many services have it.
    """

    default: Keys | None
    own: Mapping[str, Keys]
    pinned: frozenset[Keys]
    services: int
    rivals: tuple[str, ...]
    others: Mapping[str, int]


def spots(data: Any, service: str) -> list[Spot]:
    """The images in a values file, the likeliest to be the service's own first."""
    found = dict.fromkeys(_named(one, service) for one in _spots((), data, 0) if _is_plain(one.keys.key))
    # A version may be anything's: it is an image's where nothing else is.
    likely = [one for one in found if not one.keys.key.endswith(".version")] or found
    return sorted(likely, key=lambda one: _likelihood(one.keys))


def chosen(found: Mapping[str, Sequence[Spot]], key: str | None = None) -> Images:
    """Which key is the common one, and which services have one of their own.

    Args:
        found: the images in the files of each service.
        key: the common key as a person says it; None to find it.
    """
    of = {service: _own(spots, service) if key is None else set(_all(spots)) for service, spots in found.items()}
    votes = Counter(keys for several in of.values() for keys in several)
    everywhere = Counter(keys for spots in found.values() for keys in _all(spots))
    default = _first(keys for keys in _ranked(votes) if key in (None, keys.key))
    others = {service: several for service, several in of.items() if several and default not in several}
    own = {service: min(several, key=_likelihood) for service, several in others.items() if default}
    used = {default, *own.values()}
    rest = [keys for keys in _ranked(everywhere) if keys not in used]
    undecided = default if key is None else None
    alike = [keys for keys in rest if undecided and _is_alike(keys, undecided) and votes[keys] == votes[undecided]]
    return Images(
        default=default,
        own=own,
        pinned=frozenset(spot.keys for spots in found.values() for spot in spots if spot.pinned),
        services=votes[default] if default else 0,
        rivals=tuple(keys.key for keys in alike),
        others={keys.key: everywhere[keys] for keys in rest if keys not in alike},
    )


def _all(spots: Iterable[Spot]) -> Iterable[Keys]:
    return dict.fromkeys(spot.keys for spot in spots)


def _own(spots: Sequence[Spot], service: str) -> set[Keys]:
    """The keys of images that are called like the service, else of all; of those the likeliest."""
    keys = {spot.keys for spot in spots if spot.repository == service} or set(_all(spots))
    best = min((_likelihood(one)[:2] for one in keys), default=None)
    return {one for one in keys if _likelihood(one)[:2] == best}


def _is_plain(key: str) -> bool:
    return key.isprintable() and not {"{", "}"} & set(key)


def _first(keys: Iterable[Keys]) -> Keys | None:
    return next(iter(keys), None)


def _ranked(votes: Mapping[Keys, int]) -> list[Keys]:
    return sorted(votes, key=lambda keys: (-votes[keys], _likelihood(keys)))


def _spots(path: KeyPath, value: Any, depth: int) -> Iterator[Spot]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                yield from _in_list(path, one, depth)
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        here = (*path, key)
        is_tag = isinstance(below, str | int | float) and not isinstance(below, bool)
        if path and is_tag and _is_tag(key, value, path):
            above = format_key(path)
            repository = _last(value.get("repository") or value.get("name"))
            yield Spot(Keys(format_key(here), False, f"{above}.digest", above), repository, bool(value.get("digest")))
        elif is_tag and (_ALONE.fullmatch(key) or (key == "tag" and not path)):
            yield Spot(Keys(format_key(here)))
        elif _IMAGE.fullmatch(key) and _is_reference(below):
            yield Spot(Keys(format_key(here), True), _last(below))
        else:
            yield from _spots(here, below, depth + 1)


def _in_list(path: KeyPath, one: dict[str, Any], depth: int) -> Iterator[Spot]:
    """The images in a list's element, which its name stands for: positions move."""
    name = one.get("name")
    if not isinstance(name, str) or not name or set(name) & set("[]=") or not path:
        return
    here = (*path, Selector("name", name))
    if isinstance(one.get("newTag"), str | int | float):
        # One of Kustomize's (kustomization.yaml, "images").
        digest = format_key((*here, "digest"))
        repository = _last(one.get("newName") or name)
        yield Spot(Keys(format_key((*here, "newTag")), False, digest), repository, bool(one.get("digest")))
    else:
        yield from _spots(here, one, depth + 1)


def _is_tag(key: str, beside: Mapping[str, Any], path: KeyPath) -> bool:
    # A version says that it is an image's by what stands beside it alone: a chart's repository is a URL.
    if key == "version":
        return bool(_last(beside.get("repository"))) and "tag" not in beside
    return key == "tag" and ("repository" in beside or _IMAGE.fullmatch(_word(path)) is not None)


def _word(path: KeyPath) -> str:
    return path[-1] if isinstance(path[-1], str) else ""


def _is_reference(value: Any) -> bool:
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    return match is not None and bool(match["version"] or match["digest"])


def _last(reference: Any) -> str:
    """The last part of a repository's name."""
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) and len(reference) <= _LONGEST else None
    return match["repository"].rpartition("/")[2] if match else ""


def _named(spot: Spot, service: str) -> Spot:
    """The same with a placeholder where the service's name stands in the key as a whole word."""
    keys = spot.keys
    if service not in keys.key:
        return spot

    def placed(text: str | None) -> str | None:
        return re.sub(rf"(?<![A-Za-z0-9-]){re.escape(service)}(?![A-Za-z0-9-])", "{service}", text) if text else text

    named = Keys(placed(keys.key) or "", keys.is_reference, placed(keys.digest), placed(keys.notes))
    return Spot(named, spot.repository, spot.pinned)


def _likelihood(keys: Keys) -> tuple[bool, bool, int, str]:
    # The service's own image stands higher than that of a sidecar or a hook, and is called plainly.
    depth = keys.key.count(".") + keys.key.count("[")
    return keys.key not in ("image.tag", "image"), "{service}" not in keys.key, depth, keys.key


def _is_alike(one: Keys, other: Keys) -> bool:
    return _likelihood(one)[:3] == _likelihood(other)[:3]
