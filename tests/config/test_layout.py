"""Layout templates, both ways; what could be read in two ways is refused."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_tk.config.layout import DEFAULTS, Layout, LayoutError
from gitops_tk.repository.memory import MemorySnapshot


class Env(NamedTuple):
    name: str
    path: str


ENVS = (Env("dev", "dev"), Env("staging", "staging"), Env("prod", "production"))
SERVICES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


def layout(envs: tuple[Env, ...] = ENVS, **templates: str | None) -> Layout:
    return Layout({**DEFAULTS, **templates}, envs)


@pytest.mark.parametrize(
    "templates",
    [
        {},
        {"values": "apps/{env}/{service}/values.yaml"},
        {"values": "{env}/{service}.yaml"},
        {"values": "values/{service}.{env}.yaml"},
        {"values": "values/{service}-{env}.yaml"},
        {"values": "values/{env}_{service}.yaml"},
        {"chart": "services/{service}/{env}/chart"},
        {"chart": "charts/{service}", "values": "envs/{env}/services/{service}/values.yaml"},
        {"shared": None},
        {"shared": "services/{env}/shared.yaml"},
        {"values": "{env}/values-{service}.yaml", "shared": "{env}/common.yaml"},
    ],
)
def test_a_layout_that_reads_in_one_way_is_accepted(templates: dict[str, str | None]) -> None:
    made = layout(**templates)
    path = made.values_path("user-service", ENVS[2])
    assert made.match_values(path) == ("user-service", "prod")


@pytest.mark.parametrize(
    ("templates", "key"),
    [
        ({"values": "services/{service}.yaml"}, "values"),
        ({"values": "services/{env}.yaml"}, "values"),
        ({"chart": "chart"}, "chart"),
        ({"shared": "shared.yaml"}, "shared"),
        ({"shared": "envs/{env}/{service}.yaml"}, "shared"),
        ({"values": "/services/{service}/{env}.yaml"}, "values"),
        ({"values": "services/../{service}/{env}.yaml"}, "values"),
        ({"values": "services//{service}/{env}.yaml"}, "values"),
        ({"values": "./{service}/{env}.yaml"}, "values"),
        ({"values": "a\\{service}/{env}.yaml"}, "values"),
        ({"values": "a/{service}/{env}\n.yaml"}, "values"),
        ({"values": "-a/{service}/{env}.yaml"}, "values"),
        ({"values": ".git/{service}/{env}.yaml"}, "values"),
        ({"values": ".GIT/{service}/{env}.yaml"}, "values"),
        ({"chart": ".gitops-tk/{service}"}, "chart"),
        ({"values": "gitops-tk.yaml/{service}/{env}"}, "values"),
        ({"values": "{service}/{env}/{region}.yaml"}, "values"),
        ({"values": "{service}/{env}/{.yaml"}, "values"),
        ({"values": "{service}{env}.yaml"}, "values"),
        ({"values": "{service}-{service}-{env}.yaml"}, "values"),
        ({"values": "services/{service}/chart/envs/{env}.yaml"}, "values"),
        ({"values": "apps/{env}/{service}/values.yaml", "chart": "apps/{service}/chart"}, "values"),
        ({"values": "envs/{env}/{service}.yaml", "shared": "envs/{env}/shared.yaml"}, "values"),
        ({"shared": "services/{env}/chart/values.yaml"}, "shared"),
    ],
)
def test_a_layout_that_leaves_the_repository_or_reads_in_two_ways_is_refused(
    templates: dict[str, str], key: str
) -> None:
    with pytest.raises(LayoutError) as refused:
        layout(**templates)
    assert refused.value.key == key


def test_a_dash_between_placeholders_depends_on_the_environments() -> None:
    with pytest.raises(LayoutError):
        layout((Env("prod", "prod"), Env("eu-prod", "eu-prod")), values="v/{service}-{env}.yaml")
    with pytest.raises(LayoutError):
        layout((Env("prod", "prod"), Env("prod-eu", "prod-eu")), values="v/{env}-{service}.yaml")
    layout((Env("prod", "prod"), Env("eu-prod", "eu-prod")), values="v/{service}.{env}.yaml")


@given(
    SERVICES,
    st.sampled_from(ENVS),
    st.sampled_from(
        [
            "services/{service}/envs/{env}.yaml",
            "a/{env}/{service}/v.yaml",
            "v/{service}-{env}.yaml",
            "{env}/x-{service}",
        ]
    ),
)
def test_a_path_is_read_back_as_what_it_was_made_from(service: str, env: Env, template: str) -> None:
    made = layout(values=template, chart="charts/{service}")
    assert made.match_values(made.values_path(service, env)) == (service, env.name)
    assert made.match_shared(made.shared_path(env) or "") == env.name
    assert made.match_chart(made.chart_path(service, env) + "/templates/a.yaml") == (service, None)
    assert made.match_shared(made.values_path(service, env)) is None


@given(st.lists(st.sampled_from(["{service}", "{env}", "a", "..", ".", "", "/", "-", "x.yaml", ".git"]), max_size=6))
def test_no_template_makes_a_path_that_leaves_the_repository(parts: list[str]) -> None:
    text = "/".join(["{service}", *parts, "{env}.yaml"])
    try:
        made = layout(values=text, chart="c/{service}", shared="s/{env}")
    except LayoutError:
        return
    path = made.values_path("a", ENVS[0])
    assert not path.startswith(("/", "-"))
    assert not {"", ".", ".."} & set(path.split("/"))


def test_services_are_those_with_values_in_at_least_one_environment() -> None:
    made = layout()
    snapshot = MemorySnapshot(
        dict.fromkeys(
            [
                "services/b/envs/dev.yaml",
                "services/a/envs/production.yaml",
                "services/a/envs/dev.yaml",
                "services/a/envs/notes.md",
                "services/c/envs/other.yaml",
                "services/Bad_Name/envs/dev.yaml",
                "services/d/chart/values.yaml",
                "services/e/envs/dev.yaml/nested",
            ],
            b"",
        )
    )
    assert made.find_services(snapshot) == {"a": ("dev", "prod"), "b": ("dev",)}
    assert made.find_services(snapshot, [ENVS[2]]) == {"a": ("prod",)}
    assert made.find_services(MemorySnapshot({})) == {}
