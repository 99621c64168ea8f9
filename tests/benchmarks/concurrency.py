"""Many pipelines at once on one branch: what lands, in how many tries and how long."""

import json
import random
import signal
import statistics
import time
from pathlib import Path

from tests.benchmarks import fixtures
from tests.support import repositories as repo
from tests.support.cli import start
from tests.support.git_server import serve

_REQUEST, _CONNECTION = 0.040, 0.080


def fifty(folder: Path) -> list[str]:
    """50 bumps of 50 services at once."""
    remote = fixtures.gitops(folder / "fifty.git", 100)
    commits = repo.count(remote)
    rows = _race(folder, remote, [_bump(number) for number in range(50)])
    assert repo.count(remote) == commits + 50
    assert repo.git(remote, "rev-list", "--merges", "main") == ""
    for number in range(50):
        assert repo.show(remote, fixtures.path(number)) == fixtures.values(number, "dev", f"new-{number}")
    return [f"| 50 bumps of 50 services | {rows} |"]


def one_file(folder: Path) -> list[str]:
    """10 writers of one values file, each with an image of its own."""
    names = [f"part{number}" for number in range(10)]
    config = repo.CONFIG + ("images:\n" + "".join(f"  {name}: {{tag: {name}.tag}}\n" for name in names)).encode()
    values = "".join(f"{name}:\n  tag: v1\n" for name in names).encode()
    remote = repo.bare(folder / "one.git", {"gitops-tk.yaml": config, "services/a/envs/dev.yaml": values})
    rows = _race(folder, remote, [["bump", "a", "-e", "dev", "--image", name, "--tag", "v2"] for name in names])
    assert repo.show(remote, "services/a/envs/dev.yaml") == values.replace(b"v1", b"v2")
    assert repo.count(remote) == 11
    return [f"| 10 writers of one file | {rows} |"]


def killed(folder: Path) -> list[str]:
    """20 bumps of which 5 are killed at random moments."""
    remote = fixtures.gitops(folder / "killed.git", 100)
    commits = repo.count(remote)
    with serve(folder, request_delay=_REQUEST, connection_delay=_CONNECTION) as server:
        url = server.url(remote.name)
        running = [start(*_bump(number), "--repo", url, "-o", "json", cwd=folder) for number in range(20)]
        victims = random.Random(7).sample(range(20), 5)
        for number in victims:
            time.sleep(random.Random(number).uniform(0.1, 0.8))
            running[number].send_signal(signal.SIGKILL)
        ended = [process.communicate()[0] for process in running]
    landed = [number for number in range(20) if f"new-{number}\n".encode() in repo.show(remote, fixtures.path(number))]
    assert set(range(20)) - set(victims) <= set(landed)
    assert repo.count(remote) == commits + len(landed)
    assert repo.git(remote, "fsck", "--connectivity-only", "--no-dangling") == ""
    survivors = [json.loads(out) for number, out in enumerate(ended) if number not in victims]
    assert all(one["outcome"] == "changed" for one in survivors)
    return [f"| 20 bumps, 5 killed | {len(landed)} of 20 landed, all 15 that were not killed; nothing doubled |"]


def _bump(number: int) -> list[str]:
    return ["bump", fixtures.service(number), "-e", "dev", "--tag", f"new-{number}"]


def _race(folder: Path, remote: Path, commands: list[list[str]]) -> str:
    with serve(folder, request_delay=_REQUEST, connection_delay=_CONNECTION) as server:
        url = server.url(remote.name)
        began = time.perf_counter()
        running = [start(*command, "--repo", url, "-o", "json", cwd=folder) for command in commands]
        tries, seconds = [], []
        waiting = dict(enumerate(running))
        while waiting:
            for number, process in list(waiting.items()):
                if process.poll() is not None:
                    seconds.append(time.perf_counter() - began)
                    found = json.loads(process.communicate()[0])
                    assert found["outcome"] == "changed", found
                    tries.append(found["attempts"])
                    del waiting[number]
            time.sleep(0.005)
    return (
        f"all landed; tries: median {statistics.median(tries):.0f}, most {max(tries)}; "
        f"seconds: median {statistics.median(seconds):.1f}, last {max(seconds):.1f}"
    )
