"""verify-pr's comment on a pull request: what it found, and the evidence of the change; kept up to date."""

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.load import load
from gitops_tk.errors import ForgeError, GitopsTkError
from gitops_tk.forges import place, registry
from gitops_tk.model.dialect import DIALECTS, Dialect
from gitops_tk.model.evidence import Evidence
from gitops_tk.model.result import Problem, Result
from gitops_tk.repository.comparison import Comparison
from gitops_tk.workflows.comparing.evidence import compared
from gitops_tk.workflows.comparing.sources import Sources
from gitops_tk.workflows.releases import Target

_MARKER = "<!-- gitops-tk: verify-pr -->"

# Writes the page: what was found, and the evidence, or why there is none.
Page = Callable[[Result, Evidence | GitopsTkError, Dialect], str]


class Comment(Struct, frozen=True):
    """Where the comment goes, and who writes it."""

    number: int
    page: Page


def comment(asked: Comment, comparison: Comparison, result: Result, environ: Mapping[str, str]) -> Problem | None:
    """Writes the comment, or writes it anew; returns a warning where that cannot be done.

    A check says what it has found whether it may comment or not: pull requests from forks have no token that may.
    """
    home = comparison.repository.home
    settings = load(comparison.base).forge
    try:
        if home is None:
            raise ForgeError("there is no remote, and so no pull request to comment on")
        where = place.find(home.url, environ, settings.kind, settings.repository)
        forge = registry.connect(where, registry.login(where, environ, home.login))
        dialect = DIALECTS[where.kind]
        page = asked.page(result, _evidence(comparison, result, environ), _shorter(dialect))
        forge.comment(asked.number, _MARKER, f"{page}\n{_MARKER}\n")
    except GitopsTkError as error:
        return replace(Problem.of(error), severity="warning")
    return None


def _evidence(comparison: Comparison, result: Result, environ: Mapping[str, str]) -> Evidence | GitopsTkError:
    try:
        merged = comparison.merged()
        paths = [one.path for one in comparison.differences]
        releases, urls = compared(comparison.base, merged, paths, environ, Target())
        config = load(comparison.base)
    except GitopsTkError as error:
        return error
    home = comparison.repository.home
    sources = Sources(home.url if home else None, config.forge, environ, ask=False)
    return Evidence(subject="verify-pr", releases=sources.told(releases, urls), gates=result.gates)


def _shorter(dialect: Dialect) -> Dialect:
    return replace(dialect, limit=dialect.limit - len(_MARKER) - 2)
