"""Tables that fit a terminal."""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from gitops_tk.model.result import Result
from gitops_tk.reports.text import visible

_NARROWEST = 12
_WIDE = 10_000


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """A table in plain text, cells cut with `…` where the terminal is too narrow.

    Args:
        width: the columns to fit in; None for the terminal's, and for all that there is to say where there is none.
    """
    if width is None:
        fits = sys.stdout.isatty() or "COLUMNS" in os.environ
        width = shutil.get_terminal_size().columns if fits else _WIDE
    columns = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    while sum(columns) + 2 * (len(columns) - 1) > width and max(columns) > _NARROWEST:
        columns[columns.index(max(columns))] -= 1
    lines = ["  ".join(_cell(cell, size) for cell, size in zip(row, columns, strict=True)) for row in (head, *rows)]
    return "".join(line.rstrip() + "\n" for line in lines)


def status_table(result: Result) -> str:
    """Services by environments.

    `*` marks a version that differs from the one it is promoted from, `+` a chart that does, `!` a held one, `~` one
    that Argo CD does not report as it should be.
    """
    environments = result.details["environments"]
    services = result.details["services"]
    if not services:
        return "there are no services yet: gitops-tk new-service NAME --image REPOSITORY\n"
    holds = result.details["holds"]
    held = {(one["service"], one["env"]) for one in holds if not one["images"]}
    live = result.details.get("live", ())
    differ = {(one["service"], one["env"]) for one in live if one["differs"]}

    def cell(name: str, env: str) -> str:
        marks = (" !" if (name, env) in held else "") + (" ~" if (name, env) in differ else "")
        return _running(services[name].get(env)) + marks

    rows = [[name, *(cell(name, env) for env in environments)] for name in services]
    text = table(["SERVICE", *(env.upper() for env in environments)], rows)
    notes = [f"! {_hold(one)}\n" for one in holds]
    notes += [f"~ {_live(one)}\n" for one in live if one["differs"]]
    if live and not differ:
        notes.append("Argo CD reports everything that was promoted as synced and healthy\n")
    if any("*" in cell.split() for row in rows for cell in row):
        notes.insert(0, "* differs from the environment it is promoted from\n")
    if any("+" in cell.split() for row in rows for cell in row):
        notes.insert(0, "+ its chart differs from that of the environment it is promoted from\n")
    return visible(text + ("\n" if notes else "") + "".join(notes))


def environments_table(result: Result) -> str:
    """The environments in promotion order."""
    rows = [
        [env["name"], env["path"], ", ".join(env["from"]) or "-", env["publish"]]
        for env in result.details["environments"]
    ]
    return table(["NAME", "PATH", "FROM", "PUBLISH"], rows)


def applications_table(result: Result) -> str:
    """The Applications that would be generated, and what has none yet."""
    found = result.details["applications"]
    keys = ("name", "cluster", "namespace")
    rows = [[*(str(one[key] or "-").removeprefix("https://") for key in keys), _chart(one)] for one in found]
    text = table(["APPLICATION", "CLUSTER", "NAMESPACE", "CHART"], rows) if rows else "no Applications yet\n"
    waiting: dict[str, list[str]] = {}
    for one in result.details["waiting"]:
        waiting.setdefault(one["service"], []).append(one["env"])
    left = "".join(f"{service}: never deployed to {', '.join(envs)}\n" for service, envs in waiting.items())
    return visible(text + (f"\n{left}" if left else ""))


def _chart(application: dict[str, Any]) -> str:
    published = f"{application['chart']}:{application['version']}" if application["chart"] else None
    return str(application["path"] or published or "-")


def _running(running: dict[str, Any] | None) -> str:
    if running is None:
        return "-"
    if not running["readable"]:
        return "unreadable"
    images = running["images"]
    shown = ", ".join(
        _version(image) if name == "default" else f"{name}={_version(image)}" for name, image in images.items()
    )
    shown = shown or "never deployed"
    if running["chart"] is not None:
        shown += f", chart {_printable(running['chart'])}"
    marks = (" *" if running["differs_from"] else "") + (" +" if running["chart_differs_from"] else "")
    return shown + marks


def _live(one: dict[str, Any]) -> str:
    place = f"{one['service']} in {one['env']}"
    if one["sync"] is None:
        return f"{place}: Argo CD has no Application {one['application']}"
    images = ", ".join(image.rpartition("/")[2] for image in one["images"]) or "nothing"
    return f"{place}: Argo CD runs {images}, {one['sync']} and {one['health']}"


def _hold(one: dict[str, Any]) -> str:
    what = f"{', '.join(one['images'])} of {one['service']}" if one["images"] else one["service"]
    end = f", until {one['until']}" if one["until"] else ""
    said = f"{what} is held in {one['env']}{end}: {one['reason']}" + (f" (by {one['by']})" if one["by"] else "")
    said = " ".join(said.split())
    return said if said.isprintable() else ascii(said)


def _version(image: dict[str, Any]) -> str:
    return _printable(image["tag"] or image["digest"][:19] or "never deployed")


def _printable(text: str) -> str:
    # What a file holds may be anything: it must not steer the terminal.
    return text if text.isprintable() else ascii(text)


def _cell(text: str, size: int) -> str:
    return text.ljust(size) if len(text) <= size else text[: size - 1] + "…"
