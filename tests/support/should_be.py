"""What should be where, as plain lists: the model that a simulated quarter is held against."""

import re
from dataclasses import dataclass, field

from gitops_tk.model.image import Image

_VERSION = re.compile(r"v1\.(\d+)\.0")


@dataclass(frozen=True)
class Build:
    """An image: its tag, and its number where it has one."""

    tag: str
    number: int | None = None

    @property
    def image(self) -> Image:
        """The same, as the program has it."""
        return Image(tag=self.tag, build=self.number)


@dataclass
class Run:
    """An image that ran, or runs, in an environment: since when, brought by which command, and its level at last."""

    build: Build
    since: float
    command: str | None
    source: str | None
    level: str


@dataclass
class Held:
    """A hold: on everything, or on some images; until when; what a rollback left and put back."""

    everything: bool
    until: float | None = None
    images: list[Build] = field(default_factory=list)
    restored: Build | None = None


@dataclass
class Place:
    """A service in an environment."""

    runs: list[Run]
    level: str
    replicas: int = 2

    @property
    def now(self) -> Build:
        """What runs."""
        return self.runs[-1].build

    def put(self, build: Build, when: float, command: str | None, source: str | None = None) -> None:
        """Another image comes; the same one changes nothing."""
        if build != self.now:
            self.runs.append(Run(build, when, command, source, self.level))

    def set_level(self, level: str) -> None:
        """The travelling key changes while the image stays."""
        self.level = self.runs[-1].level = level


def older(wanted: Build, current: Build) -> bool:
    """Whether a build is older than another, as far as their numbers or versions say."""
    if wanted.number is not None and current.number is not None:
        return wanted.number < current.number
    ours, theirs = _VERSION.fullmatch(wanted.tag), _VERSION.fullmatch(current.tag)
    return bool(ours and theirs and int(ours[1]) < int(theirs[1]))


def matches(one: Build, other: Build) -> bool:
    """Whether a build is the one that a hold names: their numbers count where both have one."""
    return one.tag == other.tag and (None in (one.number, other.number) or one.number == other.number)
