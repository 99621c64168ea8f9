"""A GitOps repository with a past, and what a planted pull request is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support import repositories as repo

DAY = 86400
D1, D2, D3, D9 = (f"sha256:{letter * 64}" for letter in "1239")
_TODAY = datetime.now(UTC).date()
_FROM, _TO = (_TODAY + timedelta(days=days) for days in (-2, 2))

CONFIG = f"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
    publish: pull-request
    protected: [config.DB_*, replicas]
    override: [protected]
  - name: prod
    publish: pull-request
    override: [soak, foreign-repository]
    gates:
      soak: 24h
      order: true
  - name: frozen
    from: [staging]
    accepts: [promotion, rollback, values, service, chart, shared, hold, removal]
    gates:
      freeze: [{{reason: stock-taking, from: {_FROM}, to: {_TO}}}]
  - name: strict
    from: [staging]
    accepts: [promotion, rollback]
  - name: asked
    from: [staging]
    accepts: [promotion, rollback, values, shared, service]
    gates:
      commands: [{{name: agree, run: [checks/agree.sh]}}]
  - name: watched
    from: [staging]
    gates: {{healthy: true}}
argocd:
  repository: https://git.example.com/shop/gitops.git
promotion:
  keys: ["config.*", "!config.DB_*"]
services:
  whole: {{images: {{default: {{reference: app.image}}}}}}
  listed: {{images: {{web: {{tag: "images[name=web].newTag"}}, job: {{tag: "images[name=job].newTag"}}}}}}
""".encode()
PER_ENVIRONMENT = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
    publish: pull-request
layout:
  chart: services/{service}/{env}/chart
"""
PROJECT = b"""apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: gitops}
spec:
  sourceRepos: ["https://git.example.com/shop/gitops.git"]
  namespaceResourceBlacklist: [{group: "", kind: LimitRange}, {group: "", kind: ResourceQuota}, {group: "", kind: Pod}]
  syncWindows: [{kind: deny, schedule: "0 0 * * *", duration: 8h}]
"""
ELSEWHERE = b"""apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: tools}
spec:
  source: {repoURL: "https://git.example.com/shop/tools.git"}
"""
APPS = b"""apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: gitops-dev}
spec:
  generators:
    - git:
        files: [{path: "services/*/envs/dev.yaml"}, {path: "extra/*.yaml"}]
"""
ENVS = ("dev", "staging", "prod", "frozen", "strict", "asked", "watched")
CHART = b"image:\n  repository: example.com/a\n  tag: ''\n  digest: ''\nreplicas: 1\nconfig:\n  DB_HOST: localhost\n"
WHOLE = b"app:\n  image: example.com/whole:v1.0.0\n"
LISTED = (
    b"images:\n  - name: web\n    newName: example.com/web\n    newTag: v1.0.0\n"
    b"  - name: job\n    newName: example.com/job\n    newTag: v1.0.0\n"
)
_ABOUT = b"apiVersion: v2\nname: a\nversion: 0.1.0\n"
_TEMPLATE = b"kind: ConfigMap\n"


def own(tag: str, digest: str = D1, level: str = "info", more: str = "") -> bytes:
    """A service's values, as a person would write them."""
    return (
        f"# what it runs\nimage:\n  tag: {tag} # by CI\n  digest: {digest}\n\n"
        f"config:\n  LEVEL: {level}\n  DB_HOST: db.example.com\nreplicas: 2\n{more}"
    ).encode()


def counted(tag: str, build: int | None) -> bytes:
    """Values of a service whose builds have numbers."""
    return f"image:\n  tag: {tag}\n".encode() + (f"  build: {build}\n".encode() if build is not None else b"")


def path(service: str, env: str) -> str:
    """Where a service's own values are."""
    return f"services/{service}/envs/{env}.yaml"


@dataclass(frozen=True)
class Case:
    """A pull request.

    Attributes:
        rule: the one that refuses it; None for a good one.
        files: what it writes; None deletes.
        message: of its commit.
        past: which repository it is made for.
        base: what the base has got since.
        first: what a commit before it writes.
    """

    name: str
    rule: str | None
    files: Mapping[str, bytes | None]
    modes: Mapping[str, str] = field(default_factory=dict)
    message: str = "by hand"
    past: str = "shared"
    base: Mapping[str, bytes | None] = field(default_factory=dict)
    first: Mapping[str, bytes | None] = field(default_factory=dict)


_RENAMED: dict[str, bytes | None] = {path("renamed", env): own("v1.1.0", D2) for env in ("dev", "staging")}


# What came after that: how many days ago, and the files.
_STEPS: Sequence[tuple[float, Mapping[str, bytes | None]]] = (
    (25, {path("loose", "dev"): own("bbb", D2), path("loose", "staging"): own("bbb", D2)}),
    (24, {path("loose", "staging"): own("aaa")}),
    (23, {path("former", env): own("v1.1.0", D2) for env in ("dev", "staging")}),
    (22, {path("former", env): None for env in ("dev", "staging")} | _RENAMED),
    (20, {path("a", "dev"): own("v1.1.0", D2, "debug"), path("held", "dev"): own("v1.1.0", D2)}),
    (10, {path("a", "staging"): own("v1.1.0", D2, "debug"), path("b", "staging"): own("v3.0.0", D9)}),
    (9, {path("a", "dev"): own("v1.2.0", D3, "debug"), path("b", "dev"): own("v1.1.0", D2)}),
    (8, {path("b", "staging"): own("v1.1.0", D2)}),
    (7, {path("b", "asked"): own("v0.9.0", D9), path("b", "dev"): own("v2.0.0", D3)}),
    (
        6.95,
        {path("moving", "dev"): own("v1.0.0").replace(b"image:\n", b"image:\n  repository: new.example.com/a\n")},
    ),
    (6.95, {path("whole", "dev"): WHOLE.replace(b"v1.0.0", b"v1.1.0")}),
    (6.95, {path("listed", "dev"): LISTED.replace(b"v1.0.0", b"v1.1.0")}),
    (6.95, {path("counted", "dev"): counted("b1", 2)}),
    (6.94, {path("counted", "dev"): counted("b2", 3)}),
    (6.93, {path("counted", "staging"): counted("b2", 3)}),
    (6.9, {path("few", "dev"): own("v1.1.0", D2)}),
    (6.8, {path("few", "dev"): own("v2.0.0", D3)}),
    (6.7, {path("few", "staging"): own("v2.0.0", D3)}),
    (6.6, {path("few", "dev"): own("v2.1.0", D9)}),
    (6, {path("b", "asked"): own("v1.0.0"), path("b", "prod"): own("v1.1.0", D2)}),
    (0.04, {path("b", "staging"): own("v2.0.0", D3)}),
)


def shared(folder: Path) -> Path:
    """A repository whose environments share their charts."""
    repo.bare(folder)
    repo.commit(folder, _first(), age=30 * DAY, modes={"checks/agree.sh": "100755"})
    for age, step in _STEPS:
        repo.commit(folder, step, age=int(age * DAY))
    return folder


def _first() -> dict[str, bytes]:
    """What it begins with."""
    files: dict[str, bytes] = {"gitops-tk.yaml": CONFIG, "README.md": b"hello\n"}
    files["checks/agree.sh"] = b"#!/bin/sh\nexit 1\n"
    files |= {"argocd/project.yaml": PROJECT, "argocd/apps-dev.yaml": APPS, "clusters/tools.yaml": ELSEWHERE}
    services = {"a": ENVS, "b": ENVS, "held": ENVS, "few": ("dev", "staging"), "two": ("dev", "strict")}
    services["lone"] = ("dev", "staging", "asked")
    services["moving"] = ("dev", "staging", "prod")
    for service, envs in services.items():
        files |= {
            f"services/{service}/chart/values.yaml": CHART,
            f"services/{service}/chart/Chart.yaml": _ABOUT,
            f"services/{service}/chart/templates/x.yaml": _TEMPLATE,
        }
        files |= {path(service, env): own("v1.0.0") for env in envs}
    files["services/lone/chart/Chart.yaml"] = _ABOUT + (
        b"dependencies: [{name: common, version: 0.1.0, repository: 'file://../../../common'}]\n"
    )
    files |= {"common/Chart.yaml": _ABOUT.replace(b"name: a", b"name: common"), "common/templates/x.yaml": _TEMPLATE}
    files[path("empty", "staging")] = own("''", "''")
    files[path("plain", "staging")] = b"image:\n  tag: v1.0.0\n"
    files |= {f"envs/{env}.yaml": b"region: eu\n" for env in ENVS}
    files["envs/asked.yaml"] = b"region: eu\nimage: {registry: mirror.example.com}\n"
    files |= {path("former", env): own("v1.0.0") for env in ("dev", "staging")}
    files |= {path("counted", env): counted("b0", 1) for env in ("dev", "staging")}
    files |= {path("whole", env): WHOLE for env in ("dev", "staging")}
    files |= {path("listed", env): LISTED for env in ("dev", "staging")}
    files[".gitops-tk/holds/staging/held.yaml"] = b"reason: it leaks\n"
    files[".gitops-tk/holds/staging/loose.yaml"] = b"reason: left\nimages: [{tag: bbb}]\n"
    files |= {path("loose", env): own("aaa") for env in ("dev", "staging")}
    return files


def charts(folder: Path) -> Path:
    """A repository with a chart for each environment."""
    files: dict[str, bytes] = {"gitops-tk.yaml": PER_ENVIRONMENT}
    for env in ("dev", "staging"):
        files |= {
            path("a", env): b"image:\n  tag: v1.0.0\n",
            f"services/a/{env}/chart/Chart.yaml": _ABOUT,
            f"services/a/{env}/chart/values.yaml": b"replicas: 1\n",
            f"services/a/{env}/chart/templates/x.yaml": _TEMPLATE,
        }
    repo.bare(folder)
    repo.commit(folder, files, age=9 * DAY)
    new = {
        "services/a/dev/chart/templates/x.yaml": b"kind: Secret\n",
        "services/a/dev/chart/values.yaml": b"replicas: 2\n",
        path("a", "dev"): b"image:\n  tag: v1.1.0\n",
    }
    repo.commit(folder, new, age=8 * DAY)
    return folder


def says(*changes: str, command: str = "promote") -> str:
    """A message as the tool would write it."""
    return f"{command}: something\n\nGitops-Tk-Command: {command}\n" + "".join(
        f"Gitops-Tk-Change: {change}\n" for change in changes
    )


# What dev has, in staging: a good promotion, to which cases add their own.
NEW = own("v1.2.0", D3, "debug")
PROMOTED = {path("a", "staging"): NEW}
