"""The clone that begins while Python still imports: of what the command will ask for, or thrown away."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run_json

from gitops_tk.repository import early
from gitops_tk.repository.location import RemoteLocation

BUMP = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git")


@pytest.mark.parametrize(
    ("arguments", "environ", "branch", "begins"),
    [
        (["bump", "--repo", "URL"], {}, None, True),
        (["hold", "--repo=URL", "--branch", "main"], {}, "main", True),
        (["unhold"], {"GITOPS_TK_REPO": "URL", "GITOPS_TK_BRANCH": "main"}, "main", True),
        (["bump", "--repo", "file:///nowhere", "--repo", "URL"], {}, None, True),
        (["bump", "--repo", "URL"], {}, "main", False),
        (["bump", "--repo", "URL", "--branch=other"], {}, "main", False),
        (["bump", "--repo", "file:///nowhere/else"], {}, None, False),
        (["bump", "--repo", "URL", "--local"], {}, None, False),
        (["bump", "--repo", "URL", "--help"], {}, None, False),
        (["bump", "--repo", "URL"], {"GITOPS_TK_LOCAL": "1"}, None, False),
        (["status", "--repo", "URL"], {}, None, True),
        (["wait", "--repo", "URL"], {}, None, False),
        (["bump", "--repo"], {}, None, False),
        (["bump", "--repo", "."], {}, None, False),
        (["bump", "--repo", "https://user:pw@host"], {}, None, False),
        (["bump", "--repo", "URL", "--branch=--upload-pack=id"], {}, None, False),
        ([], {"GITOPS_TK_REPO": "URL"}, None, False),
    ],
)
def test_it_is_taken_where_it_is_of_this_remote_and_branch(
    remote: Path, arguments: Sequence[str], environ: dict[str, str], branch: str | None, begins: bool
) -> None:
    url = f"file://{remote}"
    told = {name: value.replace("URL", url) for name, value in environ.items()}
    early.begin([one.replace("URL", url) for one in arguments], {**os.environ, **told})
    clone = early.adopt(RemoteLocation(url), branch)
    try:
        assert (clone is not None) is begins
        assert early.adopt(RemoteLocation(url), branch) is None
    finally:
        if clone is not None:
            clone.close()


def test_one_of_another_remote_is_thrown_away(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What looks like an option is the message here: what was begun is the clone of another repository.
    other = repo.gitops(tmp_path / "other.git", tag="v1.1.0")
    (tmp_path / "scratch").mkdir()
    message = ("--repo", f"file://{remote}", "--message", f"--repo=file://{other}")
    ran = run_json(*BUMP, *message, cwd=tmp_path, TMPDIR=str(tmp_path / "scratch"))
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert b"v1.1.0" in repo.show(remote, "services/user-service/envs/dev.yaml")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_one_that_no_command_took_is_taken_away(remote: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    ran = run_json(*BUMP, "--nope", "--repo", f"file://{remote}", cwd=tmp_path, TMPDIR=str(tmp_path / "scratch"))
    assert ran.status == 2
    assert list((tmp_path / "scratch").iterdir()) == []
