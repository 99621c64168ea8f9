"""Problems as annotations of GitHub Actions, on the lines that they are about.

Source: GitHub, "Workflow commands for GitHub Actions", and `packages/core/src/command.ts` of actions/toolkit for
what has to be escaped.
"""

from gitops_tk.model.result import Problem, Result


def annotations(result: Result) -> str:
    """One workflow command a problem."""
    return "".join(f"{_command(problem)}\n" for problem in result.problems)


def _command(problem: Problem) -> str:
    properties = {
        "file": problem.file,
        "line": str(problem.line) if problem.file and problem.line else None,
        "title": problem.code,
    }
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    message = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    return f"::{problem.severity} {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
