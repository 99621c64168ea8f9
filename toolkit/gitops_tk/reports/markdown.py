"""Evidence as the body of a pull request, in the Markdown that its forge reads."""

from collections.abc import Sequence
from datetime import UTC, datetime

from gitops_tk.model.dialect import Dialect
from gitops_tk.model.evidence import Evidence, ImageChange, ReleaseChange
from gitops_tk.model.image import Image
from gitops_tk.reports.escape import cell


def body(evidence: Evidence, dialect: Dialect) -> str:
    """The page: the same evidence gives the same page, never longer than the dialect's limit."""
    rows = [_row(evidence, release, image) for release in evidence.releases for image in release.images]
    head = _head(evidence)
    while rows and len(_table(head, rows).encode()) > dialect.limit:
        del rows[-1]
    return _table(head, rows)


def _head(evidence: Evidence) -> list[str]:
    since = f"in {evidence.source} since" if evidence.source else ""
    return ["service", "from", "to", "digest", "built from", *([since] if since else [])]


def _row(evidence: Evidence, release: ReleaseChange, image: ImageChange) -> list[str]:
    after = image.after or Image()
    row = [
        cell(release.service),
        _version(image.before),
        _version(image.after),
        cell(after.digest[:19]) if after.digest else "",
        cell(after.revision[:12]) if after.revision else "",
    ]
    since = datetime.fromtimestamp(image.since, UTC).strftime("%Y-%m-%d %H:%M UTC") if image.since is not None else ""
    return [*row, *([since] if evidence.source else [])]


def _version(image: Image | None) -> str:
    return cell(image.version) if image and image.version else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"
