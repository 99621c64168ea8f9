"""What an environment has held, and when: facts from history, for the gates and for verify-pr."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.model.image import Image

Images = Mapping[str, Image]


class Holding(Struct, frozen=True, kw_only=True):
    """Images that an environment held for a while, without a change.

    Attributes:
        images: a service's images by name.
        since: when they came, in seconds since 1970 (UTC).
        until: when others came; None where they are there still.
        commit: the commit that brought them.
    """

    images: Images
    since: float
    until: float | None
    commit: str

    def length(self, now: float) -> float:
        """For how long they were there, up to a time."""
        return max((now if self.until is None else self.until) - self.since, 0.0)


class Past(Struct, frozen=True, kw_only=True):
    """What the environments have held of one service, newest first.

    Attributes:
        now: the time, in seconds since 1970 (UTC).
        environments: by the environments' names.
    """

    now: float
    environments: Mapping[str, Sequence[Holding]]

    def of(self, env: str, wanted: Images) -> list[Holding]:
        """When an environment held exactly these images, newest first; what came and went in between is told apart.

        Another image of the service that changes beside them ends no time of theirs.
        """
        found: list[Holding] = []
        for one in self.environments.get(env, ()):
            if not holds(one.images, wanted):
                continue
            if found and found[-1].since == one.until:
                found[-1] = replace(one, until=found[-1].until)
            else:
                found.append(one)
        return found


def holds(images: Images, wanted: Images) -> bool:
    """Whether all of the wanted images are there."""
    return all(name in images and same(images[name], image) for name, image in wanted.items())


def same(one: Image, other: Image) -> bool:
    """Whether two images are the same: in tag and digest, and in build and revision where both have one.

    A chart's schema may keep an environment from having the last two.
    """
    return (
        (one.tag, one.digest) == (other.tag, other.digest)
        and (one.build is None or other.build is None or one.build == other.build)
        and (not one.revision or not other.revision or one.revision == other.revision)
    )


def vouches(held: Image, wanted: Image) -> bool:
    """Whether an image that was held is the wanted one, and the wanted one says nothing more of itself.

    A build's number or a source commit that was made up would order what comes later.
    """
    added = (wanted.build is not None and held.build is None) or (wanted.revision and not held.revision)
    return same(held, wanted) and not added


def monotone(times: Iterable[float], now: float) -> list[float]:
    """The times of commits, oldest first, such that none is before the one that it is made on.

    A clock that was slow, or a date that was made up, lets no commit be older than its parent. A date in the future
    says nothing: such a commit counts as made when the next one was, or now.
    """
    found = list(times)
    known = now
    for at in range(len(found) - 1, -1, -1):
        if found[at] > now:
            found[at] = known
        known = found[at]
    for at in range(1, len(found)):
        found[at] = max(found[at], found[at - 1])
    return found
