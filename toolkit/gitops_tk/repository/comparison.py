"""Two revisions of a repository as a forge compares them: what the head brings on top of what it was made from."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct

from gitops_tk.errors import RepositoryError
from gitops_tk.model import names
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Operation
from gitops_tk.model.snapshot import Entry
from gitops_tk.repository.changed import changed_entries
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import CheckoutLocation, RemoteLocation
from gitops_tk.repository.overlay import Overlay
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot

_ID = re.compile(r"[0-9a-f]{40}")


class Brought(Struct, frozen=True):
    """A commit that the head brings."""

    oid: str
    parents: tuple[str, ...]
    message: str


class Difference(Struct, frozen=True):
    """A path that the head has otherwise than what it was made from.

    Attributes:
        before: what it was; None where it was not there.
        after: what it is.
        crossed: whether the base has changed it as well since, and otherwise.
    """

    path: str
    before: Entry | None
    after: Entry | None
    crossed: bool = False


class Comparison(Struct, frozen=True, kw_only=True):
    """A head compared with the base that it is to be merged into.

    Attributes:
        repository: what both are revisions of.
        base: the base as it is now.
        head: the id of the head's commit.
        differences: what the head brings, by path; not what the base has already.
        commits: the head's commits that the base has not, newest first.
    """

    repository: Remote | Checkout
    base: TreeSnapshot
    head: str
    differences: tuple[Difference, ...]
    commits: tuple[Brought, ...]

    def merged(self) -> Overlay:
        """The base with what the head brings, links and submodules left out."""
        operations: list[Operation] = []
        for one in self.differences:
            if one.after is not None and one.after.is_file:
                operations.append(Copy(one.path, one.after.oid, one.after.mode))
            else:
                operations.append(Delete(one.path))
        return Overlay(self.base, ChangeSet(tuple(operations)))


@contextmanager
def compared(
    location: RemoteLocation | CheckoutLocation, base: str, head: str, environ: Mapping[str, str]
) -> Iterator[Comparison]:
    """Compares a head with a base, both named as git names revisions; of a remote as branches, tags, refs or ids.

    Raises:
        UsageError: a name is none that git takes.
        RepositoryError: a revision is not there, or they have nothing in common (`no-merge-base`), or several commits
            at which they parted (`several-merge-bases`).
        GitopsTkError: they cannot be read.
    """
    if isinstance(location, CheckoutLocation):
        checkout = Checkout(location.root, environ)
        try:
            yield _compared(checkout, _here(checkout, base), _here(checkout, head))
        finally:
            checkout.close()
        return
    base, head = names.branch(base), names.branch(head)
    with Remote(location, None if _ID.fullmatch(base) else base, environ) as remote:
        newest = remote.snapshot()
        yield _compared(remote, _there(remote, base) if _ID.fullmatch(base) else newest, _there(remote, head))


def _here(checkout: Checkout, name: str) -> TreeSnapshot:
    if checkout.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").status:
        raise RepositoryError(
            f"there is no revision {name!r} here",
            code="unknown-revision",
            hint="git fetch it first; actions/checkout brings all with fetch-depth: 0",
        )
    return checkout.at(name)


def _there(remote: Remote, name: str) -> TreeSnapshot:
    # All commits, so that what both have in common is found; trees and contents when they are looked at.
    whole = ["--unshallow"] if remote.is_shallow else []
    local = f"refs/gitops-tk/compared/{name.rpartition('/')[2]}"
    remote.fetch(f"+{name}:{local}", *whole, limit="--filter=tree:0" if remote.takes_trees else None)
    return remote.at(f"{local}^{{commit}}")


def _compared(repository: Remote | Checkout, base: TreeSnapshot, head: TreeSnapshot) -> Comparison:
    ids = (base.revision or "", head.revision or "")
    done = repository.git.run("merge-base", "--all", *ids)
    starts = done.stdout.decode().split()
    if done.status or not starts:
        shallow = repository.git.read("rev-parse", "--is-shallow-repository") == "true"
        raise RepositoryError(
            f"{ids[0][:10]} and {ids[1][:10]} have no commit in common" + (" here" if shallow else ""),
            code="no-merge-base",
            hint="fetch the whole history: git fetch --unshallow (actions/checkout: fetch-depth: 0)"
            if shallow
            else None,
        )
    if len(starts) > 1:
        # Which of them a forge merges from, and what comes of it, cannot be told by looking at one.
        raise RepositoryError(
            f"{ids[0][:10]} and {ids[1][:10]} have {len(starts)} commits in common that neither leads to another",
            code="several-merge-bases",
            hint="merge the base into the branch, or rebase the branch on it: then there is one",
        )
    origin = repository.at(starts[0])
    brought = _differences(origin, head)
    moved = {one.path: one for one in _differences(origin, base)}
    found = []
    for one in brought:
        other = moved.get(one.path)
        if other is not None and _identity(other.after) == _identity(one.after):
            continue
        found.append(Difference(one.path, one.before, one.after, crossed=other is not None))
    return Comparison(
        repository=repository,
        base=base,
        head=ids[1],
        differences=tuple(found),
        commits=_commits(repository, *ids),
    )


def _commits(repository: Remote | Checkout, base: str, head: str) -> tuple[Brought, ...]:
    text = repository.git.read("log", "-z", "--format=%H%n%P%n%B", f"{base}..{head}", "--")
    records = ([*record.split("\n", 2), ""][:3] for record in text.split("\0") if record)
    return tuple(Brought(oid, tuple(parents.split()), message) for oid, parents, message in records)


def _differences(before: TreeSnapshot, after: TreeSnapshot) -> list[Difference]:
    return [Difference(path, old, new) for path, (old, new) in changed_entries(before, after).items()]


def _identity(entry: Entry | None) -> tuple[int, str] | None:
    return (entry.mode, entry.oid) if entry else None
