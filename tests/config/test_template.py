"""Whether two templates can name the same path, against trying all short names."""

from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitops_tk.config.layout import Layout, LayoutError
from gitops_tk.config.template import Slot, overlap, overlaps, pattern
from gitops_tk.errors import UsageError
from gitops_tk.model import names


class Env(NamedTuple):
    name: str
    path: str


# Names long enough for what the texts around a placeholder, of two letters at most, can ask of them.
_SERVICES = ["".join(n) for size in range(1, 6) for n in product("ab-", repeat=size) if n[0] != "-" != n[-1]]
_TEXT = st.text("ab-.", max_size=2)
_SEGMENT = st.one_of(
    st.builds(lambda before, after: f"{before}{{service}}{after}", _TEXT, _TEXT),
    st.text("ab.", min_size=1, max_size=3),
)


def _paths(template: str) -> set[str]:
    return {template.replace("{service}", service) for service in _SERVICES}


@example("a.{service}", "{service}.b")
@example("a{service}", "{service}b")
@given(_SEGMENT, _SEGMENT)
def test_two_segments_meet_exactly_when_some_names_make_them_equal(one: str, two: str) -> None:
    assert overlap(pattern(one, ""), pattern(two, "")) == bool(_paths(one) & _paths(two))


@given(st.lists(_SEGMENT, min_size=1, max_size=3), st.lists(_SEGMENT, min_size=1, max_size=3))
def test_no_path_that_two_templates_share_is_missed(one: list[str], two: list[str]) -> None:
    first, second = "/".join(one), "/".join(two)
    above = {"/".join(path.split("/")[: len(one)]) for path in _paths(second)}
    shared = len(one) <= len(two) and bool(_paths(first) & above)
    found = overlap(pattern(first, ""), pattern(second, ""))
    assert found or not shared
    assert found == overlap(pattern(second, ""), pattern(first, ""))


_PART = st.one_of(_SEGMENT, st.builds("".join, st.permutations(["{service}", "-", "{env}"])), st.just("{env}"))
_TEMPLATE = st.lists(_PART, min_size=1, max_size=3).map("/".join)


@given(_TEMPLATE, _TEMPLATE, st.lists(st.text("ab-", min_size=1, max_size=3), unique=True, min_size=1, max_size=6))
def test_the_environments_that_overlap_are_found_without_holding_each_against_each(
    one: str, two: str, envs: list[str]
) -> None:
    ones, others = ([pattern(text, env) for env in envs] for text in (one, two))
    every = [(at, to) for at, first in enumerate(ones) for to, second in enumerate(others) if overlap(first, second)]
    assert list(overlaps(ones, others)) == every


@given(st.text("ab-.A0", max_size=4))
def test_a_slot_holds_what_names_take_for_a_service(text: str) -> None:
    try:
        names.service(text)
    except UsageError:
        assert Slot("x.", ".y").holds(f"x.{text}.y") is None
    else:
        assert Slot("x.", ".y").holds(f"x.{text}.y") == text


@pytest.mark.parametrize(
    ("templates", "paths", "key"),
    [
        ({"values": "{env}/{service}.yaml", "shared": "{env}/common.yaml"}, ("dev",), "values"),
        ({"values": "{service}/{env}", "chart": ".{service}"}, ("dev",), "chart"),
        ({"values": "{service}.{env}"}, ("yaml",), "values"),
        ({"values": "v/.{env}/{service}.yaml"}, ("git",), "values"),
        ({"values": "{service}/{env}.yaml", "shared": "{env}"}, ("eu",), "values"),
        ({"values": "Charts/x/{env}/{service}"}, ("dev",), "values"),
        ({"values": "v/{service}-x-{env}", "chart": "v/{service}-x-dev"}, ("dev",), "values"),
        ({"chart": "c/{service}-{env}"}, ("prod", "eu-prod"), "chart"),
        ({"values": "v:{service}/{env}"}, ("dev",), "values"),
        ({"values": "v/{service}./{env}"}, ("dev",), "values"),
    ],
)
def test_a_path_that_could_mean_two_things_is_refused(
    templates: dict[str, str], paths: tuple[str, ...], key: str
) -> None:
    with pytest.raises(LayoutError) as refused:
        Layout(
            {"values": "v/{env}/{service}", "chart": "charts/{service}", "shared": "s/{env}"} | templates,
            [Env(path, path) for path in paths],
        )
    assert refused.value.key == key


def test_an_environment_s_own_folder_tells_apart_what_a_dash_does_not() -> None:
    envs = [Env("prod", "prod"), Env("eu-prod", "eu-prod")]
    made = Layout({"values": "{env}/v/{service}-{env}.yaml", "chart": "charts/x/{service}", "shared": None}, envs)
    assert made.match_values("eu-prod/v/a-eu-prod.yaml") == ("a", "eu-prod")
    assert made.match_values("prod/v/a-eu-prod.yaml") == ("a-eu", "prod")


def test_a_name_that_is_there_twice_is_the_same_both_times() -> None:
    assert not overlap(pattern("{service}/{service}.yaml", ""), pattern("{service}/a-{service}.yaml", ""))
    assert not overlap(pattern("{service}/{service}.yaml", ""), pattern("envs/dev.yaml", ""))
    assert overlap(pattern("{service}/{service}.yaml", ""), pattern("envs/envs.yaml", ""))


def test_a_chart_s_folder_itself_is_of_the_chart() -> None:
    made = Layout({"values": "v/{service}/{env}", "chart": "c/{service}/{env}", "shared": None}, [Env("p", "prod")])
    assert made.match_chart("c/a/prod") == made.match_chart("c/a/prod/Chart.yaml") == ("a", "p")
    assert made.match_chart("c/a/prod-2") is None
