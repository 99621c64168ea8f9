"""Gates and their answers for people."""

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


def _conclusion(result: Result) -> str:
    if result.details["allowed"]:
        return "allowed"
    until = result.details["until"]
    when = f" before {until}" if until else ""
    if result.details["publish"] == "pull-request" and not any(one.answer == "refused" for one in result.gates):
        return f"may be proposed, and not be merged{when}"
    return f"not allowed{when}"
