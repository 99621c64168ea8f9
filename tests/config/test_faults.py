"""What a wrong gitops-tk.yaml is told: a code, a line, and what was probably meant."""

import subprocess
import sys

import pytest
import yaml

from gitops_tk.config.load import parse
from gitops_tk.config.model import ImageKeys, InitialEnvironment, initial
from gitops_tk.config.show import to_builtins
from gitops_tk.errors import ConfigError

_HEAD = "apiVersion: gitops-tk/v1\nenvironments:\n  - name: dev\n  - name: staging\n  - name: prod\n"
_BOMB = "x-a: &a0 [1, 1]\n" + "".join(f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("added", "code", "line"),
    [
        ("  - {name: qa, path: DEV}\n", "config-duplicate-environment", 6),
        ("  - {name: qa, path: ''}\n", "config-value", 6),
        ("  - name: qa\n    from:\n    - dev\n    - dev\n", "config-value", 7),
        ("  - name: qa\n    from:\n    - dev\n    - 5\n", "config-value", 9),
        ("  - {name: qa}\n  - {name: b, from: [c]}\n  - {name: c, from: [b]}\n", "config-circle", 7),
        ("  - {name: !custom qa}\n", "config-yaml", 6),
        ("forge: !!python/object:os.system {}\n", "config-yaml", 6),
        ("layout:\n", "config-value", 6),
        ("layout:\n  chart: {}\n", "config-value", 7),
        ("layout:\n  chart: {oci: oci://x.example/a, name: b}\n", "config-value", 7),
        ("layout:\n  chart: {repository: 'https://x.example'}\n", "config-value", 7),
        ("layout:\n  chart:\n    oci: oci://user:password@x.example/a\n", "config-value", 8),
        ("layout:\n  chart:\n    oci: oci://x.example/a:1.0.0\n", "config-value", 8),
        ("layout:\n  chart:\n    oci: oci://x.example/a/../b\n", "config-value", 8),
        ("layout:\n  chart:\n    oci: 'oci://{service}.example/a/b'\n", "config-value", 8),
        ("layout:\n  chart:\n    oci: 'oci://x.example/{env}/b'\n", "config-value", 8),
        ("layout:\n  chart:\n    oci: -o\n", "config-value", 8),
        ("layout:\n  chart:\n    name: a\n    repository: http://x.example\n", "config-value", 9),
        ("layout:\n  chart:\n    repository: https://x.example\n    name: --debug\n", "config-value", 9),
        ("layout:\n  chart:\n    oci: oci://x.example/a\n    version: path.a\n", "config-value", 9),
        ("layout:\n  chart:\n    oci: oci://x.example/a\n    version: 'a.\"b\"'\n", "config-value", 9),
        ("layout:\n  chart:\n    oci: oci://x.example/a\n    version: image.tag\n", "config-value", 9),
        ("layout:\n  values: '{env}.yaml'\n  chart:\n    oci: oci://x.example/a\n", "config-layout", 7),
        ("promotion:\n", "config-value", 6),
        ("services: {a: }\n", "config-value", 6),
        ("images: {web: }\n", "config-value", 6),
        ("images: {web: {}}\n", "config-value", 6),
        ("images:\n  web:\n    tag: a.{env}\n", "config-value", 8),
        ('images: {web: {tag: "a\\nb"}}\n', "config-value", 6),
        ('images: {"a\\nb": {tag: a}}\n', "config-value", 6),
        ("images:\n  web: {tag: image.tag}\n", "config-value", 7),
        ("images:\n  web: {reference: app.image, tag: app.tag}\n", "config-value", 7),
        ("images:\n  web:\n    reference: app.image\n    build: app.build\n", "config-value", 7),
        ("promotion:\n  keys:\n  - a\n  - ''\n", "config-value", 9),
        ("requires: 1.2\n", "config-value", 6),
        ("validate:\n  of: []\n", "config-unknown-key", 7),
        ("validate:\n  off: pdb-drain\n", "config-value", 7),
        ("validate:\n  off:\n    - rule: a\n", "config-value", 8),
        ("validate:\n  off:\n    - rule: a\n      reason: ' '\n", "config-value", 9),
        (
            "validate:\n  off:\n    - {rule: a, reason: b}\n    - {rule: a, reason: b, service: [c]}\n",
            "config-unknown-key",
            9,
        ),
        ("validate:\n  off: [{rule: a, reason: b, environments: [qa]}]\n", "config-unknown-environment", 7),
        ("validate:\n  crds:\n    - schemas\n    - ../outside\n", "config-value", 9),
        ("validate:\n  crds: [/etc]\n", "config-value", 7),
        ("argocd:\n", "config-value", 6),
        ("argocd:\n  repo: a\n", "config-unknown-key", 7),
        ("argocd:\n  pod-security: none\n", "config-value", 7),
        ("argocd:\n  repository: /srv/git\n", "config-value", 7),
        ("argocd:\n  revision: '{{ x }}'\n", "config-value", 7),
        ("argocd:\n  installed-in: Argo\n", "config-value", 7),
        ("argocd:\n  project: default\n", "config-value", 7),
        ("argocd:\n  application: '{service}'\n", "config-value", 7),
        ("argocd:\n  namespace: '{service}_{env}'\n", "config-value", 7),
        ("argocd:\n  reads:\n    - lib\n    - ../lib\n", "config-value", 9),
        ("argocd:\n  environments: []\n", "config-value", 7),
        ("argocd:\n  environments:\n    prd: {}\n", "config-unknown-environment", 8),
        ("argocd:\n  environments:\n    dev: {prune: 1}\n", "config-value", 8),
        ("argocd:\n  environments:\n    dev:\n      cluster: a\n      server: https://b\n", "config-value", 9),
        ("argocd:\n  environments: {dev: {server: b}}\n", "config-value", 7),
        ("layout: {values: 'argocd/{service}-{env}.yaml'}\nargocd: {}\n", "config-layout", 6),
        (f"requires: '>={'9' * 5000}'\n", "config-requires", 6),
        ("requires: '>=\u0663'\n", "config-requires", 6),
        ("x-a: &a {b: *a}\n", "config-alias-bomb", 6),
        (_BOMB, "config-alias-bomb", None),
        ("forge:\n  kind: git\n  kind: gitea\n", "config-duplicate-key", 8),
        ("forge:\n  repository: ../other\n", "config-value", 7),
        ("forge:\n  repository: https://evil.example/a/b\n", "config-value", 7),
        ("forge:\n  labels:\n    - good\n    - a, b\n", "config-value", 9),
        ("forge:\n  reviewers: ['']\n", "config-value", 7),
        ("forge:\n  draft: true\n  auto-merge: true\n", "config-value", 8),
        ("images:\n", "config-value", 6),
        ("services:\n", "config-value", 6),
        ("forge: {<<: {kind: git}}\n", "config-value", 6),
        *(
            (f"skeleton: {one}\n", "config-value", 6)
            for one in (
                *("{path: ../outside}", "{path: /etc}", "{path: ''}", "{ref: main}", "{url: 'https://x.example/y'}"),
                *("{url: 'file:///root/secrets', ref: main}", "{url: /root/secrets, ref: main}"),
                *("{url: 'ext::sh -c true', ref: main}", "{url: '-oProxyCommand=x', ref: main}"),
                "{url: 'https://user:password@x.example/y', ref: main}",
                "{url: 'https://x.example/y', ref: --upload-pack=x}",
            )
        ),
        ("skeleton: {answers: {imgae: x}}\n", "config-value", 6),
        ("    gates: {commands: [{name: ' ', run: [a]}]}\n", "config-value", 6),
        ('    gates: {commands: [{name: "a\\n", run: [a]}]}\n', "config-value", 6),
        ("    gates: {commands: [{name: a, run: ['']}]}\n", "config-value", 6),
        ('    gates: {commands: [{name: a, run: [b, "c\\0"]}]}\n', "config-value", 6),
        ('forge: {labels: ["a\\n"]}\n', "config-value", 6),
        ("images: {web: {tag: ''}}\n", "config-value", 6),
        ('validate: {off: [{rule: a, reason: "b\\n"}]}\n', "config-value", 6),
        ("validate: {crds: ['']}\n", "config-value", 6),
        ('validate: {crds: ["a\\n"]}\n', "config-value", 6),
        ("argocd: {reads: ['a;b']}\n", "config-value", 6),
        ('argocd: {reads: ["a\\n"]}\n', "config-value", 6),
        ('argocd: {repository: "https://git.example.com/a\\a"}\n', "config-value", 6),
        ("argocd: {environments: {dev: {namespace: '{service}_x'}}}\n", "config-value", 6),
        ("a: \x01\n", "config-yaml", 6),
        ("sops: {mac: x}\n", "config-sops", None),
        ("---\na: b\n", "config-several-documents", 6),
        ("a: b\x00\n", "config-encoding", 6),
    ],
)
def test_a_fault_is_told_with_its_line(added: str, code: str, line: int | None) -> None:
    with pytest.raises(ConfigError) as refused:
        parse((_HEAD + added).encode())
    assert refused.value.code == code
    assert line is None or refused.value.line == line


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "\ufeff"])
def test_a_file_that_holds_nothing_is_empty(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text.encode())
    assert refused.value.code == "config-empty"


@pytest.mark.parametrize("opening", ["[", "- ", "? ", "{a: "])
def test_a_nesting_that_would_end_the_process_is_refused(opening: str) -> None:
    # In a process of its own: without the guard, libyaml ends it.
    program = (
        "import sys\nfrom gitops_tk.config.load import parse\nfrom gitops_tk.errors import ConfigError\n"
        "try: parse(sys.argv[1].encode() * 200_000)\nexcept ConfigError as error: print(error.code, error.line)"
    )
    done = subprocess.run([sys.executable, "-c", program, opening], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "config-alias-bomb 1\n")


def test_an_older_program_says_so_before_it_looks_at_the_version_of_the_form() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(b"requires: '>=99'\napiVersion: gitops-tk/v2\nnew: 1\n")
    assert (refused.value.code, refused.value.line) == ("config-requires", 1)


def test_a_required_version_may_have_more_parts_than_this_one() -> None:
    assert parse((_HEAD + "requires: '>=0.1.0.0'\n").encode()).requires == ">=0.1.0.0"


@pytest.mark.parametrize(
    ("added", "hint"),
    [
        ("  - {name: qa, publish: pull_request}\n", "did you mean pull-request?"),
        ("forge: {kind: gitub}\n", "did you mean github?"),
        ("argocd: {pod-security: restrict}\n", "did you mean restricted?"),
        ("argocd: {environments: {prd: {}}}\n", "did you mean prod?"),
        ("  - {name: no}\n", "put it in quotes if it is meant as text"),
    ],
)
def test_a_hint_says_what_was_probably_meant(added: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse((_HEAD + added).encode())
    assert refused.value.hint == hint


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("  - {name: qa, gates: {healthy: maybe}}\n", "environments.gates.healthy: expected true or false, got a text"),
        (
            "  - {name: qa, gates: {soak: 24}}\n",
            "soak: expected a text or nothing, got a whole number",
        ),
        ("  - {name: qa, protected: a}\n", "environments.protected: expected a list, got a text"),
        ("  - {name: qa, gates: {commands: [{name: a}]}}\n", "environments.gates.commands: run is missing"),
    ],
)
def test_what_a_value_has_to_be_is_said_in_plain_words(added: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse((_HEAD + added).encode())
    assert refused.value.message.endswith(said)


def test_a_message_holds_nothing_that_a_terminal_obeys() -> None:
    with pytest.raises(ConfigError) as refused:
        parse((_HEAD + '"a\\e[31m": 1\n').encode())
    assert refused.value.message.isprintable()


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        parse((_HEAD + "argocd:\n  repository: https://me:secret@git.example.com/a.git\n").encode())
    assert (refused.value.code, refused.value.line) == ("config-value", 7)
    assert "secret" not in refused.value.message


def test_ignored_keys_may_hold_anything_and_names_are_never_ignored() -> None:
    config = parse(
        (
            _HEAD
            + "x-a: &a {5: 6, '': 1}\nforge: {x-b: {<<: *a}}\n"
            + "services: {x-ray: {images: {default: {tag: ray.tag}}}}\n"
        ).encode()
    )
    assert config.image_keys("x-ray")["default"].tag == "ray.tag"


def test_a_service_overrides_the_repository_s_keys_one_by_one() -> None:
    config = parse(
        (
            _HEAD
            + "images: {default: {tag: app.tag}, web: {tag: web.tag}}\n"
            + "services:\n  u: {images: {default: {digest: d.d}}}\n  r: {images: {default: {reference: app.image}}}\n"
        ).encode()
    )
    default = ImageKeys(tag="app.tag", digest="d.d", build="image.build", revision="image.revision")
    assert config.image_keys("u") == {"default": default, "web": ImageKeys(tag="web.tag")}
    assert config.image_keys("r")["default"] == ImageKeys(reference="app.image")


def test_a_part_takes_the_place_of_a_reference() -> None:
    text = _HEAD + "images: {default: {reference: a.image}}\nservices: {u: {images: {default: {tag: u.tag}}}}\n"
    assert parse(text.encode()).image_keys("u") == {"default": ImageKeys(tag="u.tag")}


def test_the_shown_configuration_is_read_back_as_the_same() -> None:
    text = _HEAD + "layout: {shared: null}\nservices: {a: {images: {default: {tag: t.t}}}}\nforge: {kind: gitea}\n"
    shown = to_builtins(parse(text.encode()))
    assert shown["layout"]["shared"] is None
    assert to_builtins(parse(yaml.safe_dump(shown).encode())) == shown


@pytest.mark.parametrize("name", ["no", "on", "y", "null", "1e3", "2024-01-01", "0o17", "dev"])
def test_a_first_file_keeps_names_that_yaml_would_read_as_something_else(name: str) -> None:
    config = parse(initial([InitialEnvironment(name=name)], "git", chart_per_environment=False))
    assert config.environments[0].name == name
