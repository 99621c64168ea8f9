"""History, status, holds and rollbacks agree with a plain model, whatever pipelines and people do."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.quarter import ENVS, Quarter, step
from tests.support.should_be import Build

SERVICES = st.integers(0, 1)
ENV = st.sampled_from(ENVS)
HOW = st.sampled_from(["push", "merge", "squash"])


class Machine(RuleBasedStateMachine):
    """Two services; each rule is something that somebody does."""

    def __init__(self) -> None:
        super().__init__()
        self.quarter = Quarter(2)
        self.touched = self.quarter.services[0]

    def name(self, number: int) -> str:
        self.touched = self.quarter.services[number]
        return self.touched

    @rule(number=SERVICES, env=ENV, age=st.integers(0, 3))
    def deliver(self, number: int, env: str, age: int) -> None:
        newest = self.quarter.next_build().number or 0
        self.quarter.bump(self.name(number), env, Build(f"v1.{newest - age}.0", newest - age))

    @rule(number=SERVICES, env=ENV, forwards=st.booleans())
    def race(self, number: int, env: str, forwards: bool) -> None:
        builds = [self.quarter.next_build(), self.quarter.next_build()]
        self.quarter.race(self.name(number), env, *(builds if forwards else builds[::-1]))

    @rule(number=st.none() | SERVICES, at=st.integers(0, 1), how=HOW)
    def promote(self, number: int | None, at: int, how: str) -> None:
        named = [] if number is None else [self.name(number)]
        self.quarter.promote(ENVS[at], ENVS[at + 1], named, how)

    @rule(number=SERVICES, env=ENV, back=st.none() | st.integers(0, 4), how=HOW)
    def roll_back(self, number: int, env: str, back: int | None, how: str) -> None:
        name = self.name(number)
        runs = self.quarter.places[name, env].runs
        to = None if back is None else runs[-1 - back % len(runs)].build.tag
        self.quarter.roll_back(name, env, to, how)

    @rule(number=SERVICES, env=ENV, hours=st.none() | st.integers(1, 30))
    def hold(self, number: int, env: str, hours: int | None) -> None:
        until = None if hours is None else self.quarter.now + 3600 * hours
        self.quarter.hold(self.name(number), env, "incident", until)

    @rule(number=SERVICES, env=ENV)
    def unhold(self, number: int, env: str) -> None:
        self.quarter.unhold(self.name(number), env)

    @rule(number=SERVICES, env=ENV, back=st.none() | st.integers(0, 3), level=st.sampled_from(["info", "debug"]))
    def edit(self, number: int, env: str, back: int | None, level: str) -> None:
        name = self.name(number)
        runs = self.quarter.places[name, env].runs
        build = Build(f"hand-{self.quarter.commits}") if back is None else runs[-1 - back % len(runs)].build
        self.quarter.edit(name, env, build, level, 3, merged=back == 1)

    @rule(number=SERVICES)
    def rename(self, number: int) -> None:
        self.quarter.rename(self.name(number))
        self.touched = self.quarter.services[-1]

    @rule(hours=st.integers(0, 20))
    def wait(self, hours: int) -> None:
        self.quarter.wait(3600 * hours)

    @invariant()
    def agrees(self) -> None:
        self.quarter.check(self.touched)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=8, stateful_step_count=20)


def test_a_few_days_of_a_busy_repository() -> None:
    quarter, chance = Quarter(5), Random(7)
    while quarter.commits < 60:
        quarter.check(step(quarter, chance))
    for name in quarter.services:
        quarter.check(name)
