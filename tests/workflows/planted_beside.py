"""Pull requests that go around the values: odd names, git, Argo CD, gates' programs, forged trailers."""

from collections.abc import Mapping

from tests.workflows.planted_past import (
    APPS,
    CONFIG,
    D1,
    D2,
    D3,
    D9,
    ELSEWHERE,
    LISTED,
    PER_ENVIRONMENT,
    PROJECT,
    PROMOTED,
    Case,
    counted,
    own,
    path,
    says,
)

_A = path("a", "staging")
_EVIL = own("v9.9.9", D9)
_AGREE = {"checks/agree.sh": b"#!/bin/sh\nexit 0\n"}


def _with_image(name: str, files: Mapping[str, bytes | None], **more: Mapping[str, str]) -> Case:
    """What weakens the policy, along with an image."""
    return Case(name, "policy-weakened", {**PROMOTED, **files}, **more)


def _odd(name: str, place: str) -> Case:
    return Case(name, "lookalike", {place: _EVIL})


def _on_the_way(name: str, first: Mapping[str, bytes | None]) -> Case:
    before = {_A: own("v1.1.0", D2, "debug"), "envs/staging.yaml": b"region: eu\n", "gitops-tk.yaml": CONFIG}
    back = {place: before[place] for place in first}
    return Case(name, "in-between", {path("a", "dev"): own("v1.3.0", D9, "debug"), **back}, first=first)


def _numbered(values: bytes) -> bytes:
    return values.replace(b"image:\n", b"image:\n  build: 999999\n")


BESIDE = [
    # Names that the layout does not know, and patterns or file systems do.
    _odd("name-with-a-dot", "services/evil.x/envs/prod.yaml"),
    _odd("name-with-a-capital", "services/Evil/envs/prod.yaml"),
    _odd("name-in-cyrillic", "services/\u0430pi/envs/prod.yaml"),
    _odd("name-in-wide-letters", "services/\uff41/envs/prod.yaml"),
    _odd("name-that-begins-with-a-dash", "services/-a/envs/prod.yaml"),
    _odd("name-that-is-too-long", f"services/{'a' * 64}/envs/prod.yaml"),
    _odd("folder-in-capitals", "Services/a/envs/prod.yaml"),
    _odd("environment-in-capitals", "services/a/envs/PROD.yaml"),
    _odd("shared-file-in-capitals", "envs/Prod.yaml"),
    _odd("chart-with-a-dot", "services/evil.x/chart/Chart.yaml"),
    Case("configuration-in-capitals", "lookalike", {"GitOps-tk.yaml": CONFIG}),
    Case("hold-of-no-environment", "lookalike", {".gitops-tk/holds/production/a.yaml": b"reason: r\n"}),
    Case("hold-of-no-service", "lookalike", {".gitops-tk/holds/prod/A.yaml": b"reason: r\n"}),
    Case("path-that-people-do-not-see", "hidden-characters", {"docs/a\u200b.md": b"a\n"}),
    Case("path-of-two-lines", "hidden-characters", {'"docs/a\\nb.yaml"': ELSEWHERE}),
    # What git and Argo CD make of files.
    Case(
        "override-by-argo-cd", "overriding-file", {"services/few/chart/.argocd-source-few-staging.yaml": b"helm: {}\n"}
    ),
    Case("override-elsewhere", "overriding-file", {"lib/.argocd-source.yaml": b"helm: {}\n"}),
    Case("kustomization-in-a-chart", "overriding-file", {"services/few/chart/kustomization.yaml": b"images: []\n"}),
    _with_image("attributes-and-an-image", {".gitattributes": b"*.yaml working-tree-encoding=UTF-16\n"}),
    _with_image("attributes-in-a-folder", {"services/.gitattributes": b"* ident\n"}),
    _with_image("submodules-and-an-image", {".gitmodules": b"[submodule x]\n"}),
    _with_image("where-lfs-is", {".lfsconfig": b"[lfs]\n"}),
    _with_image("manifest-and-an-image", {"argocd/apps-dev.yaml": APPS.replace(b"gitops-dev", b"x")}),
    _with_image("project-and-an-image", {"argocd/project.yaml": PROJECT.replace(b"shop/gitops", b"evil/gitops")}),
    _with_image("new-manifest-and-an-image", {"argocd/x.yaml": b"kind: Application\n"}),
    _with_image("manifest-taken-away", {"argocd/apps-dev.yaml": None}),
    _with_image("repository-of-argo-cd", {"gitops-tk.yaml": CONFIG.replace(b"shop/gitops.git", b"evil/gitops.git")}),
    _with_image(
        "applications-go-elsewhere",
        {"gitops-tk.yaml": CONFIG.replace(b"argocd:\n", b"argocd:\n  environments: {prod: {namespace: x}}\n")},
    ),
    _with_image(
        "applications-unprotected",
        {"gitops-tk.yaml": CONFIG.replace(b"argocd:\n", b"argocd:\n  environments: {prod: {protect: false}}\n")},
    ),
    _with_image(
        "what-is-kept-out-comes-in", {"argocd/project.yaml": PROJECT.replace(b', {group: "", kind: Pod}', b"")}
    ),
    _with_image("sync-window-taken-away", {"argocd/project.yaml": PROJECT.partition(b"  syncWindows")[0]}),
    _with_image("application-elsewhere", {"clusters/tools.yaml": ELSEWHERE.replace(b"shop", b"evil")}),
    _with_image(
        "application-elsewhere-becomes-a-list",
        {"clusters/tools.yaml": b'kind: List\nitems: [{"apiVersion": "argoproj.io\\/v1alpha1", kind: AppProject}]\n'},
    ),
    _with_image("application-elsewhere-goes", {"clusters/tools.yaml": None}),
    Case("chart-of-no-service-along", "mixed", {**PROMOTED, "services/zzz/chart/templates/x.yaml": b"kind: Role\n"}),
    # Gates' programs, and policy that moves.
    _with_image("program-and-an-image", _AGREE, modes={"checks/agree.sh": "100755"}),
    _with_image("file-beside-a-program", {"checks/lib.sh": b"exit 0\n"}),
    Case(
        "environment-replaced",
        "policy-weakened",
        {
            "gitops-tk.yaml": PER_ENVIRONMENT.replace(b"name: staging", b"name: stage"),
            _A: None,
            **{f"services/a/staging/chart/{one}": None for one in ("Chart.yaml", "values.yaml", "templates/x.yaml")},
            path("a", "stage"): b"image:\n  tag: v9.9.9\n",
        },
        past="charts",
    ),
    Case(
        "images-redirected",
        "policy-weakened",
        {
            "gitops-tk.yaml": PER_ENVIRONMENT + b"images: {default: {tag: app.tag}}\n",
            _A: b"image:\n  tag: v1.0.0\napp: {tag: v9.9.9}\n",
        },
        past="charts",
    ),
    Case(
        "layout-moved",
        "policy-weakened",
        {
            "gitops-tk.yaml": CONFIG + b"layout: {values: 'apps/{service}/{env}.yaml'}\n",
            "apps/a/dev.yaml": _EVIL,
        },
    ),
    # What commits say of themselves.
    Case(
        "forged-promotion",
        "not-in-source",
        {_A: own("v9.9.9", D9, "debug")},
        message=says("staging/a image.tag v1.1.0 -> v9.9.9", "staging/a image.digest a -> b")
        + "Gitops-Tk-Source: dev\n",
    ),
    Case(
        "forged-rollback",
        "older-build",
        {path("few", "staging"): own("v1.1.0", D2)},
        message=says("staging/few image.tag a -> b", "staging/few image.digest a -> b", command="rollback"),
    ),
    Case(
        "override-of-what-no-policy-allows",
        "not-in-source",
        {_A: own("v9.9.9", D9, "debug")},
        message="x\n\nGitops-Tk-Override: not-in-source please\nGitops-Tk-Override: digest please\n",
    ),
    Case(
        "override-of-what-this-environment-does-not-allow",
        "freeze",
        {path("a", "frozen"): own("v1.1.0", D2, "debug")},
        message="x\n\nGitops-Tk-Override: freeze please\nGitops-Tk-Push-Now: frozen\n",
    ),
    Case(
        "override-of-a-hold",
        "held",
        {path("held", "staging"): own("v1.1.0", D2)},
        message="x\n\nGitops-Tk-Override: held please\n",
    ),
    Case(
        "hold-taken-away-and-used",
        "held",
        {
            path("held", "staging"): own("v1.1.0", D2),
            ".gitops-tk/holds/staging/held.yaml": None,
        },
    ),
    Case(
        "hold-ended-and-used",
        "held",
        {
            path("held", "staging"): own("v1.1.0", D2),
            ".gitops-tk/holds/staging/held.yaml": b"reason: it leaks\nuntil: 2020-01-01\n",
        },
    ),
    Case("back-to-what-a-hold-names", "held", {path("loose", "staging"): own("bbb", D2)}),
    Case("on-from-where-a-hold-names-it", "held", {path("loose", "prod"): own("bbb", D2)}),
    # What comes and goes again on the way.
    _on_the_way("image-on-the-way", {_A: _EVIL}),
    _on_the_way("image-on-the-way-by-a-shared-file", {"envs/staging.yaml": b"image: {build: 7}\n"}),
    _on_the_way(
        "repository-on-the-way", {_A: own("v1.1.0", D2, "debug").replace(b"image:\n", b"image:\n  repository: evil\n")}
    ),
    _on_the_way("configuration-on-the-way", {"gitops-tk.yaml": CONFIG + b"images: {default: {tag: app.tag}}\n"}),
    # What an image says of itself.
    Case("build-that-was-made-up", "digest", {_A: _numbered(own("v1.2.0", D3, "debug"))}),
    Case("build-that-was-made-up-for-what-runs", "digest", {_A: _numbered(own("v1.1.0", D2, "debug"))}),
    Case("older-build-without-its-number", "older-build", {path("counted", "staging"): counted("b1", None)}),
    Case(
        "environment-that-comes-with-an-image",
        "policy-weakened",
        {"gitops-tk.yaml": CONFIG.replace(b"argocd:\n", b"  - name: qa\nargocd:\n"), path("a", "qa"): _EVIL},
    ),
    # What YAML can do.
    Case("more-than-one-document", "unreadable", {_A: own("v1.1.0", D2, "debug") + b"---\nimage: {tag: v9}\n"}),
    Case("key-of-a-tag", "unreadable", {_A: own("v1.1.0", D2, "debug", "? {a: b}\n: c\n")}),
    Case("image-by-a-merge-key", "not-in-source", {path("c", "staging"): b"x: &x {tag: v9.9.9}\nimage: {<<: *x}\n"}),
    Case(
        "image-by-an-alias",
        "extra-key",
        {
            _A: own("v1.2.0", f"sha256:{'3' * 64}", "debug").replace(b"v1.2.0", b"&t v1.2.0") + b"other: *t\n",
        },
    ),
    Case("empty-file", "deletion", {path("b", "prod"): b""}),
    Case(
        "protected-keys-by-a-null",
        "protected",
        {_A: own("v1.1.0", D2).split(b"config:")[0] + b"config:\nreplicas: 2\n"},
    ),
    Case("not-utf-8", "unreadable", {_A: own("v1.1.0", D2, "debug", "# caf").rstrip() + b"\xe9\n"}),
    # What hides a service from the rules.
    Case(
        "folder-in-place-of-a-charts-values",
        "unreadable",
        {path("plain", "staging"): b"image: {tag: v9.9.9}\n", "services/plain/chart/values.yaml/x": b"a: 1\n"},
    ),
    Case(
        "below-what-nobody-can-read", "unreadable", {path("a", "prod"): _EVIL}, base={"envs/prod.yaml": b"a: 1\na: 2\n"}
    ),
    Case("image-twice-in-a-list", "unreadable", {path("listed", "staging"): LISTED + b"  - {name: web, newTag: v9}\n"}),
    Case("submodule", "not-a-file", {"lib": b"1" * 40}, modes={"lib": "160000"}),
]

BESIDE_GOOD = [
    Case(
        "image-on-the-way-that-was-tried",
        None,
        PROMOTED,
        first={_A: own("v1.0.0", D1)},
    ),
    Case(
        "configuration-in-two-steps",
        None,
        {"gitops-tk.yaml": CONFIG.replace(b"argocd:\n", b"  - name: qa\nargocd:\n").replace(b"24h", b"48h")},
        first={"gitops-tk.yaml": CONFIG.replace(b"argocd:\n", b"  - name: qa\n    from: [dev]\nargocd:\n")},
    ),
    Case("attributes-alone", None, {".gitattributes": b"*.yaml text eol=lf\n"}),
    Case("manifest-alone", None, {"argocd/apps-dev.yaml": APPS.replace(b"gitops-dev", b"x")}),
    Case("application-that-comes", None, {"clusters/x.yaml": ELSEWHERE}),
    Case("environment-that-comes", None, {"gitops-tk.yaml": CONFIG.replace(b"argocd:\n", b"  - name: qa\nargocd:\n")}),
    Case("chart-packed", None, {"services/few/chart/charts/x-1.0.0.tgz": b"\x1f\x8b\x08\x00\x00\n\x01\x02\n"}),
    Case("rollback-to-a-build", None, {path("counted", "staging"): counted("b0", 1)}),
    Case("program-alone", None, _AGREE, modes={"checks/agree.sh": "100755"}),
    Case("what-helm-leaves-out", None, {"services/few/chart/.helmignore": b"*.md\n"}),
    Case("what-argo-cd-generates-from-beside", None, {"extra/x.yaml": b"a: 1\n"}),
    Case("back-to-what-has-no-version", None, {path("loose", "dev"): own("aaa", D1)}),
    Case("byte-order-mark-alone", None, {"envs/dev.yaml": b"\xef\xbb\xbfregion: eu\n"}),
]
