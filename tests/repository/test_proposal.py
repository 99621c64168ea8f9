"""Branches of proposals: which of them propose what a plan wants, and nothing beside it."""

import os
from pathlib import Path

from tests.support import repositories as repo

from gitops_tk.model.changes import ChangeSet, Copy, Delete, Plan, Write
from gitops_tk.model.snapshot import FOLDER
from gitops_tk.repository import proposal
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.remote import Remote

CHART = "services/a/prod/chart"
FILES = {"values.yaml": b"tag: v1\n", "hold.yaml": b"reason: x\n", f"{CHART}/Chart.yaml": b"name: old\n"}
# What the plan below makes of them.
DONE = {"values.yaml": b"tag: v2\n", "hold.yaml": None, f"{CHART}/Chart.yaml": b"name: new\n"}


def test_only_a_branch_that_holds_all_of_a_plan_and_nothing_else_is_equal_to_it(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "r.git", FILES)
    chart = repo.git(remote, "rev-parse", f"{repo.commit(remote, DONE, 'done')}:{CHART}")
    operations = (Write("values.yaml", b"tag: v2\n"), Copy(CHART, chart, FOLDER), Delete("hold.yaml"))
    plan = Plan(changeset=ChangeSet(operations), subject="promote: a")
    tips = {
        "equal": (DONE, {}),
        "value": (DONE | {"values.yaml": b"tag: v3\n"}, {}),
        "no-value": (DONE | {"values.yaml": None}, {}),
        "executable": (DONE, {"values.yaml": "100755"}),
        "link": (DONE, {"values.yaml": "120000"}),
        "folder": (DONE | {"values.yaml": None, "values.yaml/x": b"x"}, {}),
        "chart": (DONE | {f"{CHART}/Chart.yaml": b"name: evil\n"}, {}),
        "beside-in-chart": (DONE | {f"{CHART}/templates/evil.yaml": b"x\n"}, {}),
        "no-chart": (DONE | {f"{CHART}/Chart.yaml": None}, {}),
        "submodule": (DONE | {f"{CHART}/Chart.yaml": None, CHART: chart.encode()}, {CHART: "160000"}),
        "not-deleted": ({path: data for path, data in DONE.items() if data is not None}, {}),
        "beside": (DONE | {"evil.yaml": b"x\n"}, {}),
    }
    for name, (files, modes) in tips.items():
        branch = f"{proposal.PREFIX}prod/{name}"
        repo.git(remote, "branch", branch, "main")
        repo.commit(remote, files, branch, plan.message, modes)
    with Remote(RemoteLocation(f"file://{remote}"), None, os.environ) as opened:
        opened.snapshot()
        standing = proposal.find(opened, "prod/*")
        equal = {one.branch.rpartition("/")[2] for one in standing if proposal.is_equal(opened, one, plan)}
    assert (len(standing), equal) == (len(tips), {"equal"})
