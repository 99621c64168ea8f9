"""A Result as the one JSON document that `--output json` prints (schema gitops-tk/result/v1)."""

import json
from typing import Any

import msgspec

from gitops_tk.model.result import Result

SCHEMA = "gitops-tk/result/v1"


def document(result: Result) -> str:
    """The document, indented, with a final newline; what the command found beside the common keys."""
    plain: dict[str, Any] = {"schema": SCHEMA, **msgspec.to_builtins(result)}
    for hidden in ("details", "advice", "exit_code"):
        del plain[hidden]
    for optional in ("diff", "commits", "closed"):
        if not plain[optional]:
            del plain[optional]
    plain |= result.details
    # json indents in Python alone. A file's name that is no UTF-8 goes through as it is.
    text = json.dumps(plain, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return msgspec.json.format(text, indent=2).decode("utf-8", "surrogatepass") + "\n"
