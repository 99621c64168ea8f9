"""What Argo CD would render is what `gitops-tk render` renders: an Application's sources followed by hand."""

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import argocd, published
from tests.support import repositories as repo
from tests.support.cli import run
from tests.support.registry import serve

from gitops_tk.charts.engine import Dependency, find
from gitops_tk.repository.worktree import WorktreeSnapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.render import render

_ARGOCD = b"argocd: {repository: 'https://git.example.com/shop/gitops.git'}\n"
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


def followed_from_a_registry(checkout: Path, application: dict[str, Any]) -> str:
    """The same of an Application whose chart is in a registry, and whose values are in a source of their own."""
    chart, repository = application["spec"]["sources"]
    assert chart.keys() == {"repoURL", "chart", "targetRevision", "helm"}
    assert repository.keys() == {"repoURL", "targetRevision", "ref"}
    values: dict[str, Any] = {}
    for path in chart["helm"]["valueFiles"]:
        reference, _, inside = path.partition("/")
        assert reference == f"${repository['ref']}"
        layered(values, yaml.safe_load((checkout / inside).read_text()) or {})
    helm = find({"GITOPS_TK_HELM": "embedded"})
    packed = helm.pull(Dependency(chart["chart"], chart["targetRevision"], f"oci://{chart['repoURL']}"))
    files = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            files[member.name.partition("/")[2]] = content.read()
    namespace = application["spec"]["destination"]["namespace"]
    return helm.load(files, root="chart").render(values, release=chart["helm"]["releaseName"], namespace=namespace)


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


def test_an_application_with_a_published_chart_is_rendered_as_render_renders_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path) as registry:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        published.publish(registry, "1.0.0", "1.1.0", where=_WHERE)
        files = published.repository(registry, ("web", "nightly"), {"dev": "1.1.0"}, {"dev": "v2"}, _ARGOCD)
        there = argocd.wired(tmp_path / "gitops", files | {"envs/prod.yaml": b"config: {LEVEL: warn}\n"})
        made = argocd.applications(there)
        assert len(made) == 6
        for one in made:
            labels = one["metadata"]["labels"]
            service, env = labels["gitops-tk/service"], labels["gitops-tk/environment"]
            options = Options(cwd=there, environ=dict(os.environ) | {"GITOPS_TK_HELM": "embedded"})
            ours = render(WorktreeSnapshot(there), service, env, Target(), options).details["manifest"]
            assert followed_from_a_registry(there, one) == ours
            assert f"namespace: {service}-{env}\n" in ours
            assert ("chart: '1.1.0'" in ours) is (env == "dev")
            assert ("LEVEL: warn" in ours) is (env == "prod")
