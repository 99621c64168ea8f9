"""validate of a large repository, with one process and with two."""

import shutil
from pathlib import Path

from tests.benchmarks.fixtures import ENVIRONMENTS, service
from tests.benchmarks.measure import TOOL, peak, run

_SERVICES = 300


def validate(folder: Path) -> list[str]:
    """Seconds for 300 scaffolded services in three environments, of a whole process."""
    root = folder / "validate"
    run([TOOL, "init", str(root)])
    first = root / "services" / service(0)
    run([TOOL, "new-service", service(0), "--image", f"registry.example.com/{service(0)}", "--repo", str(root)])
    for number in range(1, _SERVICES):
        copied = root / "services" / service(number)
        shutil.copytree(first, copied)
        # Charts of their own: no text of one is that of another.
        for path in (one for one in copied.rglob("*") if one.is_file()):
            path.write_text(path.read_text(encoding="utf-8").replace(service(0), service(number)), encoding="utf-8")
    rows = []
    for jobs in ("1", "2"):
        command = [TOOL, "validate", "--repo", str(root), "--jobs", jobs]
        seconds = run(command)
        rows.append(
            f"| validate, {_SERVICES} services x {len(ENVIRONMENTS)} environments, {jobs} process"
            f"{'es' if jobs != '1' else ''} | {seconds:.1f} s "
            f"| {seconds / _SERVICES / len(ENVIRONMENTS) * 1000:.0f} ms "
            f"| {peak(command):.0f} MB |"
        )
    return rows
