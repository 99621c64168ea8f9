"""The commits of a branch along the first parents: what they say, and what they changed (git-log(1))."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from gitops_tk.model.history import Commit
from gitops_tk.repository.git import Git

_FORMAT = "--format=%H%n%T%n%P%n%ct%n%an <%ae>%n%B"
_CHANGE = "Gitops-Tk-Change: "
# What these commands change, their commits' trailers say whole: which services, in which environments.
_SAYS_ALL = re.compile(r"Gitops-Tk-Command: (?:bump|promote|rollback|hold|unhold)\n(?:Gitops-Tk-[A-Za-z-]+: [^\n]*\n)*")


class Edit(NamedTuple):
    """What a commit did to a path: git's modes and object ids before and after; a mode is 0 where nothing is."""

    commit: str
    path: str
    old_mode: int
    new_mode: int
    old: str
    new: str


def may_change(commit: Commit, places: Collection[str]) -> bool:
    """Whether a commit may have changed services in environments, each as `environment/service`, for all it says.

    A commit of the tool that is merged speaks for the merge. What is said is no proof: whoever asks looks at what the
    files held before and after those commits that say they changed something else.
    """
    said = _places(commit.merged if len(commit.parents) == 2 else commit.message)
    return said is None or not said.isdisjoint(places)


def read_log(git: Git, head: str) -> list[Commit]:
    """The commits that lead to a commit along the first parents, newest first.

    Raises:
        RepositoryError: they cannot be read.
    """
    found = [_commit(record) for record in _records(git.read("log", "-z", "--first-parent", _FORMAT, head, "--"))]
    merges = {commit.parents[1] for commit in found if len(commit.parents) == 2}
    if not merges:
        return found
    listed = "".join(f"{oid}\n" for oid in sorted(merges)).encode()
    text = git.read("log", "-z", "--no-walk=unsorted", "--stdin", "--format=%H%n%B", data=listed)
    messages = dict(record.split("\n", 1) for record in _records(text))
    return [_with_merged(commit, messages) for commit in found]


def read_edits(git: Git, head: str, paths: Sequence[str], *options: str) -> Iterator[Edit]:
    """What the commits that lead to a commit along the first parents did to some paths and below them, newest first.

    Args:
        options: more of git-log(1).

    Raises:
        RepositoryError: the commits' trees cannot be read.
    """
    text = git.read(
        *("--literal-pathspecs", "log", "-z", "--first-parent", "--diff-merges=first-parent", "--root", "--no-follow"),
        *("--raw", "--no-abbrev", "--no-renames", "--relative", "--format=%H", *options, head, "--", *paths),
    )
    commit = ""
    fields = iter(text.split("\0"))
    for field in fields:
        # A commit's id, or modes, ids and a letter, on which a path follows.
        words = field.split()
        if len(words) == 5:
            old_mode, new_mode, old, new, _ = words
            yield Edit(commit, next(fields), int(old_mode[1:], 8), int(new_mode, 8), old, new)
        elif words:
            commit = words[0]


def _records(text: str) -> Sequence[str]:
    return [record for record in text.split("\0") if record]


def _commit(record: str) -> Commit:
    # The last one's empty message is not there at all.
    oid, tree, parents, time, author, message = [*record.split("\n", 5), ""][:6]
    return Commit(oid, tree, tuple(parents.split()), int(time), author, message)


def _with_merged(commit: Commit, messages: dict[str, str]) -> Commit:
    if len(commit.parents) != 2:
        return commit
    return replace(commit, merged=messages.get(commit.parents[1], ""))


def _places(message: str) -> set[str] | None:
    # None: it does not say what it changed. Only a message that ends in the tool's trailers and nothing else does.
    start = message.rfind("\n\n", 0, len(message.rstrip("\n"))) + 2
    trailers = message[start:].rstrip("\n") + "\n"
    if not trailers.startswith("Gitops-Tk-Command: ") or not _SAYS_ALL.fullmatch(trailers):
        return None
    lines = trailers.split("\n")
    return {line[len(_CHANGE) :].partition(" ")[0] for line in lines if line.startswith(_CHANGE)}
