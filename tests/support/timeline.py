"""A repository's past in memory: commits with their times, and the views that plans are made from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from gitops_tk.model.history import Commit, Version
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.views import Views

Files = dict[str, bytes]


def at(text: str) -> float:
    """A moment in UTC, in seconds since 1970."""
    return datetime.fromisoformat(text + "+00:00").timestamp()


class Timeline:
    """Commits, oldest first.

    Args:
        start: the time of the first commit.
        files: what it holds.
    """

    def __init__(self, start: str, files: Mapping[str, bytes]) -> None:
        self._commits: list[tuple[float, Files]] = [(at(start), dict(files))]

    @property
    def files(self) -> Files:
        """What the newest commit holds."""
        return self._commits[-1][1]

    def commit(self, when: str, files: Mapping[str, bytes | None]) -> "Timeline":
        """Adds a commit that writes files; None deletes one."""
        after = {**self.files, **files}
        self._commits.append((at(when), {path: data for path, data in after.items() if data is not None}))
        return self

    def views(self, now: str) -> Views:
        """What a plan sees at a moment."""
        return Views(
            snapshot=MemorySnapshot(self.files),
            history=_History(self._commits),
            elsewhere=lambda *_: {},
            now=at(now),
            author=lambda: "A Person <person@example.com>",
            home=lambda: None,
        )


class _History:
    def __init__(self, commits: Sequence[tuple[float, Files]]) -> None:
        self._commits = commits

    def __call__(
        self, paths: Sequence[str], *, places: Collection[str] | None = None, quick: bool = False
    ) -> Iterator[Version]:
        for number in range(len(self._commits) - 1, -1, -1):
            time, files = self._commits[number]
            before = self._commits[number - 1][1] if number else {}
            if any(files.get(path) != before.get(path) for path in paths):
                held = {path: files[path] for path in paths if path in files}
                yield Version(f"{number:040}", int(time), "A Person <person@example.com>", held)

    def commits(self) -> Sequence[Commit]:
        oids = [f"{number:040}" for number in range(len(self._commits))]
        return [
            Commit(oid, "", (), int(time), "A Person <person@example.com>", "")
            for oid, (time, _) in zip(oids[::-1], self._commits[::-1], strict=True)
        ]

    def at(self, commit: str) -> MemorySnapshot:
        return MemorySnapshot(self._commits[int(commit)][1])
