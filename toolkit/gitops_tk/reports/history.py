"""The history of a service's images: for people, as Markdown, and as CSV."""

import csv
import io
from collections.abc import Callable
from typing import Any

from gitops_tk.model import durations, foreign
from gitops_tk.model.result import Result
from gitops_tk.reports.table import table

_HEAD = ("WHEN", "ENV", "BEFORE", "AFTER", "STAYED", "HOW", "BY", "COMMIT")
_SHORT = 10
_COLUMNS = (
    *("time", "env", "service", "image", "from_tag", "from_digest", "from_build", "from_revision"),
    *("to_tag", "to_digest", "to_build", "to_revision", "until", "seconds", "command", "source", "author", "commit"),
)
# What a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text(result: Result, asked: str = "") -> str:
    """A table, newest first.

    Args:
        asked: where and since when was looked, for the answer that there is nothing.
    """
    events = result.details["events"]
    if not events:
        return f"nothing of {result.details['service']} has changed{asked}\n"
    rows = _rows(events, foreign.line)
    return table(_HEAD, [[*row[:-1], row[-1][:_SHORT]] for row in rows])


def markdown(result: Result) -> str:
    """A table of Markdown, newest first."""
    rows = _rows(result.details["events"], foreign.cell)
    head = f"| {' | '.join(_HEAD).lower()} |\n|{'---|' * len(_HEAD)}\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def comma_separated(result: Result) -> str:
    """All that is known, one line a change (RFC 4180), newest first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for event in result.details["events"]:
        parts = {f"{side}_{part}": value for side in ("from", "to") for part, value in (event[side] or {}).items()}
        writer.writerow([_harmless({**event, **parts}.get(column)) for column in _COLUMNS])
    return buffer.getvalue()


def lately(result: Result) -> str:
    """What history adds to a status."""
    rows = [
        [
            one["service"],
            one["env"],
            _stayed(one["seconds"]) if one["since"] else "-",
            _stayed(one["behind"]) if one["behind"] is not None else "-",
            foreign.line(", ".join(f"{key['key']} ({key['source']})" for key in one["drift"])) or "-",
        ]
        for one in result.details["history"]
    ]
    proposed = [f"proposed: {foreign.line(one['branch'])}\n" for one in result.details["proposals"]]
    text = table(("SERVICE", "ENV", "FOR", "BEHIND FOR", "KEYS THAT DIFFER"), rows)
    return text + ("\n" if proposed else "") + "".join(proposed)


def _rows(events: list[dict[str, Any]], shown: Callable[[str], str]) -> list[list[str]]:
    return [
        [
            event["time"].replace("T", " ").removesuffix("Z"),
            event["env"],
            _version(event, "from", shown),
            _version(event, "to", shown),
            _stayed(event["seconds"]) + ("" if event["until"] else " so far"),
            _how(event, shown),
            shown(event["author"].partition(" <")[0]),
            event["commit"],
        ]
        for event in events
    ]


def _stayed(seconds: int) -> str:
    # A cell has no room for `less than 1s`.
    return durations.rough(seconds) if seconds else "0s"


def _version(event: dict[str, Any], side: str, shown: Callable[[str], str]) -> str:
    image = event[side]
    if image is None:
        return "-"
    version = shown(image["tag"] or image["digest"][:19])
    before = event["from"]
    rebuilt = before and event["to"] and before["tag"] == event["to"]["tag"] and image["build"] is not None
    version += f" ({image['build']})" if rebuilt else ""
    return version if event["image"] == "default" else f"{event['image']}={version}"


def _how(event: dict[str, Any], shown: Callable[[str], str]) -> str:
    how = event["command"] or "by hand"
    how = shown(how) if event["command"] else how
    how += f" from {shown(event['source'])}" if event["source"] else ""
    overridden = "; ".join(one.replace(" ", ": ", 1) for one in event["overrides"])
    return how + (f", overriding {shown(overridden)}" if overridden else "")


def _harmless(value: Any) -> str:
    said = "" if value is None else str(value)
    return f"'{said}" if said.startswith(_FORMULA) else said
