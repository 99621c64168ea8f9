"""bump, promote and status against plain git."""

from pathlib import Path

from tests.benchmarks import fixtures
from tests.benchmarks.measure import RECIPE, TOOL, paired, run
from tests.support import repositories as repo
from tests.support.git_server import serve

_REQUEST, _CONNECTION = 0.040, 0.080


def bump(folder: Path) -> list[str]:
    """bump of one service over file://, small and large repositories."""
    rows = []
    for services, aim in ((10, "-"), (3000, "2.5")):
        remote = fixtures.gitops(folder / f"bump-{services}.git", services)
        url = f"file://{remote}"
        found = paired(
            lambda number, url=url: [
                TOOL,
                "bump",
                fixtures.service(7),
                "-e",
                "dev",
                "--tag",
                f"t{number + 1}",
                "--repo",
                url,
            ],
            lambda number, url=url: ["sh", RECIPE, url, fixtures.path(8), f"t{number + 1}"],
        )
        rows.append(
            f"| bump, {services} services, file:// | {found.ours:.3f} s | {found.theirs:.3f} s | {found.ratio:.2f} "
            f"| {aim} | {found.megabytes:.0f} MB |"
        )
    return rows


def http(folder: Path) -> list[str]:
    """bump of one service over HTTP with 40 ms a request and 80 ms a connection."""
    fixtures.gitops(folder / "http.git", 3000)
    with serve(folder, request_delay=_REQUEST, connection_delay=_CONNECTION) as server:
        url = server.url("http.git")
        found = paired(
            lambda number: [TOOL, "bump", fixtures.service(7), "-e", "dev", "--tag", f"t{number + 1}", "--repo", url],
            lambda number: ["sh", RECIPE, url, fixtures.path(8), f"t{number + 1}"],
        )
        before, connections = len(server.counts.requests), server.counts.connections
        run([TOOL, "bump", fixtures.service(7), "-e", "dev", "--tag", "last", "--repo", url])
        requests, connections = len(server.counts.requests) - before, server.counts.connections - connections
    return [
        f"| bump, 3000 services, HTTP | {found.ours:.3f} s | {found.theirs:.3f} s | {found.ratio:.2f} | 1.15 "
        f"| {requests} requests, {connections} connections |"
    ]


def promote(folder: Path) -> list[str]:
    """promote of 100 services in one commit, against bump of one."""
    remote = fixtures.gitops(folder / "promote.git", 3000)
    url = f"file://{remote}"
    named = [fixtures.service(number) for number in range(100)]

    def hundred(number: int) -> list[str]:
        tag = f"p{number + 1}"
        repo.commit(remote, {fixtures.path(one): fixtures.values(one, "dev", tag) for one in range(100)})
        return [TOOL, "promote", "dev", "staging", *named, "--repo", url]

    found = paired(
        hundred,
        lambda number: [TOOL, "bump", fixtures.service(200), "-e", "dev", "--tag", f"b{number + 1}", "--repo", url],
    )
    return [
        f"| promote of 100 services, against bump | {found.ours:.3f} s | {found.theirs:.3f} s | {found.ratio:.2f} "
        f"| 3.0 | {found.megabytes:.0f} MB |"
    ]


def charts(folder: Path) -> list[str]:
    """promote of 100 services whose charts differ, too, against 100 of which only the images do."""
    remote = fixtures.with_charts(folder / "charts.git", 1000)
    url = f"file://{remote}"

    def hundred(first: int, number: int, *, edited: bool) -> list[str]:
        files = {}
        for one in range(first, first + 100):
            files[fixtures.path(one)] = fixtures.values(one, "dev", f"c{number + 1}")
            if edited:
                files |= fixtures.chart(one, "dev", number + 1)
        repo.commit(remote, files)
        return [TOOL, "promote", "dev", "staging", *map(fixtures.service, range(first, first + 100)), "--repo", url]

    found = paired(
        lambda number: hundred(0, number, edited=True),
        lambda number: hundred(100, number, edited=False),
    )
    return [
        f"| promote of 100 with their charts, against images alone | {found.ours:.3f} s | {found.theirs:.3f} s "
        f"| {found.ratio:.2f} | 1.5 | {found.megabytes:.0f} MB |"
    ]


def status(folder: Path) -> list[str]:
    """status over 9,000 values files from a remote, and over a third of them."""
    rows = []
    for services, limit in ((1000, "-"), (3000, "4 s")):
        remote = fixtures.gitops(folder / f"status-{services}.git", services)
        url = f"file://{remote}"
        found = paired(
            lambda _, url=url: [TOOL, "status", "--repo", url, "-o", "json"],
            lambda number, url=url, here=folder, size=services: [
                *("git", "clone", "-q", "--bare", "--depth", "1", url, str(here / f"clone-{size}-{number}")),
            ],
            runs=5,
        )
        rows.append(
            f"| status, {services * 3} files, against a shallow clone | {found.ours:.2f} s | {found.theirs:.3f} s "
            f"| {found.ratio:.1f} | {limit} | {found.megabytes:.0f} MB |"
        )
    return rows
