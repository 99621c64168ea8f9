"""What each gate answers, by a clock that stands still."""

import pytest
from tests.support.timeline import at

from gitops_tk.config.load import parse
from gitops_tk.config.policy import Gates
from gitops_tk.model.changes import Gate
from gitops_tk.model.image import Image
from gitops_tk.policy.gates import Arrival, earliest, freeze, judge, order, soak, soaked
from gitops_tk.policy.past import Holding, Past

_BEFORE = {"dev": (), "staging": ("dev",), "eu": ("staging", "hotfix"), "hotfix": ()}
_DAY = 86400.0
Span = tuple[str, str, str | None]


def arrival(tag: str = "v2", sources: tuple[str, ...] = ("staging",), **more: str) -> Arrival:
    images = {"default": Image(tag=tag, **more)} if tag else {}
    return Arrival(service="a", env="eu", sources=sources, images=images, before=_BEFORE)


def past(now: str, **spans: list[Span]) -> Past:
    """What environments held: tag, since, until; newest first."""
    environments = {
        env: [
            Holding(images={"default": Image(tag=tag)}, since=at(since), until=at(until) if until else None, commit="c")
            for tag, since, until in listed
        ]
        for env, listed in spans.items()
    }
    return Past(now=at(now), environments=environments)


@pytest.mark.parametrize(
    ("now", "staging", "answer", "until"),
    [
        # To the second.
        ("2026-03-02T09:59:59", [("v2", "2026-03-01T10:00:00", None)], "waiting", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00:00", [("v2", "2026-03-01T10:00:00", None)], "passed", None),
        # A day of 24 hours, whatever clocks on walls do; over a leap day, and over a year's end.
        ("2026-03-29T10:00:00", [("v2", "2026-03-28T10:00:01", None)], "waiting", "2026-03-29T10:00:01Z"),
        ("2026-10-25T10:00:00", [("v2", "2026-10-24T10:00:00", None)], "passed", None),
        ("2028-02-29T12:00:00", [("v2", "2028-02-28T12:00:00", None)], "passed", None),
        ("2028-02-29T11:59:59", [("v2", "2028-02-28T12:00:00", None)], "waiting", "2028-02-29T12:00:00Z"),
        ("2026-12-31T23:00:00", [("v2", "2026-12-31T01:00:00", None)], "waiting", "2027-01-01T01:00:00Z"),
        # It came, went, and came again: the days do not add up.
        (
            "2026-03-03T10:00:00",
            [
                ("v2", "2026-03-03T00:00:00", None),
                ("v1", "2026-03-02T20:00:00", "2026-03-03T00:00:00"),
                ("v2", "2026-03-02T00:00:00", "2026-03-02T20:00:00"),
            ],
            "waiting",
            "2026-03-04T00:00:00Z",
        ),
        # An earlier stay that was long enough counts, for --tag and for what came again.
        (
            "2026-03-05T10:00:00",
            [("v3", "2026-03-05T00:00:00", None), ("v2", "2026-03-01T00:00:00", "2026-03-05T00:00:00")],
            "passed",
            None,
        ),
        # One that was too short, and is over, will never do.
        (
            "2026-03-05T10:00:00",
            [("v3", "2026-03-05T00:00:00", None), ("v2", "2026-03-04T01:00:00", "2026-03-05T00:00:00")],
            "refused",
            None,
        ),
        ("2026-03-05T10:00:00", [("v3", "2026-03-01T00:00:00", None)], "refused", None),
        ("2026-03-05T10:00:00", [], "refused", None),
        # Times on walls say nothing: the hour that Berlin leaves out is not missing, the one that comes twice counts.
        ("2026-03-29T12:00:00", [("v2", "2026-03-28T12:00:00", None)], "passed", None),
        ("2026-10-25T11:59:59", [("v2", "2026-10-24T12:00:00", None)], "waiting", "2026-10-25T12:00:00Z"),
        # It came over a leap day, and into a year's first second.
        ("2028-03-01T00:00:00", [("v2", "2028-02-29T00:00:00", None)], "passed", None),
        ("2027-01-01T00:00:00", [("v2", "2026-12-31T00:00:01", None)], "waiting", "2027-01-01T00:00:01Z"),
        # What came and went within one second never was there.
        (
            "2026-03-02T10:00:00",
            [("v3", "2026-03-01T00:00:00", None), ("v2", "2026-03-01T00:00:00", "2026-03-01T00:00:00")],
            "refused",
            None,
        ),
        # A clock that is behind the commit's.
        ("2026-03-01T09:00:00", [("v2", "2026-03-01T10:00:00", None)], "waiting", "2026-03-02T10:00:00Z"),
    ],
)
def test_soak(now: str, staging: list[Span], answer: str, until: str | None) -> None:
    found = soak(_DAY, arrival(), past(now, staging=staging))
    assert (found.gate, found.answer, found.until) == ("soak", answer, until)


def test_a_soak_is_of_the_images_that_come_and_not_of_others_beside_them() -> None:
    def holding(web: str, job: str, since: str, until: str | None) -> Holding:
        images = {"web": Image(tag=web), "job": Image(tag=job)}
        return Holding(images=images, since=at(since), until=at(until) if until else None, commit="c")

    days = [f"2026-03-0{day}T12:00:00" for day in range(1, 6)]
    held = [holding("v2", f"j{at}", days[at], days[at + 1] if at < 4 else None) for at in range(4, -1, -1)]
    held.append(holding("v1", "j0", "2026-02-01T00:00:00", days[0]))
    found = Past(now=at("2026-03-05T18:00:00"), environments={"staging": held})

    def answer(length: float, **images: str) -> tuple[str, str | None]:
        wanted = {name: Image(tag=tag) for name, tag in images.items()}
        asked = Arrival(service="a", env="eu", sources=["staging"], images=wanted, before=_BEFORE)
        gate = soak(length * _DAY, asked, found)
        return gate.answer, gate.until

    assert answer(4.25, web="v2") == ("passed", None)
    assert answer(4.5, web="v2") == ("waiting", "2026-03-06T00:00:00Z")
    assert answer(1, web="v2", job="j4") == ("waiting", "2026-03-06T12:00:00Z")
    assert answer(1, web="v2", job="j3") == ("passed", None)
    # One image that went and came again begins anew, whatever stayed beside it.
    assert answer(5, job="j0") == ("passed", None)
    assert answer(1, web="v1", job="j4") == ("refused", None)


def test_soak_says_how_long_it_was_and_what_it_asks() -> None:
    held = past("2026-03-02T07:30:00", staging=[("v2", "2026-03-01T10:00:00", None)])
    assert soak(_DAY, arrival(), held).message == "staging has held v2 for 21h 30m of 1d"
    assert soak(_DAY, arrival("v9"), held).message == "staging has never held v9, and 1d are asked"


def test_soak_in_any_of_several_sources_will_do() -> None:
    held = past(
        "2026-03-05T00:00:00",
        staging=[("v2", "2026-03-04T12:00:00", None)],
        hotfix=[("v2", "2026-03-01T00:00:00", None)],
    )
    assert soak(_DAY, arrival(sources=("staging", "hotfix")), held).answer == "passed"
    assert soak(_DAY, arrival(sources=("staging",)), held).until == "2026-03-05T12:00:00Z"


@pytest.mark.parametrize(
    ("held", "wanted", "is_same"),
    [
        (Image(tag="v2"), Image(tag="v2"), True),
        (Image(tag="v2", digest="d1"), Image(tag="v2", digest="d2"), False),
        (Image(tag="v2", digest="d1"), Image(tag="v2"), False),
        (Image(tag="v2", build=7), Image(tag="v2", build=8), False),
        # What a schema keeps out of one environment says nothing.
        (Image(tag="v2", build=7, revision="abc"), Image(tag="v2"), True),
        (Image(tag="v2", revision="abc"), Image(tag="v2", revision="def"), False),
    ],
)
def test_only_exactly_this_image_has_soaked(held: Image, wanted: Image, is_same: bool) -> None:
    holding = Holding(images={"default": held}, since=0.0, until=None, commit="c")
    one = Arrival(service="a", env="eu", sources=["staging"], images={"default": wanted}, before=_BEFORE)
    found = soak(1.0, one, Past(now=10.0, environments={"staging": [holding]}))
    assert (found.answer == "passed") is is_same


@pytest.mark.parametrize(
    ("held", "sources", "answer", "said"),
    [
        ({"dev", "staging"}, ("staging",), "passed", "in every environment"),
        ({"staging"}, ("staging",), "refused", "never in dev"),
        ({"dev"}, ("staging",), "refused", "never in staging"),
        (set(), ("staging",), "refused", "never in staging"),
        # On any way: by staging, or by an environment that nothing comes before.
        ({"hotfix"}, ("staging", "hotfix"), "passed", "in every environment"),
        ({"staging"}, ("staging", "hotfix"), "refused", "never in dev and hotfix"),
        ({"hotfix"}, ("staging",), "refused", "never in staging"),
        # An environment that nothing comes before asks about itself alone; no source, no way.
        ({"dev"}, ("dev",), "passed", "in every environment"),
        ({"dev", "staging", "hotfix"}, (), "refused", "never in"),
    ],
)
def test_order(held: set[str], sources: tuple[str, ...], answer: str, said: str) -> None:
    spans = {env: [("v3", "2026-03-02T00:00:00", None), ("v2", "2026-03-01T00:00:00", None)] for env in held}
    found = order(arrival(sources=sources), past("2026-03-05T00:00:00", **spans))
    assert (found.gate, found.answer) == ("order", answer)
    assert said in found.message


def gates(text: str) -> Gates:
    head = (
        "apiVersion: gitops-tk/v1\nenvironments:\n  - name: dev\n  - name: eu\n    publish: pull-request\n    gates:\n"
    )
    return parse(f"{head}      {text}\n".encode()).environment("eu").policy.gates


_FREEZE = "freeze: [{reason: year's end, from: 2026-12-20, to: 2027-01-02, timezone: Europe/Berlin}, "
_FREEZE += "{reason: weekend, from: Fri 16:00, to: Mon 08:00, timezone: Europe/Berlin}]"


@pytest.mark.parametrize(
    ("now", "answer", "until", "said"),
    [
        ("2026-12-16T12:00:00", "passed", None, "no freeze of eu"),
        ("2026-12-18T15:00:00", "waiting", "2027-01-04T07:00:00Z", "weekend"),
        ("2026-12-20T12:00:00", "waiting", "2027-01-04T07:00:00Z", "year's end; weekend"),
        # To its end on Saturday, and then it is a weekend.
        ("2026-12-30T12:00:00", "waiting", "2027-01-04T07:00:00Z", "year's end"),
        ("2027-01-04T06:59:59", "waiting", "2027-01-04T07:00:00Z", "weekend"),
        ("2027-01-04T07:00:00", "passed", None, "no freeze"),
        # 08:00 in Berlin is 06:00 in UTC when the clock has been put forward in the night before.
        ("2026-03-30T05:59:59", "waiting", "2026-03-30T06:00:00Z", "weekend"),
        ("2026-03-30T06:00:00", "passed", None, "no freeze"),
        ("2026-10-26T06:59:59", "waiting", "2026-10-26T07:00:00Z", "weekend"),
        ("2026-10-26T07:00:00", "passed", None, "no freeze"),
        # From Friday in winter to Monday in summer, and the other way round.
        ("2026-03-27T14:59:59", "passed", None, "no freeze"),
        ("2026-03-27T15:00:00", "waiting", "2026-03-30T06:00:00Z", "weekend"),
        ("2026-10-23T13:59:59", "passed", None, "no freeze"),
        ("2026-10-23T14:00:00", "waiting", "2026-10-26T07:00:00Z", "weekend"),
        # A leap day in the week: 29 February 2028 is a Tuesday, and the Friday after it the 3rd of March.
        ("2028-02-29T12:00:00", "passed", None, "no freeze"),
        ("2028-03-03T15:00:00", "waiting", "2028-03-06T07:00:00Z", "weekend"),
    ],
)
def test_freeze(now: str, answer: str, until: str | None, said: str) -> None:
    found = freeze(gates(_FREEZE), arrival(), at(now))
    assert (found.gate, found.answer, found.until) == ("freeze", answer, until)
    assert said in found.message


@pytest.mark.parametrize(("asked", "said"), [(1, "1 approval"), (2, "2 approvals")])
@pytest.mark.parametrize("tag", ["v2", ""])
def test_approvals_are_the_forges(asked: int, said: str, tag: str) -> None:
    (found,) = judge(gates(f"approvals: {asked}"), arrival(tag), past("2026-01-01T00:00:00"))
    assert (found.gate, found.answer, found.message) == (
        "approvals",
        "not-evaluated",
        f"{said}, which the forge counts",
    )
    assert not found.closed


def test_where_no_image_comes_the_image_is_not_asked_about() -> None:
    found = judge(gates("{soak: 1d, order: true}"), arrival(""), past("2026-01-01T00:00:00"))
    assert [(one.gate, one.answer) for one in found] == [("order", "passed"), ("soak", "passed")]


def waiting(gate: str, until: str | None, answer: str = "waiting") -> Gate:
    return Gate(gate=gate, service="a", env="eu", answer=answer, message="", until=until)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("closed", "until"),
    [
        ([waiting("soak", "2026-12-17T12:00:00Z")], "2026-12-17T12:00:00"),
        # A soak that ends on Friday evening ends on Monday morning.
        ([waiting("soak", "2026-12-11T20:00:00Z")], "2026-12-14T07:00:00"),
        ([waiting("soak", "2026-12-17T12:00:00Z"), waiting("freeze", "2026-12-14T07:00:00Z")], "2026-12-17T12:00:00"),
        ([waiting("soak", "2026-12-17T12:00:00Z"), waiting("order", None, "refused")], None),
        ([waiting("commands: a", None)], None),
        ([waiting("commands: a", None, "not-evaluated")], None),
        ([], None),
        # A soak that ends while the clock is put forward, or back, and one that ends on a leap day.
        ([waiting("soak", "2027-03-28T00:30:00Z")], "2027-03-29T06:00:00"),
        ([waiting("soak", "2027-10-31T00:30:00Z")], "2027-11-01T07:00:00"),
        ([waiting("soak", "2028-02-29T12:00:00Z")], "2028-02-29T12:00:00"),
    ],
)
def test_the_earliest_time_when_all_have_opened(closed: list[Gate], until: str | None) -> None:
    found = earliest(gates(_FREEZE), closed, at("2026-12-10T00:00:00"))
    assert found == (at(until) if until else None)


def test_the_newest_image_that_has_soaked() -> None:
    held = past(
        "2026-03-05T00:00:00",
        staging=[
            ("v4", "2026-03-04T12:00:00", None),
            ("v3", "2026-03-04T00:00:00", "2026-03-04T12:00:00"),
            ("v2", "2026-03-02T00:00:00", "2026-03-04T00:00:00"),
            ("v1", "2026-02-01T00:00:00", "2026-03-02T00:00:00"),
        ],
    )
    found = soaked(_DAY, "staging", held)
    assert found is not None
    assert found.images["default"].tag == "v2"
    assert soaked(_DAY * 90, "staging", held) is None
