"""The branches of proposals that are on a remote."""

from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.remote import Remote

_BRANCHES = "refs/heads/gitops-tk/"


def open_branches(repository: Remote | Checkout) -> list[str]:
    """Their names; none where there is no remote.

    Raises:
        RepositoryError: the remote cannot be asked.
    """
    if isinstance(repository, Checkout):
        if repository.home is None:
            return []
        with repository.open_remote(None) as remote:
            remote.snapshot()
            return open_branches(remote)
    listed = repository.git.read("ls-remote", "--heads", "origin", f"{_BRANCHES}*")
    refs = (line.partition("\t")[2] for line in listed.splitlines())
    return sorted(ref.removeprefix("refs/heads/") for ref in refs if ref.startswith(_BRANCHES))
