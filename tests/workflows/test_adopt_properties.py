"""adopt on made-up repositories: a layout is found or asked for, and never another one."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.layouts import adopted, laid_out

from gitops_tk.config.load import parse
from gitops_tk.errors import ConfigError

_FOLDERS = st.sampled_from("apps services deploy shop platform k8s clusters".split())
_FILES = st.sampled_from("values config helmrelease kustomization image".split())
_NAMES = st.sampled_from("web api user-service billing shop cron-2 test auth-api auth live z9".split())
_PATHS = st.sampled_from("dev test qa staging uat prod prod-eu prod-us eu-prod production Live".split())
_ASKED = ("ambiguous-layout", "ambiguous-environments", "no-layout")


@st.composite
def _templates(draw: st.DrawFn) -> str:
    """A layout as somebody may have it: folders, and a file's name, with both placeholders somewhere in them."""
    env, service = draw(st.permutations(["{env}", "{service}"]))
    separator = draw(st.sampled_from(["-", ".", "_"]))
    names = draw(
        st.sampled_from(
            [
                [env, service, draw(_FILES)],
                [env, service],
                [env, draw(_FOLDERS), service],
                [env, f"{draw(_FILES)}{separator}{service}"],
                [env, f"{service}{separator}{draw(_FILES)}"],
                [f"{env}{separator}{service}"],
                [service, draw(_FOLDERS), env, draw(_FILES)],
                [service, f"{env}{separator}{service}"],
            ]
        )
    )
    folders = draw(st.lists(_FOLDERS, max_size=2))
    return "/".join([*folders, *names]) + draw(st.sampled_from([".yaml", ".yml"]))


@settings(max_examples=150, deadline=None)
@given(
    _templates(),
    st.lists(_NAMES, min_size=1, max_size=4, unique=True),
    st.lists(_PATHS, min_size=1, max_size=4, unique=True),
    st.booleans(),
    st.data(),
)
def test_a_layout_is_found_or_asked_for_and_never_another_one(
    template: str, services: list[str], envs: list[str], named: bool, data: st.DataObject
) -> None:
    there = laid_out(template, services, envs)
    # Not every service is in every environment, and not every image is called like its service.
    gone = data.draw(st.sets(st.sampled_from(sorted(there)), max_size=len(there) // 4))
    files = {path: text if named else b"image: {tag: v1}\n" for path, text in there.items() if path not in gone}
    others = dict.fromkeys(["README.yaml", "apps/Chart.yaml", "docs/dev.yaml", ".ci/prod/web.yaml"], b"a: 1\n")
    try:
        found = adopted(files | others)
    except ConfigError as error:
        assert (error.code in _ASKED, bool(error.hint)) == (True, True)  # noqa: PT017
        return
    names = {one.name: one.path for one in parse(found.text).environments}
    read = {
        template.replace("{service}", service).replace("{env}", names[env])
        for service, envs_of in found.status.details["services"].items()
        for env, one in envs_of.items()
        if one["images"]
    }
    assert read == set(files)


_PARTS = st.sampled_from(
    [*"dev prod prod-eu test web web-dev values apps {env} {service} .git a=b [x] -x é A\x00".split(), "\n"]
)
_TEXTS = st.sampled_from(
    [
        b"image: {tag: v1}\n",
        b"image: a/web:v1\n",
        b"[" * 300,
        b"a: &a {image: {tag: *a}}\n",
        b"image: [{name: 'a]', newTag: 1}, {name: w, newTag: 1}, 3]\n",
        b"\xff\xfe",
        b"---\nimage: {tag: 1}\n---\n",
        b"argoproj.io/: 1\nkind: Application\nspec: {source: {path: [], helm: {valueFiles: [{}, '{{x}}', ../..]}}}\n",
        b"? {a: b}\n: image\n",
    ]
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.lists(_PARTS, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".yaml"), _TEXTS, max_size=12
    ),
    st.lists(st.sampled_from(["dev", "prod", "x=web", "test"]), max_size=2, unique=True),
)
def test_whatever_lies_about_is_read_or_refused(files: dict[str, bytes], envs: list[str]) -> None:
    with suppress(ConfigError):
        found = adopted(files, *envs)
        assert all(line.isprintable() for line in found.text.decode().split("\n"))
        assert found.status.details["services"]
