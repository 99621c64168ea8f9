"""What plans are made from: the repository as it is, and how it came to be."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct

from gitops_tk.model.history import History
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.history import CheckoutHistory, RemoteHistory
from gitops_tk.repository.location import CheckoutLocation, RemoteLocation, locate
from gitops_tk.repository.remote import Remote
from gitops_tk.workflows.options import Options

_OF_THE_CHECKOUT = (
    "note: this is read from the checkout's files; --branch BRANCH reads the remote, as bump and promote do"
)


class Views(Struct, frozen=True):
    """The views of a repository that a plan may look at.

    Attributes:
        snapshot: the repository at one commit, or a checkout's files.
        history: what led to the snapshot, along the first parents.
        elsewhere: the files of a folder of another repository: its URL, a tag, branch or commit, and the folder.
        now: the time when the snapshot was taken, in seconds since 1970 (UTC): a fact, which plans do not look up.
        author: who would commit, as `Name <email>`.
        home: the URL of its remote, without secrets; None where it has none.
        proposals: the branches on the remote that hold proposals.
    """

    snapshot: Snapshot
    history: History
    elsewhere: Callable[[str, str, str], Mapping[str, bytes]]
    now: float
    author: Callable[[], str]
    home: Callable[[], str | None]
    proposals: Callable[[], Sequence[str]] = tuple

    @classmethod
    def of(cls, repository: Remote | Checkout, snapshot: Snapshot) -> "Views":
        """The views of a repository, its snapshot taken already."""

        def elsewhere(url: str, ref: str, folder: str) -> Mapping[str, bytes]:
            from gitops_tk.repository.elsewhere import files_at

            return files_at(url, ref, folder, repository.home, repository.environ)

        def home() -> str | None:
            location = repository.home
            return location.url if location else None

        if isinstance(repository, Remote):
            history: History = RemoteHistory(repository, snapshot.revision)
        else:
            history = CheckoutHistory(repository, snapshot.revision)

        def proposals() -> Sequence[str]:
            from gitops_tk.repository.open_proposals import open_branches

            return open_branches(repository)

        return cls(snapshot, history, elsewhere, time.time(), lambda: repository.author, home, proposals)


@contextmanager
def look(options: Options) -> Iterator[Snapshot]:
    """The repository for commands that only look: a checkout's files, or a remote's branch when it is named.

    Raises:
        RepositoryError: there is no such repository.
    """
    with look_back(options) as views:
        yield views.snapshot


@contextmanager
def look_back(options: Options) -> Iterator[Views]:
    """The same with its history.

    Raises:
        RepositoryError: there is no such repository.
    """
    location = locate(options.repo, options.cwd, options.environ)
    if isinstance(location, CheckoutLocation) and options.branch is None:
        checkout = Checkout(location.root, options.environ)
        views = Views.of(checkout, checkout.snapshot())
        # Where there is a remote, promote goes by that, and people may expect it here.
        if options.tell is not None and views.home() is not None:
            options.tell(_OF_THE_CHECKOUT)
        yield views
        return
    with open_remote(location, options) as remote:
        yield Views.of(remote, remote.snapshot())


def open_remote(location: RemoteLocation | CheckoutLocation, options: Options) -> Remote:
    """The remote at a location, or the one that a checkout tells of, to be used in a `with` statement.

    Raises:
        RepositoryError: there is no such repository, or the checkout has no remote.
    """
    if isinstance(location, CheckoutLocation):
        return Checkout(location.root, options.environ).open_remote(options.branch)
    return Remote(location, options.branch, options.environ)
