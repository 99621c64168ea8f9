"""Which keys travel with a promotion."""

from typing import Any

import pytest

from gitops_tk.policy.keys import changed, travelling


@pytest.mark.parametrize(
    ("patterns", "key", "taken"),
    [
        ([], "replicaCount", False),
        (["replicaCount"], "replicaCount", True),
        (["config.data.*"], "config.data.LOG_LEVEL", True),
        (["config.*"], "config.data.LOG_LEVEL", True),
        (["config"], "config.data.LOG_LEVEL", False),
        (["config.data.*"], "config.files.a", False),
        (["config.data.*"], "config.data", False),
        (["config.data.*", "!config.data.DB_*"], "config.data.DB_HOST", False),
        (["config.data.*", "!config.data.DB_*"], "config.data.LOG_LEVEL", True),
        (["!config.data.DB_*", "config.data.*"], "config.data.DB_HOST", True),
        (["config.data.DB_*"], "config.data.DB_HOST.port", True),
        (["config.data.DB_?"], "config.data.DB_1.port", False),
        (["config.data.DB_?"], "config.data.DB_1", True),
        (["Config.data"], "config.data", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], key: str, taken: bool) -> None:
    segments = tuple(key.split("."))
    assert travelling(patterns, [segments]) == ([segments] if taken else [])


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": {"b": 1}}, {"a": {"b": 1}, "c": 2}, []),
        ({"a": {"b": 1}}, {}, ["a.b"]),
        ({}, {"a": {"b": 1}}, ["a.b"]),
        ({"a": {"b": {"c": 1, "d": 1}}}, {"a": {"b": {"c": 2, "d": 1}}}, ["a.b.c"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": None}}, ["a.b.c", "a.b"]),
        # What a template tells apart.
        ({"a": {"b": 1}}, {"a": {"b": "1"}}, ["a.b"]),
        ({"a": {"b": 1}}, {"a": {"b": True}}, ["a.b"]),
        ({"a": {"b": [1]}}, {"a": {"b": [True]}}, ["a.b"]),
        ({"a": {"free": 1}}, {"a": {"free": 2}}, []),
        ({"z": {"x": 1}}, {"z": {"x": 2}}, []),
    ],
)
def test_a_protected_key_is_protected_with_all_that_is_below_it(before: Any, after: Any, keys: list[str]) -> None:
    found = changed(["a.*", "!a.free"], before, after)
    assert [".".join(key) for key in found] == keys
    assert changed(["a.b"], before, after) == [tuple(key.split(".")) for key in keys if key.startswith("a.b")]
    assert changed([], before, after) == []
