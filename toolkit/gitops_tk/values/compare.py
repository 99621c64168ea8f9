"""What differs between two values, key by key."""

from typing import Any

from msgspec import Struct

from gitops_tk.values.edit import same
from gitops_tk.values.keys import KeyPath, format_key


class Difference(Struct, frozen=True):
    """A key and what it holds on either side; None where it holds nothing."""

    key: str
    before: Any
    after: Any


def differences(before: dict[str, Any], after: dict[str, Any], above: KeyPath = ()) -> list[Difference]:
    """The leaves that differ; a list is a leaf, as Helm takes it whole."""
    found: list[Difference] = []
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key), after.get(key)
        path = (*above, key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += differences(one, other, path)
        elif key not in before or key not in after or not same(one, other):
            found.append(Difference(format_key(path), one, other))
    return found
