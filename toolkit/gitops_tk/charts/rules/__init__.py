"""The rules that rendered manifests are held to: one list, one shape.

A rule is a pure function over the objects of one release. Each theme has a file; every Rule in it is in the list.
"""

from collections.abc import Sequence
from types import ModuleType

from gitops_tk.charts.rules import (
    disruption,
    images,
    manifest,
    names,
    probes,
    quantities,
    schemas,
    secrets,
    security,
    services,
    workloads,
)
from gitops_tk.charts.rules.model import Finding, Rule, findings
from gitops_tk.charts.rules.objects import Objects

_THEMES: Sequence[ModuleType] = (
    *(manifest, schemas, names, quantities, images, services, probes, workloads, disruption, security, secrets),
)
RULES: tuple[Rule, ...] = tuple(one for theme in _THEMES for one in vars(theme).values() if isinstance(one, Rule))
NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)


def check(objects: Objects, rules: Sequence[Rule] = RULES) -> list[Finding]:
    """What the rules find in a release, in the order of its objects."""
    return findings(rules, objects)
