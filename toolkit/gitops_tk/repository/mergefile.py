"""Two versions of a file merged line by line over the one that both come from, by git (git-merge-file(1))."""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from gitops_tk import scratch
from gitops_tk.model.merging import Conflict, Merged
from gitops_tk.repository.git import Git, failure

# What a person's git may say about the form of conflicts would make them unreadable here.
_SETTINGS = (("merge.conflictStyle", "merge"), ("diff.algorithm", "myers"))
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_MARKS = re.compile(rb"^(<+|=+|>+)", re.MULTILINE)
_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_MOST_CONFLICTS = 127


def merge(ours: bytes, base: bytes, theirs: bytes, environ: Mapping[str, str]) -> Merged:
    """Merges what two sides made of a file.

    Args:
        environ: the process's environment.

    Raises:
        RepositoryError: git failed, or a temporary folder cannot be made.
        ToolMissing: git is not installed.
    """
    if any(b"\0" in data for data in (ours, base, theirs)):
        return Merged((Conflict(ours, theirs, 1),), text=False)
    git = Git.from_environment(environ, _SETTINGS)
    size = max([6, *(len(mark) for data in (ours, base, theirs) for mark in _MARKS.findall(data))]) + 1
    with scratch.folder() as folder:
        for name, data in (("ours", ours), ("base", base), ("theirs", theirs)):
            (folder / name).write_bytes(data)
        names = ("-L", "ours", "-L", "base", "-L", "theirs")
        paths = [str(folder / name) for name in ("ours", "base", "theirs")]
        done = git.run("merge-file", "--stdout", f"--marker-size={size}", *names, *paths)
        if not 0 <= done.status <= _MOST_CONFLICTS:
            raise failure(done)
        merged = Merged(tuple(_parts(done.stdout, size, ours, theirs)))
        return _with_lines(merged, git, folder) if merged.conflicts else merged


def _parts(text: bytes, size: int, ours: bytes, theirs: bytes) -> list[bytes | Conflict]:
    """What git wrote, taken apart; no line of the file itself begins with so long a marker."""
    head, middle, tail = (mark * size for mark in (b"<", b"=", b">"))
    parts: list[bytes | Conflict] = []
    piles: list[list[bytes]] = [[]]
    for line in _LINE.findall(text):
        if line.startswith(head):
            parts.append(b"".join(piles[0]))
            piles = [[], []]
        elif line.startswith(middle):
            piles.append([])
        elif line.startswith(tail):
            _, mine, other = piles
            parts.append(Conflict(b"".join(mine), b"".join(other), 0))
            piles = [[]]
        else:
            piles[-1].append(line)
    rest = b"".join(piles[0])
    if not rest and parts and isinstance(parts[-1], Conflict):
        # Git ends each side's last line before a marker, though the file itself does not.
        last = parts[-1]
        parts[-1] = Conflict(_ended(last.ours, ours), _ended(last.theirs, theirs), 0)
    return [part for part in (*parts, rest) if part]


def _ended(lines: bytes, file: bytes) -> bytes:
    return lines if not lines or file.endswith(b"\n") else re.sub(rb"\r?\n\Z", b"", lines)


def _with_lines(merged: Merged, git: Git, folder: Path) -> Merged:
    """The conflicts with their lines in our file: where that differs from what we would have them settled to."""
    (folder / "settled").write_bytes(merged.resolved("ours"))
    plain = ("--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "--text", "--unified=0")
    done = git.run("diff", *plain, "--", str(folder / "ours"), str(folder / "settled"))
    if done.status not in (0, 1):
        raise failure(done)
    hunks = [_Hunk.of(match) for match in _HUNK.finditer(done.stdout)]
    parts: list[bytes | Conflict] = []
    line = 1
    for part in merged.parts:
        text = part if isinstance(part, bytes) else part.ours
        if isinstance(part, Conflict):
            own = line - sum(hunk.grown for hunk in hunks if hunk.end <= line)
            part = Conflict(part.ours, part.theirs, max(own, 1))
        parts.append(part)
        line += text.count(b"\n")
    return Merged(tuple(parts))


class _Hunk(Struct, frozen=True):
    """A difference: the line after it in the settled file, and by how many lines that has grown."""

    end: int
    grown: int

    @classmethod
    def of(cls, match: re.Match[bytes]) -> "_Hunk":
        ours, start, settled = int(match[1] or 1), int(match[2]), int(match[3] or 1)
        # Where nothing is left, git names the line before.
        return cls(start + max(settled, 1), settled - ours)
