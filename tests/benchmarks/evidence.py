"""Evidence of a large promotion: what it costs beside the promotion itself."""

import shutil
import statistics
from pathlib import Path

from tests.benchmarks.fixtures import ENVIRONMENTS, service
from tests.benchmarks.measure import TOOL, peak, run
from tests.support import repositories as repo

_SERVICES = 40
_RUNS = 5


def evidence(folder: Path) -> list[str]:
    """Seconds for 40 scaffolded services, rendered as they are and as they would be, of whole processes."""
    root = folder / "evidence"
    run([TOOL, "init", str(root)])
    first = root / "services" / service(0)
    run([TOOL, "new-service", service(0), "--image", f"registry.example.com/{service(0)}", "--repo", str(root)])
    for number in range(1, _SERVICES):
        copied = root / "services" / service(number)
        shutil.copytree(first, copied)
        for path in (one for one in copied.rglob("*") if one.is_file()):
            path.write_text(path.read_text(encoding="utf-8").replace(service(0), service(number)), encoding="utf-8")
    for number in range(_SERVICES):
        for env, tag in zip(ENVIRONMENTS, ("v1.4.0", "v1.3.0", "v1.2.0"), strict=True):
            file = root / f"services/{service(number)}/envs/{env}.yaml"
            lines = [f"  tag: {tag}" if one.startswith("  tag:") else one for one in file.read_text().splitlines()]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}
    where = ("--repo", f"file://{repo.bare(folder / 'evidence.git', files)}")
    rendered, alone = (
        [TOOL, "diff", "staging", "prod", *where],
        [TOOL, "promote", "staging", "prod", "--dry-run", *where],
    )
    ours, theirs = (statistics.median(run(command) for _ in range(_RUNS)) for command in (rendered, alone))
    return [
        f"| diff, {_SERVICES} services, each rendered twice | {ours:.2f} s | {theirs:.2f} s without evidence "
        f"| {ours - theirs:.2f} s more | aim 3 s | {peak(rendered):.0f} MB |"
    ]
