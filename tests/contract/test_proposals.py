"""Pull requests as a person and a program see them: what is printed, and the page that reviewers get."""

from pathlib import Path

from tests.support.cli import run, run_json
from tests.support.forges.server import TOKEN
from tests.support.proposing import shop


def test_a_promotion_prints_its_pull_request_whose_page_is_the_evidence(tmp_path: Path) -> None:
    with shop(tmp_path / "root") as here:
        here.set("staging", a="v1.1.0")
        command = ("promote", "staging", "prod", "a", "--repo", here.url)
        foreseen = run(*command, "--dry-run", cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
        assert foreseen.out.splitlines()[-2:] == ["would propose gitops-tk/prod/a", "dry run: nothing was written"]
        ran = run(*command, cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
        (pull,) = here.opened()
        assert ran.out.splitlines()[-1].startswith("proposed #1 http://127.0.0.1:"), ran.err
        assert ran.err == ""
        row = next(line for line in pull.body.splitlines() if "v1.1.0" in line)
        assert row.startswith("|")
        again = run_json(*command, cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
        (shown,) = again.json["pull_requests"]
        assert (again.json["outcome"], shown["number"], shown["action"]) == ("unchanged", 1, "unchanged")
        assert shown["url"] in ran.out
        text = run(*command, cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN)
        assert text.out.splitlines()[-1] == f"unchanged: it is proposed already as #1 {shown['url']}"


def test_traces_of_git_are_not_taken_for_what_git_says(tmp_path: Path) -> None:
    with shop(tmp_path / "root") as here:
        here.set("staging", a="v1.1.0")
        command = ("promote", "staging", "prod", "a", "--repo", here.url)
        kept = tmp_path / "trace"
        traces = {"GIT_TRACE": "1", "GIT_CURL_VERBOSE": "1", "GIT_TRACE_PACKET": "true", "GIT_TRACE_CURL": str(kept)}
        ran = run_json(*command, cwd=tmp_path, GITOPS_TK_TOKEN=TOKEN, **traces)
        assert ran.json["outcome"] == "proposed", ran.out
        assert "git-upload-pack" in kept.read_text()
        assert TOKEN not in kept.read_text()
