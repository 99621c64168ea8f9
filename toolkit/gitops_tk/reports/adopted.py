"""What adopt has found, for people: each line of gitops-tk.yaml with its reason, and what every service runs."""

from gitops_tk.model.result import Result
from gitops_tk.reports.table import status_table, table
from gitops_tk.reports.text import summary, visible


def adopted(result: Result) -> str:
    """How each thing was concluded, services by environments, what is not sure, and what was written."""
    rows = [[one["what"], one["value"], one["why"]] for one in result.details["found"]]
    parts = [table(["FOUND", "IS", "BECAUSE"], rows), status_table(result)]
    if result.details["unsure"]:
        parts.append("not sure:\n" + "".join(f"- {one}\n" for one in result.details["unsure"]))
    return visible("\n".join([*parts, summary(result)]))
