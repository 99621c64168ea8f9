"""Which command changed an image, as its commit's trailers say, where what the files held agrees.

Trailers are looked for in the whole message: a squash merge leaves those of several commits somewhere in its own.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from gitops_tk.model.history import Version
from gitops_tk.model.image import Image
from gitops_tk.workflows.messages import shown

_LINE = re.compile(r"^[ \t]*Gitops-Tk-([A-Za-z-]+): ([^\n]*)$", re.MULTILINE)


class Credit(Struct, frozen=True, kw_only=True):
    """What a command left in its commit's message.

    Attributes:
        command: its name, such as promote.
        source: the environment that was promoted from.
        overrides: the gates that were overridden, each with the reason behind its name.
    """

    command: str
    source: str | None = None
    overrides: tuple[str, ...] = ()


def credit(version: Version, place: str, before: Mapping[str, Image], after: Mapping[str, Image]) -> Credit | None:
    """The command that changed a service's images, or None where no trailer says so and is right.

    Args:
        version: the commit with which they changed.
        place: the service in its environment, as `environment/service`.
    """
    new = [_texts(image, before.get(name)) for name, image in after.items()]
    for message in (version.message, version.merged):
        for block in _blocks(message):
            changes = [value for key, value in block if key == "Change" and value.startswith(f"{place} ")]
            if any(_names(change, texts) for change in changes for texts in new):
                return _credit(block)
    return None


def _credit(block: list[tuple[str, str]]) -> Credit:
    found = dict(block)
    overrides = tuple(value for key, value in block if key == "Override")
    return Credit(command=found["Command"], source=found.get("Source"), overrides=overrides)


def _blocks(message: str) -> Iterator[list[tuple[str, str]]]:
    block: list[tuple[str, str]] = []
    for match in _LINE.finditer(message):
        if match[1] == "Command":
            if block:
                yield block
            block = [("Command", match[2].strip())]
        elif block:
            block.append((match[1], match[2].strip()))
    if block:
        yield block


def _texts(image: Image, before: Image | None) -> list[str]:
    # What a change of this image may have put there, part by part.
    old = before or Image()
    parts = [(image.tag, old.tag), (image.digest, old.digest), (image.build, old.build), (image.revision, old.revision)]
    return [str(new) for new, known in parts if new not in ("", None) and new != known]


def _names(change: str, texts: list[str]) -> bool:
    _, _, put = change.rpartition(" -> ")
    # A whole reference holds the tag, or the digest, and ends in it.
    return any(
        put in (text, shown(text)) or put.endswith((f":{text}", f"@{text}")) or f":{text}@" in put for text in texts
    )
