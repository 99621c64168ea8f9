"""History: what some files held, commit by commit, along the first parents; of a remote, and of a checkout."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby, islice

from gitops_tk.errors import RepositoryError
from gitops_tk.model.history import Commit, Version
from gitops_tk.model.snapshot import FOLDER
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.git import Git
from gitops_tk.repository.inspection import changes, spread
from gitops_tk.repository.log import may_change, read_edits, read_log
from gitops_tk.repository.lookup import Bring, Find, NotHandedOut, State, flat, lookup
from gitops_tk.repository.objects import Objects
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.repository.versions import Files

# More commits than this are not looked at one by one: all trees are fetched, and git looks.
_MOST = 400
# The ids of their trees, by path.
Folders = Mapping[str, str]


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
        if states is not None:
            files = Files.of_states(states)
        else:
            remote.bring_all_trees()
            files = Files.of_log(remote.git, self.commits(), paths)
        yield from files.versions(self.commits(), remote.blobs(files.oids()))

    def commits(self) -> Sequence[Commit]:
        """See `History`."""
        return self._remote.commits(self._tip) if self._tip else ()

    def at(self, commit: str) -> TreeSnapshot:
        """See `History`."""
        root = next((one.tree for one in self.commits() if one.oid == commit), None)
        # By itself a tree would come with everything below it.
        if root and self._remote.takes_trees and not any(self._remote.find_entries({root: ()})):
            self._remote.bring_trees([root], 2)
        return self._remote.at(commit)

    def folders(self, paths: Sequence[str], *, places: Collection[str]) -> Iterator[Folders]:
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
            files = Files.of_log(git, commits, paths) if states is None else Files.of_states(states, prefix)
            blobs = objects.blobs(files.oids())
        finally:
            objects.close()
        yield from files.versions(commits, blobs)

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

    def folders(self, paths: Sequence[str], *, places: Collection[str]) -> Iterator[Folders]:  # noqa: ARG002
        """See `History`."""
        if self.commits():
            yield from _all_folders(self._checkout.git, self._tip, paths)

    def folder(self, oid: str) -> TreeSnapshot:
        """See `History`."""
        return self._checkout.at(self._tip).below(oid)


def _suspects(
    commits: Sequence[Commit], places: Collection[str], doubted: Collection[str], *, quick: bool
) -> Collection[int] | None:
    """The positions of the commits that are looked at; None where they are too many to look at one by one."""
    named = frozenset(places)
    found: list[int] = [at for at, commit in enumerate(commits) if may_change(commit, named)]
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
    commits: Sequence[Commit], suspects: Collection[int] | None, find: Find, bring: Bring, paths: Sequence[str]
) -> dict[int, State] | None:
    """What files were from each commit on that changed one of them, by its position, looked up where that may be.

    Args:
        suspects: see `_suspects`.

    Returns:
        None where too many commits would have to be looked at, or their trees are not to be had one by one.
    """
    if suspects is None:
        return None

    def states(points: Iterable[int]) -> dict[int, State]:
        trees = {at: commits[at].tree for at in points}
        found = lookup(set(trees.values()), paths, find, bring)
        return {at: found[tree] for at, tree in trees.items()}

    try:
        return changes(len(commits), suspects, states)
    except NotHandedOut:
        return None


def _likely(
    commits: Sequence[Commit],
    find: Find,
    bring: Bring,
    paths: Sequence[str],
    places: Collection[str],
) -> Iterator[Folders]:
    """What folders were next to the commits that may have changed them: the newest first, then ever more at once."""
    suspects = (at for at, commit in enumerate(commits) if may_change(commit, places))
    points = islice(dict.fromkeys(point for at in suspects for point in (at, at + 1) if point < len(commits)), _MOST)
    size = 2
    while window := list(islice(points, size)):
        trees = [commits[at].tree for at in window]
        try:
            found = lookup(trees, paths, find, bring, (FOLDER,))
        except NotHandedOut:
            return
        yield from (flat(found[tree]) for tree in trees)
        size *= 8


def _all_folders(git: Git, tip: str, paths: Sequence[str]) -> Iterator[Folders]:
    """What folders were at each commit that changed one of them, newest first, as git says."""
    listed = git.read("--literal-pathspecs", "ls-tree", "-d", "-z", tip, "--", *paths)
    state = {line.partition("\t")[2]: line.split()[2] for line in listed.split("\0") if line.startswith("040000")}
    yield state
    wanted = set(paths)
    for _, edits in groupby(read_edits(git, tip, paths, "-t"), lambda edit: edit.commit):
        before = dict(state)
        for edit in edits:
            if edit.path in wanted:
                before.pop(edit.path, None)
                before |= {edit.path: edit.old} if edit.old_mode == FOLDER else {}
        if before != state:
            yield before
            state = before


def _mentioned(commits: Sequence[Commit], places: Collection[str]) -> list[int]:
    names = sorted({re.escape(place.rpartition("/")[2]) for place in places})
    word = re.compile(rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])")
    found = (at for at, commit in enumerate(commits) if word.search(commit.message) or word.search(commit.merged))
    return list(islice(found, _MOST))
