"""Keys: dotted paths into values, with list indexes and selectors (CONTRACT: "KEY is a dotted path")."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from gitops_tk.errors import UsageError


class Index(Struct, frozen=True):
    """A list's element by its position, from 0; the position after the last one is for appending."""

    at: int


class Selector(Struct, frozen=True):
    """A list's element by the text that it has under a key; numbers and booleans count as JSON writes them."""

    key: str
    value: str

    def matches(self, held: Any) -> bool:
        """Whether this is what the key of the element holds."""
        if isinstance(held, bool | int | float):
            return json.dumps(held) == self.value
        return bool(held == self.value)

    def position(self, items: Sequence[Any]) -> int | None:
        """The position of the first element that is meant, or None."""
        return next(iter(self.positions(items)), None)

    def positions(self, items: Sequence[Any]) -> list[int]:
        """The positions of all elements that are meant."""
        return [
            at
            for at, one in enumerate(items)
            if isinstance(one, dict) and self.key in one and self.matches(one[self.key])
        ]


Step = str | Index | Selector
KeyPath = tuple[Step, ...]

_BARE = re.compile(r'[^.\[\]"=\s]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BRACKET = re.compile(r"\[(?:(\d{1,6})|([^\[\]=\s]+)=([^\[\]]*))\]")
_NEEDS_QUOTES = re.compile(r'[.\[\]"=\s]|^$')


# A repository has a handful of keys, and asks for them in each of ten thousand files.
@lru_cache(maxsize=1024)
def parse_key(text: str) -> KeyPath:
    """Reads a key such as `ingress.hosts[0].host` or `podLabels."app.kubernetes.io/name"`.

    Raises:
        UsageError: it is not one (code `bad-key`).
    """
    path, rest = read_key(text)
    if rest:
        raise _bad(text, len(text) - len(rest))
    return path


def read_key(text: str) -> tuple[KeyPath, str]:
    """Reads a key from the beginning of a text and returns what follows it: nothing, or `=` and more.

    Raises:
        UsageError: there is no key at the beginning (code `bad-key`).
    """
    steps: list[Step] = []
    at = 0
    while True:
        match = _QUOTED.match(text, at) or _BARE.match(text, at)
        if not match:
            raise _bad(text, at)
        steps.append(re.sub(r"\\(.)", r"\1", match[1]) if text[at] == '"' else match[0])
        at = match.end()
        while bracket := _BRACKET.match(text, at):
            steps.append(Index(int(bracket[1])) if bracket[1] else Selector(bracket[2], bracket[3]))
            at = bracket.end()
        if at == len(text) or text[at] == "=":
            return tuple(steps), text[at:]
        if text[at] != ".":
            raise _bad(text, at)
        at += 1


def format_key(path: KeyPath) -> str:
    """Writes a path as a key that `parse_key` reads back."""
    text = ""
    for step in path:
        if isinstance(step, Index):
            text += f"[{step.at}]"
        elif isinstance(step, Selector):
            text += f"[{step.key}={step.value}]"
        else:
            word = step.replace("\\", "\\\\").replace('"', '\\"')
            text += ("." if text else "") + (f'"{word}"' if _NEEDS_QUOTES.search(step) else step)
    return text


def _bad(text: str, at: int) -> UsageError:
    return UsageError(
        f"{text!r} is not a key: it goes wrong at character {at + 1}",
        code="bad-key",
        hint='write image.tag, ingress.hosts[0].host, images[name=web].newTag or podLabels."app.kubernetes.io/name"',
    )
