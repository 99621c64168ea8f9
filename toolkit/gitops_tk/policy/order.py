"""Which of two images is the older build (CONTRACT: "An older build does not overwrite a newer one")."""

from gitops_tk.model.image import Image


def older_by(current: Image, wanted: Image) -> str | None:
    """Says why `wanted` is older than `current`, or None where nothing is concluded.

    Build numbers decide where both sides have one; else the tags, where both are semantic
    versions (semver.org 2.0.0, a leading `v` allowed) without a pre-release part.
    """
    if current.build is not None and wanted.build is not None:
        older = wanted.build < current.build
        return f"build {wanted.build} is older than build {current.build}" if older else None
    if not _looks_like_version(current.tag) or not _looks_like_version(wanted.tag):
        return None
    from semver import Version

    try:
        ours, theirs = (
            Version.parse(wanted.tag.removeprefix("v")),
            Version.parse(current.tag.removeprefix("v")),
        )
    except ValueError:
        return None
    if ours.prerelease or theirs.prerelease or ours >= theirs:
        return None
    return f"{wanted.tag} is older than {current.tag}"


def is_older_chart(wanted: str, current: str) -> bool:
    """Whether a chart's version comes before another one (semver.org 2.0.0, item 11; a leading `v` allowed)."""
    from semver import Version

    try:
        return Version.parse(wanted.removeprefix("v")) < Version.parse(current.removeprefix("v"))
    except ValueError:
        return False


def newer_by_build(current: Image, wanted: Image) -> bool:
    """Whether both images have a build number and `wanted` has the greater one."""
    return current.build is not None and wanted.build is not None and wanted.build > current.build


def _looks_like_version(tag: str) -> bool:
    # Spares the import of semver where it could not parse the tag anyway.
    return tag.count(".") >= 2 and tag.removeprefix("v")[:1].isdigit()
