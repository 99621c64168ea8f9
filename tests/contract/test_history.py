"""history as users run it, in its four forms."""

import csv
import io
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json

FILE = "services/user-service/envs/dev.yaml"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = repo.gitops(tmp_path / "gitops.git")
    run("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--repo", f"file://{folder}", cwd=tmp_path)
    run("promote", "dev", "staging", "user-service", "--repo", f"file://{folder}", cwd=tmp_path)
    repo.commit(folder, {FILE: b'image:\n  tag: "=1|\\e[2J"\n'}, message="by hand")
    return folder


def test_history_is_a_table_for_people_and_data_for_programs(remote: Path, tmp_path: Path) -> None:
    url = f"file://{remote}"
    text = run("history", "user-service", "--limit", "3", "--repo", url, cwd=tmp_path, COLUMNS="200").out
    head, *rows = text.splitlines()
    assert head.split() == ["WHEN", "ENV", "BEFORE", "AFTER", "STAYED", "HOW", "BY", "COMMIT"]
    assert [row.split()[2:5] for row in rows] == [
        ["dev", "v1.1.0", "=1|\\x1b[2J"],
        ["staging", "v1.0.0", "v1.1.0"],
        ["dev", "v1.0.0", "v1.1.0"],
    ]
    assert ["by hand" in rows[0], "promote from dev" in rows[1], "bump" in rows[2]] == [True] * 3
    found = run_json("history", "user-service", "-e", "staging", "--repo", url, cwd=tmp_path).json
    assert found["service"] == "user-service"
    newest, oldest = found["events"]
    assert (newest["command"], newest["source"], newest["until"]) == ("promote", "dev", None)
    assert newest["from"]["tag"] == oldest["to"]["tag"] == "v1.0.0"
    assert newest["commit"] == repo.git(remote, "rev-parse", "main~1")


def test_history_is_passed_on_as_markdown_and_csv_without_effect(remote: Path, tmp_path: Path) -> None:
    here = repo.checkout(remote, tmp_path / "here")
    page = run("history", "user-service", "-n", "1", "-o", "markdown", cwd=here).out.splitlines()
    assert page[0] == "| when | env | before | after | stayed | how | by | commit |"
    assert "\\|" in page[2]
    assert "\x1b" not in page[2]
    text = run("history", "user-service", "-o", "csv", cwd=here).out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (rows[0]["to_tag"], rows[0]["from_tag"], rows[1]["source"]) == ("'=1|\x1b[2J", "v1.1.0", "dev")
    assert len(rows) == 6
    ran = run("history", "nobody", "-o", "csv", cwd=here)
    assert (ran.status, ran.out) == (1, "")
    assert "there is no service nobody" in ran.err
    assert run("history", "user-service", "-o", "yaml", cwd=here).status == 2


def test_where_nothing_has_changed_it_says_where_and_since_when(remote: Path, tmp_path: Path) -> None:
    asked = (
        "history",
        "user-service",
        "-e",
        "prod",
        "-e",
        "dev",
        "--since",
        "2099-01-01",
        "--repo",
        f"file://{remote}",
    )
    ran = run(*asked, cwd=tmp_path)
    assert (ran.status, ran.out) == (0, "nothing of user-service has changed in prod, dev since 2099-01-01\n")
