"""Holds: a service that `bump` and `promote` leave alone in an environment, and why (docs/holds.md).

A hold file is written by a person or a program; one that cannot be understood holds, too.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from gitops_tk.config.lines import read
from gitops_tk.config.source import Source
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.model.image import Image
from gitops_tk.model.moments import DAY, is_date, moment

Scope = Literal["all", "images"]

_LONGEST_REASON = 500
_LONGEST_SHOWN = 100


class HeldImage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An image that a hold names.

    Attributes:
        name: which of the service's images.
    """

    name: Annotated[str, Meta(min_length=1)] = "default"
    tag: str = ""
    digest: str = ""
    build: int | None = None

    @classmethod
    def of(cls, name: str, image: Image) -> "HeldImage":
        """The image as a hold names it."""
        return cls(name=name, tag=image.tag, digest=image.digest, build=image.build)

    def is_(self, image: Image) -> bool:
        """Whether this is the image: the digests decide where both have one, else tags and builds, as far as known."""
        if self.digest and image.digest:
            return self.digest == image.digest
        if self.build is not None and image.build is not None and self.build != image.build:
            return False
        return bool(self.tag) and self.tag == image.tag


class Fault(Struct, frozen=True):
    """Why a hold could not be understood, and the line that says so."""

    message: str
    line: int | None = None


class Hold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a hold file says.

    Attributes:
        until: a date, which counts to its end in UTC, or a time; empty for no end.
        by: who holds it, as `Name <email>`.
        scope: whether everything is held back, or the images alone; empty for what the images say.
        images: the images that may not come; of a rollback those that it left.
        restored: what a rollback put back: as long as it runs, the rollback was done.
        fault: set where the file could not be understood.
    """

    reason: str
    until: str = ""
    by: str = ""
    scope: Scope | Literal[""] = ""
    images: tuple[HeldImage, ...] = ()
    restored: tuple[HeldImage, ...] = ()
    fault: Fault | None = None

    @property
    def holds_all(self) -> bool:
        """Whether it holds back everything, and not some images alone."""
        return self.fault is not None or self.scope == "all" or not self.images

    def stands(self, now: float) -> bool:
        """Whether it has not ended at a time, in seconds since 1970 (UTC)."""
        return not self.until or now < until_end(self.until)

    def blocks(self, wanted: Mapping[str, Image], now: float) -> bool:
        """Whether images, by their names, may not come at a time; of no image, whether anything may change."""
        if not self.stands(now):
            return False
        return self.holds_all or any(self.lists(name, image) for name, image in wanted.items())

    def means(self, other: "Hold | None") -> bool:
        """Whether another hold says the same, by whomever."""
        return other is not None and replace(self, by="") == replace(other, by="")

    def lists(self, name: str, image: Image) -> bool:
        """Whether an image is one of those that it names."""
        return any(one.name == name and one.is_(image) for one in self.images)

    def names(self, images: Mapping[str, Image], now: float) -> bool:
        """Whether it stands at a time, and one of some images, by their names, is one that it names."""
        return self.stands(now) and any(self.lists(name, image) for name, image in images.items())

    @property
    def shown(self) -> str:
        """Reason, end and author on one line that steers no terminal."""
        # The file has the whole reason; a line is to be read.
        reason = _line(self.reason)
        parts = [
            reason if len(reason) <= _LONGEST_SHOWN else f"{reason[: _LONGEST_SHOWN - 1]}…",
            *([f"until {self.until}"] if self.until else []),
        ]
        return ", ".join(parts) + (f" (by {_line(self.by)})" if self.by else "")


def parse(data: bytes, file: str) -> Hold:
    """The hold that a file's bytes say; a faulty file is a hold as well, of everything and without an end."""
    try:
        return _checked(Source(*read(data, file)))
    except ConfigError as error:
        return broken(error.message, error.line)


def broken(message: str, line: int | None = None) -> Hold:
    """The hold that a file stands for which cannot be understood."""
    return Hold(reason=f"the hold cannot be read: {message}", fault=Fault(message, line))


def until_end(until: str) -> float:
    """When `--until` or `until:` ends, in seconds since 1970; a date ends with its last moment, in UTC.

    Raises:
        UsageError: it is neither a date nor a time (code `bad-date`).
    """
    return moment(until) + (DAY if is_date(until) else 0.0)


def check_reason(reason: str) -> str:
    """Returns a reason if it is one line of text.

    Raises:
        UsageError: it is empty, too long, or holds characters that are no text (code `bad-reason`).
    """
    if not reason.strip() or not reason.isprintable() or len(reason) > _LONGEST_REASON:
        raise UsageError(
            "--reason is not one line of text",
            code="bad-reason",
            hint=f"say why on one line, in at most {_LONGEST_REASON} characters",
        )
    return reason.strip()


def _checked(source: Source) -> Hold:
    if "reason" not in source.content:
        raise source.error((), "hold", "it has no reason")
    if "fault" in source.content:
        raise source.unknown((), "fault", tuple(key for key in Hold.__struct_fields__ if key != "fault"))
    hold: Hold = source.convert((), Hold)
    if not hold.reason.strip():
        raise source.error(("reason",), "hold", "its reason is empty")
    if hold.until:
        source.check(("until",), until_end, hold.until)
    if hold.scope == "images" and not hold.images:
        raise source.error(("scope",), "hold", "scope is images, and there are none")
    for key, images in (("images", hold.images), ("restored", hold.restored)):
        for at, image in enumerate(images):
            if not image.tag and not image.digest:
                raise source.error((key, at), "hold", "an image has neither tag nor digest")
    return hold


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if words.isprintable() else ascii(words)
