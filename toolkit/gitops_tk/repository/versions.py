"""What some files were, commit by commit: which commits changed a file, and its id from each of them on."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from gitops_tk.model.history import Commit, Version
from gitops_tk.model.snapshot import EXECUTABLE, FILE
from gitops_tk.repository.git import Git
from gitops_tk.repository.log import read_edits
from gitops_tk.repository.lookup import State, differences

_FILES = (FILE, EXECUTABLE)
# Git holds each name of a folder against each path that it is given: of more than this, folders are told apart here.
_FEW = 100


class Files:
    """The ids of files, by the positions of the commits that changed them; 0 is the newest commit."""

    def __init__(self) -> None:
        self._positions: dict[str, list[int]] = {}
        self._oids: dict[str, list[str | None]] = {}

    @classmethod
    def of_states(cls, states: Mapping[int, State], prefix: str = "") -> "Files":
        """Those of states by position, newest first, each the last one before the next.

        Args:
            prefix: what the paths begin with, and is left out.
        """
        files = cls()
        for (at, state), (_, older) in pairwise([*states.items(), (0, {})]):
            for path, oid in differences(state, older):
                files._note(path.removeprefix(prefix), at, oid)
        return files

    @classmethod
    def of_log(cls, git: Git, commits: Sequence[Commit], paths: Sequence[str]) -> "Files":
        """Those that git tells of, looking at every commit.

        Raises:
            RepositoryError: the commits' trees cannot be read.
        """
        order = {commit.oid: at for at, commit in enumerate(commits)}
        wanted = set(paths)
        asked = paths if len(paths) <= _FEW else sorted({path.partition("/")[0] for path in paths})
        files = cls()
        for edit in read_edits(git, commits[0].oid, asked):
            if edit.path in wanted:
                before = edit.old if edit.old_mode in _FILES else None
                after = edit.new if edit.new_mode in _FILES else None
                if before != after:
                    files._note(edit.path, order[edit.commit], after)
        return files

    def oids(self) -> set[str]:
        """All ids."""
        return {oid for oids in self._oids.values() for oid in oids if oid is not None}

    def versions(self, commits: Sequence[Commit], blobs: Mapping[str, bytes]) -> Iterator[Version]:
        """The versions of the files, newest first.

        Args:
            commits: all commits, newest first.
            blobs: the contents by id.
        """
        changed: dict[int, list[str]] = {}
        for path, positions in self._positions.items():
            for at in positions:
                changed.setdefault(at, []).append(path)
        for at in sorted(changed):
            commit = commits[at]
            yield Version(
                commit=commit.oid,
                time=commit.time,
                author=commit.author,
                files=_Contents(self, at, blobs),
                changed=changed[at],
                parent=commit.parents[0] if commit.parents else None,
                message=commit.message,
                merged=commit.merged,
            )

    def at(self, path: str, position: int) -> str | None:
        """The id of a file after the commit at a position; None where it was not there."""
        positions = self._positions.get(path, ())
        last = bisect_left(positions, position)
        return self._oids[path][last] if last < len(positions) else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def _note(self, path: str, position: int, oid: str | None) -> None:
        self._positions.setdefault(path, []).append(position)
        self._oids.setdefault(path, []).append(oid)


class _Contents(Mapping[str, bytes]):
    """The contents of those files that were there after the commit at a position."""

    def __init__(self, files: Files, at: int, blobs: Mapping[str, bytes]) -> None:
        self._files = files
        self._at = at
        self._blobs = blobs

    def __getitem__(self, path: str) -> bytes:
        return self._blobs[self._files.at(path, self._at) or ""]

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._files if self._files.at(path, self._at) in self._blobs)

    def __len__(self) -> int:
        return sum(1 for _ in self)
