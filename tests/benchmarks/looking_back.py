"""history and rollback in a repository of 50,000 commits and 9,000 files, from a cold start."""

import random
import subprocess
from pathlib import Path

from tests.benchmarks import fixtures
from tests.benchmarks.measure import TOOL, paired
from tests.support import repositories as repo

_SERVICES, _COMMITS = 3000, 50_000
_RUNS = 3
_START, _STEP = 1_600_000_000, 3000


def looking_back(folder: Path) -> list[str]:
    """history against what git does best alone, a path-limited log over all trees; rollback against bump."""
    remote = folder / "long.git"
    if not remote.exists():
        _long(remote)
    url = f"file://{remote}"
    name = fixtures.service(7)
    script = (
        'rm -rf "$2"; git clone -q --bare --single-branch --no-tags --filter=blob:none "$1" "$2" && '
        'git -C "$2" log --first-parent --raw --format="%H %ct %an" -- "$3" "$4" "$5"'
    )
    paths = [fixtures.path(7, env) for env in fixtures.ENVIRONMENTS]
    log = paired(
        lambda _: [TOOL, "history", name, "--repo", url, "-o", "json"],
        lambda _: ["sh", "-c", script, "sh", url, str(folder / "best"), *paths],
        runs=_RUNS,
    )
    back = paired(
        lambda _: [TOOL, "rollback", name, "-e", "prod", "--dry-run", "--repo", url],
        lambda number: [TOOL, "bump", name, "-e", "dev", "--tag", f"b{number}", "--dry-run", "--repo", url],
        runs=_RUNS,
    )
    return [
        f"| history, against clone and log | {log.ours:.2f} s | {log.theirs:.1f} s | {log.ratio:.2f} | 1.3 "
        f"| {log.megabytes:.0f} MB |",
        f"| rollback, against bump | {back.ours:.2f} s | {back.theirs:.2f} s | {back.ratio:.1f} | 10 s "
        f"| {back.megabytes:.0f} MB |",
    ]


def _long(folder: Path) -> None:
    """Builds that reach each environment less often than the one before; the commits are the tool's."""
    repo.bare(folder)
    process = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE)
    assert process.stdin is not None
    files = {"gitops-tk.yaml": repo.CONFIG}
    for number in range(_SERVICES):
        files |= {fixtures.path(number, env): fixtures.values(number, env, "v0") for env in fixtures.ENVIRONMENTS}
    process.stdin.write(_commit(0, "start", files))
    chance, builds, made = random.Random(1), dict.fromkeys(range(_SERVICES), 0), 1
    while made < _COMMITS:
        number = chance.randrange(_SERVICES)
        builds[number] += 1
        for env in fixtures.ENVIRONMENTS:
            if made == _COMMITS or (env != "dev" and chance.random() < 0.3):
                break
            tag, before = f"v{builds[number]}", f"v{builds[number] - 1}"
            place = f"{env}/{fixtures.service(number)}"
            said = f"bump: {place}\n\nGitops-Tk-Command: bump\nGitops-Tk-Change: {place} image.tag {before} -> {tag}\n"
            file = {fixtures.path(number, env): fixtures.values(number, env, tag)}
            process.stdin.write(_commit(made, said, file))
            made += 1
    process.stdin.close()
    assert process.wait() == 0
    repo.git(folder, "repack", "-adq")


def _commit(number: int, message: str, files: dict[str, bytes]) -> bytes:
    when = _START + _STEP * number
    head = f"commit refs/heads/main\ncommitter A Person <person@example.com> {when} +0000\n".encode()
    parts = [b"M 100644 inline %s\n%s" % (path.encode(), _data(content)) for path, content in files.items()]
    return b"".join([head, _data(message.encode()), *parts, b"\n"])


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
