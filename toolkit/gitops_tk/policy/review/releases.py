"""Rules of releases: which images and which values may come to an environment."""

from collections.abc import Iterator

from msgspec.structs import replace

from gitops_tk.model.image import Image
from gitops_tk.policy.review.model import DELIVERIES, Fault, Key, Proposal, Release, rule

# Nobody reads more of a value in a message.
_LONGEST = 200


@rule(
    "not-in-source",
    summary="An image has been in the environment that it is promoted from, or in this one before",
    reason="What was never tried elsewhere would reach the environment.",
    example="prod gets a tag that was in dev alone",
    fix="bump it in the first environment and promote it; where builds come directly: from: [] in gitops-tk.yaml",
)
def not_in_source(proposal: Proposal) -> Iterator[Fault]:
    """Images that no source has held."""
    for one in _delivered(proposal):
        foreign = any(move.foreign for move in one.moves)
        if one.kind == "promotion" and one.images and not one.sources and not foreign:
            sources = " or ".join(proposal.config.environment(one.env).from_)
            yield _of(one, f"{one.service} {one.version} was never in {sources}")


@rule(
    "digest",
    summary="A digest, a build and a source commit are those that their tag has had in the source",
    reason="Under a tag that was tried another image would run.",
    example="the tag that staging has, with another digest or build, or without the digest",
    fix="promote it with gitops-tk promote, which carries all of it together",
)
def digest(proposal: Proposal) -> Iterator[Fault]:
    """Digests, builds and source commits that belong to another image than the tag."""
    for one in _delivered(proposal):
        if not one.sources and one.kind == "promotion":
            for move in one.moves:
                if move.foreign and move.after is not None:
                    said = f"{move.after.tag} of {one.service} was never in the source as it is here"
                    yield _of(one, f"{said}: {_beside_tag(move.after)}")


def _beside_tag(image: Image) -> str:
    build = [f"build {image.build}"] if image.build is not None else []
    revision = [f"source commit {image.revision[:12]}"] if image.revision else []
    return ", ".join([image.digest[:19] or "no digest", *build, *revision])


@rule(
    "older-build",
    summary="No older build overwrites a newer one, but by a rollback",
    reason="A pipeline that finished late would undo a newer one.",
    example="v1.1.0 from staging's past over v2.0.0, and prod never had it",
    fix="gitops-tk rollback goes back to what ran before; --allow-older puts another older build there",
)
def older_build(proposal: Proposal) -> Iterator[Fault]:
    """Older builds."""
    for one in _delivered(proposal):
        for move in one.moves:
            if one.kind != "rollback" and move.older:
                told = f"{one.service} in {one.env}: {move.older}"
                if "older-build" in proposal.overrides:
                    yield replace(_of(one, f"{told}; overridden"), warning=True)
                else:
                    yield _of(one, told)


@rule(
    "held",
    summary="A service that is held is left alone",
    reason="Somebody has found a reason to stop it there.",
    example="a promotion of a service that is held in prod",
    fix="gitops-tk unhold SERVICE -e ENV lets it go on",
)
def held(proposal: Proposal) -> Iterator[Fault]:
    """Promotions and bumps of what is held, there or in the source; a way back is open, but to what the hold names."""
    for one in _delivered(proposal):
        if one.left is not None and one.kind == "promotion":
            yield _of(one, f"{one.service} {one.version} is held where it comes from: {one.left.shown}")
        if one.hold is None or not one.hold.blocks(one.images, proposal.now):
            continue
        if one.kind != "rollback" or any(one.hold.lists(name, image) for name, image in one.images.items()):
            yield _of(one, f"{one.service} in {one.env} is held: {one.hold.shown}")


@rule(
    "lower-layer",
    summary="An image comes in the service's own values",
    reason="A chart's default or a shared file would bring another image under everybody's feet.",
    example="envs/prod.yaml sets `image.digest`, which wins over every tag",
    fix="set the image in the service's own file: gitops-tk bump, or promote",
)
def lower_layer(proposal: Proposal) -> Iterator[Fault]:
    """Images that a lower layer brings."""
    for one in proposal.releases:
        if one.lower is not None:
            message = f"{one.lower} gives {one.service} in {one.env} another image: {one.version}"
            yield Fault(message=message, file=one.lower, service=one.service, env=one.env)


@rule(
    "protected",
    summary="No protected key changes, as the layers merge to it",
    reason="gitops-tk.yaml says that nobody changes it there, be it by a shared file or a chart's default.",
    example="a chart's default changes `config.data.DB_HOST`",
    fix="leave it as it is; --override protected --reason TEXT where gitops-tk.yaml allows it",
)
def protected(proposal: Proposal) -> Iterator[Fault]:
    """Protected keys that change."""
    for one in proposal.releases:
        reason = proposal.may_override("protected", one.env)
        for key in one.protected:
            if reason is None:
                yield _key(one, key, f"{key.key} of {one.service} is protected in {one.env}")
            else:
                yield _key(one, key, f"{key.key} of {one.service} in {one.env} is overridden: {reason}", warning=True)


@rule(
    "foreign-repository",
    summary="Images are pulled from where a source has pulled them from, as the layers merge to it",
    reason="Under a tag that was tried another image would run.",
    example="a new services/a/envs/prod.yaml with the tag that staging has, and `image.repository: evil.example.com/a`",
    fix="set it in the source environment, and here when that is merged; --override foreign-repository --reason TEXT "
    "where gitops-tk.yaml allows it",
)
def foreign_repository(proposal: Proposal) -> Iterator[Fault]:
    """Places that images come from, and that no source knows."""
    for one in proposal.releases:
        reason = proposal.may_override("foreign-repository", one.env)
        sources = " or ".join(proposal.config.environment(one.env).from_)
        for key in one.foreign:
            value = str(key.after or "nothing")[:_LONGEST]
            told = f"{key.key} of {one.service} in {one.env} is what it never was in {sources}: {value}"
            if reason is None:
                yield _key(one, key, told)
            else:
                yield _key(one, key, f"{told}; overridden: {reason}", warning=True)


@rule(
    "extra-key",
    summary="With an image come the keys that travel, and no others",
    reason="A change of configuration would pass as a promotion.",
    example="a promotion that also sets `team: shop`",
    fix="put it in a pull request of its own, or let it travel: promotion.keys in gitops-tk.yaml",
)
def extra_key(proposal: Proposal) -> Iterator[Fault]:
    """Keys that come with an image and do not travel."""
    for one in _delivered(proposal):
        for key in one.own if one.guarded else ():
            if not key.travels:
                yield _key(one, key, f"{key.key} of {one.service} comes with a {one.kind}, and does not travel")


@rule(
    "key-not-in-source",
    summary="A key that travels has a value that it has, or has had, in the source",
    reason="A configuration that was never tried would pass as a promotion.",
    example="a promotion with `config.data.LEVEL: trace`, which staging never had",
    fix="set it in the source environment, and promote it",
)
def key_not_in_source(proposal: Proposal) -> Iterator[Fault]:
    """Travelling keys with a value of their own."""
    for one in _delivered(proposal):
        for key in one.own if one.guarded else ():
            if key.travels and not key.held:
                yield _key(one, key, f"{key.key} of {one.service} has a value that it never had in the source")


@rule(
    "stray-edit",
    summary="Only the lines of what changes are changed",
    reason="Among lines that were merely moved or indented, nobody sees the one that matters.",
    example="a promotion that changes every line end, or takes a comment out",
    fix="take back what changes nothing: spaces, comments, the order of lines, line ends",
)
def stray_edit(proposal: Proposal) -> Iterator[Fault]:
    """Lines that change and say nothing new."""
    for one in proposal.releases:
        if one.guarded and one.stray:
            more = f" and {len(one.stray) - 1} more" if len(one.stray) > 1 else ""
            message = f"line {one.stray[0]}{more} of {one.path} changes, and holds nothing that does"
            yield Fault(message=message, file=one.path, line=one.stray[0], service=one.service, env=one.env)


@rule(
    "chart-not-in-source",
    summary="Where charts are promoted, a chart comes from the source: its files, or the exact version that is pinned",
    reason="A chart that was never tried elsewhere would reach the environment.",
    example="prod's copy of a template is edited by itself, or prod pins a version that staging never had",
    fix="edit the first environment's chart, or pin it there, and promote it",
)
def chart_not_in_source(proposal: Proposal) -> Iterator[Fault]:
    """Charts that no source has held."""
    for one in proposal.releases:
        if not one.chart:
            sources = " or ".join(proposal.config.environment(one.env).from_)
            yield _of(one, f"the chart of {one.service} in {one.env} was never in {sources}")


def _delivered(proposal: Proposal) -> Iterator[Release]:
    return (one for one in proposal.releases if one.kind in DELIVERIES and one.lower is None)


def _of(one: Release, message: str) -> Fault:
    return Fault(message=message, file=one.path, service=one.service, env=one.env)


def _key(one: Release, key: Key, message: str, *, warning: bool = False) -> Fault:
    return Fault(
        message=message,
        file=key.file or one.path,
        line=key.line,
        service=one.service,
        env=one.env,
        warning=warning,
    )
