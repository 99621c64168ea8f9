"""The Helm engine in a process of its own: a chart that never ends, or wants all memory, ends this process alone.

Reads a request a line from standard input and answers each with a line, both JSON: see `embedded.py`, which starts
it. The one module that touches helm_python. Its `render` does not take a Kubernetes version, so one private function
of it is called; the version is pinned, and tests hold the result against `helm template`.
"""

import json
import os
import signal
import sys
from typing import Any

import helm_python

# The system ends the process when a request takes longer: Helm itself cannot be interrupted.
SECONDS = 60

_KINDS = {helm_python.HelmValuesError: "values", helm_python.HelmInvalidArgError: "option"}


def main() -> None:
    """Answers requests until its input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    # Go writes its log past Python: it must not end up among the answers.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    charts: dict[int, Any] = {}
    for line in sys.stdin.buffer:
        signal.alarm(SECONDS)
        answers.write(json.dumps(_answer(json.loads(line), charts)).encode() + b"\n")
        answers.flush()
        signal.alarm(0)


def _answer(request: dict[str, Any], charts: dict[int, Any]) -> dict[str, Any]:
    for number in request["dropped"]:
        charts.pop(number, None)
    try:
        return {"found": _done(request, charts)}
    except helm_python.HelmError as error:
        return {"failed": _KINDS.get(type(error), "chart"), "message": str(error)}


def _done(request: dict[str, Any], charts: dict[int, Any]) -> Any:
    number = request["chart"]
    match request["do"]:
        case "version":
            return helm_python.helm_sdk_version()
        case "pull":
            helm_python.pull(
                request["what"],
                destination=request["folder"],
                version=request["version"],
                repo_url=request["where"],
            )
            return None
        case "load":
            charts[number] = helm_python.Chart.load(request["folder"])
            return None
        case "check":
            charts[number].validate_schema(request["values"])
            return None
        case "render":
            values, options = json.dumps(request["values"]), json.dumps(request["options"])
            return json.loads(helm_python._native.call_string("helm_render", charts[number]._raw(), values, options))


if __name__ == "__main__":
    main()
