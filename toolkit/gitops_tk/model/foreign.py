"""Foreign text on a page of Markdown and in commit messages: shown as it is, and without any effect.

On a page it stands in code alone, where no Markdown, HTML, link or mention is read. What forges look for in raw text
all the same is broken by an invisible character. Sources: CommonMark 0.31 §6.1 "Code spans" and §4.5 "Fenced code
blocks"; GFM "Tables"; GitLab's `issue_closing_pattern`; the skip instructions of GitHub Actions and GitLab CI.
"""

import re

from msgspec import Struct

# Control characters, and what turns the direction of writing or is not seen at all.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
    r"\ufff9-\ufffc\U000e0000-\U000e0fff\ud800-\udfff]"
)
_JOINER = "\u2060"
# People, issues and merge requests; words that close issues; instructions to CI systems.
_REFERENCE = re.compile(r"(?<=[@#!])(?=\w)|(?<=GH-)(?=\d)")
_KEYWORD = re.compile(r"\b(clos|fix|resolv|implement)(?=(?:e|es|ed|s|ing)?\b)", re.IGNORECASE)
_SKIP = re.compile(
    r"(\[|\*\*\*|\b)(skip|no|ci|actions?)(?=[ _-](?:ci|skip|checks?|actions?|azurepipelines))", re.IGNORECASE
)
# The same in a commit message, where an issue may be named and nobody be called, nothing be closed or left out.
_ACTING = re.compile(
    r"(?<![\w.])@(?=\w)|\b[cfri](?:los|ix|esolv|mplement)(?:e|es|ed|s|ing)?(?=:?\s+(?:issues?\s+)?"
    r"(?:[\w./-]*[#!]\d|GH-\d|https?://|[A-Z][A-Z0-9_]+-\d))"
    r"|(?:\[|\*\*\*|\b)(?:skip|no|ci|actions?)[ _-](?:ci|skip|checks?|actions?|azurepipelines)",
    re.IGNORECASE,
)
_LONGEST = 200


class Link(str):
    """An address among foreign words: it leads where it says."""


class Said(Struct, frozen=True):
    """A sentence of ours with foreign words in it.

    Attributes:
        form: with `{}` for each of the words.
    """

    form: str
    words: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """The sentence for a terminal or a program."""
        return self.form.format(*self.words)

    @property
    def markdown(self) -> str:
        """The sentence on a page."""
        return self.form.format(*(word if isinstance(word, Link) else code(word) for word in self.words))


def acts(text: str) -> bool:
    """Whether a forge or a CI system would do something because of a text in a commit message."""
    return _ACTING.search(text) is not None


def literal(text: str) -> str:
    """A JSON text that is the same to a program, and does nothing: a letter of what would is written as its code."""
    return _ACTING.sub(lambda found: f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}", text)


def visible(text: str) -> str:
    """The text with what cannot be seen written out; line feeds and tabs stay."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def line(text: str, longest: int = _LONGEST) -> str:
    """The text on one line, cut where it is long."""
    flat = visible(text.replace("\r\n", "\n").replace("\n", "\u23ce").replace("\t", " "))
    return flat if len(flat) <= longest else f"{flat[:longest]}…"


def disarmed(text: str) -> str:
    """The text without references and instructions that are found in raw text, code or not."""
    text = _KEYWORD.sub(lambda found: found[0] + _JOINER, text)
    text = _SKIP.sub(lambda found: found[0] + _JOINER, text)
    return _REFERENCE.sub(_JOINER, text)


def code(text: str, longest: int = _LONGEST) -> str:
    """A code span."""
    shown = disarmed(line(text, longest))
    if not shown.strip():
        # A span of nothing but spaces is none: what is there is shown in quotes.
        shown = f'"{shown}"'
    fence = "`" * _longer_than_any_run(shown)
    # One space on either side is taken off again, so that a backtick or a space at the end stays.
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str, longest: int = _LONGEST) -> str:
    """A code span in a table: a pipe would end the cell, in code as well."""
    return code(text, longest).replace("\\|", f"\\{_JOINER}|").replace("|", "\\|")


def block(text: str, language: str = "") -> str:
    """A fenced code block."""
    shown = disarmed(visible(text.replace("\r\n", "\n"))).rstrip("\n")
    fence = "`" * max(3, _longer_than_any_run(shown))
    return f"{fence}{language}\n{shown}\n{fence}"


def _longer_than_any_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0) + 1
