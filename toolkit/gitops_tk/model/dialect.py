"""What a forge makes of a pull request's body: how long it may be, and which Markdown it reads."""

from collections.abc import Mapping

from msgspec import Struct


class Dialect(Struct, frozen=True, kw_only=True):
    """The Markdown of one forge.

    Attributes:
        limit: the most that a body may have, counted in bytes of UTF-8: never less than the forge's own count.
        folds: whether `<details>` folds; where it does, HTML is taken.
        tables: whether it has tables.
    """

    limit: int
    folds: bool = True
    tables: bool = True


GITHUB = Dialect(limit=65_536)
GITLAB = Dialect(limit=1_048_576)
GITEA = Dialect(limit=65_535)
# Takes more than a million characters, which without folding nobody reads.
BITBUCKET = Dialect(limit=32_768, folds=False)
BITBUCKET_DC = Dialect(limit=32_768, folds=False)
AZURE = Dialect(limit=4_000)
# A commit message: it is read in a terminal.
GIT = Dialect(limit=32_768, folds=False, tables=False)

# By the forge's kind. Sources: GitHub's error message ("maximum is 65536 characters"); GitLab's `Issuable`
# (DESCRIPTION_LENGTH_MAX, a megabyte); Gitea's column, which was MySQL's TEXT; BSERV-14135 for Bitbucket Data Center;
# Azure's error message ("must not be longer than 4000 characters"); dependabot-core #5481 and #6455 for HTML.
DIALECTS: Mapping[str, Dialect] = {
    "github": GITHUB,
    "gitlab": GITLAB,
    "gitea": GITEA,
    "bitbucket": BITBUCKET,
    "bitbucket-dc": BITBUCKET_DC,
    "azure": AZURE,
    "git": GIT,
}
