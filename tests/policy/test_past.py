"""What environments held, and when."""

import pytest
from tests.support import repositories as repo
from tests.support.timeline import Timeline, at

from gitops_tk.model.image import Image
from gitops_tk.policy.past import Past, holds, monotone, same, vouches
from gitops_tk.workflows.looking_back.past import pasts

_OWN = "services/a/envs/dev.yaml"
_BASE = {"gitops-tk.yaml": repo.CONFIG}


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ([], []),
        ([1, 2, 3], [1, 2, 3]),
        # A clock that was slow, or a date that was made up.
        ([5, 2, 6], [5, 5, 6]),
        ([5, 2, 1, 6], [5, 5, 5, 6]),
        # A date in the future counts as the next commit's, or as now.
        ([1, 99, 3], [1, 3, 3]),
        ([1, 99], [1, 10]),
        ([99, 98, 97], [10, 10, 10]),
        ([1, 99, 98, 4, 2], [1, 4, 4, 4, 4]),
    ],
)
def test_no_commit_is_older_than_the_one_it_is_made_on(times: list[float], found: list[float]) -> None:
    assert monotone(times, 10) == found


def held(timeline: Timeline, env: str = "dev") -> list[tuple[str, float, float | None]]:
    found: Past = pasts(timeline.views("2026-02-01T00:00:00"), ["a"], [env])["a"]
    return [(one.images["default"].tag, one.since, one.until) for one in found.environments[env]]


def test_what_the_files_held_decides() -> None:
    timeline = (
        Timeline("2026-01-01T00:00:00", {**_BASE, _OWN: b"image: {tag: v1}\n"})
        # A comment, and another key: the same image goes on.
        .commit("2026-01-02T00:00:00", {_OWN: b"image: {tag: v1} # c\nreplicas: 2\n"})
        .commit("2026-01-03T00:00:00", {_OWN: b"image: {tag: v2}\n"})
        .commit("2026-01-04T00:00:00", {_OWN: b"image: {tag: v1}\n"})
    )
    assert held(timeline) == [
        ("v1", at("2026-01-04T00:00:00"), None),
        ("v2", at("2026-01-03T00:00:00"), at("2026-01-04T00:00:00")),
        ("v1", at("2026-01-01T00:00:00"), at("2026-01-03T00:00:00")),
    ]


def test_a_lower_layer_brings_an_image_and_takes_it_away() -> None:
    timeline = (
        Timeline("2026-01-01T00:00:00", {**_BASE, _OWN: b"image: {tag: v1}\n"})
        .commit("2026-01-02T00:00:00", {"envs/dev.yaml": b"image: {tag: v0, digest: d}\n"})
        .commit("2026-01-03T00:00:00", {"envs/dev.yaml": None})
    )
    assert [(tag, since) for tag, since, _ in held(timeline)] == [
        ("v1", at("2026-01-03T00:00:00")),
        ("v1", at("2026-01-02T00:00:00")),
        ("v1", at("2026-01-01T00:00:00")),
    ]


def test_a_file_that_cannot_be_read_ends_a_stay_as_one_that_is_gone_does() -> None:
    timeline = Timeline("2026-01-01T00:00:00", {**_BASE, _OWN: b"image: {tag: v1}\n"})
    # Helm takes the last of two values for a key.
    files = (b"image: {tag: v1}\nimage: {tag: v0}\n", b"image: {tag: v1}\n", None, b"image: {tag: v1}\n")
    for day, data in enumerate(files, 2):
        timeline.commit(f"2026-01-0{day}T00:00:00", {_OWN: data})
    assert held(timeline) == [
        ("v1", at("2026-01-05T00:00:00"), None),
        ("v1", at("2026-01-03T00:00:00"), at("2026-01-04T00:00:00")),
        ("v1", at("2026-01-01T00:00:00"), at("2026-01-02T00:00:00")),
    ]
    assert held(timeline, "staging") == []


def test_a_layout_that_moved_ends_no_stay() -> None:
    config = repo.CONFIG + b"layout: {values: 'apps/{env}/{service}.yaml'}\n"
    timeline = Timeline("2026-01-01T00:00:00", {**_BASE, _OWN: b"image: {tag: v1}\n"}).commit(
        "2026-01-20T00:00:00", {"gitops-tk.yaml": config, _OWN: None, "apps/dev/a.yaml": b"image: {tag: v1}\n"}
    )
    assert held(timeline) == [("v1", at("2026-01-01T00:00:00"), None)]


def test_a_date_that_was_made_up_makes_no_commit_older_than_the_branch() -> None:
    timeline = (
        Timeline("2026-01-01T00:00:00", {**_BASE, _OWN: b"image: {tag: v1}\n"})
        .commit("2026-01-20T00:00:00", {"README.md": b"something else\n"})
        .commit("2026-01-02T00:00:00", {_OWN: b"image: {tag: v2}\n"})
        .commit("2026-03-01T00:00:00", {_OWN: b"image: {tag: v3}\n"})
    )
    assert [(tag, since) for tag, since, _ in held(timeline)] == [
        ("v3", at("2026-02-01T00:00:00")),
        ("v2", at("2026-01-20T00:00:00")),
        ("v1", at("2026-01-01T00:00:00")),
    ]


@pytest.mark.parametrize(
    ("held", "wanted", "alike", "vouched"),
    [
        (Image(tag="v1", build=7, revision="a"), Image(tag="v1", build=7, revision="a"), True, True),
        (Image(tag="v1", build=7, revision="a"), Image(tag="v1"), True, True),
        (Image(tag="v1"), Image(tag="v1", build=7), True, False),
        (Image(tag="v1", build=7), Image(tag="v1", build=7, revision="a"), True, False),
        (Image(tag="v1", build=7), Image(tag="v1", build=8), False, False),
        (Image(tag="v1", revision="a"), Image(tag="v1", revision="b"), False, False),
        (Image(tag="v1", digest="sha256:1"), Image(tag="v1"), False, False),
    ],
)
def test_an_image_is_the_same_as_far_as_both_say_of_themselves(
    held: Image, wanted: Image, alike: bool, vouched: bool
) -> None:
    assert (same(held, wanted), vouches(held, wanted)) == (alike, vouched)
    assert not holds({"default": held}, {"side": wanted})
