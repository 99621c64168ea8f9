"""What a chart's values.schema.json lets be set: asked without the Helm engine, on the way of every bump."""

import json
from typing import Any


def allows(schema: bytes | None, key: str) -> bool:
    """Whether a schema lets a dotted key be set; without a schema, or with one that cannot be read, it does.

    Follows `properties`, `patternProperties`, `additionalProperties`, `allOf` and local `$ref`s
    (JSON Schema draft 7); what it does not understand forbids nothing.
    """
    if schema is None:
        return True
    try:
        root = json.loads(schema)
    except ValueError:
        return True
    return _allows(root, root, key.split("."), 0)


def _allows(root: Any, rule: Any, steps: list[str], depth: int) -> bool:
    if rule is False:
        return False
    if not isinstance(rule, dict) or not steps or depth > 50:
        return True
    target = _resolved(root, rule.get("$ref"))
    parts = [*(rule.get("allOf") or []), *([target] if target is not None else [])]
    if not all(_allows(root, part, steps, depth + 1) for part in parts):
        return False
    return _allows_here(root, rule, steps, depth)


def _allows_here(root: Any, rule: dict[str, Any], steps: list[str], depth: int) -> bool:
    import re

    step, rest = steps[0], steps[1:]
    properties = rule.get("properties")
    if isinstance(properties, dict) and step in properties:
        return _allows(root, properties[step], rest, depth + 1)
    patterns = rule.get("patternProperties")
    for pattern, below in patterns.items() if isinstance(patterns, dict) else ():
        try:
            if re.search(pattern, step):
                return _allows(root, below, rest, depth + 1)
        except re.error:
            return True
    return _allows(root, rule.get("additionalProperties", True), rest, depth + 1)


def _resolved(root: Any, reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        root = root.get(name) if isinstance(root, dict) else None
    return root
