"""A text by its lines: where they begin and end, and lines put in or taken out with the file's own line ends."""

import re

# What YAML 1.1 readers take for the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_HEADER = re.compile(r"[|>][1-9]?([+-]?)")


class Text:
    """A text that lines are put into; each method that changes it returns the new text."""

    def __init__(self, text: str) -> None:
        self._text = text
        first = _BREAK.search(text)
        self._eol = first[0] if first else "\n"

    def __len__(self) -> int:
        return len(self._text)

    def line_start(self, at: int) -> int:
        """Where the line that holds a position begins."""
        start = 0
        for found in _BREAK.finditer(self._text, max(0, self._text.rfind("\n", 0, at)), at):
            start = found.end()
        return start

    def line_end(self, at: int) -> int:
        """Where the line that holds a position ends, before its line end."""
        found = _BREAK.search(self._text, at)
        return found.start() if found else len(self._text)

    def after(self, at: int) -> int:
        """Where the line after the one that holds a position begins."""
        found = _BREAK.search(self._text, at)
        return found.end() if found else len(self._text)

    def column(self, at: int) -> int:
        """The column of a position, from 0."""
        return at - self.line_start(at)

    def is_first(self, at: int) -> bool:
        """Whether nothing but spaces stands before a position in its line."""
        return not self._text[self.line_start(at) : at].strip()

    def dash(self, at: int) -> int | None:
        """The dash that makes the value at a position a list's element, if it stands in the same line."""
        before = self._text[self.line_start(at) : at].rstrip(" ")
        return self.line_start(at) + len(before) - 1 if before.endswith("-") else None

    def is_ended(self, at: int) -> bool:
        """Whether the line before a position has a line end."""
        return bool(self._last_break(at))

    def chomping(self, start: int) -> str:
        """What a block scalar's header at a position says of its last line end: `+`, `-` or nothing."""
        header = _HEADER.match(self._text, start)
        return header[1] if header else ""

    def content_end(self, start: int, end: int) -> int:
        """The end of a block scalar's last line; with `keep` (`|+`) the blank lines after it are content too."""
        if self.chomping(start) == "+":
            return end - len(self._last_break(end))
        return len(self._text[:end].rstrip())

    def inserted(self, at: int, lines: list[str]) -> str:
        """The text with lines put in where a line begins, or at the end."""
        return self.exchanged(at, at, lines)

    def exchanged(self, start: int, end: int, lines: list[str]) -> str:
        """The text with the lines from one line's start to another's replaced."""
        head, tail = self._text[:start], self._text[end:]
        written = self._eol.join(lines)
        if head and not self._last_break(len(head)):
            # The last line has no line end, and the new last one gets none either.
            return head + (self._eol + written if lines else "") + tail
        if not lines:
            return head + tail
        unfinished = not tail and end > start and not self._last_break(end)
        return head + written + ("" if unfinished else self._eol) + tail

    def _last_break(self, at: int) -> str:
        if self._text[:at].endswith("\r\n"):
            return "\r\n"
        return self._text[at - 1 : at] if _BREAK.fullmatch(self._text[at - 1 : at]) else ""
