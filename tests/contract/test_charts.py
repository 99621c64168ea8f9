"""render and validate, through the whole program, on a scaffolded service."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.support import repositories as repo
from tests.support.cli import run, run_json


def test_render_prints_what_helm_prints(checkout: Path) -> None:
    ran = run("render", "user-service", "-e", "prod", cwd=checkout)
    assert ran.status == 0
    assert ran.out.startswith("---\n# Source: user-service/templates/networkpolicy.yaml\n")
    kinds = [document["kind"] for document in yaml.safe_load_all(ran.out)]
    assert kinds == [
        *("NetworkPolicy", "PodDisruptionBudget", "ServiceAccount", "ConfigMap", "Service", "Deployment"),
        *("HorizontalPodAutoscaler", "Pod"),
    ]
    assert run_json("render", "user-service", "-e", "prod", cwd=checkout).json["manifest"] == ran.out


def test_a_null_in_a_values_file_takes_away_what_the_chart_has(checkout: Path) -> None:
    own = checkout / "services/user-service/envs/prod.yaml"
    own.write_text(own.read_text() + "resources:\n  limits:\n    memory: null\n")
    documents = list(yaml.safe_load_all(run("render", "user-service", "-e", "prod", cwd=checkout).out))
    (deployment,) = (one for one in documents if one["kind"] == "Deployment")
    resources = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert (resources["limits"], set(resources["requests"])) == ({}, {"cpu", "memory"})


def test_render_of_a_remote_is_the_same(checkout: Path, tmp_path: Path) -> None:
    repo.git(tmp_path, "clone", "--quiet", "--bare", str(checkout), "r.git")
    here = run("render", "user-service", "-e", "dev", cwd=checkout).out
    assert run("render", "user-service", "-e", "dev", "--repo", f"file://{tmp_path}/r.git", cwd=tmp_path).out == here


def test_validate_finds_nothing_in_what_was_scaffolded(checkout: Path) -> None:
    assert run("validate", cwd=checkout).out == "valid: 3 releases\n"
    assert run_json("validate", "user-service", "-e", "dev", cwd=checkout).json["releases"] == 1


@pytest.mark.parametrize(
    ("path", "old", "new", "code", "place"),
    [
        (
            "services/user-service/envs/dev.yaml",
            'tag: ""',
            "tag: v1\n  tga: x",
            "values-schema",
            ("services/user-service/envs/dev.yaml", 3),
        ),
        ("envs/dev.yaml", "replicaCount: 1", "replicaCount: many", "values-schema", ("envs/dev.yaml", 2)),
        (
            "services/user-service/envs/dev.yaml",
            'tag: ""',
            "tag: latest",
            "render",
            ("services/user-service/chart/templates/deployment.yaml", None),
        ),
        (
            "services/user-service/chart/templates/service.yaml",
            "kind: Service",
            "kind: Servce",
            "kubernetes-unknown-kind",
            ("services/user-service/chart/templates/service.yaml", None),
        ),
        (
            "services/user-service/chart/templates/service.yaml",
            "  type: {{",
            "  typ: {{",
            "kubernetes-schema",
            ("services/user-service/chart/templates/service.yaml", None),
        ),
        (
            "services/user-service/chart/templates/service.yaml",
            "spec:",
            "spec: [",
            "manifest-yaml",
            ("services/user-service/chart/templates/service.yaml", None),
        ),
        ("services/user-service/chart/templates/service.yaml", "{{- end }}", "{{- ende }}", "chart-load", None),
        (
            "services/user-service/chart/Chart.yaml",
            "type: application",
            "type: application\nkubeVersion: '<1.2.0'",
            "kube-version",
            ("services/user-service/chart/Chart.yaml", None),
        ),
        (
            "services/user-service/chart/Chart.yaml",
            "type: application",
            "dependencies: [{name: db, version: 1.0.0, repository: 'https://x.example'}]",
            "missing-dependency",
            ("services/user-service/chart/Chart.yaml", None),
        ),
        (
            "services/user-service/envs/dev.yaml",
            "image:",
            "image:\nimage:",
            "duplicate-key",
            ("services/user-service/envs/dev.yaml", 4),
        ),
    ],
)
def test_validate_finds_planted_faults_and_says_where(
    checkout: Path, path: str, old: str, new: str, code: str, place: tuple[str, int | None] | None
) -> None:
    file = checkout / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1) if old != "{{- end }}" else text.replace(old, new))
    ran = run_json("validate", "user-service", "-e", "dev", cwd=checkout)
    assert (ran.status, ran.json["outcome"]) == (5, "invalid"), ran.out
    problem = ran.json["problems"][0]
    assert problem["code"] in (code, "render")
    if place:
        assert problem["file"] == place[0]
        assert place[1] is None or problem["line"] == place[1]


def test_a_link_in_a_chart_is_refused(checkout: Path) -> None:
    (checkout / "services/user-service/chart/templates/passwd.yaml").symlink_to("/etc/hostname")
    ran = run_json("render", "user-service", "-e", "dev", cwd=checkout)
    assert (ran.status, ran.code) == (1, "chart-not-plain")


def test_a_link_in_the_place_of_a_chart_is_none_and_is_told(checkout: Path) -> None:
    chart = checkout / "services/user-service/chart"
    chart.rename(checkout / "chart")
    chart.symlink_to("../../chart")
    ran = run_json("render", "user-service", "-e", "dev", cwd=checkout)
    assert (ran.status, ran.code) == (1, "chart-not-plain")
    ran = run_json("validate", cwd=checkout)
    assert (ran.status, ran.code) == (5, "chart-not-plain")


def test_an_unknown_kubernetes_version_is_told(checkout: Path) -> None:
    ran = run_json("validate", "--kube-version", "9.9", cwd=checkout)
    assert (ran.status, ran.code) in ((2, "unknown-kube-version"),)


def test_a_dependency_in_the_repository_is_used(checkout: Path) -> None:
    chart = checkout / "services/user-service/chart/Chart.yaml"
    chart.write_text(
        chart.read_text()
        + "dependencies:\n  - name: extra\n    version: 0.1.0\n    repository: file://../../../charts/extra\n"
    )
    extra = checkout / "charts/extra"
    (extra / "templates").mkdir(parents=True)
    (extra / "Chart.yaml").write_text("apiVersion: v2\nname: extra\nversion: 0.1.0\n")
    (extra / "templates/cm.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-extra\n")
    schema = checkout / "services/user-service/chart/values.schema.json"
    schema.write_text(schema.read_text().replace('"global": {', '"extra": {}, "global": {', 1))
    ran = run("render", "user-service", "-e", "dev", cwd=checkout)
    assert "name: from-extra" in ran.out, ran.err


def test_without_an_engine_the_error_says_how_to_get_one(checkout: Path) -> None:
    ran = run_json("render", "user-service", "-e", "dev", cwd=checkout, GITOPS_TK_HELM="no-such-helm")
    assert (ran.status, ran.code) == (1, "helm-missing")
    assert "gitops-tk[helm]" in ran.json["problems"][0]["hint"]


def test_a_broken_configuration_is_a_problem_that_validate_finds(checkout: Path) -> None:
    file = checkout / "gitops-tk.yaml"
    file.write_text(file.read_text() + "unheard-of: 1\n")
    ran = run_json("validate", cwd=checkout)
    assert (ran.status, ran.json["outcome"], ran.code) == (5, "invalid", "config-unknown-key")


def test_values_without_charts_are_valid_as_long_as_they_can_be_read(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git")
    arguments = ("validate", "--repo", f"file://{remote}")
    ran = run_json(*arguments, cwd=tmp_path, GITOPS_TK_HELM="no-such-helm")
    assert (ran.json["releases"], ran.json["without_chart"]) == (3, 3)
    told = "valid: 3 releases, 3 of them without a chart: their values alone\n"
    assert run(*arguments, cwd=tmp_path).out == told
    repo.commit(remote, {"services/user-service/envs/dev.yaml": b"a: 1\na: 2\n"})
    ran = run_json(*arguments, cwd=tmp_path)
    assert (ran.status, ran.code) == (5, "duplicate-key")


def test_each_environment_may_have_a_chart_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "gitops"
    run("init", str(folder), *repo.ARGOCD, "--chart-per-environment", "--commit", cwd=tmp_path)
    assert run("new-service", "a", "--image", "registry.example.com/a", "--commit", cwd=folder).status == 0
    assert (folder / "services/a/dev/chart/Chart.yaml").is_file()
    assert run("validate", cwd=folder).out == "valid: 3 releases\n"
    template = folder / "services/a/dev/chart/templates/service.yaml"
    template.write_text(template.read_text().replace("protocol: TCP", "protocol: SCTP"))
    assert "protocol: SCTP" in run("render", "a", "-e", "dev", cwd=folder).out
    assert "protocol: SCTP" not in run("render", "a", "-e", "prod", cwd=folder).out


def test_nothing_is_imported_from_a_checkout(checkout: Path) -> None:
    # With the console script, whose folder Python puts before all others, and not the current one.
    program = [str(Path(sys.executable).with_name("gitops-tk"))]
    shutil.copytree(checkout / "services/user-service", checkout / "services/other")
    for name in ("gitops_tk", "gitops_tk/charts", "helm_python", "multiprocessing", "json"):
        for module in ("__init__", "worker", "spawn", "decoder"):
            (checkout / name).mkdir(parents=True, exist_ok=True)
            (checkout / name / f"{module}.py").write_text(f"open({str(checkout / 'ran')!r}, 'a').write({name!r})\n")
    for arguments in (["render", "user-service", "-e", "dev"], ["validate", "--jobs", "2"]):
        done = subprocess.run([*program, *arguments], cwd=checkout, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    assert not (checkout / "ran").exists()
