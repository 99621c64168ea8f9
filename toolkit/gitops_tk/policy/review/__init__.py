"""The rules that verify-pr holds a pull request to: one list, one shape; each theme has a file."""

from collections.abc import Sequence
from types import ModuleType

from gitops_tk.policy.review import paths, releases, timing, whole
from gitops_tk.policy.review.model import Finding, Proposal, Rule

_THEMES: Sequence[ModuleType] = (paths, whole, releases, timing)
RULES: tuple[Rule, ...] = tuple(one for theme in _THEMES for one in vars(theme).values() if isinstance(one, Rule))
NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)


def review(proposal: Proposal, rules: Sequence[Rule] = RULES) -> list[Finding]:
    """What the rules find in a pull request."""
    return [finding for rule in rules for finding in rule.findings(proposal)]
