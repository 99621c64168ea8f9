"""adopt: gitops-tk.yaml for a repository that exists already; nothing else in it changes."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.layout import Layout, LayoutError
from gitops_tk.config.load import CONFIG_FILE, parse
from gitops_tk.errors import ConfigError, GitopsTkError, RepositoryError, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Delete, Plan, Write
from gitops_tk.model.foreign import disarmed, line
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import is_remote
from gitops_tk.repository.overlay import Overlay
from gitops_tk.values.keys import parse_key
from gitops_tk.workflows import status
from gitops_tk.workflows.adopting.charts import Placement, charts, shared
from gitops_tk.workflows.adopting.choice import NOWHERE, Choice, choose
from gitops_tk.workflows.adopting.environments import given
from gitops_tk.workflows.adopting.findings import Finding, Report, counted, some
from gitops_tk.workflows.adopting.images import Images, Spot, chosen, spots
from gitops_tk.workflows.adopting.listing import Listing
from gitops_tk.workflows.adopting.text import written
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.author import author
from gitops_tk.workflows.deliver import in_checkout
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.starting.forge import forge_of
from gitops_tk.workflows.views import Views

_SHOWN = 3
_LOOKED_AT = 200
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class AdoptRequest(Struct, frozen=True, kw_only=True):
    """What a person says of the repository; what is left out is found.

    Attributes:
        environments: `NAME` or `NAME=PATH`, in promotion order.
        values: the template of services' values.
        image_key: the key of an image's tag, or of a whole reference.
    """

    environments: tuple[str, ...] = ()
    values: str | None = None
    image_key: str | None = None

    def check(self) -> None:
        """Refuses names, a template and a key that are none.

        Raises:
            UsageError: an option is not what it has to be.
        """
        listed = given(self.environments)
        for one in listed:
            names.environment(one.name)
            if not _SEGMENT.fullmatch(one.path):
                raise UsageError(f"{one.path!r} is not a part of a path", code="bad-environment-name")
        if len({env.name for env in listed}) < len(self.environments):
            raise UsageError("an environment is named twice", code="duplicate-environment")
        if self.image_key is not None:
            parse_key(self.image_key)
        if self.values is None:
            return
        try:
            Layout({"values": self.values, "chart": NOWHERE}, listed)
        except LayoutError as error:
            hint = "a template such as apps/{service}/{env}.yaml"
            raise UsageError(f"--values: {error}", code="bad-template", hint=hint) from error


class Found(Struct, frozen=True):
    """What a repository says of itself.

    Attributes:
        text: the gitops-tk.yaml that says it.
        report: how each thing was concluded.
        status: what `status` says with it.
        warnings: the values files that cannot be read.
        home: the remote's URL; None where there is none.
        written: whether the repository has exactly this file already.
    """

    text: bytes
    report: Report
    status: Result
    warnings: tuple[Problem, ...]
    home: str | None
    written: bool = False


def adopt(request: AdoptRequest, options: Options) -> Result:
    """Writes gitops-tk.yaml into the checkout, or publishes it on the remote that `--repo` names.

    Raises:
        ConfigError: there is one already, or the layout is not to be told.
    """
    request.check()
    found: list[Found] = []

    def planner(views: Views, intent: Any) -> Plan:
        # After a lost race the repository may say something else.
        found.append(find(request, views))
        return plan(found[-1], intent)

    if options.repo is not None and is_remote(options.repo, options.cwd):
        result = author("adopt", planner, options)
    else:
        checkout = Checkout(_root(options), options.environ)
        result = in_checkout("adopt", planner, checkout, options, commit=options.commit)
    result.details = {**found[-1].status.details, **found[-1].report.details()}
    result.problems += found[-1].warnings
    return result


def find(request: AdoptRequest, views: Views) -> Found:
    """What a repository says of itself, and the file that says so; one that says the same already is left alone.

    The file is read as any command reads it: what is told of services is what `status` says right after.

    Raises:
        ConfigError: there is another gitops-tk.yaml already (`config-exists`), or what it should say is not to be told
            (`no-layout`, `no-image-key`, `ambiguous-layout`, `ambiguous-environments`, `ambiguous-image`).
    """
    there = views.snapshot.entries([CONFIG_FILE]).get(CONFIG_FILE)
    if there is None:
        return _found(request, views, views.snapshot)
    with suppress(GitopsTkError):
        found = _found(request, views, Overlay(views.snapshot, ChangeSet((Delete(CONFIG_FILE),))))
        if there.is_file and views.snapshot.read([CONFIG_FILE])[CONFIG_FILE] == found.text:
            return replace(found, written=True)
    raise ConfigError(
        f"there is a {CONFIG_FILE} already, and it says something else",
        code="config-exists",
        hint="edit it, or use gitops-tk env add and env remove",
        file=CONFIG_FILE,
    )


def _found(request: AdoptRequest, views: Views, snapshot: Snapshot) -> Found:
    listing = Listing(snapshot)
    choice = choose(listing, request.environments, request.values)
    common = shared(listing.files, choice.template, choice.environments)
    services = {service for service, _ in choice.files.values()}
    templates = {"values": choice.template, "shared": common.template}
    chart = charts(listing.charts, services, templates, choice.environments)
    images = _images(listing, choice, request.image_key)
    home = views.home()
    forge = forge_of(home)
    text = written(choice, common, chart, images, forge)
    seen = status.status(Overlay(snapshot, ChangeSet((Write(CONFIG_FILE, text),))), now=views.now)
    report = Report(
        _findings(request, choice, common, chart, images, forge),
        (*choice.unsure, *common.unsure, *chart.unsure, *_of_images(images, seen), *_elsewhere(listing, choice, seen)),
    )
    warnings = tuple(replace(problem, severity="warning") for problem in seen.problems)
    return Found(text, report, status.result(seen), warnings, home)


def plan(found: Found, intent: Any = None) -> Plan:
    """Plans the file that was found to be right."""
    config = parse(found.text)
    operations = () if found.written else (Write(CONFIG_FILE, found.text),)
    changes = () if found.written else (Change(kind="config", file=CONFIG_FILE, to="added"),)
    services = list(found.status.details["services"])
    bump = f"gitops-tk bump {services[0]} -e {config.environments[0].name} --tag TAG"
    local = "" if found.home else " --local"
    return Plan(
        changeset=ChangeSet(operations, changes),
        intent=intent,
        subject=f"adopt: {counted(len(services), 'service')} in {', '.join(env.name for env in config.environments)}",
        body="\n".join(disarmed(line(f"{one.what}: {one.value} ({one.why})")) for one in found.report.found),
        trailers=trailers("adopt", changes),
        publish=publish_by(config, operations),
        proposal=proposal_branch("_", ["adopt"]),
        advice=(f"next: gitops-tk status; {bump}{local}",),
    )


def _images(listing: Listing, choice: Choice, key: str | None) -> Images:
    order = [env.name for env in choice.environments]
    found: dict[str, list[Spot]] = {}
    # The last environment is the most settled one: the others are looked at where it holds nothing, or a digest may be.
    for path in sorted(choice.files, key=lambda path: -order.index(choice.files[path][1])):
        service = choice.files[path][0]
        if not found.get(service) or path in listing.pinned:
            found.setdefault(service, []).extend(spots(listing.data(path), service))
    images = chosen(found, key)
    if key is not None and images.default is None:
        raise ConfigError(
            f"no values file has an image at {key}",
            code="no-image-key",
            hint=f"images are at {some(images.others)}" if images.others else "bump sets image.tag where none is yet",
        )
    if images.rivals and images.default:
        raise ConfigError(
            f"several keys may hold the image of a service: {some([images.default.key, *images.rivals])}",
            code="ambiguous-image",
            hint=f"choose one: --image-key {quote(images.default.key)}; {CONFIG_FILE} may name the others then",
        )
    return images


def _findings(
    request: AdoptRequest, choice: Choice, common: Placement, chart: Placement, images: Images, forge: str | None
) -> tuple[Finding, ...]:
    told = "as --env says" if request.environments else "in the order that their names tell"
    keys = images.default
    image = Finding(what="image", value="image.tag", why="no values file holds an image: this is the default")
    if keys:
        kind = "the key of a whole reference" if keys.is_reference else "the key of the tag"
        more = f"; {len(images.own)} with other keys" if images.own else ""
        image = Finding(what="image", value=keys.key, why=f"{kind}, of {counted(images.services, 'service')}{more}")
    return (
        Finding(what="environments", value=", ".join(env.name for env in choice.environments), why=told),
        Finding(what="values", value=choice.template, why=choice.why),
        Finding(what="shared", value=common.template or "none", why=common.why),
        Finding(what="chart", value=chart.template or "none", why=chart.why),
        image,
        Finding(
            what="forge",
            value=forge or "not known",
            why="told from the remote" if forge else "no remote tells it; forge.kind may say it",
        ),
    )


def _of_images(images: Images, seen: status.Status) -> Iterator[str]:
    for key, count in list(images.others.items())[:_SHOWN]:
        yield f"{key} holds an image, too, of {counted(count, 'service')}: images in {CONFIG_FILE} may name it"
    without = [name for name, envs in seen.services.items() if not any(one.images for one in envs.values())]
    if without:
        remedy = f"{CONFIG_FILE} may say where: services: {{{min(without)}: {{images: {{default: {{tag: KEY}}}}}}}}"
        yield f"{counted(len(without), 'service')} without an image: {some(without)}; {remedy}"


def _elsewhere(listing: Listing, choice: Choice, seen: status.Status) -> Iterator[str]:
    """Files without the image that others of the service hold, and where those hold one that is kept elsewhere."""
    left = [path for path, (service, env) in choice.files.items() if not seen.services[service][env].images]
    found = {path: spots(listing.data(path), choice.files[path][0]) for path in left[:_LOOKED_AT]}
    for path, held in islice(((path, held) for path, held in found.items() if held), _SHOWN):
        yield f"{path} holds an image at {held[0].keys.key}, where {CONFIG_FILE} does not look"
    running = {name for name, envs in seen.services.items() if any(one.images for one in envs.values())}
    empty = [path for path in left if not found.get(path) and choice.files[path][0] in running]
    if empty:
        yield f"{counted(len(empty), 'file')} without the image that the service has elsewhere: {some(empty)}"


def _root(options: Options) -> Path:
    """The folder to work in: the one that --repo names, else the top of the work tree one is in."""
    if options.repo is None:
        here = Checkout(options.cwd, options.environ)
        return Path(here.git.read("rev-parse", "--show-toplevel")) if here.is_git else options.cwd
    root = (options.cwd / options.repo).resolve()
    if not root.is_dir():
        raise RepositoryError(f"there is no folder {root}", code="no-repository", hint="--repo takes a URL or a path")
    return root
