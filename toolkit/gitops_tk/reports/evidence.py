"""Evidence in a terminal: the same that a pull request's body says."""

from collections.abc import Iterator

from gitops_tk.model.evidence import Evidence
from gitops_tk.model.foreign import line, visible
from gitops_tk.reports import changes
from gitops_tk.reports.changes import Group
from gitops_tk.reports.images import images
from gitops_tk.reports.table import table


def text(evidence: Evidence) -> str:
    """The whole of it, the images first."""
    if not evidence.releases:
        return "no release changes\n"
    parts = [_images(evidence)]
    cautions = [f"{group.lines[0]}  {group.label}: {group.lines[1]}" for group in changes.cautions(evidence)]
    parts += [_titled("worth a look", cautions)] if cautions else []
    gates = [
        f"{one.gate} for {changes.named(one.services) or 'all'} in {one.env}: {one.answer}"
        + (f": {one.about}" if one.about else "")
        for one in changes.gates(evidence)
    ]
    parts += [_titled("gates", gates)] if gates else []
    parts += [_titled("values", list(_groups(changes.values(evidence))))] if changes.values(evidence) else []
    if any(one.objects or one.not_rendered for one in evidence.releases):
        missing = [f"{group.label}: not rendered: {group.lines[0]}" for group in changes.missing(evidence)]
        parts.append(
            _titled(f"kubernetes: {changes.summary(evidence)}", [*missing, *_groups(changes.objects(evidence))])
        )
    commits = [
        line
        for one in evidence.releases
        for image in one.images
        if image.commits
        for line in (f"{one.service}: {image.compare}", *(f"  {c.commit[:12]} {c.subject}" for c in image.commits))
    ]
    parts += [_titled("commits", commits)] if commits else []
    return visible("\n".join(part for part in parts if part))


def _images(evidence: Evidence) -> str:
    found = images(evidence, line, lambda text, _: text)
    return table([name.upper() for name in found.head], found.rows) if found.rows else ""


def _groups(groups: list[Group]) -> Iterator[str]:
    for group in groups:
        yield f"{group.label}:"
        yield from group.lines


def _titled(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}", *(f"  {line}" for line in lines)]) + "\n"
