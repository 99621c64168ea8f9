"""What policy says, for people: gates with their answers, and what a pull request is."""

from collections.abc import Iterable

from gitops_tk.model.changes import Gate, unopened
from gitops_tk.model.result import Result
from gitops_tk.reports.changes import named
from gitops_tk.reports.text import visible


def explained(result: Result) -> str:
    """One line for each rule and gate, and what follows from them."""
    gates = result.gates
    name, answer = (max(len(getattr(one, part)) for one in gates) for part in ("gate", "answer"))
    lines = []
    for one in gates:
        when = f" (until {one.until})" if one.until else ""
        lines.append(f"{one.answer:<{answer}}  {one.gate:<{name}}  {one.message}{when}")
    return visible("\n".join([*lines, "", _conclusion(result)]) + "\n")


def verified(result: Result) -> str:
    """What a pull request changes, part by part, and whether it may."""
    parts = result.details["parts"]
    lines = []
    for part in parts:
        place = "/".join(word for word in (part["env"], part["service"]) if word)
        files = part["files"] if not place else []
        lines.append("  ".join(word for word in (f"{part['kind']:<13}", place, part["said"], *files[:5]) if word))
    lines += [f"switched off: {one['rule']}: {one['reason']}" for one in result.details["off"] if one["findings"]]
    conclusion = "refused" if result.has_errors else "accepted" if parts else "it changes nothing"
    return visible("\n".join([*lines, conclusion]) + "\n")


def not_before(gates: Iterable[Gate]) -> str:
    """`before` the time when the last of these gates may open, or `yet` where none of them tells one."""
    times = [gate.until for gate in gates if gate.until]
    return f"before {max(times)}" if times else "yet"


def unmerged(result: Result) -> list[str]:
    """What of a proposal has to wait, and for what: a line for the services of which that is the same."""
    found: dict[tuple[str | None, str], list[Gate]] = {}
    for gate in unopened(result.gates, result.skipped):
        found.setdefault((gate.service, gate.env), []).append(gate)
    told: dict[tuple[str, str], list[str]] = {}
    for (service, env), gates in found.items():
        why = "; ".join(f"{gate.gate}: {gate.message}" for gate in gates)
        told.setdefault((env, f"{not_before(gates)}: {why}"), []).append(service or env)
    return [f"{named(services)} in {env} may be proposed, not merged {rest}" for (env, rest), services in told.items()]


def _conclusion(result: Result) -> str:
    if result.details["allowed"]:
        return "allowed"
    until = result.details["until"]
    when = f" before {until}" if until else ""
    if result.details["publish"] == "pull-request" and not any(one.answer == "refused" for one in result.gates):
        return f"may be proposed, and not be merged{when or ' yet'}"
    return f"not allowed{when}"
