"""What git's own words mean, and which git is new enough."""

from pathlib import Path

import pytest

from gitops_tk import process
from gitops_tk.errors import ToolMissing
from gitops_tk.process import Completed
from gitops_tk.repository.git import check_version, failure, unsigned


@pytest.mark.parametrize(
    "said",
    [
        b"fatal: sha1 file '/x/.git/index.lock' write error. Out of diskspace",
        b"fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output",
        b"fatal: unable to write loose object file: No space left on device",
        b"error: unable to write symref for HEAD: No space left on device",
        b"fatal: cannot update ref 'refs/heads/main': couldn't write '/x/.git/refs/heads/main.lock'",
        b"error: failed writing ssh signing key buffer to '/tmp/.git_signing_buffer_tmp1': No space left on device",
        b"fatal: unable to write loose object file: File too large\nfatal: failed to write commit object",
    ],
)
def test_a_full_disk_is_told_as_such_in_all_words_that_git_has_for_it(said: bytes) -> None:
    done = Completed(128, b"", said)
    # Also where a commit was to be signed.
    assert (failure(done).code, unsigned(done).code) == ("disk", "disk")


def test_what_git_says_is_told_without_logins() -> None:
    said = b"fatal: unable to access 'https://ann:s3cret-pw@git.example.com/x/': Could not resolve host\n"
    told = failure(Completed(128, b"", said))
    assert (told.code, "git.example.com" in told.message) == ("unreachable", True)
    assert "s3cret-pw" not in told.message


@pytest.mark.parametrize("version", ["2.34.0", "2.34.1.windows.1", "2.47.3", "3.0"])
def test_a_new_git_is_taken(version: str) -> None:
    check_version(f"git version {version}\n".encode())


@pytest.mark.parametrize("said", ["git version 2.33.9", "git version 1.99", "", "sh: git: no"])
def test_an_old_git_and_none_are_refused(said: str) -> None:
    with pytest.raises(ToolMissing) as refused:
        check_version(said.encode())
    assert refused.value.code == "git-too-old"


def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("not a program")
    with pytest.raises(ToolMissing, match="cannot be run"):
        process.run([str(tmp_path / "git")], timeout=1)
