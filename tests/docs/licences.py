"""docs/licences.md, from the metadata of what is installed: `python -m tests.docs.licences`."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PATH = Path(__file__).resolve().parents[2] / "docs" / "licences.md"
# Which dependencies there are is told for one machine, whichever it is written on.
_MACHINE = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}
_HEAD = """# Licences of the dependencies

Written from the metadata of the packages: `python -m tests.docs.licences`. gitops-tk itself is under Apache-2.0.
The wheel carries none of them; an installer fetches them, and the container image holds them.

| package | licence | needed by |
|---|---|---|
"""


def text() -> str:
    """The whole document."""
    found: dict[str, set[str]] = {}
    for extra in ("", "helm", "validate"):
        _follow("gitops-tk", {extra}, extra or "gitops-tk", found)
    rows = [f"| {name} | {_licence(distribution(name))} | {_needs(found[name])} |\n" for name in sorted(found)]
    return _HEAD + "".join(rows)


def _follow(name: str, extras: set[str], wanted_by: str, found: dict[str, set[str]]) -> None:
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({**_MACHINE, "extra": one}) for one in extras or {""}):
            continue
        needed = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if needed == "gitops-tk" or wanted_by in found.get(needed, ()):
            continue
        try:
            distribution(needed)
        except PackageNotFoundError:
            continue
        found.setdefault(needed, set()).add(wanted_by)
        _follow(needed, requirement.extras or {""}, wanted_by, found)


def _needs(wanted_by: set[str]) -> str:
    return "always" if "gitops-tk" in wanted_by else ", ".join(f"`{one}`" for one in sorted(wanted_by))


def _licence(package: Distribution) -> str:
    about = package.metadata
    said = about.get("License-Expression") or ""
    if not said:
        classified = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License")]
        stated = (about.get("License") or "").strip()
        said = stated if stated and "\n" not in stated and len(stated) < 60 else ", ".join(classified)
    return said or "not stated"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
