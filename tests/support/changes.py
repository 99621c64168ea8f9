"""Changes of small repositories with small charts, and the evidence of them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_tk.model.changes import ChangeSet, Operation
from gitops_tk.model.evidence import Evidence, ReleaseChange
from gitops_tk.model.history import Commit, Version
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.workflows.comparing import evidence
from gitops_tk.workflows.promote import PromoteRequest, plan
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.views import Views
from tests.support import repositories as repo

EMBEDDED = {"GITOPS_TK_HELM": "embedded"}
# A Deployment with its image and a ConfigMap: enough to see what becomes of values.
DEPLOYMENT = b"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    metadata:
      annotations:
        checksum/config: {{ toYaml .Values.config | sha256sum }}
    spec:
      containers:
        - name: web
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
"""
CONFIGMAP = b"""apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  {{- toYaml .Values.config | nindent 2 }}
"""
VALUES = b"image: {repository: registry.example.com/web, tag: ''}\nreplicas: 2\nconfig: {LEVEL: info}\n"


def chart(name: str = "web", **templates: bytes) -> dict[str, bytes]:
    """A chart's files by their paths inside it."""
    about = f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n".encode()
    return {
        "Chart.yaml": about,
        "values.yaml": VALUES,
        "templates/deployment.yaml": DEPLOYMENT,
        "templates/configmap.yaml": CONFIGMAP,
        **{f"templates/{file}.yaml": data for file, data in templates.items()},
    }


def repository(
    services: Sequence[str] = ("web",),
    config: bytes = repo.CONFIG,
    tags: Mapping[str, str] | None = None,
    **templates: bytes,
) -> dict[str, bytes]:
    """A GitOps repository's files: every service with a chart, in dev, staging and prod."""
    files = {"gitops-tk.yaml": config}
    for service in services:
        files |= {f"services/{service}/chart/{path}": data for path, data in chart(service, **templates).items()}
        for env in ("dev", "staging", "prod"):
            tag = (tags or {}).get(env, "v1.0.0")
            files[f"services/{service}/envs/{env}.yaml"] = f"image:\n  tag: {tag}\n".encode()
    return files


class NoHistory:
    """A history of nothing."""

    def __call__(self, *_: Any, **__: Any) -> Iterator[Version]:
        return iter(())

    def commits(self) -> Sequence[Commit]:
        return ()

    def at(self, commit: str) -> Snapshot:
        raise KeyError(commit)


def views(files: Mapping[str, bytes], others: Mapping[str, int] | None = None, history: Any = None) -> Views:
    """The views of a repository in memory."""
    snapshot = MemorySnapshot(files, others)
    return Views(
        snapshot, history or NoHistory(), lambda *_: {}, time.time(), lambda: "A <a@example.com>", lambda: None
    )


def promotion(view: Views, environ: Mapping[str, str] | None = None, **more: Any) -> Evidence:
    """The evidence of a promotion from staging to prod."""
    planned = plan(PromoteRequest(source="staging", target="prod"), view, None)
    return evidence.evidence(view, planned, {**EMBEDDED, **(environ or {})}, **more)


def between(before: Snapshot, after: Snapshot) -> tuple[ReleaseChange, ...]:
    """The releases that differ between two states of a repository."""
    return evidence.compared(before, after, changed_paths(before, after), EMBEDDED, Target())[0]


def changed(
    files: Mapping[str, bytes], *operations: Operation, others: Mapping[str, int] | None = None
) -> tuple[ReleaseChange, ...]:
    """The releases that differ once some operations are carried out."""
    before = MemorySnapshot(files, others)
    return between(before, Overlay(before, ChangeSet(operations)))
