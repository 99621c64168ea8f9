"""In which ways a changed gitops-tk.yaml lets more through."""

from datetime import UTC, datetime

import pytest

from gitops_tk.config.load import parse
from gitops_tk.policy.review.weaker import weaker

_BASE = """apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
    publish: pull-request
    accepts: [promotion]
  - name: prod
    publish: pull-request
    protected: [replicas, db]
    override: [soak]
    gates:
      soak: 24h
      order: true
      freeze:
        - {reason: past, from: 2020-01-01, to: 2020-01-02}
        - {reason: year's end, from: 2026-12-20, to: 2027-01-02}
      commands: [{name: smoke, run: [smoke]}]
      approvals: 2
promotion: {keys: [level]}
services:
  a: {promotion: {keys: [mode]}}
verify: {off: [{rule: mixed, reason: r}]}
argocd: {repository: "https://git.example.com/gitops.git"}
"""


def found(*changes: tuple[str, str]) -> tuple[str, ...]:
    text = _BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return weaker(parse(_BASE.encode()), parse(text.encode()), datetime(2026, 6, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("soak: 24h", "soak: 12h", "prod: soak was 1d, and is 12h"),
        ("      order: true\n", "", "prod: the gate order goes"),
        ("2027-01-02", "2026-12-21", "prod: a freeze goes or changes: year's end"),
        ("run: [smoke]", "run: ['true']", "prod: the command smoke goes or changes"),
        ("approvals: 2", "approvals: 1", "prod: 2 approvals become 1"),
        ("      approvals: 2\n", "", "prod: 2 approvals become none"),
        ("[replicas, db]", "[replicas]", "prod: protected keys were replicas, db, and are replicas"),
        (
            "[replicas, db]",
            "[replicas, db, '!db.x']",
            "prod: protected keys were replicas, db, and are replicas, db, !db.x",
        ),
        ("override: [soak]", "override: [soak, protected]", "prod: protected may be overridden"),
        ("accepts: [promotion]", "accepts: [promotion, bump]", "staging: bump is accepted"),
        ("    accepts: [promotion]\n", "", "staging: chart, hold, rollback, service, shared, values is accepted"),
        ("name: prod\n", "name: prod\n    push-now: true\n", "prod: --push-now is allowed"),
        (
            "name: prod\n",
            "name: prod\n    path: live\n",
            "prod: its files move from prod to live, and those that are left are judged by nobody",
        ),
        ("name: prod\n", "name: prod\n    from: [dev, staging]\n", "prod: images may come from dev"),
        (
            "name: staging\n    publish: pull-request",
            "name: staging",
            "staging: changes are pushed without a pull request",
        ),
        ("keys: [level]", "keys: [level, mode]", "the keys that travel become level, mode"),
        ("keys: [mode]", "keys: ['m*']", "the keys of a that travel become m*"),
        ("services:\n  a: {promotion: {keys: [mode]}}\n", "", "the keys of a that travel become level"),
        ("promotion: {keys: [level]}", "images: {default: {tag: app.tag}}", "where images are changes"),
        ("a: {", "a: {images: {default: {tag: app.tag}}, ", "where the images of a are changes"),
        ("promotion: {keys: [level]}", "layout: {shared: null}", "the layout changes"),
        ("promotion: {keys: [level]}", "layout: {chart: {oci: oci://evil.example/charts/web}}", "the layout changes"),
        (
            "/gitops.git",
            "/evil.git",
            "argocd.repository was https://git.example.com/gitops.git, and is https://git.example.com/evil.git",
        ),
        ('/gitops.git"', '/gitops.git", revision: next', "argocd.revision was HEAD, and is next"),
        ('/gitops.git"', '/gitops.git", project: other', "argocd.project was gitops, and is other"),
        (
            '/gitops.git"',
            '/gitops.git", pod-security: baseline',
            "argocd: Pod Security was restricted, and is baseline",
        ),
        (
            '/gitops.git"',
            '/gitops.git", environments: {prod: {cluster: other}}',
            "prod: it is deployed to other in {service}-{env}",
        ),
        (
            '/gitops.git"',
            "/gitops.git\", environments: {dev: {namespace: '{service}-prod'}}",
            "argocd: dev is deployed to where prod is",
        ),
        (
            '/gitops.git"',
            '/gitops.git", environments: {prod: {protect: false}}',
            "prod: Applications go with their values files",
        ),
        (
            '/gitops.git"',
            '/gitops.git", environments: {prod: {self-heal: false}}',
            "prod: what is changed in the cluster is not changed back",
        ),
        (
            'argocd: {repository: "https://git.example.com/gitops.git"}\n',
            "",
            "the section argocd goes, and nothing is held to it",
        ),
        ("rule: mixed, reason: r", "rule: soak, reason: we hurry", "the rule soak is switched off: we hurry"),
        (
            "verify:",
            "validate: {off: [{rule: pdb-drain, reason: r}]}\nverify:",
            "the rule pdb-drain is switched off: r",
        ),
    ],
)
def test_what_is_weaker(old: str, new: str, said: str) -> None:
    assert said in found((old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("soak: 24h", "soak: 48h"),
        ("soak: 24h", "soak: 1d"),
        ("approvals: 2", "approvals: 3"),
        ("        - {reason: past, from: 2020-01-01, to: 2020-01-02}\n", ""),
        ("override: [soak]", "override: []"),
        ("publish: pull-request\n    accepts", "publish: pull-request # c\n    accepts"),
        ("keys: [level]", "keys: []"),
        ("  - name: dev\n", "  - name: dev\n    gates: {freeze: [{reason: r, from: 2026-01-01, to: 2026-01-02}]}\n"),
        # An environment that is put in between.
        ("  - name: prod\n", "  - name: qa\n  - name: prod\n"),
        ("verify: {off: [{rule: mixed, reason: r}]}\n", ""),
    ],
)
def test_what_is_not(old: str, new: str) -> None:
    assert found((old, new)) == ()


def test_a_gate_that_goes() -> None:
    gone = found(("      soak: 24h\n", ""), ("override: [soak]", "override: []"))
    assert gone == ("prod: soak was 1d, and is none",)


def test_an_environment_that_nothing_is_promoted_to_any_more_takes_anything() -> None:
    said = found(("    accepts: [promotion]\n", "    from: []\n    accepts: [bump]\n"))
    assert said == ("staging: images may come from anywhere", "staging: bump is accepted")
