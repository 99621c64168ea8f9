"""History: what some files held, commit by commit, along the first parents; of a remote, and of a checkout."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from gitops_tk.errors import RepositoryError
from gitops_tk.model.history import Commit, Version
from gitops_tk.model.snapshot import EXECUTABLE, FILE, FOLDER
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.git import Git
from gitops_tk.repository.inspection import changes, spread
from gitops_tk.repository.log import may_change, read_log
from gitops_tk.repository.objects import Objects, TreeEntry
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot

# More commits than this are not looked at one by one: all trees are fetched, and git looks.
_MOST = 400
_HEAD = "\x1e"

State = Mapping[str, str]
Find = Callable[[Iterable[tuple[str, str]]], dict[tuple[str, str], TreeEntry | None]]


class RemoteHistory:
    """What led to a commit of a remote's branch.

    Args:
        remote: opened, its snapshot taken.
        tip: the commit; None for an empty repository.
    """

    def __init__(self, remote: Remote, tip: str | None) -> None:
        self._remote = remote
        self._tip = tip

    def __call__(
        self,
        paths: Sequence[str],
        *,
        places: Collection[str] | None = None,
        quick: bool = False,
        doubted: Collection[str] = (),
    ) -> Iterator[Version]:
        """See `History`."""
        if self._tip is None:
            return
        remote = self._remote
        states = None
        if places is not None and remote.takes_trees:
            suspects = _suspects(self.commits(), places, doubted, quick=quick)
            states = _few(self.commits(), suspects, remote.find_entries, remote.bring_trees, paths)
        if states is None:
            remote.bring_all_trees()
            states = _all(remote.git, self._tip, paths)
        blobs = remote.blobs({oid for state in states.values() for oid in state.values()})
        yield from _versions(self.commits(), states, blobs)

    def commits(self) -> Sequence[Commit]:
        """See `History`."""
        return self._remote.commits(self._tip) if self._tip else ()

    def at(self, commit: str) -> TreeSnapshot:
        """See `History`."""
        root = next((one.tree for one in self.commits() if one.oid == commit), None)
        # By itself a tree would come with everything below it.
        if root and self._remote.takes_trees and not self._remote.find_entries([(root, "")]):
            self._remote.bring_trees([root], 2)
        return self._remote.at(commit)

    def folders(self, paths: Sequence[str], *, places: Collection[str]) -> Iterator[State]:
        """See `History`."""
        if self._tip is None:
            return
        remote = self._remote
        if remote.takes_trees:
            yield from _likely(self.commits(), remote.find_entries, remote.bring_trees, paths, places)
        remote.bring_all_trees()
        yield from _all_folders(remote.git, self._tip, paths)

    def folder(self, oid: str) -> TreeSnapshot:
        """See `History`."""
        return self._remote.at(self._tip or "HEAD").below(oid)


class CheckoutHistory:
    """What led to the commit that a checkout is on, or to another one.

    Args:
        tip: the other one.
    """

    def __init__(self, checkout: Checkout, tip: str | None = None) -> None:
        self._checkout = checkout
        self._tip = tip or "HEAD"

    def __call__(
        self,
        paths: Sequence[str],
        *,
        places: Collection[str] | None = None,
        quick: bool = False,
        doubted: Collection[str] = (),
    ) -> Iterator[Version]:
        """See `History`."""
        commits = self.commits()
        if not commits:
            return
        git = self._checkout.git
        prefix = git.read("rev-parse", "--show-prefix")
        objects = Objects(git)
        try:
            states = None
            if places is not None:
                below = [prefix + path for path in paths]
                suspects = _suspects(commits, places, doubted, quick=quick)
                states = _few(commits, suspects, objects.find, lambda _trees, _depth: None, below)
            if states is None:
                states = _all(git, self._tip, paths)
                prefix = ""
            blobs = objects.blobs({oid for state in states.values() for oid in state.values()})
        finally:
            objects.close()
        yield from _versions(commits, states, blobs, prefix)

    def commits(self) -> Sequence[Commit]:
        """See `History`.

        Raises:
            RepositoryError: older commits are not here (`shallow`).
        """
        return self._commits

    @cached_property
    def _commits(self) -> Sequence[Commit]:
        git = self._checkout.git
        if git.run("rev-parse", "--verify", "--quiet", self._tip).status:
            return ()
        if git.read("rev-parse", "--is-shallow-repository") == "true":
            raise RepositoryError(
                "the checkout is shallow: its history is not here",
                code="shallow",
                hint="git fetch --unshallow, or name the remote with --repo URL",
            )
        return read_log(git, self._tip)

    def at(self, commit: str) -> TreeSnapshot:
        """See `History`."""
        return self._checkout.at(commit)

    def folders(self, paths: Sequence[str], *, places: Collection[str]) -> Iterator[State]:  # noqa: ARG002
        """See `History`."""
        if self.commits():
            yield from _all_folders(self._checkout.git, "HEAD", paths)

    def folder(self, oid: str) -> TreeSnapshot:
        """See `History`."""
        return self._checkout.at("HEAD").below(oid)


class _NotHandedOut(Exception):
    """What was asked for by its id is not to be had."""


def _suspects(
    commits: Sequence[Commit], places: Collection[str], doubted: Collection[str], *, quick: bool
) -> Collection[int] | None:
    """The positions of the commits that are looked at; None where they are too many to look at one by one."""
    found: list[int] = [at for at, commit in enumerate(commits) if may_change(commit, places)]
    if len(found) > _MOST:
        if not quick:
            return None
        found = [*spread(len(commits)), *_mentioned(commits, places)]
    if doubted:
        listed = set(doubted)
        found += [at for at, commit in enumerate(commits) if commit.oid in listed]
    # One by one, trees cost three times what they cost all together.
    return found if len(found) <= max(_MOST, len(commits) // 3) else None


def _few(
    commits: Sequence[Commit],
    suspects: Collection[int] | None,
    find: Find,
    bring: Callable[[Iterable[str], int], None],
    paths: Sequence[str],
) -> dict[str, State] | None:
    """What files were at each commit that changed one of them, looked up where that may be.

    Args:
        suspects: see `_suspects`.
        find: what trees have under names; those that are not here are left out.
        bring: fetches trees, so many levels deep.

    Returns:
        None where too many commits would have to be looked at, or their trees are not to be had one by one.
    """
    if suspects is None:
        return None

    def lookup(points: Iterable[int]) -> dict[int, State]:
        trees = {at: commits[at].tree for at in points}
        found = _states(set(trees.values()), paths, find, bring)
        return {at: found[tree] for at, tree in trees.items()}

    try:
        return {commits[at].oid: state for at, state in changes(len(commits), suspects, lookup).items()}
    except _NotHandedOut:
        return None


def _likely(
    commits: Sequence[Commit],
    find: Find,
    bring: Callable[[Iterable[str], int], None],
    paths: Sequence[str],
    places: Collection[str],
) -> Iterator[State]:
    """What folders were next to the commits that may have changed them: the newest first, then ever more at once."""
    suspects = (at for at, commit in enumerate(commits) if may_change(commit, places))
    points = islice(dict.fromkeys(point for at in suspects for point in (at, at + 1) if point < len(commits)), _MOST)
    size = 2
    while window := list(islice(points, size)):
        trees = [commits[at].tree for at in window]
        try:
            found = _states(trees, paths, find, bring, (FOLDER,))
        except _NotHandedOut:
            return
        yield from (found[tree] for tree in trees)
        size *= 8


def _states(
    roots: Iterable[str],
    paths: Sequence[str],
    find: Find,
    bring: Callable[[Iterable[str], int], None],
    modes: Collection[int] = (FILE, EXECUTABLE),
) -> Mapping[str, State]:
    """The ids of the files, or of what has other modes, at some paths below some roots."""
    states: dict[str, dict[str, str]] = {root: {} for root in roots}
    active = {(root, path): (root, path.split("/")) for root in states for path in paths}
    # The first level of folders comes with the roots; below, only what the paths go through.
    depth = 2
    while active:
        wanted = {(tree, segments[0]) for tree, segments in active.values()}
        entries = find(wanted)
        missing = wanted - entries.keys()
        if missing:
            bring({tree for tree, _ in missing}, depth)
            entries |= find(missing)
            if wanted - entries.keys():
                raise _NotHandedOut
        depth = 1
        following: dict[tuple[str, str], tuple[str, list[str]]] = {}
        for (root, path), (tree, segments) in active.items():
            entry = entries[tree, segments[0]]
            if entry is None:
                continue
            if len(segments) > 1 and entry.mode == FOLDER:
                following[root, path] = (entry.oid, segments[1:])
            elif len(segments) == 1 and entry.mode in modes:
                states[root][path] = entry.oid
        active = following
    return states


def _all(git: Git, tip: str, paths: Sequence[str]) -> dict[str, State]:
    """What files were at each commit that changed one of them, newest first, as git says."""
    listed = git.read("--literal-pathspecs", "ls-tree", "-r", "-z", tip, "--", *paths)
    state = {
        line.partition("\t")[2]: line.split()[2] for line in listed.split("\0") if line.startswith(("100644", "100755"))
    }
    text = git.read(
        *("--literal-pathspecs", "log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "-z"),
        *("--relative", f"--format={_HEAD}%H", tip, "--", *paths),
    )
    states: dict[str, State] = {}
    for record in text.split(_HEAD):
        if not record.strip("\0\n"):
            continue
        # A commit's id, then for each file `:modes ids status NUL path NUL`.
        oid, *fields = [field.strip("\n") for field in record.split("\0") if field.strip("\n")]
        states[oid] = state
        state = dict(state)
        for status, path in zip(fields[::2], fields[1::2], strict=True):
            mode, _, before, *_ = status.removeprefix(":").split()
            if mode in ("100644", "100755"):
                state[path] = before
            else:
                state.pop(path, None)
    return states


def _all_folders(git: Git, tip: str, paths: Sequence[str]) -> Iterator[State]:
    """What folders were at each commit that changed one of them, newest first, as git says."""
    listed = git.read("--literal-pathspecs", "ls-tree", "-d", "-z", tip, "--", *paths)
    state = {line.partition("\t")[2]: line.split()[2] for line in listed.split("\0") if line.startswith("040000")}
    yield state
    text = git.read(
        *("--literal-pathspecs", "log", "--first-parent", "-m", "--raw", "-t", "--no-abbrev", "--no-renames", "-z"),
        *("--relative", f"--format={_HEAD}%H", tip, "--", *paths),
    )
    wanted = set(paths)
    for record in text.split(_HEAD):
        fields = [field.strip("\n") for field in record.split("\0") if field.strip("\n")][1:]
        before = dict(state)
        for status, path in zip(fields[::2], fields[1::2], strict=True):
            mode, _, oid, *_ = status.removeprefix(":").split()
            if path in wanted:
                before.pop(path, None)
                before |= {path: oid} if mode == "040000" else {}
        if before != state:
            yield before
            state = before


def _versions(
    commits: Sequence[Commit], states: Mapping[str, State], blobs: Mapping[str, bytes], prefix: str = ""
) -> Iterator[Version]:
    for commit in commits:
        if commit.oid in states:
            yield Version(
                commit=commit.oid,
                time=commit.time,
                author=commit.author,
                files={
                    path.removeprefix(prefix): blobs[oid] for path, oid in states[commit.oid].items() if oid in blobs
                },
                parent=commit.parents[0] if commit.parents else None,
                message=commit.message,
                merged=commit.merged,
            )


def _mentioned(commits: Sequence[Commit], places: Collection[str]) -> list[int]:
    names = sorted({re.escape(place.rpartition("/")[2]) for place in places})
    word = re.compile(rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])")
    found = (at for at, commit in enumerate(commits) if word.search(commit.message) or word.search(commit.merged))
    return list(islice(found, _MOST))
