"""A repository at one commit, read-only: the view that plans are made from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

FILE = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
FOLDER = 0o040000
SUBMODULE = 0o160000


class Entry(Struct, frozen=True):
    """What a path is.

    Attributes:
        path: from the repository's root, with `/`, without a leading one.
        mode: git's mode: FILE, EXECUTABLE, SYMLINK, FOLDER or SUBMODULE.
        oid: git's object id, 40 hex digits; empty where the view has none (a checkout, a test).
    """

    path: str
    mode: int
    oid: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, executable or not."""
        return self.mode in (FILE, EXECUTABLE)


class Snapshot(Protocol):
    """Many paths are asked for at once, so that a remote answers them in one request.

    Paths that climb out, or go through a symbolic link, are not there for a Snapshot.
    """

    @property
    def revision(self) -> str | None:
        """The commit id, or None where there is none (an empty repository, a checkout's files, a test)."""

    def entries(self, paths: Iterable[str]) -> Mapping[str, Entry]:
        """What these paths are; paths that do not exist are left out."""

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of those paths that exist and are regular files.

        Raises:
            RepositoryError: a path is a folder, a symbolic link or a submodule (code `not-a-file`).
        """

    def children(self, folders: Iterable[str]) -> Mapping[str, Sequence[Entry]]:
        """The direct entries of each folder that exists, by name; `""` is the root."""

    def tree(self, folder: str) -> Sequence[Entry]:
        """Every file, symbolic link and submodule under the folder, by path; empty if it is not there."""
