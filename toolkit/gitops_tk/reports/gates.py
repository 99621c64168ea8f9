"""What policy says, for people: gates with their answers, and what a pull request is."""

from gitops_tk.model.result import Result


def explained(result: Result) -> str:
    """One line for each rule and gate, and what follows from them."""
    gates = result.gates
    name, answer = (max(len(getattr(one, part)) for one in gates) for part in ("gate", "answer"))
    lines = []
    for one in gates:
        when = f" (until {one.until})" if one.until else ""
        lines.append(f"{one.answer:<{answer}}  {one.gate:<{name}}  {one.message}{when}")
    return "\n".join([*lines, "", _conclusion(result)]) + "\n"


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
    return "\n".join([*lines, conclusion]) + "\n"


def _conclusion(result: Result) -> str:
    if result.details["allowed"]:
        return "allowed"
    until = result.details["until"]
    when = f" before {until}" if until else ""
    if result.details["publish"] == "pull-request" and not any(one.answer == "refused" for one in result.gates):
        return f"may be proposed, and not be merged{when}"
    return f"not allowed{when}"
