"""The JSON Schema of gitops-tk.yaml (draft 2020-12), made from the same model that reads it."""

from typing import Any

import msgspec

from gitops_tk.config.model import FileConfig


def json_schema() -> dict[str, Any]:
    """The schema; keys that begin with `x-` are allowed everywhere."""
    (root,), definitions = msgspec.json.schema_components([FileConfig], ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if definition.get("additionalProperties") is False:
            definition["patternProperties"] = {"^x-": True}
        for name, rule in definition.get("properties", {}).items():
            definition["properties"][name] = _without_default(rule)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gitops-tk.yaml",
        **root,
        "$defs": definitions,
    }


def _without_default(rule: dict[str, Any]) -> dict[str, Any]:
    # A default of null says that the program decides, not that null is a good value to write.
    return {key: value for key, value in rule.items() if not (key == "default" and value is None)}
