"""adopt tells a repository's layout from its files; what it cannot tell it says, and never guesses."""

import shlex

import pytest
import yaml
from tests.support.layouts import ENVS, SERVICES, adopted, laid_out, told, values

from gitops_tk.config.load import parse
from gitops_tk.errors import ConfigError

_APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{name: web}}
spec: {spec}
"""
# What is found in paths, and the environments in order: `*` marks those whose changes are proposed.
_ENVIRONMENTS = [
    ("staging prod dev", "dev staging prod*", {}),
    ("uat production development qa", "development qa uat production*", {}),
    ("prd stg tst", "tst stg prd*", {}),
    ("pre-prod prod test", "test pre-prod prod*", {}),
    ("Test Prod", "test prod*", {}),
    ("prod", "prod", {}),
    ("prod-us staging prod-eu", "staging prod-eu* prod-us*", {"prod-us": ["staging"]}),
    ("dev1 dev2 live", "dev1 dev2 live*", {"dev2": [], "live": ["dev1", "dev2"]}),
    (
        "eu-prod us-prod us-staging eu-staging dev",
        "dev eu-staging us-staging eu-prod* us-prod*",
        {"us-staging": ["dev"], "eu-prod": ["eu-staging"], "us-prod": ["us-staging"]},
    ),
]


@pytest.mark.parametrize(
    "template",
    [
        "services/{service}/envs/{env}.yaml",
        "services/{service}/values-{env}.yaml",
        "services/{service}/values.{env}.yml",
        "services/{service}/{env}-values.yaml",
        "apps/{env}/{service}/values.yaml",
        "apps/{service}/{env}/values.yaml",
        "apps/{service}/overlays/{env}/kustomization.yaml",
        "apps/{service}/{service}-{env}.yaml",
        "clusters/{env}/apps/{service}/helmrelease.yaml",
        "envs/{env}/{service}.yaml",
        "environments/{env}/values/{service}-values.yaml",
        "{service}/{env}.yaml",
        "{env}/{service}.yaml",
        "{env}/{service}/values.yaml",
        "{env}/{service}/{env}.yaml",
        "values/{service}.{env}.yaml",
        "values/{env}-{service}.yaml",
        "values-{service}-{env}.yaml",
        "gitops/k8s/{service}/deploy/{env}/deployment.yaml",
    ],
)
@pytest.mark.parametrize("services", [SERVICES, SERVICES[:1]])
def test_a_layout_is_told_from_the_paths(template: str, services: tuple[str, ...]) -> None:
    for envs in (ENVS, ("uat", "production"), ("prod",)):
        found = adopted(laid_out(template, services, envs))
        assert told(found, "values") == template
        assert found.status.details["services"].keys() == set(services)
        assert found.report.unsure == ()


@pytest.mark.parametrize(("paths", "order", "sources"), _ENVIRONMENTS)
def test_environments_are_in_the_order_in_which_people_promote(
    paths: str, order: str, sources: dict[str, list[str]]
) -> None:
    found = adopted(laid_out("apps/{service}/{env}/values.yaml", envs=paths.split()))
    marked = [one.name + "*" * (one.publish == "pull-request") for one in parse(found.text).environments]
    assert " ".join(marked) == order
    assert {one["name"]: one["from"] for one in yaml.safe_load(found.text)["environments"] if "from" in one} == sources


def test_environments_that_no_name_tells_are_asked_for() -> None:
    files = laid_out("apps/{env}/{service}.yaml", envs=("dev", "customer", "prod"))
    with pytest.raises(ConfigError, match="customer may be an environment") as refused:
        adopted(files)
    assert refused.value.code == "ambiguous-environments"
    assert "--env dev --env prod --env customer" in str(refused.value.hint)
    found = adopted(files, "dev", "customer", "prod")
    assert (told(found, "environments"), told(found, "values")) == ("dev, customer, prod", "apps/{env}/{service}.yaml")
    found = adopted(files, "dev", "live=prod")
    assert told(found, "environments") == "dev, live"
    assert found.report.unsure == ("customer is taken for no environment: 3 files, such as apps/customer/billing.yaml",)


def test_environments_of_one_name_are_asked_for() -> None:
    with pytest.raises(ConfigError) as refused:
        adopted(laid_out("apps/{env}/{service}.yaml", envs=("pre-prod", "pre_prod")))
    assert refused.value.code == "ambiguous-environments"


def test_values_that_are_no_environments_are_left_out_and_told() -> None:
    files = laid_out("{service}/values-{env}.yaml", envs=(*ENVS, "local", "common"))
    found = adopted(files)
    assert told(found, "environments") == "dev, staging, prod"
    assert [one.split(" is ")[0] for one in found.report.unsure] == ["common", "local"]
    assert told(adopted(files, "local", "prod"), "environments") == "local, prod"


_KUSTOMIZE = """resources: [../../base]
images:
  - name: registry.example.com/{service}
    newTag: v1
  - name: registry.example.com/proxy
    newTag: v1
"""


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("image: {repository: r.example.com/{service}, tag: v1}", {"tag": "image.tag", "digest": None}),
        ("image: {repository: r.example.com/{service}, tag: v1, digest: ''}", {"tag": "image.tag", "digest": None}),
        ("image: {repository: r.example.com/{service}, tag: v1, digest: 'sha256:a'}", {"digest": "image.digest"}),
        ("image: {repository: r.example.com/{service}, version: 7}", {"tag": "image.version"}),
        (
            "chart: {repository: r/{service}, version: 7}\napp: {main: {image: {tag: v1}}}",
            {"tag": "app.main.image.tag"},
        ),
        ("chart: {repository: r/x, version: 7}\ndeploy: {imageTag: v1}", {"tag": "deploy.imageTag"}),
        ("image: {tag: 7}", {"tag": "image.tag", "build": "image.build"}),
        ("app: {image: {tag: v1}}", {"tag": "app.image.tag", "build": "app.image.build"}),
        ("{service}: {image: {tag: v1}}", {"tag": "{service}.image.tag"}),
        ("{service}: {image: {tag: v1}}\nredis: {image: {tag: v7}}", {"tag": "{service}.image.tag"}),
        ("imageTag: v1", {"tag": "imageTag", "digest": None, "build": None}),
        ("global: {image_tag: v1}", {"tag": "global.image_tag"}),
        ("image: r.example.com:5000/shop/{service}:v1", {"reference": "image"}),
        ("app: {image: 'r.example.com/{service}:v1@sha256:" + "a" * 64 + "'}", {"reference": "app.image"}),
        (
            "main: {image: {repository: r/{service}, tag: v1}}\nproxy: {image: {repository: r/proxy, tag: v9}}",
            {"tag": "main.image.tag"},
        ),
        ("image: {repository: r/proxy, tag: v9}\nmain: {image: r/{service}:v1}", {"reference": "main.image"}),
        (_KUSTOMIZE, {"tag": "images[name=registry.example.com/{service}].newTag", "build": None}),
        (
            "kind: Deployment\nspec: {containers: [{name: {service}, image: '{service}:v1'}, {name: p, image: 'p:1'}]}",
            {"reference": "spec.containers[name={service}].image"},
        ),
    ],
)
def test_where_an_image_is_kept_is_told_from_the_files(text: str, keys: dict[str, str | None]) -> None:
    files = laid_out("apps/{env}/{service}.yaml")
    files = {path: text.replace("{service}", path[:-5].rpartition("/")[2]).encode() for path in files}
    found = adopted(files)
    written = yaml.safe_load(found.text)["images"]["default"]
    assert {part: written[part] for part in keys} == keys
    for service, envs in found.status.details["services"].items():
        assert all(one["images"]["default"]["tag"] in ("v1", "7") for one in envs.values()), service


def test_a_service_with_a_key_of_its_own_keeps_it() -> None:
    files = laid_out("apps/{env}/{service}.yaml")
    files |= {f"apps/{env}/legacy.yaml": b"app:\n  image: r.example.com/legacy:v3\n" for env in ENVS}
    files |= {f"apps/{env}/none.yaml": b"replicas: 1\n" for env in ENVS}
    found = adopted(files)
    assert parse(found.text).image_keys("legacy")["default"].reference == "app.image"
    assert found.status.details["services"]["legacy"]["dev"]["images"]["default"]["tag"] == "v3"
    assert found.report.unsure == (
        "1 service without an image: none; gitops-tk.yaml may say where: "
        "services: {none: {images: {default: {tag: KEY}}}}",
    )


def test_the_version_of_a_chart_is_no_image() -> None:
    files = laid_out("apps/{env}/{service}.yaml")
    chart = b"image: {pullPolicy: Always}\nchart: {repository: https://charts.example.com/web, version: 1.2.0}\n"
    files |= {f"apps/{env}/web.yaml": chart for env in ENVS}
    found = adopted(files)
    assert "services" not in yaml.safe_load(found.text)
    assert [one.partition(";")[0] for one in found.report.unsure] == ["1 service without an image: web"]


def test_images_that_are_as_likely_are_asked_for() -> None:
    text = b"api: {image: {tag: v1}}\nworker: {image: {tag: v2}}\n"
    files = dict.fromkeys(laid_out("apps/{env}/{service}.yaml"), text)
    with pytest.raises(ConfigError, match=r"api\.image\.tag, worker\.image\.tag") as refused:
        adopted(files)
    assert refused.value.code == "ambiguous-image"
    found = adopted(files, image_key="worker.image.tag")
    assert found.status.details["services"]["web"]["dev"]["images"]["default"]["tag"] == "v2"
    assert found.report.unsure == (
        "api.image.tag holds an image, too, of 3 services: images in gitops-tk.yaml may name it",
    )
    with pytest.raises(ConfigError, match=r"no values file has an image at image\.tag"):
        adopted(files, image_key="image.tag")


def test_layouts_that_read_the_same_files_otherwise_are_asked_for() -> None:
    files = {f"shop/web/{env}.yaml": b"image: {tag: v1}\n" for env in ENVS}
    with pytest.raises(ConfigError) as refused:
        adopted(files)
    assert refused.value.code == "ambiguous-layout"
    assert (
        refused.value.hint == "choose one: --values 'shop/{service}/{env}.yaml' or --values '{service}/web/{env}.yaml'"
    )
    assert set(adopted(files, values="shop/{service}/{env}.yaml").status.details["services"]) == {"web"}
    # What the image is called tells it.
    files = {path: values("web") for path in files}
    assert set(adopted(files).status.details["services"]) == {"web"}


def test_one_layout_cannot_name_the_services_of_two_teams() -> None:
    files = laid_out("shop/{service}/{env}.yaml", ("web", "api")) | laid_out(
        "pay/{service}/{env}.yaml", ("card", "sepa")
    )
    with pytest.raises(ConfigError, match="two layouts fit") as refused:
        adopted(files)
    assert refused.value.code == "ambiguous-layout"
    files = laid_out("shop/{service}/{env}.yaml", ("web", "api", "mail")) | laid_out(
        "pay/{service}/{env}.yaml", ("card",)
    )
    assert adopted(files).report.unsure == (
        "pay/{service}/{env}.yaml fits 3 further files with images, such as pay/card/dev.yaml",
    )


@pytest.mark.parametrize("kind", ["Application", "ApplicationSet"])
def test_what_argocd_deploys_is_meant(kind: str) -> None:
    files = laid_out("apps/{service}/{env}/values.yaml") | laid_out("old/{service}/{env}/values.yaml")
    with pytest.raises(ConfigError, match="two layouts fit"):
        adopted(files)
    path = "../{{.path.basename}}/values.yaml" if kind == "ApplicationSet" else "../dev/values.yaml"
    spec = '{source: {path: old/web/chart, helm: {valueFiles: ["' + path + '"]}}}'
    spec = spec if kind == "Application" else "{template: {spec: " + spec + "}}"
    files["argocd/web.yaml"] = _APPLICATION.format(kind=kind, spec=spec).encode()
    found = adopted(files)
    assert told(found, "values") == "old/{service}/{env}/values.yaml"
    assert "Argo CD" in next(one.why for one in found.report.found if one.what == "values")


def _chart(folder: str, name: str = "values.yaml") -> dict[str, bytes]:
    return {f"{folder}/Chart.yaml": b"name: a\nversion: 1.0.0\n", f"{folder}/{name}": b"image: {tag: ''}\n"}


@pytest.mark.parametrize(
    ("values_at", "folders", "chart"),
    [
        ("services/{service}/envs/{env}.yaml", "services/{service}/chart", "services/{service}/chart"),
        ("envs/{env}/{service}/values.yaml", "charts/{service}", "charts/{service}"),
        ("envs/{env}/{service}/values.yaml", "charts/{service}-chart", "charts/{service}-chart"),
        ("values/{service}/{env}.yaml", "charts/{env}/{service}", "charts/{env}/{service}"),
        ("envs/{env}/{service}.yaml", "charts/app", "services/{service}/chart"),
        ("services/{service}/{env}.yaml", None, "services/{service}/chart"),
        ("charts/{service}/values-{env}.yaml", "charts/{service}", "services/{service}/chart"),
        ("apps/{service}/{env}/values.yaml", "apps/{service}/{env}", "services/{service}/chart"),
    ],
)
def test_charts_are_where_most_services_have_one(values_at: str, folders: str | None, chart: str) -> None:
    files = laid_out(values_at)
    for path in laid_out(folders or "x", envs=ENVS):
        files |= _chart(path) if folders else {}
    found = adopted(files)
    assert (told(found, "values"), told(found, "chart")) == (values_at, chart)
    said = {
        "charts/app": "1 chart of no service by the layout, which names one chart a service: charts/app",
        values_at.rpartition("/")[0]: f"the charts at {folders} cannot be named, and only what needs no chart works: "
        f"{values_at} is a file of the chart {folders}: keep them apart",
    }
    assert found.report.unsure == ((said[folders],) if folders in said else ())


@pytest.mark.parametrize(
    ("files", "shared"),
    [
        (laid_out("services/{service}/envs/{env}.yaml") | laid_out("envs/{env}.yaml"), "envs/{env}.yaml"),
        (laid_out("a/{service}/{env}.yaml") | laid_out("common/{env}.yaml"), "common/{env}.yaml"),
        (laid_out("apps/{service}/{env}/values.yaml") | laid_out("apps/{env}-common.yaml"), "apps/{env}-common.yaml"),
        (laid_out("apps/{env}/{service}/values.yaml") | laid_out("other/{env}.yaml"), "none"),
    ],
)
def test_shared_values_are_those_that_are_called_so(files: dict[str, bytes], shared: str) -> None:
    assert told(adopted(files), "shared") == shared


def test_files_without_the_image_that_their_service_has_elsewhere_are_told() -> None:
    files = laid_out("apps/{env}/{service}.yaml") | {"apps/dev/web.yaml": b"container: {version: v1}\n"}
    (said,) = adopted(files).report.unsure
    assert said == "1 file without the image that the service has elsewhere: apps/dev/web.yaml"


def test_what_could_be_a_service_is_no_shared_file() -> None:
    files = laid_out("envs/{env}/{service}.yaml") | {f"envs/{env}/common.yaml": b"replicas: 1\n" for env in ENVS}
    found = adopted(files)
    assert told(found, "shared") == "none"
    assert [one.partition(":")[0] for one in found.report.unsure] == [
        "envs/{env}/common.yaml may be values that services share",
        "1 service without an image",
    ]


def test_the_forge_is_the_remotes() -> None:
    files = laid_out("apps/{env}/{service}.yaml")
    for home, forge in (("https://github.com/a/b.git", "github"), ("https://git.example.com/a/b", "not known")):
        assert told(adopted(files, home=home), "forge") == forge


def test_there_is_nothing_to_adopt_in_other_repositories() -> None:
    for files in (
        {},
        {"README.md": b""},
        {"src/main.yaml": b"a: 1\n"},
        {".github/workflows/dev.yaml": b"image: a:1\n"},
        laid_out("envs/{env}/version.yaml", envs=("qa", "prod-us", "prod-eu")),
    ):
        with pytest.raises(ConfigError) as refused:
            adopted(files)
        assert refused.value.code == "no-layout"


def test_a_template_that_reads_nothing_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no file is at x/\{service\}/\{env\}\.yaml") as refused:
        adopted(laid_out("apps/{env}/{service}.yaml"), values="x/{service}/{env}.yaml")
    assert refused.value.code == "no-layout"


def test_a_layout_that_cannot_be_is_told() -> None:
    files = laid_out("v/{service}-{env}.yaml", envs=("prod", "eu-prod", "dev"))
    with pytest.raises(ConfigError, match=r"is no layout: .* cannot tell") as refused:
        adopted(files)
    assert refused.value.code == "no-layout"
    with pytest.raises(ConfigError, match=r"is no layout: .* cannot tell") as refused:
        adopted(files, values="v/{service}-{env}.yaml")
    assert refused.value.code == "no-layout"
    with pytest.raises(ConfigError, match="cannot tell"):
        adopted(laid_out("v/{service}-{env}.yaml"), "dev", "prod", "eu-prod")
    assert told(adopted(files, "dev", "eu-prod"), "environments") == "dev, eu-prod"


def test_what_a_person_is_told_to_type_does_what_it_says() -> None:
    odd = "a'; rm -rf x #"
    with pytest.raises(ConfigError) as refused:
        adopted(laid_out("b/{service}/{env}.yaml") | laid_out(odd + "/{service}/{env}.yaml"))
    assert f"{odd}/{{service}}/{{env}}.yaml" in shlex.split(str(refused.value.hint))
    text = b"'a;b': {image: {tag: v1}}\n'c;d': {image: {tag: v1}}\n"
    with pytest.raises(ConfigError) as refused:
        adopted(dict.fromkeys(laid_out("apps/{env}/{service}.yaml"), text))
    assert "a;b.image.tag;" in shlex.split(str(refused.value.hint))


def test_hostile_files_neither_stop_nor_mislead_it() -> None:
    files = laid_out("apps/{env}/{service}/values.yaml")
    deep = b"image: " + b"[" * 5000 + b"]" * 5000
    hostile = {
        "apps/dev/deep/values.yaml": deep,
        "apps/dev/bomb/values.yaml": b"image: &a [*a]\n",
        "apps/dev/latin/values.yaml": b"image: {tag: \xff}\n",
        "apps/dev/keys/values.yaml": b'"a\\nb": {image: {tag: v1}}\n"{x}": {image: {tag: v1}}\n',
        "apps/dev/a\nb/values.yaml": values("a"),
        "apps/dev/\x1b[31m/values.yaml": values("a"),
        "apps/dev/\udcff/values.yaml": values("a"),
        "apps/dev/{service}/values.yaml": values("a"),
        "apps/dev/" + "x" * 64 + "/values.yaml": values("a"),
        "apps/dev/argo.yaml": b"argoproj.io/ valueFiles: [" + b"[" * 5000,
        "apps/prod/argo.yaml": _APPLICATION.format(
            kind="Application", spec="{sources: [1, {helm: [valueFiles]}]}"
        ).encode(),
        "/".join(["deep"] * 300) + "/dev.yaml": values("a"),
        "/".join(["-".join(["dev"] * 60)] * 9) + "/dev.yaml": values("a"),
    }
    found = adopted(files | hostile)
    assert told(found, "values") == "apps/{env}/{service}/values.yaml"
    assert found.text.isascii()
    assert {one.file for one in found.warnings} == {
        "apps/dev/deep/values.yaml",
        "apps/dev/bomb/values.yaml",
        "apps/dev/latin/values.yaml",
    }
