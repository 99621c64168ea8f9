"""A repository's past in memory: commits with their times, and the views that plans are made from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from gitops_tk.model.changes import Delete, Plan, Write
from gitops_tk.model.history import Commit, Version
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.views import Views

Files = dict[str, bytes]
_AUTHOR = "A Person <person@example.com>"


def at(text: str) -> float:
    """A moment in UTC, in seconds since 1970."""
    return datetime.fromisoformat(text + "+00:00").timestamp()


class Timeline:
    """Commits, oldest first.

    Args:
        start: the time of the first commit.
        files: what it holds.
    """

    def __init__(self, start: str | float, files: Mapping[str, bytes]) -> None:
        self._commits: list[tuple[Commit, Files]] = []
        self._add(at(start) if isinstance(start, str) else start, dict(files), "", _AUTHOR, "")

    @property
    def files(self) -> Files:
        """What the newest commit holds."""
        return self._commits[-1][1]

    @property
    def tip(self) -> str:
        """The newest commit."""
        return self._commits[-1][0].oid

    def commit(
        self,
        when: str | float,
        files: Mapping[str, bytes | None],
        message: str = "",
        author: str = _AUTHOR,
        merged: str = "",
    ) -> "Timeline":
        """Adds a commit that writes files; None deletes one."""
        after = {**self.files, **files}
        held = {path: data for path, data in after.items() if data is not None}
        self._add(at(when) if isinstance(when, str) else when, held, message, author, merged)
        return self

    def apply(self, when: str | float, plan: Plan, message: str | None = None, merged: str = "") -> "Timeline":
        """Adds a plan's commit; one that changes nothing adds none."""
        files: dict[str, bytes | None] = {}
        for operation in plan.changeset.operations:
            assert isinstance(operation, Write | Delete)
            files[operation.path] = operation.data if isinstance(operation, Write) else None
        return self.commit(when, files, plan.message if message is None else message, merged=merged) if files else self

    def views(self, now: str | float) -> Views:
        """What a plan sees at a moment."""
        return Views(
            snapshot=MemorySnapshot(self.files),
            history=_History(self._commits),
            elsewhere=lambda *_: {},
            now=at(now) if isinstance(now, str) else now,
            author=lambda: _AUTHOR,
            home=lambda: None,
        )

    def _add(self, when: float, files: Files, message: str, author: str, merged: str) -> None:
        parents = (self.tip,) if self._commits else ()
        oid = f"{len(self._commits):040}"
        self._commits.append((Commit(oid, "", parents, int(when), author, message, merged), files))


class _History:
    def __init__(self, commits: Sequence[tuple[Commit, Files]]) -> None:
        self._commits = list(commits)

    def __call__(
        self,
        paths: Sequence[str],
        *,
        places: Collection[str] | None = None,
        quick: bool = False,
        doubted: Collection[str] = (),
    ) -> Iterator[Version]:
        for number in range(len(self._commits) - 1, -1, -1):
            commit, files = self._commits[number]
            before = self._commits[number - 1][1] if number else {}
            changed = [path for path in paths if files.get(path) != before.get(path)]
            if changed:
                yield Version(
                    commit=commit.oid,
                    time=commit.time,
                    author=commit.author,
                    files={path: files[path] for path in paths if path in files},
                    changed=changed,
                    parent=commit.parents[0] if commit.parents else None,
                    message=commit.message,
                    merged=commit.merged,
                )

    def commits(self) -> Sequence[Commit]:
        return [commit for commit, _ in self._commits[::-1]]

    def at(self, commit: str) -> MemorySnapshot:
        return MemorySnapshot(self._commits[int(commit)][1])
