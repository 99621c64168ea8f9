"""Git objects read through one long-lived `git cat-file --batch` (git-cat-file(1), "BATCH OUTPUT")."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import IO

from msgspec import Struct

from gitops_tk import process
from gitops_tk.errors import RepositoryError
from gitops_tk.process import Process
from gitops_tk.repository.git import Git

# Requests are written while nobody reads the answers: together they must fit into a pipe (64 KiB).
_AT_ONCE = 500
_TREES_AT_ONCE = 50
_LINE = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
# More names than this are sooner found in the whole list.
_NAMES_APART = 8


class TreeEntry(Struct, frozen=True):
    """One line of a tree object: a name with its mode and object id."""

    name: str
    mode: int
    oid: str


class Objects:
    """The objects that a repository has; what it does not have is missing, and never fetched from here."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: Process | None = None
        self._trees: dict[str, Mapping[str, TreeEntry]] = {}
        self._blobs: dict[str, bytes] = {}

    def reopen(self, git: Git) -> None:
        """Goes on in another repository that holds the same objects and more."""
        self.close()
        self._git = git

    def close(self) -> None:
        """Ends the process behind it; reading again starts another."""
        if self._process is not None:
            process.stop(self._process)
            self._process = None

    def commit(self, name: str) -> tuple[str, bytes] | None:
        """The id and content of the commit that a revision names, or None."""
        return self._request([name]).get(name)

    def trees(self, oids: Iterable[str]) -> dict[str, Mapping[str, TreeEntry]]:
        """The entries by name of those trees that are here."""
        wanted = set(oids)
        for name, (_, data) in self._request(wanted - self._trees.keys()).items():
            self._trees[name] = parse_tree(data)
        return {oid: self._trees[oid] for oid in wanted if oid in self._trees}

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of those blobs that are here."""
        wanted = set(oids)
        for name, (_, data) in self._request(wanted - self._blobs.keys()).items():
            self._blobs[name] = data
        return {oid: self._blobs[oid] for oid in wanted if oid in self._blobs}

    def find(self, names: Mapping[str, Collection[str]]) -> Iterator[tuple[str, Mapping[str, TreeEntry]]]:
        """The entries that trees have under some names, perhaps among others; trees that are not here are left out.

        Large trees of many commits are looked through one after the other, and not kept.

        Args:
            names: by the trees' ids.
        """
        listed = list(names)
        for start in range(0, len(listed), _TREES_AT_ONCE):
            for oid, (_, data) in self._request(listed[start : start + _TREES_AT_ONCE]).items():
                if len(names[oid]) > _NAMES_APART:
                    yield oid, parse_tree(data)
                else:
                    entries = (_entry(data, name) for name in names[oid])
                    yield oid, {entry.name: entry for entry in entries if entry is not None}

    def _request(self, names: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        listed = list(names)
        found: dict[str, tuple[str, bytes]] = {}
        for start in range(0, len(listed), _AT_ONCE):
            part = listed[start : start + _AT_ONCE]
            source, answers = self._pipes()
            try:
                source.write("".join(name + "\n" for name in part).encode("utf-8", "surrogateescape"))
                source.flush()
            except BrokenPipeError as error:
                raise _ended() from error
            for name in part:
                answer = _answer(answers)
                if answer is not None:
                    found[name] = answer
        return found

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = self._git.start("cat-file", "--batch", reads=True)
        source, answers = self._process.stdin, self._process.stdout
        if source is None or answers is None:
            raise RuntimeError("cat-file was started without pipes")
        return source, answers


def parse_tree(data: bytes) -> dict[str, TreeEntry]:
    """Reads a tree object: `mode SP name NUL` and a 20-byte object id, again and again.

    Raises:
        RepositoryError: git itself would not know which entry is meant (code `bad-tree`).
    """
    entries: dict[str, TreeEntry] = {}
    size = count = 0
    for mode, raw, oid in _LINE.findall(data):
        name = raw.decode("utf-8", "surrogateescape")
        entries[name] = TreeEntry(name, int(mode, 8), oid.hex())
        size += len(mode) + len(raw) + 22
        count += 1
    # Lines that do not follow one another would be less than all of it.
    if size != len(data) or len(entries) != count or any("/" in name for name in entries):
        raise RepositoryError(
            "a folder has two entries of one name, or one whose name is a path: no git made it",
            code="bad-tree",
            hint="git fsck names it; refuse such objects on the server (receive.fsckObjects)",
        )
    return entries


def _entry(data: bytes, name: str) -> TreeEntry | None:
    wanted = name.encode("utf-8", "surrogateescape")
    if b" %s\0" % wanted not in data:
        return None
    # One step a time from the beginning: what looks like an entry may be part of a name or an id.
    match = re.match(rb"(?:\d+ [^\0]+\0.{20})*?(\d+) %s\0(.{20})" % re.escape(wanted), data, re.DOTALL)
    return TreeEntry(name, int(match[1], 8), match[2].hex()) if match else None


def _ended() -> RepositoryError:
    return RepositoryError("git ended while objects were read", code="git")


def _answer(answers: IO[bytes]) -> tuple[str, bytes] | None:
    head = answers.readline().split()
    if not head:
        raise _ended()
    if head[-1] in (b"missing", b"ambiguous"):
        return None
    size = int(head[2])
    data = answers.read(size)
    if len(data) < size:
        raise _ended()
    answers.read(1)
    return head[0].decode(), data
