"""What a feature of the chart is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.charts import PROFILES, Objects

Values = dict[str, Any]
SERVE = ("http", "grpc")
RUN = ("http", "grpc", "worker")
DIGEST = "sha256:" + "a" * 64


@dataclass(frozen=True)
class Feature:
    """One of them.

    Attributes:
        name: what tests and documents call it.
        on: values that switch it on.
        off: values that switch it off.
        shows: whether objects have it.
        profiles: those that have it.
        needs: features that have to be on beside it.
        against: features that have to be off beside it.
    """

    name: str
    on: Values
    off: Values
    shows: Callable[[Objects], bool]
    profiles: tuple[str, ...] = PROFILES
    needs: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


def together(*layers: Values) -> Values:
    """Values laid over each other; lists are joined."""
    result: Values = {}
    for layer in layers:
        for key, value in layer.items():
            before = result.get(key)
            if isinstance(value, dict) and isinstance(before, dict):
                result[key] = together(before, value)
            elif isinstance(value, list) and isinstance(before, list):
                result[key] = before + value
            else:
                result[key] = value
    return result


def switch(key: str, **on: Any) -> tuple[Values, Values]:
    """Values that switch `KEY.enabled` on, with what it needs, and off."""
    above, _, last = key.rpartition(".")
    pair = ({last: {"enabled": True, **on}}, {last: {"enabled": False}})
    for part in reversed(above.split(".")) if above else ():
        pair = ({part: pair[0]}, {part: pair[1]})
    return pair
