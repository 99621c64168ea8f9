"""Joins a remote's proposals with its forge: a token and an API, or branches alone."""

import time

from msgspec.structs import replace

from gitops_tk.config.forge import FileForge
from gitops_tk.config.load import CONFIG_FILE, load
from gitops_tk.forges import place, registry
from gitops_tk.model.changes import Plan
from gitops_tk.model.dialect import DIALECTS
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.tree import TreeSnapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.proposing.branches import Branches
from gitops_tk.workflows.proposing.proposals import Proposals
from gitops_tk.workflows.proposing.pull_requests import FOOTER, PullRequests
from gitops_tk.workflows.proposing.reviews import Reviews
from gitops_tk.workflows.views import Views


def proposals(remote: Remote, base: TreeSnapshot, options: Options) -> Proposals:
    """The proposals of a remote, as gitops-tk.yaml and the environment say.

    Args:
        base: where gitops-tk.yaml is read.

    Raises:
        ConfigError: `forge` does not fit the remote.
    """
    return Proposals(remote, reviews(remote, base, options), time.time())


def reviews(remote: Remote, base: TreeSnapshot, options: Options) -> Reviews:
    """Where a remote's proposals are reviewed; see `proposals`."""
    settings = _settings(base, options)
    location = remote.location
    where = place.find(location.url, remote.environ, settings.kind, settings.repository)
    login = registry.login(where, remote.environ, location.login)
    if where.kind == "git" or login is None:
        return Branches(where, remote.branch, settings)
    dialect = DIALECTS[where.kind]
    dialect = replace(dialect, limit=dialect.limit - FOOTER)

    def page(snapshot: Snapshot, plan: Plan) -> str:
        return options.body(Views.of(remote, snapshot), plan, dialect) if options.body else ""

    return PullRequests(registry.connect(where, login), remote.branch, settings, page)


def _settings(base: TreeSnapshot, options: Options) -> FileForge:
    # What starts a repository is proposed before there is any configuration.
    written = load(base).forge if base.entries([CONFIG_FILE]) else FileForge()
    if options.auto_merge is None:
        return written
    # A draft cannot be merged: whoever asks for that now wants none.
    return replace(written, auto_merge=options.auto_merge, draft=written.draft and not options.auto_merge)
