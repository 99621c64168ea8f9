"""Evidence as the body of a pull request, in the Markdown that its forge reads.

Everything that comes from the repository stands in code (`model/foreign.py`). What does not fit is left out from the
least important on, and counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from msgspec import Struct

from gitops_tk.model.changes import unopened
from gitops_tk.model.dialect import Dialect
from gitops_tk.model.evidence import Evidence, ReleaseChange
from gitops_tk.model.foreign import block, cell, code
from gitops_tk.reports import changes
from gitops_tk.reports.changes import Group
from gitops_tk.reports.gates import not_before
from gitops_tk.reports.images import images

# What is kept free for the note that something was left out.
_NOTE = 800
# So many lines are read more easily than unfolded.
_FEW = 8


class _Item(Struct, frozen=True):
    """A piece of a section, and what stands for it where there is less room."""

    text: str
    short: str = ""


class _Section(Struct, frozen=True):
    """A part of the page.

    Attributes:
        head: what is shown if any of its items is.
        what: what its items are called where some are left out.
        rank: 1 is given room first.
    """

    head: str
    items: tuple[_Item, ...]
    what: str
    rank: int
    joint: str = "\n"


def body(evidence: Evidence, dialect: Dialect) -> str:
    """The page: the same evidence gives the same page, never longer than the dialect's limit."""
    sections = [one for one in _sections(evidence, dialect) if one.items]
    texts = _fitted(sections, dialect.limit - _NOTE)
    left = [f"{count} {one.what}" for one, (_, count) in zip(sections, texts, strict=True) if count]
    parts = [text for text, _ in texts if text]
    if left:
        where = f" {code(evidence.command, _NOTE // 2)} shows all." if evidence.command else ""
        parts.append(f"Left out or shortened, for a page here has its limit: {', '.join(left)}.{where}")
    return "\n\n".join(parts) + "\n"


def _fitted(sections: Sequence[_Section], room: int) -> list[tuple[str, int]]:
    """The text of each section, and how many of its items are left out or shortened."""
    found: dict[int, tuple[str, int]] = {}
    for at, section in sorted(enumerate(sections), key=lambda one: one[1].rank):
        found[at] = _fill(section, room)
        room -= len(found[at][0].encode()) + 2
    return [found[at] for at in range(len(sections))]


def _fill(section: _Section, room: int) -> tuple[str, int]:
    kept: list[str] = []
    room -= len(section.head.encode()) + 1
    left = 0
    for item in section.items:
        size = len(item.text.encode()) + len(section.joint)
        short = len(item.short.encode()) + len(section.joint)
        if size <= room:
            kept.append(item.text)
            room -= size
            continue
        left += 1
        if item.short and short <= room:
            kept.append(item.short)
            room -= short
    return (section.head + section.joint.join(kept) if kept else "", left)


def _sections(evidence: Evidence, dialect: Dialect) -> Iterator[_Section]:
    releases = evidence.releases
    yield _Section("", (_Item(_summary(evidence)), *_waits(evidence)), "summary", 1, "\n\n")
    yield _images(evidence, dialect)
    cautions = (_Item(f"- **{one.lines[0]}** {one.label}: {code(one.lines[1])}") for one in changes.cautions(evidence))
    yield _Section("**Worth a look**\n\n", tuple(cautions), "warnings", 4)
    yield _Section("**Gates**\n\n", tuple(_gates(evidence)), "gates", 5)
    values = (_block(group, dialect, folded=len(group.lines) > _FEW) for group in changes.values(evidence))
    yield _Section("**Values**: only these keys change\n\n", tuple(values), "changes of values", 6, "\n\n")
    if any(one.objects or one.not_rendered for one in releases):
        yield _Section("", (_Item(f"**Kubernetes**: {changes.summary(evidence)}"),), "summary", 3)
    missing = (_Item(f"- {one.label}: not rendered: {code(one.lines[0])}") for one in changes.missing(evidence))
    yield _Section("", tuple(missing), "reasons", 5)
    objects = (_block(group, dialect, folded=True) for group in changes.objects(evidence))
    yield _Section("", tuple(objects), "details of objects", 7, "\n\n")
    yield _Section("", tuple(_commits(releases, dialect)), "lists of commits", 9, "\n\n")
    skipped = (_Item(f"- {code(one.service)}: {code(one.message)}") for one in evidence.skipped)
    yield _Section("**Left alone**\n\n", tuple(skipped), "services left alone", 8)
    back = (_Item(block("\n".join(evidence.rollback))),) if evidence.rollback else ()
    yield _Section("**The way back**, once this has landed\n\n", back, "commands", 2)


def _summary(evidence: Evidence) -> str:
    services = dict.fromkeys(one.service for one in evidence.releases)
    envs = dict.fromkeys(one.env for one in evidence.releases)
    if not services:
        return "No release changes."
    what = f"{code(next(iter(services)))} changes" if len(services) == 1 else f"{len(services)} services change"
    origin = f", promoted from {code(evidence.source)}" if evidence.source else ""
    found = len(changes.cautions(evidence))
    marks = f" **{found} {'warning' if found == 1 else 'warnings'}.**" if found else ""
    return f"{what} in {', '.join(code(env) for env in envs)}{origin}.{marks}"


def _waits(evidence: Evidence) -> Iterator[_Item]:
    found = unopened(evidence.gates, evidence.skipped)
    if found:
        names = ", ".join(dict.fromkeys(code(gate.gate) for gate in found))
        yield _Item(f"**Not to be merged {not_before(found)}**: {names}.")


def _images(evidence: Evidence, dialect: Dialect) -> _Section:
    if dialect.tables:
        table = images(evidence, cell, lambda text, url: f"[{text}]({_target(url)})")
        items = (_Item(f"| {' | '.join(row)} |") for row in table.rows)
        return _Section(f"| {' | '.join(table.head)} |\n|{'---|' * len(table.head)}\n", tuple(items), "images", 2)
    table = images(evidence, code, lambda text, url: f"{text} {url}")
    lines = (
        ", ".join(f"{name} {text}" for name, text in zip(table.head[1:], row[1:], strict=True) if text)
        for row in table.rows
    )
    items = (_Item(f"- {row[0]} {line}") for row, line in zip(table.rows, lines, strict=True))
    return _Section("", tuple(items), "images", 2)


def _target(url: str) -> str:
    """An address in a link: nothing in it ends the link or the cell."""
    return "".join(one if one.isalnum() or one in "-._~:/?#[]@!$&'*+,;=%" else f"%{ord(one):02X}" for one in url)


def _gates(evidence: Evidence) -> Iterator[_Item]:
    for one in changes.gates(evidence):
        who = f"{changes.named(one.services)} in {one.env}" if one.services else one.env
        yield _Item(f"- {code(one.gate)} for {who}: **{one.answer}** {code(one.about) if one.about else ''}".rstrip())


def _block(group: Group, dialect: Dialect, *, folded: bool) -> _Item:
    text = block("\n".join(group.lines), "diff")
    short = f"- {group.label}: {len(group.lines)} lines"
    return _Item(_fold(group.label, text, dialect) if folded else f"**{group.label}**\n\n{text}", short)


def _fold(label: str, text: str, dialect: Dialect) -> str:
    if not dialect.folds:
        return f"**{label}**\n\n{text}"
    return f"<details><summary>{escape(label)}</summary>\n\n{text}\n\n</details>"


def _commits(releases: Iterable[ReleaseChange], dialect: Dialect) -> Iterator[_Item]:
    told: dict[tuple[str, str], int] = {}
    for one in releases:
        for image in one.images:
            lines = [f"- {code(commit.commit[:12])} {code(commit.subject)}" for commit in image.commits]
            told[one.service, "\n".join(lines)] = len(lines)
    for (service, text), count in told.items():
        if count:
            yield _Item(_fold(f"{count} commits of {service}", text, dialect))
