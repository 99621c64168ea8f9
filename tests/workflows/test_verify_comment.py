"""verify-pr comments on the pull request: one comment, kept up to date, with what it found and what the change does."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.forges.stage import Stage, staged

from gitops_tk.config.forge import ForgeKind
from gitops_tk.forges.port import Wanted
from gitops_tk.model.dialect import DIALECTS
from gitops_tk.model.result import Result
from gitops_tk.reports.verdict import page
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.reviewing.comment import Comment
from gitops_tk.workflows.verify import verify_between

_TEMPLATE = b"""apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {level: {{ .Values.level | quote }}, more: "1"}
"""


@pytest.fixture(params=["github", "bitbucket-dc", "azure"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    kind: ForgeKind = request.param
    config = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    protected: [level]\n")
    files = {
        "gitops-tk.yaml": config + f"forge: {{kind: {kind}}}\n".encode(),
        "services/a/chart/Chart.yaml": b"apiVersion: v2\nname: a\nversion: 1.0.0\n",
        "services/a/chart/values.yaml": b"level: info\n",
        "services/a/chart/templates/one.yaml": _TEMPLATE,
    }
    files |= {f"services/a/envs/{env}.yaml": repo.values("a", env) for env in ("dev", "staging", "prod")}
    with staged(kind, tmp_path, repo.bare(tmp_path / "bare", files)) as found:
        yield found


def bare(stage: Stage) -> Path:
    return stage.here.folder


def propose(stage: Stage, files: dict[str, bytes | None]) -> None:
    repo.git(bare(stage), "branch", "--force", "change", "main")
    repo.commit(bare(stage), files, branch="change")


def verify(stage: Stage, number: int) -> Result:
    options = Options(repo=stage.url, cwd=Path("/"), environ={**os.environ, **stage.environ})
    return verify_between("main", "change", options, asked=Comment(number, page))


def test_one_comment_says_what_was_found_and_is_kept_up_to_date(stage: Stage) -> None:
    propose(stage, {"services/a/chart/values.yaml": b"level: debug\n"})
    number = stage.forge.create(Wanted(branch="change", base="main", title="t", body="b"))[0].number
    refused = verify(stage, number)
    assert [(one.code, one.severity) for one in refused.problems] == [("protected", "error")]
    (written,) = stage.here.pulls[number].comments
    assert written.body.startswith("**gitops-tk verify-pr: refused**")
    assert "`protected` in `services/a/chart/values.yaml:1`" in written.body
    assert "- chart `prod/a`" in written.body
    # The effect in every environment, that which matters most first.
    assert 0 < written.body.index("a in prod") < written.body.index("a in dev")
    assert len(written.body.encode()) <= DIALECTS[stage.kind].limit
    propose(stage, {"services/a/chart/templates/one.yaml": _TEMPLATE.replace(b'"1"', b'"2"')})
    accepted = verify(stage, number)
    assert accepted.problems == ()
    (again,) = stage.here.pulls[number].comments
    assert (again.id, again.body.splitlines()[0]) == (written.id, "**gitops-tk verify-pr: accepted**")
    before = again.version
    verify(stage, number)
    assert [(one.id, one.version) for one in stage.here.pulls[number].comments] == [(written.id, before)]


def test_what_cannot_be_rendered_or_commented_on_is_told_and_changes_no_verdict(stage: Stage) -> None:
    propose(stage, {"gitops-tk.yaml": b"nothing: here\n"})
    number = stage.forge.create(Wanted(branch="change", base="main", title="t", body="b"))[0].number
    found = verify(stage, number)
    assert [one.code for one in found.problems] == ["unreadable"]
    assert "What it does to releases cannot be shown" in stage.here.pulls[number].comments[0].body
    stage.environ["GITOPS_TK_TOKEN"] = "wrong"
    with_warning = verify(stage, number)
    assert next((one.code, one.severity) for one in with_warning.problems) == ("unreadable", "error")
    assert with_warning.problems[-1].severity == "warning"
    assert with_warning.exit_status == 5
