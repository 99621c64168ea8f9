"""What the first plan of a command meant: a retry holds on to it (CONTRACT: "What a publish does")."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from gitops_tk.model.changes import Skipped

T = TypeVar("T")


class Meant(Struct, Generic[T], frozen=True):
    """What a command means.

    Attributes:
        services: what it means for each service that it goes on with.
        skipped: those that it leaves alone: no later try looks at them again.
    """

    services: Mapping[str, T]
    skipped: tuple[Skipped, ...] = ()
