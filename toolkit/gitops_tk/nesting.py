"""How deep a YAML text nests, asked before the C loader follows it on the stack of the process, which would end it."""

import yaml

DEEPEST = 100
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
