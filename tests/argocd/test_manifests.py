"""The manifests of argocd/: right by Argo CD's own definitions, and exactly the expected Applications come out."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import argocd, charts
from tests.support import repositories as repo
from tests.support.cli import run, run_json

from gitops_tk.repository.worktree import WorktreeSnapshot
from gitops_tk.workflows.wiring.generated import generated

URL = "https://git.example.com/shop/gitops.git"
NEW = ("--image", "registry.example.com/shop/x", "--commit")
THREE_CLUSTERS = f"""argocd:
  repository: {URL}
  environments:
    dev: {{cluster: dev}}
    staging: {{server: "https://staging.example.com:6443", namespace: "{{service}}"}}
    prod: {{cluster: prod-eu, self-heal: false, namespace: shop}}
"""


def config(more: str = f"argocd: {{repository: '{URL}'}}\n", layout: str = "", images: str = "") -> bytes:
    return repo.CONFIG + (layout + images + more).encode()


def services(layout: str, names: Iterable[str], tag: str = "v1") -> dict[str, bytes]:
    """Values files of services in every environment by a template."""
    return {
        layout.replace("{service}", name).replace("{env}", env): repo.values(name, env, tag)
        for name in names
        for env in ("dev", "staging", "prod")
    }


def applications(there: Path, globbing: str = "greedy") -> list[dict[str, Any]]:
    """What is generated, by Argo CD's documents and by the tool itself, which say the same."""
    expected = argocd.applications(there, globbing)
    made = generated(WorktreeSnapshot(there), globbing)
    assert made.faults == {}
    found = [{"metadata": one.metadata, "spec": one.spec} for one in made.applications]
    assert sorted(found, key=lambda one: one["metadata"]["name"]) == expected
    return expected


def names(there: Path, globbing: str = "greedy") -> list[str]:
    return [one["metadata"]["name"] for one in applications(there, globbing)]


def by_kind(there: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in argocd.manifests(there):
        found.setdefault(one["kind"], []).append(one)
    return found


CHARTS = [
    "'services/{service}/chart'",
    "'services/{service}/{env}/chart'",
    "{oci: 'oci://registry.example.com/charts/{service}'}",
    "{repository: 'https://charts.example.com', name: web}",
]
PINNED = b"global: {chart: {version: 1.2.0}}\n"


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("clusters", [f"argocd: {{repository: '{URL}'}}\n", THREE_CLUSTERS])
def test_all_manifests_are_right_by_argo_cds_definitions(tmp_path: Path, chart: str, clusters: str) -> None:
    files = {"gitops-tk.yaml": config(clusters, f"layout: {{chart: {chart}}}\n")}
    files |= {path: data + PINNED for path, data in services("services/{service}/envs/{env}.yaml", ["a"]).items()}
    there = argocd.wired(tmp_path, files | {"envs/prod.yaml": b"a: 1\n"})
    for path in (there / "argocd").iterdir():
        objects = charts.Objects(path.read_text())
        assert objects.all
        assert charts.custom_resource_faults(objects) == [], path
    made = applications(there)
    assert len(made) == 3
    for one in made:
        application = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **one}
        assert charts.custom_resource_faults(charts.Objects(yaml.safe_dump(application))) == []


def test_an_application_has_what_the_environment_says(tmp_path: Path) -> None:
    files = {"gitops-tk.yaml": config(THREE_CLUSTERS), "envs/prod.yaml": b"a: 1\n"}
    there = argocd.wired(tmp_path, files | services("services/{service}/envs/{env}.yaml", ["a"]))
    dev, prod, staging = (one["spec"] for one in applications(there))
    assert dev["destination"] == {"name": "dev", "namespace": "a-dev"}
    assert staging["destination"] == {"server": "https://staging.example.com:6443", "namespace": "a"}
    assert prod["destination"] == {"name": "prod-eu", "namespace": "shop"}
    assert prod["source"] == {
        "repoURL": URL,
        "targetRevision": "HEAD",
        "path": "services/a/chart",
        "helm": {"releaseName": "a", "valueFiles": ["../../../envs/prod.yaml", "../envs/prod.yaml"], "skipTests": True},
    }
    # Values that are shared are read only where there are some.
    assert dev["source"]["helm"]["valueFiles"] == ["../envs/dev.yaml"]
    assert (dev["syncPolicy"]["automated"]["selfHeal"], prod["syncPolicy"]["automated"]["selfHeal"]) == (True, False)
    assert dev["syncPolicy"]["managedNamespaceMetadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (project,) = [one for one in by_kind(there)["AppProject"] if one["metadata"]["name"] == "gitops"]
    assert project["spec"]["sourceRepos"] == [URL]
    assert [one["namespace"] for one in project["spec"]["destinations"]] == ["*-dev", "*", "shop"]


def published(more: dict[str, bytes], chart: str = CHARTS[2]) -> dict[str, bytes]:
    return {"gitops-tk.yaml": config(layout=f"layout: {{chart: {chart}}}\n"), **more}


def test_a_published_chart_is_a_source_of_its_own_at_the_version_that_the_values_pin(tmp_path: Path) -> None:
    values = {path: data + PINNED for path, data in services("services/{service}/envs/{env}.yaml", ["a"]).items()}
    there = argocd.wired(tmp_path, published(values | {"envs/prod.yaml": b"a: 1\n"}))
    dev, prod, _ = applications(there)
    assert "source" not in prod["spec"]
    chart, repository = prod["spec"]["sources"]
    assert chart == {
        "repoURL": "registry.example.com/charts",
        "chart": "a",
        "targetRevision": "1.2.0",
        "helm": {
            "releaseName": "a",
            "valueFiles": ["$values/envs/prod.yaml", "$values/services/a/envs/prod.yaml"],
            "skipTests": True,
        },
    }
    assert repository == {"repoURL": URL, "targetRevision": "HEAD", "ref": "values"}
    assert dev["spec"]["sources"][0]["helm"]["valueFiles"] == ["$values/services/a/envs/dev.yaml"]
    paths = prod["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    assert paths == "/envs/prod.yaml;/services/a/envs/prod.yaml"
    (project,) = [one for one in by_kind(there)["AppProject"] if one["metadata"]["name"] == "gitops"]
    assert project["spec"]["sourceRepos"] == [URL, "registry.example.com/charts"]


@pytest.mark.parametrize(
    ("chart", "repository", "name", "allowed"),
    [
        ("{oci: 'oci://r.example.com:5000/{service}/web'}", "r.example.com:5000/a", "web", "r.example.com:5000/*"),
        (CHARTS[3], "https://charts.example.com", "web", "https://charts.example.com"),
    ],
)
def test_a_chart_is_named_as_argo_cd_reads_it(
    tmp_path: Path, chart: str, repository: str, name: str, allowed: str
) -> None:
    there = argocd.wired(tmp_path, published({"services/a/envs/dev.yaml": b"image: {tag: v1}\n" + PINNED}, chart))
    (one,) = applications(there)
    assert (one["spec"]["sources"][0]["repoURL"], one["spec"]["sources"][0]["chart"]) == (repository, name)
    (project,) = [one for one in by_kind(there)["AppProject"] if one["metadata"]["name"] == "gitops"]
    assert project["spec"]["sourceRepos"] == [URL, allowed]


@pytest.mark.parametrize("globbing", argocd.GLOBBING)
@pytest.mark.parametrize(
    "images", ["", "images: {default: {reference: app.image}}\n", "images: {web: {tag: web.tag}}\n"]
)
def test_there_is_an_application_once_an_image_is_set_and_a_chart_is_pinned(
    tmp_path: Path, images: str, globbing: str
) -> None:
    image = b"image: {tag: v1}\napp: {image: 'x/y:v1'}\n"
    values = {
        "a": image + PINNED,
        "b": image,
        "c": image + b"global: {chart: {version: ''}}\n",
        "d": image + b"global: {chart: }\n",
        "e": b"app: {}\n",
        "group/f": image + PINNED,
    }
    files = published({f"services/{name}/envs/dev.yaml": data for name, data in values.items()})
    files["gitops-tk.yaml"] += images.encode()
    assert names(argocd.wired(tmp_path, files), globbing) == ["a-dev"]


def test_what_is_deployed_outlives_its_files_where_changes_are_proposed_and_in_the_last_environment(
    tmp_path: Path,
) -> None:
    there = argocd.wired(tmp_path, {"gitops-tk.yaml": config()})
    found = {one["metadata"]["name"]: one for one in by_kind(there)["ApplicationSet"]}
    for env, protected in (("dev", False), ("staging", False), ("prod", True)):
        one = found[f"gitops-{env}"]
        policy = one["spec"]["syncPolicy"]
        assert policy["preserveResourcesOnDeletion"] is protected
        assert policy["applicationsSync"] == ("create-update" if protected else "sync")
        assert ("finalizers" in one["spec"]["template"]["metadata"]) is not protected
        assert ("annotations" in one["metadata"]) is protected


def test_a_commit_refreshes_those_applications_alone_that_it_is_about(tmp_path: Path) -> None:
    more = f"argocd: {{repository: '{URL}', reads: [library/]}}\n"
    files = {"gitops-tk.yaml": config(more), "envs/dev.yaml": b"a: 1\n"}
    there = argocd.wired(tmp_path, files | services("services/{service}/envs/{env}.yaml", ["a"]))
    paths = applications(there)[0]["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    assert paths.split(";") == ["/services/a/chart", "/envs/dev.yaml", "/services/a/envs/dev.yaml", "/library"]


@pytest.mark.parametrize("globbing", argocd.GLOBBING)
@pytest.mark.parametrize(
    ("layout", "beside"),
    [
        (
            "services/{service}/envs/{env}.yaml",
            [
                "services/a/chart/envs/{env}.yaml",
                "services/a/chart/charts/b/envs/{env}.yaml",
                "services/group/a/envs/{env}.yaml",
                "services/A_b/envs/{env}.yaml",
            ],
        ),
        (
            "apps/{env}/{service}/values.yaml",
            ["apps/{env}/a/chart/values.yaml", "apps/{env}/a/charts/sub/charts/x/values.yaml", "apps/values.yaml"],
        ),
        ("values/{env}/svc-{service}.yaml", ["values/{env}/x.yaml", "values/{env}/svc-a.old.yaml"]),
        ("deploy/{service}.{env}.yaml", ["deploy/a/b.{env}.yaml", "deploy/.{env}.yaml"]),
        ("{service}-{env}.yaml", ["charts/a-{env}.yaml", "A-{env}.yaml"]),
        ("x[1]/{service}/{env}.yaml", ["x1/c/{env}.yaml", "x[1]/a/b/{env}.yaml"]),
        # Named one by one: no pattern says that two parts of a path are the same.
        ("teams/{service}/{service}-{env}.yaml", ["teams/a/b-{env}.yaml", "teams/a/chart/a-{env}.yaml"]),
    ],
)
def test_patterns_take_the_services_and_nothing_else(
    tmp_path: Path, layout: str, beside: list[str], globbing: str
) -> None:
    files = {"gitops-tk.yaml": config(layout=f"layout: {{values: '{layout}', chart: 'c/{{service}}'}}\n")}
    files |= services(layout, ["a", "svc-b"])
    for path in beside:
        files |= services(path, ["a"])
    there = argocd.wired(tmp_path, files)
    made = applications(there, globbing)
    assert [one["metadata"]["name"] for one in made] == [
        f"{name}-{env}" for name in ("a", "svc-b") for env in ("dev", "prod", "staging")
    ]
    for one in made:
        source, name = one["spec"]["source"], one["metadata"]["labels"]["gitops-tk/service"]
        env = one["metadata"]["labels"]["gitops-tk/environment"]
        assert source["path"] == f"c/{name}"
        (own,) = source["helm"]["valueFiles"]
        assert os.path.normpath(f"c/{name}/{own}") == layout.replace("{service}", name).replace("{env}", env)


@pytest.mark.parametrize(
    ("image", "generated"),
    [
        (b"image: {tag: v1}", True),
        (b"image: {tag: 1.10}", True),
        (b'image: {tag: ""}', False),
        (b"image: {tag: }", False),
        (b"image: {tag: null, digest: ''}", False),
        (b"image: {repository: a}", False),
        (b"image: a", False),
        (b"", False),
        (b"image: {digest: 'sha256:1'}", True),
        (b"image: {tag: '', digest: 'sha256:1'}", True),
        (b"image: {tag: v1, digest: 'sha256:1'}", True),
    ],
)
def test_there_is_an_application_once_an_image_is_set(tmp_path: Path, image: bytes, generated: bool) -> None:
    there = argocd.wired(tmp_path, {"gitops-tk.yaml": config(), "services/a/envs/dev.yaml": image + b"\npath: mine\n"})
    assert names(there) == (["a-dev"] if generated else [])


@pytest.mark.parametrize("globbing", argocd.GLOBBING)
def test_services_may_keep_their_images_elsewhere(tmp_path: Path, globbing: str) -> None:
    images = """images:
  default: {tag: image.tag}
  web: {tag: "web[0].tag"}
services:
  legacy: {images: {default: {reference: app.image}}}
"""
    values = {
        "a": b"image: {tag: v1}\nweb: [{tag: v2}]\n",
        "b": b"web: [{tag: v2}]\n",
        "c": b"image: {tag: ''}\nweb: [{tag: ''}]\n",
        "legacy": b"app: {image: 'x/y:v1'}\n",
        "other": b"app: {image: 'x/y:v1'}\n",
    }
    files = {f"services/{name}/envs/dev.yaml": data for name, data in values.items()}
    there = argocd.wired(tmp_path, files | {"gitops-tk.yaml": config(images=images)})
    assert names(there, globbing) == ["a-dev", "b-dev", "legacy-dev"]


def test_a_key_with_the_services_name_in_it_is_named_for_each(tmp_path: Path) -> None:
    images = 'images:\n  default: {tag: "{service}.image.tag", digest: "{service}.image.digest"}\n'
    files = {
        "gitops-tk.yaml": config(images=images),
        "services/a/envs/dev.yaml": b"a: {image: {tag: v1}}\n",
        "services/b/envs/dev.yaml": b"a: {image: {tag: v1}}\n",
    }
    there = argocd.wired(tmp_path, files)
    assert names(there) == ["a-dev"]


def test_init_wires_a_repository_and_a_new_service_needs_nothing_more(tmp_path: Path) -> None:
    run("init", "gitops", "--argocd-repository", URL, "--commit", cwd=tmp_path)
    there = tmp_path / "gitops"
    ran = run_json("new-service", "a", *NEW, cwd=there)
    assert [one["file"] for one in ran.json["changes"] if "argocd" in one["file"]] == []
    assert names(there) == []
    run("bump", "a", "-e", "dev", "--tag", "v1", "--local", cwd=there)
    assert names(there) == ["a-dev"]


def test_a_new_service_is_named_where_no_pattern_takes_it(tmp_path: Path) -> None:
    layout = "layout: {values: 'teams/{service}/{service}-{env}.yaml', chart: 'charts/{service}'}\n"
    there = argocd.wired(tmp_path, {"gitops-tk.yaml": config(layout=layout)})
    file = there / "argocd/apps-dev.yaml"
    file.write_text(file.read_text() + "# ours\n")
    repo.git(there, "commit", "-qam", "by hand")
    for name in ("a", "b"):
        assert run("new-service", name, *NEW, cwd=there).status == 0
        run("bump", name, "-e", "dev", "--tag", "v1", "--local", cwd=there)
    assert names(there) == ["a-dev", "b-dev"]
    assert file.read_text().endswith("# ours\n")


def test_init_tells_the_url_from_the_remote_or_says_what_to_fill_in(tmp_path: Path) -> None:
    for remote in ("git@git.example.com:shop/gitops.git", "https://me@git.example.com/shop/gitops.git", str(tmp_path)):
        there = tmp_path / remote.replace("/", "_")
        repo.git(tmp_path, "init", "--quiet", str(there))
        repo.git(there, "remote", "add", "origin", remote)
        ran = run("init", "--commit", cwd=there)
        project = yaml.safe_load((there / "argocd/project.yaml").read_text())
        (url,) = project["spec"]["sourceRepos"]
        if remote == str(tmp_path):
            assert url == "https://git.example.com/FILL-IN/gitops.git"
            assert "fill in argocd.repository in gitops-tk.yaml" in ran.err
        else:
            assert url == remote.replace("https://me@", "https://")
            assert ran.err == ""
    ran = run_json("init", "x", "--argocd-repository", "https://me:secret@git.example.com/a.git", cwd=tmp_path)
    assert (ran.status, ran.code) == (2, "bad-repository")
    assert "secret" not in ran.out + ran.err


def test_environments_come_and_go_with_their_manifests(tmp_path: Path) -> None:
    run("init", "gitops", "--argocd-repository", URL, "--commit", cwd=tmp_path)
    there = tmp_path / "gitops"
    before = (there / "argocd/project.yaml").read_text()
    assert run("env", "add", "qa", "--after", "dev", "--commit", cwd=there).status == 0
    assert (there / "argocd/apps-qa.yaml").is_file()
    assert "*-qa" in (there / "argocd/project.yaml").read_text()
    assert run("env", "remove", "qa", "--commit", cwd=there).status == 0
    assert not (there / "argocd/apps-qa.yaml").exists()
    assert (there / "argocd/project.yaml").read_text() == before


def test_manifests_are_the_teams_own_until_they_are_written_anew(tmp_path: Path) -> None:
    run("init", "gitops", "--argocd-repository", URL, "--commit", cwd=tmp_path)
    there = tmp_path / "gitops"
    file = there / "argocd/apps-dev.yaml"
    written = file.read_text()
    file.write_text(written.replace("selfHeal: true", "selfHeal: false"))
    repo.git(there, "commit", "-qam", "by hand")
    run("new-service", "a", *NEW, cwd=there)
    assert "selfHeal: false" in file.read_text()
    ran = run_json("argocd", "write", cwd=there)
    assert [one["file"] for one in ran.json["changes"]] == ["argocd/apps-dev.yaml"]
    assert file.read_text() == written


def test_a_repository_without_the_section_is_left_alone(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git")
    there = repo.checkout(remote, tmp_path / "gitops")
    assert run("new-service", "b", *NEW, cwd=there).status == 0
    assert run("env", "add", "qa", "--commit", cwd=there).status == 0
    assert not (there / "argocd").exists()
    ran = run_json("argocd", "write", cwd=there)
    assert (ran.status, ran.code) == (1, "no-argocd")
