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
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
