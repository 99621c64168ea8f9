"""What Argo CD would render is what `gitops-tk render` renders: an Application's sources followed by hand."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import argocd
from tests.support import repositories as repo
from tests.support.cli import run

from gitops_tk.charts.engine import find
from gitops_tk.repository.worktree import WorktreeSnapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.render import render

_WHERE = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: where\n  namespace: {{ .Release.Namespace }}\ndata:\n  \
release: {{ .Release.Name }}\n"


def followed(checkout: Path, application: dict[str, Any]) -> str:
    """The manifests of an Application, as Argo CD's repo server gets them out of Helm."""
    spec = application["spec"]
    source, root = spec["source"], checkout / spec["source"]["path"]
    assert source.keys() == {"repoURL", "targetRevision", "path", "helm"}
    assert source["helm"].keys() == {"releaseName", "valueFiles", "skipTests"}
    values: dict[str, Any] = {}
    for path in source["helm"]["valueFiles"]:
        layered(values, yaml.safe_load((root / path).read_text()) or {})
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    chart = find({"GITOPS_TK_HELM": "embedded"}).load(files, root=source["path"])
    return chart.render(values, release=source["helm"]["releaseName"], namespace=spec["destination"]["namespace"])


def layered(below: dict[str, Any], above: dict[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            layered(below[key], value)
        else:
            below[key] = value


@pytest.mark.parametrize("per_environment", [False, True])
def test_each_application_is_rendered_as_render_renders_it(tmp_path: Path, per_environment: bool) -> None:
    layout = ("--chart-per-environment",) if per_environment else ()
    run("init", "gitops", *repo.ARGOCD, *layout, "--commit", cwd=tmp_path)
    there = tmp_path / "gitops"
    for name, profile in (("web", "http"), ("nightly", "cronjob")):
        image = ("--image", f"registry.example.com/{name}", "--profile", profile)
        assert run("new-service", name, *image, "--commit", cwd=there).status == 0
    for path in there.rglob("Chart.yaml"):
        (path.parent / "templates/where.yaml").write_bytes(_WHERE)
    for path in there.glob("services/*/envs/*.yaml"):
        path.write_text(path.read_text().replace('tag: ""', f"tag: v-{path.stem}"))
    repo.git(there, "add", "--all")
    made = argocd.applications(there)
    assert [one["metadata"]["name"] for one in made] == [
        f"{name}-{env}" for name in ("nightly", "web") for env in ("dev", "prod", "staging")
    ]
    for one in made:
        labels = one["metadata"]["labels"]
        service, env = labels["gitops-tk/service"], labels["gitops-tk/environment"]
        options = Options(cwd=there, environ=dict(os.environ) | {"GITOPS_TK_HELM": "embedded"})
        ours = render(WorktreeSnapshot(there), service, env, Target(), options).details["manifest"]
        assert followed(there, one) == ours
        assert f"namespace: {service}-{env}\n" in ours
