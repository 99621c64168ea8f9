"""History: what files held at each commit, however much of it is looked at."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import repositories as repo

from gitops_tk.errors import RepositoryError
from gitops_tk.model.history import History, Version
from gitops_tk.repository import history as module
from gitops_tk.repository import versions
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.history import CheckoutHistory, RemoteHistory
from gitops_tk.repository.location import remote
from gitops_tk.repository.remote import Remote

A, B = "services/a/envs/dev.yaml", "services/b/envs/dev.yaml"
PLACES = {"dev/a"}


@contextmanager
def opened(folder: Path) -> Iterator[RemoteHistory]:
    with Remote(remote(f"file://{folder}"), None, os.environ) as found:
        snapshot = found.snapshot()
        yield RemoteHistory(found, snapshot.revision)


def said(service: str, *, command: str = "bump") -> str:
    change = f"Gitops-Tk-Change: dev/{service} image.tag v1 -> v2"
    return f"{command}: {service} in dev\n\nGitops-Tk-Command: {command}\n{change}\n"


def told(versions: Iterator[Version]) -> list[tuple[str, bytes | None]]:
    return [(version.commit, version.files.get(A)) for version in versions]


def as_git_says(folder: Path, path: str = A) -> list[tuple[str, bytes | None]]:
    """Commit by commit, without any cleverness."""
    found: list[tuple[str, bytes | None]] = []
    for oid in repo.git(folder, "rev-list", "--first-parent", "--reverse", "main").split():
        there = repo.git(folder, "ls-tree", "-r", "--name-only", oid).splitlines()
        content = repo.show(folder, path, oid) if path in there else None
        if content != (found[-1][1] if found else None):
            found.append((oid, content))
    return found[::-1]


def merge(folder: Path, files: dict[str, bytes | None], message: str, merging: str = "Merge branch 'x'") -> None:
    repo.git(folder, "branch", "-f", "side", "main")
    repo.commit(folder, {"README.md": os.urandom(4)}, message="the base moves on")
    repo.commit(folder, files, branch="side", message=message)
    tree = repo.git(folder, "merge-tree", "--write-tree", "main", "side")
    made = repo.git(folder, "commit-tree", tree, "-p", "main", "-p", "side", data=merging.encode())
    repo.git(folder, "update-ref", "refs/heads/main", made)


@pytest.mark.parametrize("seed", range(2))
def test_it_is_the_same_however_it_is_found(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n", B: b"tag: v0\n", "gitops-tk.yaml": repo.CONFIG})
    for number in range(24):
        service, path = chance.choice([("a", A), ("b", B), ("b", B)])
        content = chance.choice([b"tag: v%d\n" % number, b"tag: v%d\n" % number, None])
        # A message is wrong now and then; such a change stays, so that the files give it away.
        message = chance.choice([said(service), "by hand", said("b"), ""])
        if chance.random() < 0.2:
            merge(folder, {path: content or b"tag: merged %d\n" % number}, said(service))
        else:
            repo.commit(folder, {path: content, "count": b"%d" % number}, message=message)
    expected = as_git_says(folder)
    assert len(expected) > 4
    with opened(folder) as history:
        assert told(history([A])) == expected
    with opened(folder) as history:
        assert told(history([A], places=PLACES)) == expected
    with opened(folder) as history:
        both = list(history([A, B]))
    assert [(one.commit, one.files.get(A)) for one in both if A in one.changed] == expected
    assert [(one.commit, one.files.get(B)) for one in both if B in one.changed] == as_git_says(folder, B)
    here = repo.checkout(folder, tmp_path / "here")
    assert told(CheckoutHistory(Checkout(here))([A], places=PLACES)) == expected
    monkeypatch.setattr(module, "_MOST", 0)
    for few in (versions._FEW, 0):
        monkeypatch.setattr(versions, "_FEW", few)
        with opened(folder) as history:
            assert told(history([A], places=PLACES)) == expected


def test_a_change_that_its_message_hides_is_found_by_what_the_files_held(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n", B: b""})
    for number in range(40):
        files: dict[str, bytes | None] = {B: b"%d" % number}
        if number == 17:
            files[A] = b"tag: hidden\n"
        repo.commit(folder, files, message=said("b"))
    with opened(folder) as history:
        assert told(history([A], places=PLACES)) == as_git_says(folder)


def test_only_commits_that_may_have_changed_the_files_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n", B: b""})
    for number in range(30):
        repo.commit(folder, {B: b"%d" % number}, message=said("b"))
    repo.commit(folder, {A: b"tag: v1\n"}, message=said("a"))
    fetched: list[int] = []
    original = Remote.bring_trees

    def counted(self: Remote, oids: set[str], depth: int) -> None:
        fetched.append(len(oids))
        original(self, oids, depth)

    monkeypatch.setattr(Remote, "bring_trees", counted)
    with opened(folder) as history:
        assert len(list(history([A], places=PLACES))) == 2
    assert sum(fetched) < 12


def test_a_quick_answer_finds_the_newest_change_among_commits_that_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n", B: b""})
    for number in range(60):
        repo.commit(folder, {B: b"%d" % number} | ({A: b"tag: v1\n"} if number == 23 else {}), message="update")
    monkeypatch.setattr(module, "_MOST", 10)
    with opened(folder) as history:
        found = told(history([A], places=PLACES, quick=True))
    assert found == as_git_says(folder)


def test_a_message_with_more_than_the_tools_trailers_says_nothing_for_sure(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n", B: b""})
    for message in (
        said("b") + "Co-authored-by: X <x@example.com>\n",
        said("b") + "\nand a by the way\n",
        said("b", command="new-service"),
        "squashed (#7)\n\n* " + said("b"),
        "Gitops-Tk-Command: bump\n",
    ):
        # Changed and taken back: nothing but a look at this very commit finds it.
        repo.commit(folder, {A: message.encode()}, message=message)
        repo.commit(folder, {A: b"tag: v0\n"}, message="revert")
    with opened(folder) as history:
        assert told(history([A], places=PLACES)) == as_git_says(folder)


@pytest.mark.parametrize("setting", ["uploadpack.allowFilter", "uploadpackfilter.tree.allow"])
def test_a_server_that_filters_less_tells_the_same(tmp_path: Path, setting: str) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n"})
    for tag in ("v1", "v2"):
        repo.commit(folder, {A: f"tag: {tag}\n".encode()})
    repo.git(folder, "config", setting, "false")
    with opened(folder) as history:
        assert told(history([A], places=PLACES)) == as_git_says(folder)


def test_a_link_or_a_folder_in_the_place_of_a_file_is_no_file(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n"})
    repo.commit(folder, {A: b"/etc/passwd"}, modes={A: "120000"})
    repo.commit(folder, {A: None})
    repo.commit(folder, {f"{A}/x": b""})
    repo.commit(folder, {f"{A}/x": None, A: b"tag: v1\n"})
    histories: list[list[bytes | None]] = []
    with opened(folder) as history:
        histories += [[data for _, data in told(history([A]))], [data for _, data in told(history([A], places=PLACES))]]
    for found in histories:
        assert list(dict.fromkeys(found)) == [b"tag: v1\n", None, b"tag: v0\n"]


def test_names_in_messages_and_trees_mislead_nobody(tmp_path: Path) -> None:
    decoys = {
        "services/evil 40000 a/envs/dev.yaml": b"decoy",
        "evil 40000 services/a/envs/dev.yaml": b"decoy",
        "services/a/envs/x 100644 dev.yaml": b"decoy",
    }
    folder = repo.bare(tmp_path / "r.git", {**decoys, A: b"tag: v0\n"})
    repo.commit(folder, {A: b"tag: v1\n"}, message="\x1e" + "0" * 40 + "\n\x1f\x01\ntext")
    with opened(folder) as history:
        for places in (None, PLACES):
            assert told(history([A], places=places)) == as_git_says(folder)
        assert [commit.author for commit in history.commits()] == ["A Person <person@example.com>"] * 2


def test_a_shallow_checkout_says_that_it_cannot_know(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n"})
    repo.commit(folder, {A: b"tag: v1\n"})
    repo.git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{folder}", "here")
    with pytest.raises(RepositoryError) as caught:
        list(CheckoutHistory(Checkout(tmp_path / "here"))([A]))
    assert caught.value.code == "shallow"


def test_a_checkout_in_a_folder_of_a_repository_has_the_folders_history(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {f"deploy/{A}": b"tag: v0\n", "deploy/gitops-tk.yaml": repo.CONFIG})
    first = repo.git(folder, "rev-parse", "main")
    repo.commit(folder, {f"deploy/{A}": b"tag: v1\n"})
    here = Checkout(repo.checkout(folder, tmp_path / "here") / "deploy")
    history: History = CheckoutHistory(here)
    for places in (None, PLACES):
        assert [version.files for version in history([A], places=places)] == [{A: b"tag: v1\n"}, {A: b"tag: v0\n"}]
    assert history.at(first).read([A]) == {A: b"tag: v0\n"}


def test_what_a_clone_has_put_in_the_place_of_a_commit_is_no_history(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "gitops.git")
    first, other = (repo.commit(remote, {A: content}) for content in (b"a: 1\n", b"a: 2\n"))
    checkout = repo.checkout(remote, tmp_path / "checkout")
    repo.git(checkout, "replace", first, repo.git(checkout, "commit-tree", f"{other}^{{tree}}", "-m", "x"))
    assert [one[1] for one in told(CheckoutHistory(Checkout(checkout, os.environ))([A]))] == [b"a: 2\n", b"a: 1\n"]


def test_how_git_is_set_to_show_a_log_changes_nothing(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {A: b"tag: v0\n", "services/a/old.yaml": b"tag: v0\n"})
    repo.commit(folder, {A: None}, message="away")
    repo.commit(folder, {A: b"tag: v0\n", "services/a/old.yaml": None}, message="moved")
    merge(folder, {A: b"tag: v1\n"}, "a change")
    here = repo.checkout(folder, tmp_path / "here")
    for key, value in (("log.showRoot", "false"), ("log.follow", "true"), ("log.diffMerges", "off")):
        repo.git(here, "config", key, value)
    assert told(CheckoutHistory(Checkout(here))([A])) == as_git_says(folder)


def test_nothing_has_no_history(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git")
    with opened(folder) as history:
        assert (list(history([A])), history.commits()) == ([], ())


def test_a_folders_past_ends_at_the_commit_that_is_asked_for(tmp_path: Path) -> None:
    folder = repo.bare(tmp_path / "r.git", {"chart/values.yaml": b"a: 1\n"})
    first, was = (repo.git(folder, "rev-parse", name) for name in ("main", "main:chart"))
    repo.commit(folder, {"chart/values.yaml": b"a: 2\n"})
    here = Checkout(repo.checkout(folder, tmp_path / "c"), os.environ)
    assert list(CheckoutHistory(here, first).folders(["chart"], places=())) == [{"chart": was}, {}]
    assert len(list(CheckoutHistory(here).folders(["chart"], places=()))) == 3
