"""Every rule finds the faults that are planted for it, and nothing in what is scaffolded."""

from collections import Counter
from functools import cache
from urllib.parse import urlsplit

import pytest
from tests.charts.rules.planted import CRDS, cases, planted

from gitops_tk.charts.rules import NAMES, RULES, check

_NEEDS_SHARED = ("custom-resource-schema", "custom-resource-version")
_CASES = {case.name: case for case in cases()}
_SOURCES = (
    *("kubernetes.io", "helm.sh", "argo-cd.readthedocs.io", "github.com", "docs.github.com", "yaml.org"),
    *("prometheus-operator.dev", "gateway-api.sigs.k8s.io", "external-secrets.io", "cheatsheetseries.owasp.org"),
)


_MISSING = pytest.mark.skipif(not CRDS.is_dir(), reason="../shared/specs/crds is missing")


def _with_marks(rules: dict[str, str]) -> list[object]:
    return [pytest.param(name, marks=[_MISSING] if rule in _NEEDS_SHARED else []) for name, rule in rules.items()]


@cache
def _found(name: str) -> dict[str, list[str]]:
    """The messages about a case, by rule."""
    found: dict[str, list[str]] = {}
    for finding in check(planted(_CASES[name])):
        found.setdefault(finding.rule, []).append(f"{finding.object}: {finding.message}")
    return found


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_what_is_scaffolded_has_no_fault(env: str) -> None:
    objects = planted(None, env)
    assert len(objects.items) >= 4
    assert check(objects) == []


@pytest.mark.parametrize("name", _with_marks({name: case.rule for name, case in _CASES.items()}))
def test_a_planted_fault_is_found_by_its_rule_and_by_no_other(name: str) -> None:
    case = _CASES[name]
    assert _found(name).keys() == {case.rule, *case.also}, _found(name)


@pytest.mark.parametrize("rule", _with_marks(dict(zip(NAMES, NAMES, strict=True))))
def test_without_a_rule_exactly_its_faults_are_missed(rule: str) -> None:
    others = [one for one in RULES if one.name != rule]
    for name, case in _CASES.items():
        if case.rule == rule:
            assert {one.rule for one in check(planted(case), others)} == set(case.also), name
        elif case.rule not in _NEEDS_SHARED or CRDS.is_dir():
            # Rules know nothing of each other: what the others find is what they found with this one.
            assert _found(name).keys() - {rule} >= {case.rule}, name


def test_there_are_fifty_faults_and_one_for_every_rule() -> None:
    counted = Counter(case.rule for case in cases())
    assert counted.keys() == set(NAMES)
    assert counted.total() >= 50
    assert len({case.name for case in cases()}) == counted.total()


def test_every_rule_says_what_why_and_who_says_so() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for rule in RULES:
        assert all((rule.summary, rule.reason, rule.fix)), rule.name
        assert urlsplit(rule.source).scheme == "https"
    sources = [*(rule.source for rule in RULES), *(case.source for case in cases() if case.source)]
    assert {urlsplit(source).hostname for source in sources} <= set(_SOURCES)
