"""A skeleton's templates, filled in by Jinja2 in its sandbox.

As a program it reads a request from standard input and answers on standard output, both JSON: see `skeleton.py`.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def fill(texts: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, Any]:
    """Fills templates in.

    Returns:
        `found`, the texts by their names; or what has `failed`, with `file` and `line`.
    """
    found = {}
    for name, text in texts.items():
        try:
            found[name] = template(text).render(context)
            # Half of a character, which an escape in a template can make, is in no file.
            found[name].encode()
        except Exception as error:
            # A template may fail in as many ways as an expression can; each is a fault of the skeleton.
            return {"failed": str(error), "file": name, "line": getattr(error, "lineno", None)}
    return {"found": found}


@cache
def template(text: str) -> "Template":
    """A template, read once however many services are made from it: reading takes longer than all the rest.

    Raises:
        TemplateError: it is broken.
    """
    return _environment().from_string(text)


@cache
def _environment() -> "Environment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["yaml"] = _quoted
    return environment


def _quoted(value: Any) -> str:
    # JSON in ASCII is YAML that every reader takes for the same string.
    return json.dumps(str(value))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fill(**json.load(sys.stdin))))
