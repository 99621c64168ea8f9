"""gitops-tk.yaml: what it may hold, and that its schema says the same."""

import json

import jsonschema
import pytest
import yaml
from tests.support.repositories import CONFIG

from gitops_tk import __version__
from gitops_tk.config.load import parse
from gitops_tk.config.model import ImageKeys, InitialEnvironment, initial
from gitops_tk.config.schema import json_schema
from gitops_tk.config.show import to_builtins
from gitops_tk.errors import ConfigError

_GOOD = [
    CONFIG,
    b"\xef\xbb\xbf" + CONFIG.replace(b"\n", b"\r\n"),
    CONFIG + b"x-notes: anything\nx-more: {a: [1]}\n",
    CONFIG.replace(b"name: prod", b"name: prod\n    x-owner: me\n    path: production\n    publish: pull-request"),
    CONFIG + b'requires: ">=0.0.1, <99"\n',
    CONFIG + b"images:\n  web: {tag: web.tag}\nservices:\n  a: {images: {default: {reference: app.image}}}\n",
    CONFIG + b"promotion: {keys: [a.b, '!c']}\nforge: {kind: gitea}\n",
    CONFIG + b"forge: {repository: a/b/c, labels: [x], reviewers: ['team:y'], draft: true, merge-method: squash}\n",
    CONFIG + b"forge:\n  auto-merge: true\n",
    CONFIG + b"layout:\n  shared: null\n",
    CONFIG + b"x-shared: &k [staging]\n",
    CONFIG + b"layout: {chart: {oci: 'oci://registry.example.com:5000/charts/{service}', x-by: me}}\n",
    CONFIG + b"layout: {chart: {repository: 'https://charts.example.com/a', name: web, version: chart.version}}\n",
    b'{"apiVersion": "gitops-tk/v1", "environments": [{"name": "only"}]}',
]
_BAD = [
    CONFIG + b"unknown: 1\n",
    CONFIG.replace(b"name: prod", b"nmae: prod"),
    CONFIG.replace(b"name: prod", b"name: 5"),
    CONFIG.replace(b"name: prod", b"name: prod\n    publish: maybe"),
    CONFIG + b"forge: {kind: sourceforge}\n",
    CONFIG + b"forge: {token: x}\n",
    CONFIG + b"forge: {labels: x}\n",
    CONFIG + b"forge: {auto-merge: 1}\n",
    CONFIG + b"forge: {merge-method: octopus}\n",
    CONFIG + b"promotion: {keys: a}\n",
    CONFIG + b"images: {default: {tga: x}}\n",
    CONFIG + b"images: []\n",
    CONFIG + b"layout: {values: 5}\n",
    CONFIG + b"layout: {chart: {oci: 5}}\n",
    CONFIG + b"layout: {chart: {oci: 'oci://registry.example.com/a', verison: a}}\n",
    CONFIG + b"services: {a: {image: {}}}\n",
    b"apiVersion: gitops-tk/v1\nenvironments: []\n",
    b"apiVersion: gitops-tk/v1\nenvironments: {}\n",
    b"apiVersion: gitops-tk/v1\n",
    b"environments: [{name: dev}]\n",
]


@pytest.mark.parametrize("text", _GOOD)
def test_the_program_and_its_schema_accept_the_same(text: bytes) -> None:
    parse(text)
    jsonschema.validate(yaml.safe_load(text.decode("utf-8-sig")), json_schema())


@pytest.mark.parametrize("text", _BAD)
def test_the_program_and_its_schema_refuse_the_same(text: bytes) -> None:
    with pytest.raises(ConfigError):
        parse(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), json_schema())


def test_the_schema_is_one_and_describes_every_key() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for definition in schema["$defs"].values():
        for name, rule in definition["properties"].items():
            assert "description" in json.dumps(rule) or "$ref" in json.dumps(rule), name


def test_defaults_are_filled_in() -> None:
    config = parse(CONFIG)
    assert [(env.name, env.path, env.from_, env.publish) for env in config.environments] == [
        ("dev", "dev", (), "push"),
        ("staging", "staging", ("dev",), "push"),
        ("prod", "prod", ("staging",), "push"),
    ]
    assert to_builtins(config)["images"] == {
        "default": {"tag": "image.tag", "digest": "image.digest", "build": "image.build", "revision": "image.revision"}
    }


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("{oci: 'oci://r.example.com/charts/{service}'}", "oci://r.example.com/charts/a"),
        ("{repository: 'https://c.example.com/x/', name: web, version: a.b}", "https://c.example.com/x/web"),
    ],
)
def test_a_published_chart_is_shown_as_a_file_that_means_the_same(written: str, address: str) -> None:
    config = parse(CONFIG + f"layout: {{chart: {written}}}\n".encode())
    assert config.chart is not None
    assert config.chart.of("a").address == config.layout.chart_path("a", config.environments[0]) == address
    assert config.layout.match_chart(address) is None
    again = parse(json.dumps(to_builtins(config)).encode())
    assert (again.chart, again.layout.templates) == (config.chart, config.layout.templates)


def test_the_forge_is_shown_under_the_keys_of_the_file() -> None:
    shown = to_builtins(parse(CONFIG + b"forge: {labels: [a], auto-merge: true}\n"))["forge"]
    assert shown == {"labels": ["a"], "draft": False, "auto-merge": True, "merge-method": "merge"}


def test_images_may_be_overridden_for_a_service_and_hold_its_name() -> None:
    config = parse(
        CONFIG
        + b"images:\n  default: {tag: '{service}.tag'}\n  web: {reference: web.image}\n"
        + b"services:\n  b:\n    images:\n      default: {tag: other.tag}\n"
    )
    assert config.image_keys("a")["default"].tag == "a.tag"
    assert config.image_keys("a")["default"].digest == "image.digest"
    assert config.image_keys("a")["web"].reference == "web.image"
    assert config.image_keys("b")["default"].tag == "other.tag"


def test_a_part_that_values_do_not_keep_is_null() -> None:
    text = CONFIG + b"images: {default: {tag: imageTag, digest: null, build: null, revision: null, reference: null}}\n"
    config = parse(text)
    assert config.image_keys("a")["default"] == ImageKeys(tag="imageTag")
    assert parse(yaml.safe_dump(to_builtins(config)).encode()).images == config.images
    with pytest.raises(ConfigError):
        parse(CONFIG + b"images: {default: {tag: null, digest: null}}\n")


@pytest.mark.parametrize(
    ("requires", "works"),
    [
        (f">={__version__}", True),
        (f"=={__version__}", True),
        (f">{__version__}", False),
        ("<0.0.1", False),
        ("!=99", True),
        (">=0.0,<99", True),
        ("soon", False),
    ],
)
def test_an_older_program_says_so(requires: str, works: bool) -> None:
    text = CONFIG + f'requires: "{requires}"\nfrom-the-future: 1\n'.encode()
    with pytest.raises(ConfigError) as refused:
        parse(text)
    assert refused.value.code == ("config-unknown-key" if works else "config-requires")


def test_a_hint_names_the_nearest_key() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(CONFIG + b"promotions:\n  keys: []\n")
    assert (refused.value.line, refused.value.hint) == (6, "did you mean promotion?")


def test_the_first_file_of_a_repository_is_read_back() -> None:
    environments = [InitialEnvironment(name="dev"), InitialEnvironment(name="live", publish="pull-request")]
    config = parse(initial(environments, "git", chart_per_environment=True))
    assert [env.publish for env in config.environments] == ["push", "pull-request"]
    assert config.layout.chart_per_environment
    assert config.forge.kind == "git"
