"""What `doctor` found, for people: what is well and what was not looked at; problems are told apart, as everywhere."""

from gitops_tk.model.result import Result
from gitops_tk.reports.text import visible

_STATES = {"ok": "ok", "not-checked": "not checked"}


def findings(result: Result) -> str:
    """A line for each rule that is well or was not looked at, and how many there are of each kind."""
    found = result.details["findings"]
    width = max(len(one["rule"]) for one in found)
    lines = [
        f"{_STATES[one['state']]:<11}  {one['rule']:<{width}}  {one['message']}"
        for one in found
        if one["state"] in _STATES
    ]
    counts = {state: sum(one["state"] == state for one in found) for state in ("error", "warning", "not-checked")}
    told = [
        _counted(counts["error"], "error"),
        _counted(counts["warning"], "warning"),
        f"{counts['not-checked']} not checked",
    ]
    return visible("\n".join([*lines, "", ", ".join(told)]) + "\n")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
