"""What a chart's values.schema.json lets be set: asked without the Helm engine, on the way of every bump."""

import json
from functools import lru_cache
from typing import Any

# A pattern with groups, or with more than a few repeats, can keep Python busy for ever on a text made for it.
_MOST_REPEATS = 3
_LONGEST = 100
_NUMBERS = frozenset({"integer", "number"})
_TEXTS = frozenset({"string"})


def allows(schema: bytes | None, key: str, value: int | str) -> bool:
    """Whether a schema lets a dotted key have a value; without a schema, or with one that cannot be read, it does.

    Follows `properties`, `patternProperties`, `additionalProperties`, `allOf` and local `$ref`s, and looks at `type`
    (JSON Schema draft 7); what it does not understand forbids nothing.
    """
    if schema is None:
        return True
    root = _parsed(schema)
    return _Question(root, _NUMBERS if isinstance(value, int) else _TEXTS).allows(root, key.split("."))


# Charts of one skeleton have one schema.
@lru_cache(maxsize=16)
def _parsed(schema: bytes) -> Any:
    try:
        return json.loads(schema)
    except (ValueError, RecursionError):
        return True


class _Question:
    def __init__(self, root: Any, types: frozenset[str]) -> None:
        self._root = root
        self._types = types
        self._asked: set[tuple[int, int]] = set()

    def allows(self, rule: Any, steps: list[str], depth: int = 0) -> bool:
        if rule is False:
            return False
        if not isinstance(rule, dict) or depth > 50:
            return True
        # One refusal decides, so whatever was asked before and led here did not refuse.
        if (id(rule), len(steps)) in self._asked:
            return True
        self._asked.add((id(rule), len(steps)))
        every = rule.get("allOf")
        parts = [*(every if isinstance(every, list) else []), _resolved(self._root, rule.get("$ref"))]
        return all(self.allows(part, steps, depth + 1) for part in parts) and self._allows_here(rule, steps, depth)

    def _allows_here(self, rule: dict[str, Any], steps: list[str], depth: int) -> bool:
        if not steps:
            return self._takes(rule.get("type"))
        step, rest = steps[0], steps[1:]
        properties = rule.get("properties")
        if isinstance(properties, dict) and step in properties:
            return self.allows(properties[step], rest, depth + 1)
        patterns = rule.get("patternProperties")
        for pattern, below in patterns.items() if isinstance(patterns, dict) else ():
            matches = _matches(pattern, step)
            if matches is None:
                return True
            if matches:
                return self.allows(below, rest, depth + 1)
        return self.allows(rule.get("additionalProperties", True), rest, depth + 1)

    def _takes(self, types: Any) -> bool:
        named = types if isinstance(types, list) else [types]
        known = [one for one in named if isinstance(one, str)]
        return not known or not self._types.isdisjoint(known)


def _matches(pattern: str, step: str) -> bool | None:
    import re

    repeats = sum(map(pattern.count, "*+?{"))
    if "(" in pattern or repeats > _MOST_REPEATS or len(pattern) > _LONGEST or len(step) > _LONGEST:
        return None
    try:
        return re.search(pattern, step) is not None
    except (re.error, OverflowError, RecursionError):
        return None


def _resolved(root: Any, reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        root = root.get(name) if isinstance(root, dict) else None
    return root
