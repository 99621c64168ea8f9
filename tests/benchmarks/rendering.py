"""Rendering all environments of a service with the embedded engine, in one process."""

import os
import statistics
import time
from pathlib import Path

from gitops_tk.config.load import load
from gitops_tk.repository.checkout import Checkout
from gitops_tk.workflows.releases import Charts, Renderer, Target
from tests.benchmarks.measure import TOOL, run


def render(folder: Path) -> list[str]:
    """Milliseconds an environment after the first, from the files on disk to the manifest."""
    run([TOOL, "init", str(folder / "render")])
    here = Path.cwd()
    os.chdir(folder / "render")
    run([TOOL, "new-service", "user-service", "--image", "registry.example.com/user-service"])
    os.chdir(here)
    snapshot = Checkout(folder / "render").snapshot()
    config = load(snapshot)
    renderer = Renderer(snapshot, config, Charts({}))
    times = []
    for _ in range(15):
        for environment in config.environments:
            began = time.perf_counter()
            renderer.release("user-service", environment).manifest(Target())
            times.append((time.perf_counter() - began) * 1000)
    rest = times[1:]
    return [f"| render, each after the first | {statistics.median(rest):.1f} ms | most {max(rest):.1f} ms | 25 ms |"]
