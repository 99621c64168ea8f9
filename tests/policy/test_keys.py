"""Which keys travel with a promotion."""

import pytest

from gitops_tk.policy.keys import travelling


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
        (["config.data.DB_?"], "config.data.DB_1", True),
        (["Config.data"], "config.data", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], key: str, taken: bool) -> None:
    segments = tuple(key.split("."))
    assert travelling(patterns, [segments]) == ([segments] if taken else [])
