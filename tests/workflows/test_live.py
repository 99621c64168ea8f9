"""status --live: what Argo CD says runs, beside what git says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import published
from tests.support import repositories as repo
from tests.support.argocd_server import App, ArgoCD, state
from tests.support.cli import run, run_json
from tests.support.forges.server import TOKEN, ForgeServer, serve

CONFIG = repo.CONFIG + b"argocd:\n  repository: https://git.example.com/shop/gitops.git\n"
IMAGE = "registry.example.com/shop/user-service:"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgeServer]:
    with serve(tmp_path, ArgoCD) as running:
        yield running


def test_what_runs_otherwise_than_git_says_is_marked_in_one_request(server: ForgeServer, tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "gitops.git", ["user-service"], CONFIG)
    repo.commit(remote, {"services/new/envs/dev.yaml": b"image: {tag: ''}\n"})
    assert isinstance(server.dialect, ArgoCD)
    apps = server.dialect.apps
    apps["user-service-dev"] = App([state("a" * 40, image=IMAGE + "v1.0.0")])
    apps["user-service-staging"] = App([state("a" * 40, "OutOfSync", image=IMAGE + "v0.9.0")])
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN}
    arguments = ("status", "--live", "--repo", f"file://{remote}")
    text = run(*arguments, cwd=tmp_path, **there)
    assert text.status == 0
    assert text.out.splitlines()[2:] == [
        "user-service  v1.0.0          v1.0.0 ~  v1.0.0 ~",
        "",
        "~ user-service in staging: Argo CD runs user-service:v0.9.0, OutOfSync and Healthy",
        "~ user-service in prod: Argo CD has no Application user-service-prod",
    ]
    assert len(server.seen.requests) == 1
    live = run_json(*arguments, cwd=tmp_path, **there).json["live"]
    assert [(one["env"], one["differs"]) for one in live] == [("dev", False), ("staging", True), ("prod", True)]
    apps["user-service-staging"] = apps["user-service-prod"] = apps["user-service-dev"]
    assert "as synced and healthy" in run(*arguments, cwd=tmp_path, **there).out


def test_another_chart_than_git_pins_is_marked(server: ForgeServer, tmp_path: Path) -> None:
    layout = b"layout: {chart: {oci: oci://registry.example.com/charts/web}}\n"
    files = {"gitops-tk.yaml": CONFIG + layout}
    files |= {f"services/a/envs/{env}.yaml": published.values("a", env, "v1", "1.1.0") for env in ("dev", "prod")}
    remote = repo.bare(tmp_path / "gitops.git", files)
    assert isinstance(server.dialect, ArgoCD)
    for env, version in (("dev", "1.1.0"), ("prod", "1.0.0")):
        server.dialect.apps[f"a-{env}"] = App([state("a" * 40, image=IMAGE + "v1", chart=version)])
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN}
    live = run_json("status", "--live", "--repo", f"file://{remote}", cwd=tmp_path, **there).json["live"]
    assert [(one["env"], one["differs"]) for one in live] == [("dev", False), ("prod", True)]


def test_without_an_argo_cd_it_says_what_is_missing(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "gitops.git", ["user-service"], CONFIG)
    ran = run_json("status", "--live", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code) == (2, "no-argocd")
