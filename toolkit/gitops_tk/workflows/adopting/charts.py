"""The charts of services, and the values that services share: what a layout says beside the values."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from gitops_tk.config.layout import DEFAULTS, Layout, LayoutError, Placed
from gitops_tk.workflows.adopting.choice import NOWHERE
from gitops_tk.workflows.adopting.findings import counted, some
from gitops_tk.workflows.adopting.readings import candidates, reader, stripped, with_service

# Where no chart is, a layout names a place for those that `new-service` writes.
_PLACES = (DEFAULTS["chart"], "charts/{service}", "helm/{service}/chart", NOWHERE)
_COMMON = frozenset(("common", "shared", "global", "base", "default", "defaults", "all", "envs", "environments"))
_SPLIT = re.compile(r"[/._-]")


class Placement(Struct, frozen=True, kw_only=True):
    """Where something of a layout is.

    Attributes:
        template: the layout's; None where shared values are nowhere.
        why: how it was concluded.
        found: whether anything is there.
    """

    template: str | None
    why: str
    found: bool = True
    unsure: tuple[str, ...] = ()


def charts(
    folders: Sequence[str], services: Collection[str], templates: Mapping[str, str | None], envs: Sequence[Placed]
) -> Placement:
    """The template that names most services' charts.

    Args:
        folders: where charts are.
        templates: the layout's values and shared values.
    """
    found = _by_template(folders, services, {env.path for env in envs})
    unsure = []
    for template in sorted(found, key=lambda one: (-len(found[one]), len(one), one)):
        try:
            Layout({**templates, "chart": template}, envs)
        except LayoutError as error:
            unsure.append(f"the charts at {template} cannot be named, and only what needs no chart works: {error}")
            continue
        reads = reader(template, "|".join(re.escape(env.path) for env in envs))
        left = [folder for folder in folders if not reads.fullmatch(folder)]
        having = len({service for service, _ in found[template]})
        why = f"{having} of {counted(len(services), 'service')} have a chart there"
        return Placement(template=template, why=why, unsure=_left(left))
    nowhere = next(one for one in _PLACES if _stands(one, folders, templates, envs))
    return Placement(
        template=nowhere,
        why="no chart is there yet",
        found=False,
        unsure=(*unsure[:1], *([] if unsure else _left(folders))),
    )


def shared(paths: Iterable[str], values: str, envs: Sequence[Placed]) -> Placement:
    """The template of the values that services share in an environment.

    Args:
        values: the template of services' own values.
    """
    known = {env.path for env in envs}
    reads = reader(values, "|".join(map(re.escape, known)))
    likely, unsure = [], []
    for one in candidates(paths, known.__contains__, services=False):
        if one.envs != known or not _COMMON & set(_SPLIT.split(one.template)):
            continue
        service = reads.fullmatch(min(one.files))
        if service and service["service"] not in _COMMON:
            continue
        try:
            Layout({"shared": one.template, "values": values, "chart": NOWHERE}, envs)
            likely.append(one.template)
        except LayoutError as error:
            unsure.append(f"{one.template} may be values that services share: {error}")
    if len(likely) == 1:
        return Placement(template=likely[0], why="a file for each environment, called so", unsure=tuple(unsure))
    if likely:
        unsure.append(f"several files may be values that services share, and layout.shared names one: {some(likely)}")
    return Placement(template=None, why="none were found", found=False, unsure=tuple(unsure))


def _by_template(
    folders: Sequence[str], services: Collection[str], envs: Collection[str]
) -> dict[str, set[tuple[str, str]]]:
    """The services that have a chart by a template, each with the chart's folder."""
    known = set(services)
    found: dict[str, set[tuple[str, str]]] = {}
    for folder in folders:
        segments = folder.split("/")
        for service in {word for segment in segments for word in (segment, stripped(segment)) if word in known}:
            named = [with_service(segment, service) for segment in segments]
            apart = ["{env}" if segment in envs else segment for segment in named]
            for template in {"/".join(named), "/".join(apart)}:
                found.setdefault(template, set()).add((service, folder))
    return found


def _left(folders: Sequence[str]) -> tuple[str, ...]:
    if not folders:
        return ()
    what = f"{counted(len(folders), 'chart')} of no service by the layout, which names one chart a service"
    return (f"{what}: {some(folders)}",)


def _stands(template: str, folders: Sequence[str], templates: Mapping[str, str | None], envs: Sequence[Placed]) -> bool:
    if any(reader(template, r"(?!)").fullmatch(folder) for folder in folders):
        return False
    try:
        Layout({**templates, "chart": template}, envs)
    except LayoutError:
        return False
    return True
