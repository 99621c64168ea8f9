"""The table of a change's images: which service, from what to what, built from what, since when where it comes from."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from gitops_tk.model.evidence import Evidence, ImageChange, ReleaseChange
from gitops_tk.model.image import Image

_SHORT = 8
_DIGEST = 19
# Service, from and to; the other columns are there where anything is in them.
_ALWAYS = (0, 2, 3)

Write = Callable[[str], str]
Link = Callable[[str, str], str]


class Table(Struct, frozen=True):
    """A table's columns and rows, written."""

    head: list[str]
    rows: list[list[str]]


def images(evidence: Evidence, write: Write, link: Link) -> Table:
    """The table.

    Args:
        write: how what comes from the repository is written.
        link: how a text that leads to an address is written.
    """
    since = f"in {evidence.source} since (UTC)"
    head = ["service", "in", "from", "to", "digest", "built from", since]
    several = len({one.env for one in evidence.releases}) > 1
    rows = [_row(one, image, write, link, several=several) for one in evidence.releases for image in one.images]
    shown = [at for at in range(len(head)) if at in _ALWAYS or any(row[at] for row in rows)]
    return Table([head[at] for at in shown], [[row[at] for at in shown] for row in rows])


def _row(release: ReleaseChange, image: ImageChange, write: Write, link: Link, *, several: bool) -> list[str]:
    name = release.service if image.image == "default" else f"{release.service} ({image.image})"
    before, after = image.before or Image(), image.after or Image()
    retagged = before.tag == after.tag
    return [
        write(name),
        write(release.env) if several else "",
        _version(before, write, digest=retagged),
        _version(after, write, digest=retagged),
        write(after.digest[:_DIGEST]) if after.digest else "",
        _built_from(image, write, link),
        _time(image.since),
    ]


def _version(image: Image, write: Write, *, digest: bool) -> str:
    if digest and image.tag and image.digest:
        return write(f"{image.tag}@{image.digest[:_DIGEST]}")
    return write(image.version) if image.version else "nothing"


def _built_from(image: ImageChange, write: Write, link: Link) -> str:
    before, after = image.before or Image(), image.after or Image()
    text = write(after.revision[:_SHORT]) if after.revision else ""
    if image.compare:
        text = link(write(f"{before.revision[:_SHORT]}...{after.revision[:_SHORT]}"), image.compare)
    build = f"build {after.build}" if after.build is not None else ""
    return ", ".join(part for part in (text, build) if part)


def _time(seconds: int | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
