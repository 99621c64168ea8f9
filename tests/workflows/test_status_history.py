"""status --history: since when, how far behind, which keys drift, and what is proposed."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support import repositories as repo
from tests.support.cli import run, run_json
from tests.support.timeline import Timeline

from gitops_tk.repository.location import remote as location
from gitops_tk.repository.objects import Objects
from gitops_tk.repository.remote import Remote
from gitops_tk.workflows.status import status
from gitops_tk.workflows.status_history import lately, proposals
from gitops_tk.workflows.views import Views

CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: prod
    protected: [replicas]
"""


def values(tag: str, more: str = "") -> bytes:
    return f"image:\n  tag: {tag}\n{more}".encode()


def test_history_says_since_when_how_far_behind_and_what_drifts() -> None:
    dev, prod = (f"services/a/envs/{env}.yaml" for env in ("dev", "prod"))
    made = Timeline("2026-03-01T00:00:00", {"gitops-tk.yaml": CONFIG, dev: values("v1"), prod: values("v1")})
    made.commit("2026-03-03T00:00:00", {dev: values("v2")})
    made.commit("2026-03-04T00:00:00", {dev: values("v3", "level: debug\nreplicas: 1\n")})
    made.commit("2026-03-05T00:00:00", {prod: values("v1", "level: info\nreplicas: 9\n")})
    views = made.views("2026-03-06T00:00:00")
    first, second = lately(views, status(views.snapshot, now=views.now))
    assert (first.since, first.behind, first.drift) == ("2026-03-04T00:00:00Z", None, ())
    assert (second.since, second.seconds, second.behind) == ("2026-03-01T00:00:00Z", 5 * 86400, 3 * 86400)
    assert [(one.key, one.there, one.here) for one in second.drift] == [("level", "debug", "info")]
    open_ = replace(views, proposals=lambda: ["gitops-tk/prod/a.hold", "gitops-tk/qa/a", "gitops-tk/odd"])
    assert proposals(open_, ["dev", "prod"]) == [{"branch": "gitops-tk/prod/a.hold", "env": "prod", "about": "a.hold"}]


def test_status_shows_it_with_the_proposals_of_the_remote(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git", ["a"])
    repo.commit(remote, {"services/a/envs/dev.yaml": repo.values("a", "dev", "v2")})
    repo.git(remote, "branch", "gitops-tk/prod/a", "main")
    found = run_json("status", "--history", "--repo", f"file://{remote}", cwd=tmp_path).json
    assert [(one["env"], one["behind"] is None) for one in found["history"]] == [
        ("dev", True),
        ("staging", False),
        ("prod", True),
    ]
    assert found["proposals"] == [{"branch": "gitops-tk/prod/a", "env": "prod", "about": "a"}]
    here = repo.checkout(remote, tmp_path / "here")
    assert "proposed: gitops-tk/prod/a\n" in run("status", "--history", cwd=here).out


def test_a_folder_is_looked_up_once_for_all_services_and_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = [f"s{number}" for number in range(160)]
    remote = repo.gitops(tmp_path / "r.git", services)
    for service in services[:3]:
        repo.commit(remote, {f"services/{service}/envs/dev.yaml": repo.values(service, "dev", "v2")}, message="by hand")
    asked: Counter[str] = Counter()
    original = Objects._request

    def counted(self: Objects, names: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        listed = list(names)
        asked.update(listed)
        return original(self, listed)

    monkeypatch.setattr(Objects, "_request", counted)
    with Remote(location(f"file://{remote}"), None, os.environ) as opened:
        views = Views.of(opened, opened.snapshot())
        found = lately(views, status(views.snapshot, now=views.now))
    brought = [one.service for one in found if one.commit == views.history.commits()[-1].oid]
    assert len(brought) == 3 * len(services) - 3
    # Asked for in vain before it is fetched, by the status of now, and by its history.
    assert max(asked.values()) <= 3
