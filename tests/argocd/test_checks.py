"""validate finds what Argo CD's own definitions cannot say: each rule, with a fault planted."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import argocd, published
from tests.support import repositories as repo
from tests.support.cli import run, run_json

from gitops_tk.argocd.generate import Paths
from gitops_tk.argocd.globs import Globbing
from gitops_tk.argocd.rules import NAMES
from gitops_tk.config.load import load
from gitops_tk.errors import UsageError
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.wiring.checks import check
from gitops_tk.workflows.wiring.generated import listed
from gitops_tk.workflows.wiring.manifests import write

URL = "https://git.example.com/shop/gitops.git"
Files = dict[str, bytes]
_CHART = b"apiVersion: v2\nname: a\nversion: 1.0.0\n"


def tree(section: str = f"argocd: {{repository: '{URL}'}}\n", services: tuple[str, ...] = ("a", "b")) -> Files:
    """A repository whose wiring is right."""
    files = {"gitops-tk.yaml": repo.CONFIG + section.encode(), "envs/prod.yaml": b"x: 1\n"}
    for name in services:
        files[f"services/{name}/chart/Chart.yaml"] = _CHART
        for env in ("dev", "prod"):
            files[f"services/{name}/envs/{env}.yaml"] = repo.values(name, env)
    return files | written(files)


def written(files: Files) -> Files:
    plan = write(argocd.views(MemorySnapshot(files)))
    return {one.path: one.data for one in plan.changeset.operations}


def found(files: Files) -> dict[str, set[str]]:
    """The rules that are broken, each with the messages, and their lines."""
    snapshot = MemorySnapshot(files)
    config = load(snapshot)
    assert config.argocd is not None
    faults: dict[str, set[str]] = {}
    for fault in check(snapshot, config, config.argocd):
        place = f"{fault.file}:{fault.line}: " if fault.line else ""
        faults.setdefault(fault.rule, set()).add(place + fault.message)
    return faults


def changed(path: str, old: str, new: str) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        assert old.encode() in files[path], files[path].decode()
        return files | {path: files[path].replace(old.encode(), new.encode())}

    return change


def without(path: str) -> Callable[[Files], Files]:
    return lambda files: {name: data for name, data in files.items() if name != path}


def added(path: str, data: bytes) -> Callable[[Files], Files]:
    return lambda files: files | {path: data}


PROD = "argocd/apps-prod.yaml"
PROJECT = "argocd/project.yaml"
FILL_IN = "https://git.example.com/FILL-IN/gitops.git"
SSH = "git@git.example.com:shop/gitops.git"
GENERATOR = f"- git:\n        repoURL: {URL}"
SOURCE = f"source:\n        repoURL: {URL}"
PLANTED = [
    ("argocd-repository", changed("gitops-tk.yaml", URL, FILL_IN), "gitops-tk.yaml:6: argocd.repository is not filled"),
    (
        "argocd-repository",
        changed(PROD, GENERATOR, GENERATOR.replace("shop", "other")),
        f"{PROD}:18: the generator reads https://git.example.com/other/gitops.git, and argocd.repository is {URL}",
    ),
    ("argocd-repository", changed(PROD, SOURCE, SOURCE.replace("shop", "other")), ": the source is https://git.exam"),
    (
        "argocd-repository",
        changed("argocd/bootstrap.yaml", f"source:\n    repoURL: {URL}", "source:\n    repoURL: x"),
        "x, and",
    ),
    ("argocd-repository", changed("gitops-tk.yaml", URL, SSH), f"is {SSH}: two repositories to Argo CD"),
    ("argocd-repository", changed("gitops-tk.yaml", URL, f"{URL[:-4]}/"), f"is {URL[:-4]}/: two repositories to"),
    (
        "argocd-repository",
        changed(PROJECT, f"- {URL}", "- '*'\n    - '!https://*/shop/*'"),
        "the project gitops does not",
    ),
    (
        "argocd-repository",
        changed(PROJECT, URL, "https://git.example.com/*"),
        f"{PROJECT}:12: the project gitops does not",
    ),
    (
        "argocd-repository",
        changed(PROD, SOURCE, "source:\n        repoURL: 'https://{{ index .path.segments 1 }}.example.com'"),
        "the source is https://b.example.com, and",
    ),
    (
        "argocd-placeholder",
        changed(PROD, GENERATOR, GENERATOR.replace("shop", "FILL-IN")),
        f"{PROD}:18: {FILL_IN} only",
    ),
    ("argocd-placeholder", changed(PROJECT, URL, FILL_IN), f"{PROJECT}:13: {FILL_IN} only stands for"),
    ("argocd-manifest", without(PROD), f"{PROD} is not there"),
    ("argocd-not-evaluated", changed(PROD, "index .path.segments 1", "lower .path.basename"), "'lower'"),
    ("argocd-not-evaluated", added(PROD, b"a: [\n"), "cannot be read as YAML"),
    ("argocd-not-evaluated", changed(PROD, "goTemplate: true", "goTemplate: false"), "has no goTemplate"),
    ("argocd-not-evaluated", changed(PROD, "    - git:\n", "    - list:\n"), "other than git's"),
    ("argocd-not-evaluated", added("services/a/envs/prod.yaml", b"a: [\n"), "services/a/envs/prod.yaml cannot be read"),
    # What is no ApplicationSet, or takes longer than anybody waits, ends no other check.
    ("argocd-not-evaluated", changed(PROD, "  template:\n", "  template: null\n  x:\n"), "has a template that Argo CD"),
    (
        "argocd-not-evaluated",
        changed(PROD, "labels:\n        gitops", "labels: x\n      y:\n        gitops"),
        "has a template that Argo CD",
    ),
    ("argocd-not-evaluated", changed(PROD, "operator: Exists", "operator: Is"), "has a generator that Argo CD"),
    ("argocd-not-evaluated", changed(PROD, "- key: image.tag", "- name: image.tag"), "has a generator that Argo CD"),
    ("argocd-not-evaluated", changed(PROD, "  generators:\n", "  generators: {}\n  x:\n"), "has no generators"),
    ("argocd-not-evaluated", changed(PROD, "\nspec:\n", "\nx:\n"), "has no goTemplate"),
    (
        "argocd-not-evaluated",
        changed(PROD, "services/*/envs", "services/[z-a]/envs"),
        "files cannot be read: the pattern",
    ),
    ("argocd-not-evaluated", added(PROD, b"a: &a {b: *a}\n"), "cannot be read as YAML"),
    ("argocd-not-evaluated", added(PROD, b"a: !!bool maybe\n"), "cannot be read as YAML"),
    ("argocd-not-evaluated", changed(PROD, "  name: ", "  name: 0x" + "f" * 5000 + " #"), "cannot be read as YAML"),
    ("argocd-not-evaluated", changed(PROD, "segments 1", "segments " + "9" * 5000), "is not known here"),
    (
        "argocd-not-evaluated",
        added("services/a/envs/prod.yaml", b"a: &a {b: *a}\n"),
        "services/a/envs/prod.yaml cannot",
    ),
    ("argocd-project", changed(PROJECT, "  destinations:\n", "  destinations: 7\n  x:\n"), "does not allow the names"),
    (
        "argocd-globbing",
        lambda files: changed(PROD, "*[^a-z0-9-]*", "none")(
            files | {"services/a/chart/charts/c/envs/prod.yaml": repo.values("c", "prod")}
        ),
        "services/a/chart/charts/c/envs/prod.yaml is taken by the default globbing alone",
    ),
    ("argocd-missing", changed(PROD, "key: image.tag", "key: image.label"), "a in prod: an image is set"),
    (
        "argocd-missing",
        lambda files: (
            files | {"services/a/chart/values.yaml": b"image: {tag: v1}\n", "services/a/envs/prod.yaml": b"x: 1\n"}
        ),
        "a in prod: an image is set, and there is no Application",
    ),
    (
        "argocd-unexpected",
        lambda files: (
            changed(PROD, "NotIn", "Exists")(changed(PROD, "values:", "x-values:")(files))
            | {"services/a/envs/prod.yaml": b"image: {tag: ''}\n"}
        ),
        "a-prod: it is generated though no image is set",
    ),
    ("argocd-unexpected", added("services/-x/envs/prod.yaml", b"image: {tag: v1}\n"), "which is no service's"),
    ("argocd-name", added(f"services/{'s' * 60}/envs/prod.yaml", b"image: {tag: v1}\n"), "65 characters, and 63"),
    ("argocd-name", added(f"services/{'s' * 54}/envs/prod.yaml", b"x: 1\n"), "would have 54 characters, and 53"),
    ("argocd-duplicate", changed(PROD, " 1 }}-prod'", " 1 }}-dev'"), "another Application of this name"),
    (
        "argocd-duplicate",
        lambda files: files | written(files | {"gitops-tk.yaml": repo.CONFIG + b"argocd: {namespace: shop}\n"}),
        "another Application has a release a in the namespace shop of this cluster",
    ),
    ("argocd-path", without("services/a/chart/Chart.yaml"), "a-prod: services/a/chart/Chart.yaml is not there"),
    ("argocd-path", without("envs/prod.yaml"), "b-prod: envs/prod.yaml is not there"),
    ("argocd-render", added("envs/dev.yaml", b"x: 1\n"), "gitops-tk envs/dev.yaml, services/a/envs/dev.yaml"),
    ("argocd-render", changed(PROD, "releaseName: '{{", "releaseName: 'x{{"), "the release: Argo CD takes xa"),
    ("argocd-render", changed(PROD, "skipTests: true", "values: 'x: 1'"), "helm.values is set"),
    ("argocd-project", changed(PROJECT, "name: gitops\n", "name: other\n"), "there is no project gitops"),
    ("argocd-project", changed(PROJECT, URL, "https://git.example.com/x"), f"does not allow {URL}"),
    ("argocd-project", changed(PROJECT, "'*-prod'", "'!a-prod'"), "does not allow the namespace a-prod"),
    (
        "argocd-refresh",
        added(
            "services/a/chart/Chart.yaml", _CHART + b"dependencies: [{name: l, repository: 'file://../../../lib'}]\n"
        ),
        "a-dev: a commit that changes lib does not refresh it",
    ),
    ("argocd-refresh", changed(PROD, ";/envs/prod.yaml;", ";"), "a commit that changes envs/prod.yaml"),
]


def test_a_wiring_that_is_right_has_no_finding() -> None:
    assert found(tree()) == {}
    for old, new in (
        (URL, "https://Git.example.com/shop/gitops"),
        (f"- {URL}", "- https://git.example.com/sho?/*"),
        (f"- {URL}", f"- {FILL_IN}\n    - https://git.example.com/**"),
    ):
        assert found(changed(PROJECT, old, new)(tree())) == {}
    beside = b"kind: AppProject\nmetadata: {name: infra}\nspec: {sourceRepos: [x]}\n---\nkind: Application\n"
    beside += b"metadata: {name: ingress}\nspec: {project: infra, source: {repoURL: x, path: ingress}}\n"
    assert found(tree() | {"argocd/infra.yaml": beside}) == {}
    short = tree(f"argocd: {{repository: '{SSH}'}}\n")
    assert found(changed("gitops-tk.yaml", SSH, "ssh://git@git.example.com/shop/gitops")(short)) == {}
    clusters = f"argocd: {{repository: '{URL}', environments: {{prod: {{cluster: eu, namespace: '{{service}}'}}}}}}\n"
    assert found(tree(clusters)) == {}


@pytest.mark.parametrize(("rule", "plant", "said"), PLANTED)
def test_each_rule_finds_what_is_planted(rule: str, plant: Callable[[Files], Files], said: str) -> None:
    faults = found(plant(tree()))
    assert any(said in message for message in faults.get(rule, ())), faults


def published_tree() -> Files:
    """A repository whose charts are published elsewhere, and whose wiring is right."""
    layout = "layout: {chart: {oci: 'oci://registry.example.com/charts/{service}'}}\n"
    files = {"gitops-tk.yaml": repo.CONFIG + f"{layout}argocd: {{repository: '{URL}'}}\n".encode()}
    files |= {"envs/prod.yaml": b"x: 1\n"}
    for env in ("dev", "prod"):
        files[f"services/a/envs/{env}.yaml"] = published.values("a", env, "v1", "1.2.0")
    return files | written(files)


PLANTED_BESIDE_A_REGISTRY = [
    ("argocd-repository", changed(PROD, f"- repoURL: {URL}", "- repoURL: https://x"), ": the source is https://x, and"),
    ("argocd-missing", changed("services/a/envs/prod.yaml", "    version: 1.2.0", "    version: ''"), "a in prod"),
    ("argocd-path", without("envs/prod.yaml"), "a-prod: envs/prod.yaml is not there"),
    ("argocd-path", changed(PROD, "$values/envs", "$other/envs"), "$other/envs/prod.yaml of the chart is not there"),
    (
        "argocd-render",
        changed(PROD, "'{{ .global.chart.version }}'", "'*'"),
        "Argo CD takes registry.example.com/charts/a:*, and gitops-tk registry.example.com/charts/a:1.2.0",
    ),
    ("argocd-render", changed(PROD, "com/charts\n", "com/other\n"), "Argo CD takes registry.example.com/other/a:1.2.0"),
    ("argocd-render", changed(PROD, "$values/envs", "$values/other"), "the value files: Argo CD takes other/prod.yaml"),
    ("argocd-render", changed(PROD, "ref: values", "path: x"), "there is another source"),
    (
        "argocd-project",
        changed(PROJECT, "registry.example.com/charts", "registry.example.com/other"),
        "gitops does not allow registry.example.com/charts",
    ),
    ("argocd-refresh", changed(PROD, ";/services", ";/other"), "changes services/a/envs/prod.yaml does not refresh"),
]


@pytest.mark.parametrize(("rule", "plant", "said"), PLANTED_BESIDE_A_REGISTRY)
def test_a_published_charts_sources_are_looked_at(rule: str, plant: Callable[[Files], Files], said: str) -> None:
    assert found(published_tree()) == {}
    faults = found(plant(published_tree()))
    assert any(said in message for message in faults.get(rule, ())), faults


def test_apps_lists_a_published_chart_with_its_version(tmp_path: Path) -> None:
    there = argocd.wired(tmp_path, published_tree())
    (one, _) = run_json("argocd", "apps", cwd=there).json["applications"]
    assert (one["repository"], one["revision"], one["path"]) == (URL, "HEAD", None)
    assert (one["chart"], one["version"]) == ("registry.example.com/charts/a", "1.2.0")
    assert (
        "a-prod       kubernetes.default.svc  a-prod     registry.example.com/charts/a:1.2.0\n"
        in run("argocd", "apps", cwd=there).out
    )


@pytest.mark.parametrize(
    ("mode", "pattern", "path"),
    [("greedy", "*a" * 25 + "b", "a" * 200), ("doublestar", "**/a/" * 12 + "b", "a/" * 100 + "c")],
)
def test_a_pattern_that_takes_nothing_says_so_at_once(mode: Globbing, pattern: str, path: str) -> None:
    assert (Paths([path]).matching(pattern, mode), Paths([path]).matching(pattern[:-1] + path[-1], mode)) == (
        [],
        [path],
    )


def test_another_globbing_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        listed(MemorySnapshot(tree()), "regex")
    assert refused.value.code == "bad-globbing"


def test_every_rule_has_a_fault_planted() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(NAMES)


def test_a_whole_reference_may_wait_for_its_tag() -> None:
    section = f"images: {{default: {{reference: app.image}}}}\nargocd: {{repository: '{URL}'}}\n"
    files = tree(section) | {"services/a/envs/prod.yaml": b"app: {image: registry.example.com/a}\n"}
    assert "argocd-unexpected" not in found(files)


def test_manifests_that_were_written_for_another_url_are_told(tmp_path: Path) -> None:
    assert run("init", "gitops", "--commit", cwd=tmp_path).status == 0
    config = tmp_path / "gitops/gitops-tk.yaml"
    config.write_text(re.sub(r"(\n  repository:) .*", rf"\1 {URL}", config.read_text()))
    ran = run_json("validate", "-e", "prod", cwd=config.parent)
    assert ran.status == 5
    assert {(one["code"], one["file"]) for one in ran.json["problems"]} == {
        ("argocd-placeholder", f"argocd/{name}.yaml") for name in ("bootstrap", "project", "apps-prod")
    }
    # What is to be done is the same for all of them, and said once.
    assert run("validate", cwd=config.parent).err.splitlines()[-2].startswith("  hint: set argocd.repository")
    assert run("validate", cwd=config.parent).err.count("  hint: ") == 1
    assert run("argocd", "write", cwd=config.parent).status == 0
    assert run_json("validate", cwd=config.parent).json["problems"] == []


def test_validate_says_so_with_severities_and_switches_off(tmp_path: Path) -> None:
    assert run("init", "gitops", "--commit", cwd=tmp_path).status == 0
    there = tmp_path / "gitops"
    ran = run_json("validate", cwd=there)
    assert (ran.status, ran.json["warnings"], ran.code) == (0, 1, "argocd-repository")
    (there / "argocd/apps-prod.yaml").unlink()
    config = there / "gitops-tk.yaml"
    config.write_text(
        config.read_text() + "validate:\n  off:\n    - {rule: argocd-repository, reason: it is filled in later}\n"
    )
    ran = run_json("validate", cwd=there)
    assert ran.status == 5
    assert [(one["code"], one["file"]) for one in ran.json["problems"]] == [
        ("argocd-manifest", "argocd/apps-prod.yaml")
    ]
    assert ran.json["off"] == [{"rule": "argocd-repository", "reason": "it is filled in later", "findings": 1}]


def test_apps_lists_what_is_generated_and_what_waits(tmp_path: Path) -> None:
    there = argocd.wired(tmp_path, tree() | {"services/a/envs/prod.yaml": b"image: {tag: ''}\n"})
    ran = run_json("argocd", "apps", cwd=there)
    listed = [(one["name"], one["service"], one["env"], one["namespace"]) for one in ran.json["applications"]]
    assert listed == [("a-dev", "a", "dev", "a-dev"), ("b-dev", "b", "dev", "b-dev"), ("b-prod", "b", "prod", "b-prod")]
    assert ran.json["waiting"] == [{"service": "a", "env": "prod"}]
    text = run("argocd", "apps", cwd=there).out
    assert "b-prod       kubernetes.default.svc  b-prod     services/b/chart\n" in text
    assert text.endswith("\na: never deployed to prod\n")
