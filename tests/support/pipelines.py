"""The pipelines of a shop, as `pipeline add` writes them, and this project's own GitLab components.

`python -m tests.support.pipelines` refreshes the golden files, and the components in `templates/`.
"""

from pathlib import Path
from typing import Any

from gitops_tk.workflows.pipelines import SYSTEMS, Side, render

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/workflows/pipelines/golden"
CONTEXTS: dict[Side, dict[str, Any]] = {
    "gitops": {
        "environments": ["dev", "staging", "prod"],
        "promotions": [{"source": "dev", "target": "staging"}, {"source": "staging", "target": "prod"}],
        "branch": "main",
    },
    "application": {
        "service": "user-service",
        "environment": "dev",
        "image": "registry.example.com/shop/user-service",
        "registry": "registry.example.com",
        "repository": "https://github.com/shop/gitops.git",
        "owner": "shop",
        "name": "gitops",
        "branch": "main",
    },
}


def files(system: str) -> dict[str, str]:
    """All files of a system: `gitops/...` and `application/...`."""
    return {
        f"{side}/{path}": data.decode()
        for side, context in CONTEXTS.items()
        for path, data in render(system, side, context).items()
    }


def components() -> dict[str, str]:
    """GitLab's components, by their paths in this project."""
    return {path: data.decode() for path, data in render("gitlab", "component", {}).items()}


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for one in SYSTEMS:
        for path, text in files(one).items():
            _write(GOLDEN / one / path, text)
    for path, text in components().items():
        _write(ROOT / path, text)
