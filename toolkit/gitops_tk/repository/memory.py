"""A Snapshot of files in memory."""

from collections.abc import Iterable, Mapping

from gitops_tk.model.snapshot import FILE, FOLDER, Entry
from gitops_tk.repository.tree import is_plain, require_file


class MemorySnapshot:
    """A Snapshot of a dict from paths to contents.

    Args:
        files: the contents of regular files.
        others: the modes of what is no regular file: symbolic links and submodules.
    """

    def __init__(self, files: Mapping[str, bytes], others: Mapping[str, int] | None = None) -> None:
        self._files = dict(files)
        self._modes = {**dict.fromkeys(files, FILE), **(others or {})}

    @property
    def revision(self) -> None:
        """There is no commit."""
        return

    def entries(self, paths: Iterable[str]) -> dict[str, Entry]:
        """What these paths are."""
        return {path: entry for path in paths if is_plain(path) and (entry := self._entry(path))}

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those that exist."""
        found = self.entries(paths)
        for entry in found.values():
            require_file(entry)
        return {path: self._files[path] for path in found}

    def children(self, folders: Iterable[str]) -> dict[str, list[Entry]]:
        """The direct entries of each folder that exists."""
        listed: dict[str, list[Entry]] = {}
        for folder in folders:
            prefix = f"{folder}/" if folder else ""
            names = sorted({path[len(prefix) :].split("/")[0] for path in self._modes if path.startswith(prefix)})
            if names or not folder:
                listed[folder] = [entry for name in names if (entry := self._entry(prefix + name))]
        return listed

    def tree(self, folder: str) -> list[Entry]:
        """Every file under the folder, by path."""
        prefix = f"{folder}/" if folder else ""
        return [Entry(path, self._modes[path]) for path in sorted(self._modes) if path.startswith(prefix)]

    def _entry(self, path: str) -> Entry | None:
        if path in self._modes:
            return Entry(path, self._modes[path])
        return Entry(path, FOLDER) if any(name.startswith(f"{path}/") for name in self._modes) else None
