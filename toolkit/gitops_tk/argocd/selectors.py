"""Selectors of generators: a values file makes an Application once an image is set in it.

Sources: Argo CD, "Post Selector all generators"; applicationset/generators/generator_spec_processor.go, which joins
nested keys by dots and writes null as `<nil>`; applicationset/utils/selector.go: keys have to be those of labels, and
`NotIn` alone holds where the key is missing, too.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from gitops_tk.config.model import ImageKeys

Requirement = dict[str, Any]
Selector = tuple[Requirement, ...]

NOTHING = ("", "<nil>")
# A label's key, with a DNS subdomain before it where it has a prefix.
_KEY = re.compile(
    r"(?:(?=[^/]{1,253}/)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)
# All that are set, in every combination with those that are not: each further key doubles the generators.
_MOST_KEYS = 3


def selectors(images: Mapping[str, ImageKeys]) -> list[Selector]:
    """Selectors of which one, and one only, takes a values file in which any of a service's images is set.

    An empty one takes all: what marks an image cannot be told by a selector then, or there are too many to tell.
    """
    keys = selected_keys(images)
    if not keys:
        return [()]
    found: list[Selector] = []
    for at, key in enumerate(keys):
        for missing in product(_unset, repeat=at):
            others = tuple(one(other) for one, other in zip(missing, keys, strict=False))
            found.append((*others, *_set(key)))
    return found


def with_key(selector: Selector, key: str) -> Selector:
    """A selector that takes a values file only where a key has a value, too."""
    return (*selector, *_set(key))


def selected_keys(images: Mapping[str, ImageKeys]) -> list[str]:
    """The keys that tell whether an image is set, the likeliest first, as a selector has them."""
    ordered = [image for name, image in images.items() if name == "default"]
    ordered += [image for name, image in images.items() if name != "default"]
    marks = [image.reference or image.tag or image.digest for image in ordered]
    marks += [image.digest for image in ordered if image.tag]
    keys = [key for mark in marks if mark and (key := selector_key(mark))]
    return list(dict.fromkeys(keys))[:_MOST_KEYS]


def selector_key(key: str) -> str | None:
    """A dotted key as a selector has it, or None where a selector cannot name it."""
    flat = re.sub(r"\[(\d+)\]", r".\1", key)
    return flat if _KEY.fullmatch(flat) else None


def matches(requirements: Sequence[Requirement], params: Mapping[str, str]) -> bool:
    """Whether flat parameters meet requirements, each as labels meet it."""
    return all(_meets(one, params) for one in requirements)


def _meets(requirement: Requirement, params: Mapping[str, str]) -> bool:
    key, operator = requirement["key"], requirement["operator"]
    values = requirement.get("values", ())
    return {
        "Exists": key in params,
        "DoesNotExist": key not in params,
        "In": params.get(key) in values,
        "NotIn": params.get(key) not in values,
    }[operator]


def _set(key: str) -> Selector:
    return (
        {"key": key, "operator": "Exists"},
        {"key": key, "operator": "NotIn", "values": list(NOTHING)},
    )


def _missing(key: str) -> Requirement:
    return {"key": key, "operator": "DoesNotExist"}


def _empty(key: str) -> Requirement:
    return {"key": key, "operator": "In", "values": list(NOTHING)}


_unset = (_missing, _empty)
