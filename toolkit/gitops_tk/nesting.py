"""YAML of somebody who may mean harm: how deep it nests, which the C loader would follow on the stack of the process
until that ends, and how much its aliases unfold to.
"""

from math import inf
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode

DEEPEST = 100
# More than any file that somebody has written.
_MOST = 1_000_000
# With fewer brackets and shorter lines than this there is no way to nest deep.
_LONG = 1_000
_LIBYAMLS_OWN = "exceeded maximum nesting depth"
# In bits.
_LONGEST_NUMBER = 1_024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def too_deep(text: str) -> int | None:
    """The 1-based line where a text nests deeper than any person writes, or None.

    Raises:
        yaml.YAMLError: it is no YAML up to there.
    """
    if text.count("[") + text.count("{") < _LONG and max(map(len, text.splitlines()), default=0) < _LONG:
        return None
    try:
        return _line_below(text)
    except yaml.YAMLError as error:
        # libyaml 0.2.6 counts for itself, and may see the brackets before it tells of any.
        mark = getattr(error, "problem_mark", None)
        if getattr(error, "problem", None) == _LIBYAMLS_OWN and mark is not None:
            return int(mark.line) + 1
        raise


def documents(text: str) -> list[tuple[Any, Node]]:
    """The documents of a text as plain data, each with its node.

    Raises:
        yaml.YAMLError: it is no YAML that anybody can use.
    """
    if too_deep(text) is not None:
        raise yaml.YAMLError("it is nested too deep")
    nodes = list(yaml.compose_all(text, Loader=_LOADER))
    if any(unfolds(node) for node in nodes):
        raise yaml.YAMLError("its aliases unfold to too many values")
    try:
        return [(_Constructor().construct_document(node), node) for node in nodes]
    except (ValueError, LookupError, AttributeError) as error:
        # That is what it makes of `!!bool maybe` and the like.
        raise yaml.YAMLError("a value is not what its tag says, or a number too long") from error


def document(text: str) -> Any:
    """The one document of a text as plain data; None where it is empty.

    Raises:
        yaml.YAMLError: as `documents`, or there are several.
    """
    found = documents(text)
    if len(found) > 1:
        raise yaml.YAMLError("it has more than one document")
    return found[0][0] if found else None


def unfolds(node: Node) -> bool:
    """Whether a node is deeper, or more keys and values, than anybody writes, all aliases unfolded."""
    return _measured(node, {}, 0)[0] > _MOST


class _Constructor(SafeConstructor):
    def construct_yaml_int(self, node: ScalarNode) -> int:
        found = super().construct_yaml_int(node)
        # In another base there is no limit, and Python would not write it out again.
        if found.bit_length() > _LONGEST_NUMBER:
            raise ValueError(node.value[:100])
        return found


_Constructor.add_constructor("tag:yaml.org,2002:int", _Constructor.construct_yaml_int)  # type: ignore[type-var]


def _measured(node: Node, known: dict[int, tuple[float, int]], depth: int) -> tuple[float, int]:
    """How many keys and values a node is, and how deep; every node is looked at once."""
    if isinstance(node, ScalarNode) or depth > DEEPEST:
        return (inf if depth > DEEPEST else 1, 0)
    if id(node) not in known:
        # That is what it is while it is looked at: one that holds itself has no end.
        known[id(node)] = inf, 0
        below = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
        found = [_measured(one, known, depth + 1) for one in below]
        height = 1 + max((one for _, one in found), default=0)
        known[id(node)] = (inf if height > DEEPEST else 1 + sum(size for size, _ in found), height)
    return known[id(node)]


def _line_below(text: str) -> int | None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST + 1:
                return event.start_mark.line + 1 if event.start_mark else 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None
