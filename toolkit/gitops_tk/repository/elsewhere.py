"""Files of a git repository that another repository names: read, never changed.

The repository that names it is not trusted with secrets: a token goes along only to the host of the remote itself.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from gitops_tk.errors import RepositoryError
from gitops_tk.logins import without_secrets
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.location import RemoteLocation, remote
from gitops_tk.repository.remote import Remote

_COMMIT = re.compile(r"[0-9a-f]{40}")


def files_at(
    url: str, ref: str, folder: str, home: RemoteLocation | None, environ: Mapping[str, str]
) -> dict[str, bytes]:
    """The files of a folder, by their paths inside it.

    Args:
        ref: a tag, a branch, or a commit's whole id.
        folder: empty for the whole repository.
        home: the remote of the repository that names this one; None if it has none.
        environ: the process's environment.

    Raises:
        GitopsTkError: it cannot be read, or holds symbolic links or submodules there (code `not-a-file`).
    """
    location = remote(url)
    trusted = home is not None and _host(home.url) == _host(location.url) is not None
    is_commit = bool(_COMMIT.fullmatch(ref))
    with Remote(location, None if is_commit else ref, environ if trusted else without_secrets(environ)) as there:
        return files_in(there.revision(ref if is_commit else None), folder)


def files_in(snapshot: Snapshot, folder: str) -> dict[str, bytes]:
    """The files of a folder of a Snapshot, by their paths inside it.

    Raises:
        RepositoryError: there is no such folder (`no-folder`), or it holds what is no file (`not-a-file`).
    """
    entries = snapshot.tree(folder)
    if not entries:
        raise RepositoryError(f"there are no files in {folder or 'the repository'}", code="no-folder", file=folder)
    found = snapshot.read([entry.path for entry in entries])
    start = len(folder) + 1 if folder else 0
    return {path[start:]: data for path, data in found.items()}


def _host(url: str) -> str | None:
    # With the port: what listens on another may be somebody else.
    return urlsplit(url).netloc.rpartition("@")[2] or None if "://" in url else None
