"""rollback: what ran before comes back, and what was left stays out until a person says otherwise."""

import pytest
from msgspec.structs import replace
from tests.support.rollbacks import CONFIG, HELD, NOW, PROD, back, deploy, held, image, refused, tag, timeline, unhold
from tests.support.timeline import Timeline

from gitops_tk.errors import MissingFile, RefusedByPolicy, UsageError
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows import promote, rollback

_WITHOUT_PROD = b"apiVersion: gitops-tk/v1\nenvironments: [{name: dev}]\n"


def test_what_ran_before_comes_back_and_only_what_was_left_is_blocked() -> None:
    made = timeline(tags=("v2", "v3"))
    plan = back(made)
    assert tag(made) == "v2"
    assert (plan.subject, plan.publish) == ("rollback: a to v2 in prod", "push")
    assert plan.trailers == (
        ("Gitops-Tk-Command", "rollback"),
        ("Gitops-Tk-Change", "prod/a image.tag v3 -> v2"),
        ("Gitops-Tk-Change", 'prod/a hold.reason (none) -> "rolled back from v3 to v2"'),
        ("Gitops-Tk-Change", 'prod/a hold.images (none) -> ["v3"]'),
    )
    assert made.files[HELD.format("a")].decode().splitlines()[1:] == [
        'reason: "rolled back from v3 to v2"',
        'by: "A Person <person@example.com>"',
        "images:",
        "  - tag: v3",
        "restored:",
        "  - tag: v2",
    ]
    with pytest.raises(RefusedByPolicy) as caught:
        deploy(made, "v3")
    assert caught.value.code == "held"
    deploy(made, "v4")
    assert tag(made) == "v4"


def test_where_changes_are_proposed_everything_is_held_until_a_person_lets_it_go_on() -> None:
    made = timeline("pull-request", tags=("v2", "v3"))
    plan = back(made)
    assert (plan.publish, plan.proposal) == ("pull-request", "gitops-tk/prod/a.rollback")
    assert held(made).holds_all
    for wanted in ("v3", "v4"):
        with pytest.raises(RefusedByPolicy) as caught:
            deploy(made, wanted)
        assert caught.value.code == "held"
    unhold(made)
    deploy(made, "v4")
    assert tag(made) == "v4"


def test_it_goes_past_an_image_that_a_hold_names() -> None:
    made = timeline(tags=("v2", "v3"))
    hold_of_v2 = b'reason: "it leaks"\nby: "A Person <person@example.com>"\nimages:\n  - tag: v2\n'
    made.commit("2026-03-10T00:00:00", {HELD.format("a"): hold_of_v2})
    back(made)
    assert tag(made) == "v1"


@pytest.mark.parametrize("before", [{}, {"gitops-tk.yaml": b"broken: ["}, {"gitops-tk.yaml": _WITHOUT_PROD}])
def test_a_commit_before_the_configuration_or_the_environment_says_nothing(before: dict[str, bytes]) -> None:
    made = Timeline("2026-03-01T00:00:00", {**image("a", "v1"), **before})  # type: ignore[dict-item]
    first = made.tip
    made.commit("2026-03-02T00:00:00", {"gitops-tk.yaml": CONFIG.format(publish="push").encode(), **image("a", "v2")})
    assert "ran nothing in prod at commit" in refused("nothing-before", made, to=first).message
    second = made.tip
    made.commit("2026-03-03T00:00:00", image("b", "v1"))
    assert "ran nothing in prod at commit" in refused("nothing-before", made, "b", to=second).message


def test_what_lies_in_a_checkout_and_is_not_committed_gives_way_to_what_is() -> None:
    made = timeline(tags=("v2",))
    lying = MemorySnapshot({**made.files, **image("a", "v9")})  # type: ignore[dict-item]
    request = rollback.RollbackRequest(services=("a",), env="prod")
    plan = rollback.plan(request, replace(made.views(NOW), snapshot=lying), None)
    assert plan.subject == "rollback: a to v2 in prod"


def test_what_runs_again_after_nothing_ran_is_not_what_ran_before() -> None:
    assert "nothing of a ran before v1" in refused("nothing-before", timeline(tags=("''", "v1"))).message


@pytest.mark.parametrize("publish", ["push", "pull-request"])
def test_a_second_click_does_nothing(publish: str) -> None:
    made = timeline(publish, tags=("v2", "v3"))
    back(made)
    before = made.files
    again = back(made)
    assert (again.changeset.operations, made.files) == ((), before)
    assert "rolled back already" in again.advice[0]


def test_after_a_newer_build_it_goes_back_past_everything_that_was_left() -> None:
    made = timeline(tags=("v2", "v3"))
    back(made)
    deploy(made, "v4")
    back(made)
    assert tag(made) == "v2"
    assert [one.tag for one in held(made).images] == ["v3", "v4"]
    assert back(made).changeset.operations == ()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("v2",), "v1"),
        (("v2", "v3"), "v2"),
        # Going back is recognised, by hand as well: what was left for an image is not what ran before it.
        (("v1.1.0", "v1.2.0", "v1.1.0"), "v1"),
        (("v1.1.0", "v1.2.0", "v1.1.0", "v1.3.0"), "v1.1.0"),
        (("v1.1.0", "v1.2.0", "v1.1.0", "v1.3.0", "v1.1.0"), "v1"),
        # A version that never ran before and is older is no return.
        (("v1.2.0", "v1.1.0"), "v1.2.0"),
        # Tags that say nothing of their order: what ran before is what ran before.
        (("f00", "ba2", "f00"), "ba2"),
        (("", "v2"), "v1"),
    ],
)
def test_what_ran_before(tags: tuple[str, ...], expected: str) -> None:
    made = timeline()
    for day, one in enumerate(tags, start=2):
        made.commit(f"2026-03-{day:02}T00:00:00", image("a", one or "''"))
    back(made)
    assert tag(made) == expected


def test_after_unhold_a_rollback_does_not_swing_back() -> None:
    made = timeline(tags=("f00", "ba2"))
    back(made)
    unhold(made)
    back(made)
    assert tag(made) == "v1"


def test_nothing_before_is_told() -> None:
    assert "v1" in refused("nothing-before", timeline()).message
    made = timeline(tags=("v2",))
    back(made)
    unhold(made)
    refused("nothing-before", made)


def test_travelling_keys_go_back_and_others_stay() -> None:
    made = timeline().commit("2026-03-02T00:00:00", image("a", "v2", more="level: info\nreplicas: 2\n"))
    made.commit("2026-03-03T00:00:00", image("a", "v3", more="level: debug\nreplicas: 2\n"))
    made.commit("2026-03-04T00:00:00", image("a", "v3", more="level: debug\nreplicas: 9\n"))
    plan = back(made)
    assert [(change.kind, change.key) for change in plan.changeset.changes][:2] == [
        ("image", "image.tag"),
        ("key", "level"),
    ]
    assert made.files[PROD.format("a")] == b"# a\nimage:\n  tag: v2\nlevel: info\nreplicas: 9\n"


def test_many_services_go_in_one_commit_or_not_at_all() -> None:
    made = timeline(tags=("v2",))
    refused("nothing-before", made, "a", "b")
    made.commit("2026-03-09T00:00:00", image("b", "v7"))
    plan = back(made, "a", "b")
    assert (tag(made), tag(made, "b"), plan.subject) == ("v1", "v1", "rollback: a and b to v1 in prod")
    split = back(
        timeline(tags=("v2",)).commit("2026-03-09T00:00:00", image("b", "v7")), "a", "b", split=True, apply=False
    )
    assert [part.subject for part in split.split] == ["rollback: a to v1 in prod", "rollback: b to v1 in prod"]
    assert [len(part.changeset.operations) for part in split.split] == [2, 2]


def test_everything_that_has_changed_since_a_time_goes_back() -> None:
    made = timeline(services=("a", "b", "c"), tags=("v2", "v3"))
    made.commit("2026-03-10T00:00:00", image("b", "v2"))
    made.commit("2026-03-11T00:00:00", image("new", "v1"))
    made.commit("2026-03-12T00:00:00", image("empty", "''"))
    made.commit("2026-03-12T12:00:00", image("a", "v4"))
    plan = rollback.plan(
        rollback.RollbackRequest(services=(), env="prod", since="2026-03-02T12:00"), made.views(NOW), None
    )
    assert [(one.service, one.to) for one in plan.changeset.changes if one.kind == "image"] == [
        ("a", "v2"),
        ("b", "v1"),
    ]
    assert [(one.service, one.code) for one in plan.skipped] == [("new", "nothing-before")]
    back(made, "a", since="9d")
    assert (tag(made), tag(made, "b")) == ("v3", "v2")
    assert back(made, "a", since="9d").changeset.operations == ()
    refused("nothing-before", made, "a", since="2020-01-01")


def test_a_retry_goes_on_is_done_or_is_told_that_somebody_else_was_there() -> None:
    request = rollback.RollbackRequest(services=("a",), env="prod")
    made = timeline(tags=("v2", "v3"))
    first = rollback.plan(request, made.views(NOW), None)
    made.commit("2026-03-19T00:00:00", image("b", "v2"))
    second = rollback.plan(request, made.views(NOW), first.intent)
    assert second.changeset == first.changeset
    made.apply("2026-03-19T00:00:00", second)
    assert rollback.plan(request, made.views(NOW), first.intent).changeset.operations == ()
    made.commit("2026-03-19T00:00:00", image("a", "v4"))
    with pytest.raises(RefusedByPolicy) as caught:
        rollback.plan(request, made.views(NOW), first.intent)
    assert caught.value.code == "moved"


@pytest.mark.parametrize("publish", ["push", "pull-request"])
def test_a_persons_hold_keeps_its_reason_and_learns_what_was_left(publish: str) -> None:
    made = timeline(publish, tags=("v2", "v3"))
    made.commit("2026-03-15T00:00:00", {HELD.format("a"): b"reason: incident 42\nuntil: 2026-03-25\n"})
    back(made)
    found = held(made)
    assert (tag(made), found.reason, found.holds_all, found.until) == ("v2", "incident 42", True, "")
    assert [one.tag for one in found.images] == ["v3"]
    assert back(made).changeset.operations == ()


def test_a_hold_that_is_over_or_broken_is_replaced() -> None:
    made = timeline(tags=("v2", "v3"))
    made.commit("2026-03-15T00:00:00", {HELD.format("a"): b"reason: incident 42\nuntil: 2026-03-16\n"})
    back(made)
    assert (held(made).reason, held(made).holds_all) == ("rolled back from v3 to v2", False)
    made = timeline(tags=("v2", "v3")).commit("2026-03-15T00:00:00", {HELD.format("a"): b"reason: ["})
    back(made)
    assert (tag(made), held(made).fault, held(made).holds_all) == ("v2", None, True)


def test_a_reason_is_kept_in_the_hold_and_in_the_message() -> None:
    made = timeline(tags=("v2", "v3"))
    plan = back(made, reason="it loses orders")
    assert held(made).reason == "it loses orders"
    assert plan.body.startswith("Reason: it loses orders")


def test_images_of_a_service_go_back_together() -> None:
    config = CONFIG.format(publish="push") + "images:\n  sidecar: {tag: sidecar.tag}\n"
    made = timeline().commit("2026-03-02T00:00:00", {"gitops-tk.yaml": config.encode()})
    made.commit("2026-03-03T00:00:00", image("a", "v2", more="sidecar:\n  tag: s1\n"))
    made.commit("2026-03-04T00:00:00", image("a", "v3", more="sidecar:\n  tag: s2\n"))
    back(made)
    assert made.files[PROD.format("a")] == b"# a\nimage:\n  tag: v2\nsidecar:\n  tag: s1\n"
    assert [(one.name, one.tag) for one in held(made).images] == [("default", "v3"), ("sidecar", "s2")]


def test_the_same_tag_built_again_is_told_apart_by_its_build() -> None:
    made = timeline().commit("2026-03-03T00:00:00", image("a", "v2", more="  build: 1\n"))
    made.commit("2026-03-04T00:00:00", image("a", "v2", more="  build: 2\n"))
    back(made)
    assert b"build: 1" in made.files[PROD.format("a")]
    with pytest.raises(RefusedByPolicy):
        deploy(made, "v2", build=2)
    deploy(made, "v2", build=3)
    assert b"build: 3" in made.files[PROD.format("a")]


def rename(made: Timeline, tag: str, day: int) -> None:
    moved = {f"services/a/envs/{env}.yaml": None for env in ("dev", "staging", "prod")}
    made.commit(
        f"2026-03-{day:02}T00:00:00", moved | image("z", tag) | image("z", tag, "dev") | image("z", tag, "staging")
    )


def test_a_service_that_was_renamed_goes_back_to_what_ran_under_its_old_name() -> None:
    made = timeline(tags=("v2",))
    rename(made, "v2", 5)
    back(made, "z")
    assert tag(made, "z") == "v1"


def test_what_was_left_under_an_old_name_does_not_come_back() -> None:
    made = timeline(tags=("f00", "ba2"))
    back(made)
    rename(made, "f00", 21)
    back(made, "z", now="2026-03-22T00:00:00")
    assert tag(made, "z") == "v1"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"services": ("A",)}, "bad-service-name"),
        ({"services": ()}, "no-services"),
        ({"to": "v1", "since": "1d"}, "two-goals"),
        ({"to": ""}, "bad-goal"),
        ({"to": "v1\n"}, "bad-goal"),
        ({"since": "long ago"}, "bad-date"),
        ({"reason": "two\nlines"}, "bad-reason"),
    ],
)
def test_a_request_that_means_nothing_is_told(options: dict[str, object], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        rollback.RollbackRequest(**{"services": ("a",), "env": "prod", **options}).check()  # type: ignore[arg-type]
    assert caught.value.code == code


def test_a_service_or_environment_that_is_not_there_is_told() -> None:
    with pytest.raises(MissingFile) as caught:
        back(timeline(), "zzz")
    assert caught.value.code == "unknown-service"


def test_a_promotion_of_everything_leaves_what_was_rolled_back_alone() -> None:
    made = timeline("pull-request", tags=("v2",))
    for service in ("a", "b"):
        made.commit("2026-03-10T00:00:00", image(service, "v2", "staging"))
    back(made)
    plan = promote.plan(promote.PromoteRequest(source="staging", target="prod"), made.views(NOW), None)
    assert [change.service for change in plan.changeset.changes] == ["b"]
    assert [(one.service, one.code) for one in plan.skipped] == [("a", "held")]
