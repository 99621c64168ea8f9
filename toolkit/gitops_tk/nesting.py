"""YAML of somebody who may mean harm: how deep it nests, which the C loader would follow on the stack of the process
until that ends, and how much its aliases unfold to.
"""

from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, SequenceNode

DEEPEST = 100
# More than any file that somebody has written.
_MOST = 1_000_000
# With fewer brackets and shorter lines than this there is no way to nest deep.
_LONG = 1_000
_LIBYAMLS_OWN = "exceeded maximum nesting depth"
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
        return [(SafeConstructor().construct_document(node), node) for node in nodes]
    except (ValueError, LookupError, AttributeError) as error:
        # That is what it makes of `!!bool maybe` and the like.
        raise yaml.YAMLError("a tag says what its value is not") from error


def unfolds(node: Node) -> bool:
    """Whether a node is more keys and values than anybody writes, all aliases unfolded; one that holds itself is."""
    left, seen = [node], 0
    while left and seen <= _MOST:
        one = left.pop()
        seen += 1
        if isinstance(one, MappingNode):
            left += (part for pair in one.value for part in pair)
        elif isinstance(one, SequenceNode):
            left += one.value
    return seen > _MOST


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
