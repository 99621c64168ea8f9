"""A Result for people: short, on standard output; diagnostics apart, for standard error."""

import json
import re
from collections.abc import Sequence
from typing import Any

from gitops_tk.model.changes import Change
from gitops_tk.model.result import Action, Closed, Problem, PullRequest, Result

_SHORT = 10
_DONE: dict[Action, str] = {
    "opened": "proposed",
    "updated": "updated",
    "unchanged": "unchanged",
    "merged": "proposed and merged",
}
_FORESEEN: dict[Action, str] = {
    "opened": "would propose",
    "updated": "would update",
    "unchanged": "would leave as it is",
    "merged": "would merge",
}
# Control characters but tab and line feed, and those that turn the direction of writing.
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def summary(result: Result) -> str:
    """What was changed, and how it was published; nothing at all for a failure."""
    if result.outcome in ("refused", "conflict", "failed", "invalid"):
        return ""
    lines = [_change(change) for change in result.changes]
    if result.outcome == "planned":
        lines += ["", *(result.diff or "").splitlines(), "", *_indented(result.message or "")]
    closes = "would close" if result.outcome == "planned" else "closed"
    lines += [f"{closes} {_named(one)}: {one.reason}" for one in result.closed]
    lines += _ending(result)
    return visible("\n".join(lines) + "\n")


def diagnostics(result: Result) -> str:
    """Problems, services left alone, and what to do next."""
    lines = _problems(result.problems)
    if result.outcome == "refused":
        lines += (result.diff or "").splitlines()
    lines += [f"skipped: {one.service} in {one.env}: {one.message}" for one in result.skipped]
    if result.pull_requests and result.gates:
        from gitops_tk.reports.gates import unmerged

        lines += unmerged(result)
    if result.outcome == "invalid":
        lines.append(f"{_problems_counted(result)} found")
        lines += _switched_off(result)
    lines += result.advice
    return visible("".join(line + "\n" for line in lines))


def validated(result: Result) -> str:
    """How many releases are valid, and what was not looked at."""
    if result.has_errors:
        return ""
    bare = result.details["without_chart"]
    releases = f"valid: {result.details['releases']} releases"
    releases += f", {bare} of them without a chart: their values alone" if bare else ""
    head = f"{releases}, {_problems_counted(result)}" if result.problems else releases
    return "".join(line + "\n" for line in (head, *_switched_off(result)))


def waited(result: Result) -> str:
    """What Argo CD says of each service that was waited for."""
    return visible(
        "".join(
            f"{one['service']}  {one['env']}  {one['version']}  {one['message']}"
            + (f" at {one['revision'][:_SHORT]}\n" if one["revision"] else "\n")
            for one in result.details["applications"]
        )
    )


def value(data: Any) -> str:
    """A value as YAML that every reader, Helm's included, reads back as that value; a string as it is."""
    if isinstance(data, str):
        return data + "\n"
    from gitops_tk.values import quote

    if isinstance(data, dict):
        lines = [line for key, one in data.items() for line in quote.block(key, one, 0)]
    else:
        lines = [line for one in data for line in quote.item(one, 0)] if isinstance(data, list) else []
    return "\n".join(lines or [quote.flow(data)]) + "\n"


def origins(result: Result) -> str:
    """Each value with the file and line that it comes from."""
    rows = [
        (f"{one['file']}:{one['line']}", one["key"], json.dumps(one["value"], ensure_ascii=False))
        for one in result.details["origins"]
    ]
    if not rows:
        return ""
    place = max(len(row[0]) for row in rows)
    return visible("".join(f"{where:<{place}}  {key}: {shown}\n" for where, key, shown in rows))


def differences(result: Result) -> str:
    """The keys that differ between two environments, one a line."""
    first, second = result.details["environments"]
    found = result.details["differences"]
    if not found:
        return f"no difference between {first} and {second}\n"
    return visible(
        "".join(f"{one['key']}: {_shown(one[first])} in {first}, {_shown(one[second])} in {second}\n" for one in found)
    )


def _change(change: Change) -> str:
    where = [part for part in (change.service, change.env) if part]
    if change.key is None:
        verb = "remove" if change.to is None else "change" if change.from_ is not None else "add"
        return "  ".join([verb, *where, change.file or ""]).rstrip()
    return "  ".join([*where, _shown(change.key), f"{_shown(change.from_)} -> {_shown(change.to)}"])


def _shown(data: Any) -> str:
    if data is None:
        return "(none)"
    return data if isinstance(data, str) and data and data.isprintable() else json.dumps(data, ensure_ascii=False)


def _ending(result: Result) -> list[str]:
    short = (result.commit or "")[:_SHORT]
    match result.outcome:
        case "changed":
            return [f"pushed {_counted(result)}{short} to {result.branch}"]
        case "committed":
            return [f"committed {_counted(result)}{short} on {result.branch}"]
        case "written":
            return ["written; commit it when you are ready"]
        case "proposed" if all(one.number is None for one in result.pull_requests):
            branches = ", ".join(one.branch for one in result.pull_requests)
            return [f"proposed on {branches}" if result.commits else f"proposed {short} on {branches}"]
        case "proposed":
            return [f"{_DONE[one.action]} {_named(one)}" for one in result.pull_requests]
        case "planned":
            foreseen = [f"{_FORESEEN[one.action]} {_named(one)}" for one in result.pull_requests]
            return [*foreseen, "dry run: nothing was written"]
        case "unchanged" if result.pull_requests:
            named = (("as " if one.number is not None else "on ") + _named(one) for one in result.pull_requests)
            return [f"unchanged: it is proposed already {', '.join(named)}"]
        case _:
            return ["unchanged: there is nothing to do"]


def _named(one: PullRequest | Closed) -> str:
    return f"#{one.number} {one.url}" if one.number is not None else one.branch


def _counted(result: Result) -> str:
    return f"{len(result.commits)} commits, the last is " if len(result.commits) > 1 else ""


def _problems(problems: Sequence[Problem]) -> list[str]:
    # What is to be done about several problems in a row is said once, below them.
    lines = []
    for at, problem in enumerate(problems, 1):
        lines.append(f"{problem.severity}: {_placed(problem)} [{problem.code}]")
        if problem.hint and problem.hint not in [following.hint for following in problems[at : at + 1]]:
            lines.append(f"  hint: {problem.hint}")
    return lines


def _placed(problem: Problem) -> str:
    """The message with its place, which a message that begins with the file names once."""
    if not problem.file:
        return problem.message
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    said = problem.message.removeprefix(problem.file)
    return place + said if said[:1] in (" ", ":") else f"{place}: {problem.message}"


def visible(text: str) -> str:
    """A text whose control characters a terminal does not obey."""
    # A remote and its hooks write what they like; a terminal would obey it.
    return _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _problems_counted(result: Result) -> str:
    counts = [(name, sum(one.severity == name for one in result.problems)) for name in ("error", "warning")]
    return " and ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts if count)


def _switched_off(result: Result) -> list[str]:
    return [
        f"switched off: {one['rule']}, {one['findings']} finding{'s' if one['findings'] != 1 else ''}: {one['reason']}"
        for one in result.details.get("off", ())
    ]


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]
