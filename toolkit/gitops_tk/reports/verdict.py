"""What verify-pr found, as a page of Markdown: the verdict first, then the evidence of the change."""

from msgspec.structs import replace

from gitops_tk.errors import GitopsTkError
from gitops_tk.model.dialect import Dialect
from gitops_tk.model.evidence import Evidence
from gitops_tk.model.foreign import code
from gitops_tk.model.result import Problem, Result
from gitops_tk.reports import markdown

# Each is a line; whoever has more than this reads the check's own output.
_MOST = 40


def page(result: Result, evidence: Evidence | GitopsTkError, dialect: Dialect) -> str:
    """The page, never longer than the dialect's limit."""
    verdict = "refused" if result.has_errors else "accepted"
    parts = [f"**gitops-tk verify-pr: {verdict}**"]
    for severity, title in (("error", "Refused by"), ("warning", "To be seen")):
        found = [problem for problem in result.problems if problem.severity == severity]
        parts += [_listed(title, [_problem(one) for one in found])] if found else []
    parts.append(_listed("What it changes", [_part(one) for one in result.details["parts"]] or ["nothing"]))
    head = "\n\n".join(parts)
    if len(head.encode()) > dialect.limit // 2:
        head = f"{parts[0]}\n\n{len(result.problems)} findings, too many for a page here: the check's output has them."
    if isinstance(evidence, GitopsTkError):
        return f"{head}\n\nWhat it does to releases cannot be shown: {code(evidence.message)}\n"
    rest = replace(dialect, limit=dialect.limit - len(head.encode()) - 2)
    return f"{head}\n\n{markdown.body(evidence, rest)}"


def _listed(title: str, lines: list[str]) -> str:
    more = [f"- and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join([f"**{title}**", "", *(f"- {line}" for line in lines[:_MOST]), *more])


def _problem(problem: Problem) -> str:
    place = f" in {code(problem.file + (f':{problem.line}' if problem.line else ''))}" if problem.file else ""
    fix = f" To do: {code(problem.hint)}" if problem.hint else ""
    return f"{code(problem.code)}{place}: {code(problem.message)}.{fix}"


def _part(part: dict[str, object]) -> str:
    where = "/".join(str(part[key]) for key in ("env", "service") if part[key])
    files = part["files"] if not where else ()
    about = [code(where)] if where else [code(str(file)) for file in list(files)[:5]]  # type: ignore[call-overload]
    said = f": {code(str(part['said']))}" if part["said"] else ""
    return f"{part['kind']} {', '.join(about)}{said}"
