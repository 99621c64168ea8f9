"""Where and how a command works: the options that all commands share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from gitops_tk.model.changes import Plan
    from gitops_tk.model.dialect import Dialect
    from gitops_tk.workflows.views import Views


class Options(Struct, frozen=True, kw_only=True):
    """The shared options of a command line.

    Attributes:
        repo: a URL or path; None for the nearest folder with gitops-tk.yaml.
        branch: the branch of the remote to read and change; None for its default.
        local: delivery commits in the checkout and pushes nothing.
        commit: authoring commits in the checkout what it wrote.
        dry_run: plan, and publish nothing.
        message: what the commit message says in place of the planned subject and body.
        retry_for: how long a lost race is run again, in seconds.
        auto_merge: whether the forge merges pull requests by itself; None for what gitops-tk.yaml says.
        tell: what tells people where a command looks; None for programs.
        body: writes the body of a plan's pull request, for a forge's Markdown.
        cwd: the folder the command was started in.
        environ: the process's environment.
    """

    repo: str | None = None
    branch: str | None = None
    local: bool = False
    commit: bool = False
    dry_run: bool = False
    message: str | None = None
    retry_for: float = 300.0
    auto_merge: bool | None = None
    tell: Callable[[str], None] | None = None
    body: "Callable[[Views, Plan, Dialect], str] | None" = None
    cwd: Path
    environ: Mapping[str, str]
