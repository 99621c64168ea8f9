"""The past of a repository along the first parents: the view for verbs that look back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from gitops_tk.model.snapshot import Snapshot


class Commit(Struct, frozen=True):
    """A commit.

    Attributes:
        tree: the id of its tree.
        parents: the ids of its parents, the first one first.
        time: when it was committed, in seconds since 1970 (UTC).
        author: who wrote it, as `Name <email>`.
        merged: of a merge, the message of the commit that was merged.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    time: int
    author: str
    message: str
    merged: str = ""


class Version(Struct, frozen=True):
    """What some files held from a commit on.

    Attributes:
        commit: the commit's id.
        time: when it was committed, in seconds since 1970 (UTC).
        author: who wrote it, as `Name <email>`.
        files: the contents of those of the asked files that existed then.
        changed: those of the asked files that are other ones than before, or are gone.
        parent: the commit before it, along the first parents; None for the first one.
        message: what the commit says.
        merged: of a merge, what the commit says that was merged.
    """

    commit: str
    time: int
    author: str
    files: Mapping[str, bytes]
    changed: Sequence[str]
    parent: str | None = None
    message: str = ""
    merged: str = ""


class History(Protocol):
    """What led to a snapshot."""

    def __call__(
        self,
        paths: Sequence[str],
        *,
        places: Collection[str] | None = None,
        quick: bool = False,
        doubted: Collection[str] = (),
    ) -> Iterator[Version]:
        """The versions of some files, newest first: one for each commit that changed any of them.

        Args:
            places: what the trailers of commits call that which the files are of, as `environment/service`: commits of
                the tool that name none of these are looked at only where the files show that one of them is wrong.
                None: all commits are looked at.
            quick: where too many commits say nothing of what they change, look at those that mention the services, and
                here and there: a change that was taken back later may be left out.
            doubted: the ids of commits that are looked at whatever they say.

        Raises:
            GitopsTkError: the history cannot be read.
        """

    def commits(self) -> Sequence[Commit]:
        """All commits, newest first.

        Raises:
            GitopsTkError: the history cannot be read.
        """

    def at(self, commit: str) -> Snapshot:
        """The repository at one of the commits."""

    def folders(self, paths: Sequence[str], *, places: Collection[str]) -> Iterator[Mapping[str, str]]:
        """What some folders were, newest first: the ids of their trees by path, the same ones perhaps again and again.

        What is likely comes first, and is cheap; whoever goes on to the end has seen all that there was.

        Args:
            places: what the trailers of commits call that which the folders are of, as `environment/service`.

        Raises:
            GitopsTkError: the history cannot be read.
        """

    def folder(self, oid: str) -> Snapshot:
        """A folder that some commit held, by the id of its tree, as a Snapshot of its own."""
