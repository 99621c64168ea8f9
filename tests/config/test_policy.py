"""Policies that cannot work are refused when gitops-tk.yaml is read, where they are written."""

from fnmatch import fnmatchcase

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gitops_tk.config import patterns
from gitops_tk.config.load import parse
from gitops_tk.config.schema import json_schema
from gitops_tk.config.show import to_builtins
from gitops_tk.errors import ConfigError

_HEAD = "apiVersion: gitops-tk/v1\nenvironments:\n  - name: dev\n  - name: prod\n"
_WINDOW = "    gates:\n      freeze:\n      - reason: r\n"
_WHOLE = """
    publish: pull-request
    protected: [config.data.DB_*, 'podLabels."app.kubernetes.io/name"']
    accepts: [promotion, rollback, hold]
    override: [soak, freeze, protected]
    gates:
      soak: 1d12h
      order: true
      freeze:
        - {reason: year's end, from: 2026-12-20, to: 2027-01-02, timezone: Europe/Berlin}
        - {reason: a talk, from: 2026-05-01T09:00, to: 2026-05-01 18:30}
        - {reason: weekend, from: Friday 16:00, to: Mon 08:00, timezone: America/New_York}
      commands:
        - {name: smoke, run: [ci/smoke.sh, --all], timeout: 90s}
        - {name: budget, run: [check-budget]}
      approvals: 2
promotion: {keys: ["config.data.*", "!config.data.DB_*"]}
services:
  a: {promotion: {keys: [replicaCount]}}
verify: {off: [{rule: mixed, reason: small team}]}
"""


def test_a_whole_policy_is_read_and_shown_as_the_same() -> None:
    text = _HEAD.rstrip() + _WHOLE
    config = parse(text.encode())
    policy = config.environment("prod").policy
    assert policy.gates.names == ("order", "soak", "freeze", "commands", "approvals")
    assert (policy.gates.soak, policy.gates.commands[0].timeout) == (129600, 90)
    assert list(config.promotion_keys("a")) == ["replicaCount"]
    assert list(config.promotion_keys("b")) == ["config.data.*", "!config.data.DB_*"]
    shown = to_builtins(config)
    assert to_builtins(parse(yaml.safe_dump(shown).encode())) == shown
    for content in (yaml.load(text, yaml.BaseLoader), shown):
        content["environments"][1]["gates"]["approvals"] = 2
        content["environments"][1]["gates"]["order"] = True
        jsonschema.validate(content, json_schema())


@pytest.mark.parametrize(
    ("added", "code", "line", "said"),
    [
        ("    gates:\n      sok: 1h\n", "config-unknown-key", 6, "soak"),
        ("    gates:\n      soak: soon\n", "config-value", 6, "24h"),
        ("    gates:\n      soak: 0s\n", "config-value", 6, "no time at all"),
        ("    gates:\n      soak: 999999999d\n", "config-value", 6, "longer than ten years"),
        ("    gates:\n      soak: -1h\n", "config-value", 6, "not a duration"),
        ("    gates:\n      approvals: 0\n", "config-value", 6, ">= 1"),
        ("    gates:\n      approvals: 2\n", "config-contradiction", 6, "without a pull request"),
        ("    override: [sock]\n", "config-value", 5, "did you mean soak?"),
        ("    override:\n    - soak\n", "config-contradiction", 6, "no gate soak to override"),
        ("    override: [protected]\n", "config-contradiction", 5, "no protected keys"),
        ("    accepts: [promotions]\n", "config-value", 5, "did you mean promotion?"),
        ("    protected:\n    - a\n    - b..c\n", "config-value", 7, "not a key of values"),
        ("    protected: ['" + "*a" * 11 + "']\n", "config-value", 5, "not a key of values"),
        (f"    protected: {[f'a{at}' for at in range(201)]}\n", "config-value", 5, "more than 200 patterns"),
        ('    protected: ["a\\u0007b"]\n', "config-value", 5, "not a key of values"),
        ("    protected:\n    - a.*\n    - '!a.*'\n", "config-contradiction", 7, "keep one"),
        ("    gates:\n      commands:\n      - {name: a}\n", "config-value", 7, "commands: run is missing"),
        ("    gates:\n      commands:\n      - {name: a, run: []}\n", "config-value", 7, "length >= 1"),
        ("    gates:\n      commands:\n      - {name: a, run: [/bin/sh]}\n", "config-value", 7, "on PATH"),
        ("    gates:\n      commands:\n      - {name: a, run: [../x]}\n", "config-value", 7, "on PATH"),
        (
            "    gates:\n      commands:\n      - {name: a, run: [x]}\n      - {name: a, run: [y]}\n",
            "config-value",
            8,
            "two commands",
        ),
        (
            _WINDOW.replace("r\n", "' '\n") + "        from: Fri 16:00\n        to: Mon 08:00\n",
            "config-value",
            7,
            "a reason",
        ),
        (
            _WINDOW.replace("r\n", '"a\\nb"\n') + "        from: Fri 16:00\n        to: Mon 08:00\n",
            "config-value",
            7,
            "on one line",
        ),
        (_WINDOW + "        from: 2027-01-02\n        to: 2026-12-20\n", "config-value", 9, "ends before it starts"),
        (_WINDOW + "        from: 2026-01-02T10:00\n        to: 2026-01-02T10:00\n", "config-value", 9, "ends before"),
        (_WINDOW + "        from: Fri 16:00\n        to: Fri 15:00\n", "config-value", 9, "ends before it starts"),
        (_WINDOW + "        from: Fri 16:00\n        to: Fri 16:00\n", "config-value", 9, "ends before it starts"),
        (_WINDOW + "        from: Sun 24:00\n        to: Mon 00:00\n", "config-value", 9, "ends before it starts"),
        (_WINDOW + "        from: Fri 24:00\n        to: Sat 00:00\n", "config-value", 9, "ends before it starts"),
        # The clock leaves out all of it.
        (
            _WINDOW + "        from: 2026-03-29T02:15\n        to: 2026-03-29T02:45\n        timezone: Europe/Berlin\n",
            "config-value",
            9,
            "ends before it starts",
        ),
        (
            _WINDOW + "        from: 2011-12-30\n        to: 2011-12-30\n        timezone: Pacific/Apia\n",
            "config-value",
            9,
            "ends before it starts",
        ),
        (_WINDOW + "        from: 2026-01-01\n        to: 9999-12-31\n", "config-value", 9, "no time of a window"),
        (_WINDOW + "        from: 0001-01-01\n        to: 2026-01-01\n", "config-value", 8, "no time of a window"),
        (_WINDOW + "        from: 2027-02-29\n        to: 2027-03-01\n", "config-value", 8, "no time of a window"),
        (
            _WINDOW + "        from: 2026-01-01\n        to: 2026-01-01T24:00\n",
            "config-value",
            9,
            "no time of a window",
        ),
        (_WINDOW + "        from: Fri 16:00\n        to: 2026-01-01\n", "config-value", 9, "between two dates"),
        (_WINDOW + "        from: 2026-02-29\n        to: 2026-03-01\n", "config-value", 8, "no time of a window"),
        (_WINDOW + "        from: Fri 24:01\n        to: Mon 08:00\n", "config-value", 8, "no time of a window"),
        (_WINDOW + "        from: Fri 16:60\n        to: Mon 08:00\n", "config-value", 8, "no time of a window"),
        (_WINDOW + "        from: Friday\n        to: Mon 08:00\n", "config-value", 8, "no time of a window"),
        (_WINDOW + "        from: Fri 25:00\n        to: Mon 08:00\n", "config-value", 8, "no time of a window"),
        (
            _WINDOW + "        from: Fri 16:00\n        to: Mon 08:00\n        timezone: Europe/Berln\n",
            "config-value",
            10,
            "did you mean Europe/Berlin?",
        ),
        (
            _WINDOW + "        from: Fri 16:00\n        to: Mon 08:00\n        timezone: ../../etc/passwd\n",
            "config-value",
            10,
            "there is no time zone",
        ),
        ("    gates:\n      freeze:\n      - {from: 2026-01-01, to: 2026-01-02}\n", "config-value", 7, "reason"),
        (
            "    gates:\n      freeze:\n"
            "      - {reason: a, from: Mon 00:00, to: Thu 12:00}\n"
            "      - {reason: b, from: Thu 10:00, to: Mon 00:00}\n",
            "config-contradiction",
            6,
            "no time at all",
        ),
        ("    protected: [a.b]\npromotion:\n  keys: ['a.*']\n", "config-contradiction", 7, "a.b would travel"),
        ("    protected: ['a.*']\npromotion:\n  keys: [a.b, '!a.c']\n", "config-contradiction", 7, "a.b would travel"),
        ("    protected: [a]\nservices:\n  s:\n    promotion:\n      keys: ['*']\n", "config-contradiction", 9, "a"),
        ("promotion:\n  keys: ['!a.b', 'a.*']\n", "config-contradiction", 6, "takes nothing out"),
        ("    protected: ['!a.b', c, a]\n", "config-contradiction", 5, "takes nothing out"),
        ("    from: [prod]\n", "config-circle", 5, "in a circle"),
        ("    from: [qa]\n", "config-unknown-environment", 5, "qa"),
        ("    from: [dev, dev]\n", "config-value", 5, "twice"),
        ("promotion:\n  keys: [a, '!a']\n", "config-contradiction", 6, "undoes"),
        ("services:\n  s:\n    promotion: {key: []}\n", "config-unknown-key", 7, "did you mean keys?"),
        ("verify:\n  off: [{rule: a, reason: b, environments: [qa]}]\n", "config-unknown-environment", 6, "qa"),
        ("verify:\n  on: []\n", "config-unknown-key", 6, "unknown key verify.on"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_with_its_line(added: str, code: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse((_HEAD + added).encode())
    assert (refused.value.code, refused.value.line) == (code, line)
    assert said in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("gate", ["soak: 1h", "order: true"])
def test_a_gate_that_needs_a_source_is_refused_where_there_is_none(gate: str) -> None:
    for text in (
        f"apiVersion: gitops-tk/v1\nenvironments:\n  - name: dev\n    gates:\n      {gate}\n",
        f"apiVersion: gitops-tk/v1\nenvironments:\n  - name: dev\n    from: []\n    gates: {{{gate}}}\n",
    ):
        with pytest.raises(ConfigError) as refused:
            parse(text.encode())
        assert refused.value.code == "config-contradiction"


def test_a_foreign_repository_is_overridden_only_where_something_is_promoted_to() -> None:
    assert parse((_HEAD + "    override: [foreign-repository]\n").encode()).environment("prod").policy.override
    with pytest.raises(ConfigError) as refused:
        parse(_HEAD.replace("name: dev\n", "name: dev\n    override: [foreign-repository]\n").encode())
    assert (refused.value.code, refused.value.line) == ("config-contradiction", 4)


def test_what_is_protected_where_nothing_comes_from_another_environment_may_travel_on() -> None:
    text = _HEAD.replace("name: dev\n", "name: dev\n    protected: [a.b]\n") + "promotion: {keys: [a.b]}\n"
    assert parse(text.encode()).environment("dev").policy.protected == ("a.b",)


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        (["config.*"], ["config.data.DB_*"], "config.data.DB_…"),
        (["config.*", "!config.data.DB_*"], ["config.data.DB_*"], None),
        (["config.*", "!config.data.DB_*", "config.data.DB_NAME"], ["config.data.DB_*"], "config.data.DB_NAME"),
        (["a.b*c"], ["a.?xb*"], "a.bxbc"),
        (["a"], ["a.b"], None),
        (["a.*"], ["a"], None),
        (["*.x"], ["a.[xy]"], "a.x"),
        (["x*", "!x"], ["x"], None),
        (["x*", "!x"], ["x*"], "x…"),
        (["*", "!a"], ["a.b"], "a.b"),
        (["a.[b-d]*"], ["a.[!b-d]*"], None),
        (['a."b.c"'], ["a.*"], "a.b.c"),
    ],
)
def test_a_key_that_two_lists_of_patterns_take_is_found(one: list[str], other: list[str], key: str | None) -> None:
    for first, second in ((one, other), (other, one)):
        found = patterns.common_key(first, second)
        assert (found and patterns.shown(found)) == key


_GLOBS = st.text("ab*?", min_size=1, max_size=4)


@given(_GLOBS, _GLOBS, st.text("ab", min_size=1, max_size=5))
def test_globs_that_share_a_name_have_a_common_key(one: str, other: str, name: str) -> None:
    if fnmatchcase(name, one) and fnmatchcase(name, other):
        assert patterns.common_key([one], [other]) is not None
    found = patterns.common_key([one], [other])
    assert found is None or all(patterns.takes([glob], found) for glob in (one, other))


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", 'a."b', '"a"b'])
def test_a_text_that_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="goes wrong"):
        patterns.segments(text)


def test_an_environment_that_nothing_is_promoted_to_accepts_no_promotions() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(_HEAD.replace("- name: dev\n", "- name: dev\n    accepts:\n    - bump\n    - promotion\n").encode())
    assert (refused.value.code, refused.value.line) == ("config-contradiction", 6)
    assert "nothing is promoted to it" in refused.value.message
