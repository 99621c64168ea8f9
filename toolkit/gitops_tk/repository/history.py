"""History: what some files held, commit by commit, along the first parents (git-log(1), `--first-parent`)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.git import Git
from gitops_tk.repository.objects import Objects
from gitops_tk.repository.remote import Remote

_GONE = "0" * 40
_HEAD = "\x1e"


class Version(Struct, frozen=True):
    """What the files held from a commit on.

    Attributes:
        commit: the commit's id.
        time: when it was committed, in seconds since 1970 (UTC).
        author: who wrote it, as `Name <email>`.
        files: the contents of those of the asked files that existed then.
    """

    commit: str
    time: int
    author: str
    files: dict[str, bytes]


def history(repository: Remote | Checkout, paths: Sequence[str]) -> Iterator[Version]:
    """The versions of some files, newest first: one for each commit that changed any of them.

    A remote's commits and trees are fetched without contents, then the contents that these files
    have had in one request.

    Raises:
        GitopsTkError: the history cannot be read.
    """
    if isinstance(repository, Remote):
        repository.deepen()
        head = f"refs/heads/{repository.branch}"
        log = _log(repository.git, head, paths)
        snapshot = repository.at(head)
        yield from _versions(log, repository.blobs, {path: e.oid for path, e in snapshot.entries(paths).items()})
        return
    log = _log(repository.git, "HEAD", paths)
    objects = Objects(repository.git)
    try:
        listed = repository.git.read("--literal-pathspecs", "ls-tree", "-r", "-z", "HEAD", "--", *paths)
        heads = {line.partition("\t")[2]: line.split()[2] for line in listed.split("\0") if line}
        yield from _versions(log, objects.blobs, heads)
    finally:
        objects.close()


class _Logged(Struct, frozen=True):
    commit: str
    time: int
    author: str
    before: dict[str, str]


def _log(git: Git, head: str, paths: Sequence[str]) -> list[_Logged]:
    text = git.read(
        *("--literal-pathspecs", "log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "-z"),
        *("--relative", f"--format={_HEAD}%H%x1f%ct%x1f%an <%ae>", head, "--", *paths),
    )
    return [_logged(record) for record in text.split(_HEAD) if record.strip("\0\n")]


def _logged(record: str) -> _Logged:
    # A head, then for each file `:modes ids status NUL path NUL`.
    head, _, rest = record.partition("\0")
    commit, time, author = head.strip("\n").split("\x1f")
    fields = [field.strip("\n") for field in rest.split("\0") if field.strip("\n")]
    before = {path: status.split()[2] for status, path in zip(fields[::2], fields[1::2], strict=False)}
    return _Logged(commit, int(time), author, before)


def _versions(
    log: list[_Logged], read: Callable[[Iterable[str]], Mapping[str, bytes]], heads: dict[str, str]
) -> Iterator[Version]:
    states: list[dict[str, str]] = []
    state = {path: oid for path, oid in heads.items() if oid != _GONE}
    for logged in log:
        states.append(state)
        state = {path: oid for path, oid in {**state, **logged.before}.items() if oid != _GONE}
    blobs = read({oid for one in states for oid in one.values()})
    for logged, one in zip(log, states, strict=True):
        files = {path: blobs[oid] for path, oid in one.items() if oid in blobs}
        yield Version(logged.commit, logged.time, logged.author, files)
