"""What `doctor` found, for people: what is well and what was not looked at; problems are told apart, as everywhere."""

from gitops_tk.model.result import Result
from gitops_tk.reports.changes import counted
from gitops_tk.reports.text import visible


def findings(result: Result) -> str:
    """A line for each rule that is well, and for each reason not to look; and how many there are of each kind."""
    found = result.details["findings"]
    width = max(len(one["rule"]) for one in found)
    lines = [f"ok  {one['rule']:<{width}}  {one['message']}" for one in found if one["state"] == "ok"]
    untold: dict[str, list[str]] = {}
    for one in found:
        if one["state"] == "not-checked":
            untold.setdefault(one["message"], []).append(one["rule"])
    lines += [f"not checked: {', '.join(rules)}: {reason}" for reason, rules in untold.items()]
    counts = {state: sum(one["state"] == state for one in found) for state in ("error", "warning", "not-checked")}
    told = [
        counted(counts["error"], "error"),
        counted(counts["warning"], "warning"),
        f"{counts['not-checked']} not checked",
    ]
    return visible("\n".join([*lines, "", ", ".join(told)]) + "\n")
