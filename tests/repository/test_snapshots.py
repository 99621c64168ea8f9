"""Snapshots of a remote, a checkout and memory agree; ChangeSets become commits."""

import os
import signal
from pathlib import Path

import pytest
from tests.support import repositories as repo

from gitops_tk.errors import RaceLost, RepositoryError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Plan, Write
from gitops_tk.model.snapshot import EXECUTABLE, FOLDER, SYMLINK, Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.elsewhere import files_in
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.repository.publish import Timing, publish
from gitops_tk.repository.push import Pushed
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.worktree import Undo

FILES = {"gitops-tk.yaml": repo.CONFIG, "a/b/c.txt": b"c", "a/b/d.txt": b"d\r\n", "a/e.txt": b"", "f.txt": b"f"}


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.bare(tmp_path / "r.git", FILES)


def opened(remote: Path) -> Remote:
    return Remote(RemoteLocation(f"file://{remote}"), None, os.environ)


def _says(snapshot: Snapshot) -> object:
    paths = ["f.txt", "a/b/c.txt", "a/b", "a/none", "../f.txt", "/f.txt", "a//b", "a/./e.txt", "", "f.txt/x"]
    return (
        {path: entry.mode for path, entry in snapshot.entries(paths).items()},
        snapshot.read(["f.txt", "a/b/d.txt", "none", "../r.git/HEAD"]),
        {folder: [entry.path for entry in found] for folder, found in snapshot.children(["", "a", "f.txt"]).items()},
        [entry.path for entry in snapshot.tree("a")],
        [entry.path for entry in snapshot.tree("none")],
    )


def test_a_remote_a_checkout_and_memory_say_the_same(remote: Path, tmp_path: Path) -> None:
    expected = _says(MemorySnapshot(FILES))
    with opened(remote) as there:
        assert _says(there.snapshot()) == expected
    assert _says(Checkout(repo.checkout(remote, tmp_path / "c")).snapshot()) == expected


def test_a_remote_that_never_hands_an_object_out_is_not_asked_for_ever(remote: Path, tmp_path: Path) -> None:
    environ = repo.idle(tmp_path / "bin", "--stdin", 0)
    with Remote(RemoteLocation(f"file://{remote}"), None, environ) as there:
        with pytest.raises(RepositoryError) as refused:
            there.snapshot().read(["a/b/c.txt"])
        assert refused.value.code == "missing-objects"


def test_what_is_no_file_is_not_read_as_one(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {"link": b"f.txt", "linked": b"a"}, modes={"link": "120000", "linked": "120000"})
    checkout = Checkout(repo.checkout(remote, tmp_path / "c"))
    with opened(remote) as there:
        for snapshot in (there.snapshot(), checkout.snapshot()):
            assert snapshot.entries(["link"])["link"].mode == SYMLINK
            assert snapshot.entries(["linked/e.txt"]) == {}
            for path in ("link", "a"):
                with pytest.raises(RepositoryError) as refused:
                    snapshot.read([path])
                assert refused.value.code == "not-a-file"


def test_a_changeset_writes_copies_and_deletes_in_one_commit(remote: Path) -> None:
    with opened(remote) as there:
        snapshot = there.snapshot()
        folder = snapshot.entries(["a/b"])["a/b"]
        operations = (
            Write("new/with space.txt", b"n"),
            Write("run.sh", b"#!/bin/sh\n", EXECUTABLE),
            Copy("copied", folder.oid, FOLDER),
            Delete("f.txt"),
        )
        plan = Plan(changeset=ChangeSet(operations), subject="subject", trailers=(("Key", "value"),))
        (oid,) = there.commit(snapshot, [plan])
        assert there.push({"main": oid}, {"main": snapshot.revision or ""}).answer == "accepted"
    assert repo.git(remote, "ls-tree", "-r", "--format=%(objectmode) %(path)", "main").splitlines() == [
        "100644 a/b/c.txt",
        "100644 a/b/d.txt",
        "100644 a/e.txt",
        "100644 copied/c.txt",
        "100644 copied/d.txt",
        "100644 gitops-tk.yaml",
        "100644 new/with space.txt",
        "100755 run.sh",
    ]


def test_a_checkout_writes_all_of_a_changeset_or_nothing(remote: Path, tmp_path: Path) -> None:
    checkout = Checkout(repo.checkout(remote, tmp_path / "c"))
    with pytest.raises(RepositoryError):
        checkout.apply(ChangeSet((Write("f.txt", b"new"), Write("a", b"in the way"))))
    assert (checkout.root / "f.txt").read_bytes() == b"f"
    checkout.apply(ChangeSet((Write("x/y/z.txt", b"z"), Delete("f.txt"))))
    assert (checkout.root / "x/y/z.txt").read_bytes() == b"z"
    assert not (checkout.root / "f.txt").exists()


def test_a_checkout_writes_copied_files_and_refuses_copied_links(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {"run.sh": b"#!/bin/sh\n", "a/link": b"b"}, modes={"run.sh": "100755", "a/link": "120000"})
    checkout = Checkout(repo.checkout(remote, tmp_path / "c"))
    file, folder = (repo.git(remote, "rev-parse", f"main:{path}") for path in ("run.sh", "a"))
    checkout.apply(ChangeSet((Copy("copied/run.sh", file, EXECUTABLE),)))
    copied = checkout.root / "copied/run.sh"
    assert (copied.read_bytes(), os.access(copied, os.X_OK)) == (b"#!/bin/sh\n", True)
    with pytest.raises(RepositoryError) as refused:
        checkout.apply(ChangeSet((Copy("copied", folder, FOLDER),)))
    assert (refused.value.code, refused.value.file) == ("not-a-file", "copied/link")


def test_a_folder_without_files_is_told() -> None:
    assert files_in(MemorySnapshot(FILES), "a/b") == {"c.txt": b"c", "d.txt": b"d\r\n"}
    assert files_in(MemorySnapshot(FILES), "") == FILES
    for snapshot, folder in ((MemorySnapshot(FILES), "a/none"), (MemorySnapshot({}), "")):
        with pytest.raises(RepositoryError) as missing:
            files_in(snapshot, folder)
        assert (missing.value.code, missing.value.file) == ("no-folder", folder)


def test_a_checkout_that_cannot_be_made_or_has_nobody_who_commits_is_told(
    remote: Path, tmp_path: Path, isolated_home: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RepositoryError) as refused:
        Checkout(tmp_path / "file" / "checkout").start()
    assert refused.value.code == "disk"
    checkout = Checkout(repo.checkout(remote, tmp_path / "c"))
    assert checkout.author == "Test Author <author@example.com>"
    (isolated_home / ".gitconfig").unlink()
    with pytest.raises(RepositoryError) as unknown:
        _ = checkout.author
    assert unknown.value.code == "no-identity"


def test_a_program_that_ends_while_objects_are_read_is_told(remote: Path) -> None:
    with opened(remote) as there:
        snapshot = there.snapshot()
        snapshot.read(["f.txt"])
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            if b"cat-file" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                os.waitid(os.P_PID, int(child), os.WEXITED | os.WNOWAIT)
        with pytest.raises(RepositoryError) as refused:
            snapshot.read(["a/b/c.txt"])
        assert refused.value.code == "git"


def test_files_are_put_back_where_there_is_no_room_for_a_second_one(tmp_path: Path) -> None:
    # No file beside this one can be made: its name would be too long, as on a full disk it would have no space.
    old, new = tmp_path / ("a" * 250), tmp_path / "made/new.txt"
    old.write_bytes(b"as it was")
    undo = Undo()
    for path in (old, new):
        undo.note(path)
        path.write_bytes(b"written since, and longer")
    assert undo() == []
    assert old.read_bytes() == b"as it was"
    assert [path.name for path in tmp_path.iterdir()] == [old.name]


def test_what_cannot_be_put_back_is_named(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250)
    path.write_bytes(b"as it was")
    undo = Undo()
    undo.note(path)
    path.unlink()
    path.mkdir()
    assert undo() == [path]


@pytest.mark.parametrize("path", ["../x", "/tmp/x", ".git/config", ".GIT/config", "a/../../x", ""])
def test_nothing_is_written_outside(remote: Path, tmp_path: Path, path: str) -> None:
    checkout = Checkout(repo.checkout(remote, tmp_path / "c"))
    with pytest.raises(RepositoryError) as refused:
        checkout.apply(ChangeSet((Write(path, b"x"),)))
    assert refused.value.code == "outside"


def test_a_lost_race_waits_longer_each_time_by_chance_and_ends_in_time(remote: Path) -> None:
    now, waits, intents = [0.0], [], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    def plan(snapshot: Snapshot, intent: object) -> Plan:
        intents.append(intent)
        repo.commit(remote, {"README.md": b"%d" % len(waits)})
        return Plan(changeset=ChangeSet((Write("mine.txt", b"x"),)), subject="s", intent=len(intents))

    def propose(base: Snapshot, plan: Plan) -> Pushed:
        raise AssertionError("nothing is proposed here")

    timing = Timing(clock=lambda: now[0], sleep=sleep, random=lambda: 0.5)
    with opened(remote) as there, pytest.raises(RaceLost) as lost:
        publish(there, plan, propose, retry_for=6.0, timing=timing)
    # Half of what may be waited each time; the longest that may be is five seconds.
    assert waits == [0.25, 0.5, 1.0, 2.0, 2.5]
    assert lost.value.attempts == 6
    # What the first plan meant holds for all that follow.
    assert intents == [None, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "names", [("gitops-tk.yaml", "gitops-tk.yaml"), ("gitops-tk.yaml", "services/a/envs/prod.yaml")]
)
def test_a_folder_that_no_git_would_make_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    there = repo.bare(tmp_path / "bad.git")
    repo.commit(there, {"gitops-tk.yaml": repo.CONFIG})
    blob = bytes.fromhex(repo.git(there, "rev-parse", "main:gitops-tk.yaml"))
    data = b"".join(b"100644 %s\0%s" % (name.encode(), blob) for name in names)
    tree = repo.git(there, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=data)
    commit = repo.git(there, "commit-tree", tree, "-m", "by a program")
    repo.git(there, "update-ref", "refs/heads/main", commit)
    with Remote(RemoteLocation(f"file://{there}"), "main", os.environ) as opened:
        snapshot = opened.snapshot()
        with pytest.raises(RepositoryError) as refused:
            snapshot.children([""])
    assert refused.value.code == "bad-tree"
