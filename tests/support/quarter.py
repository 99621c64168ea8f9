"""A simulated quarter: pipelines, people and rollbacks on one repository, beside a plain model of what should be where.

The model knows nothing of files, commits or layers: it is told what was done, and keeps lists. Run it at full size:
`python -m tests.support.quarter --services 60 --commits 3000 --seed 1`.
"""

import argparse
import calendar
import time
from collections.abc import Callable, Sequence
from random import Random

import yaml

from gitops_tk.errors import GitopsTkError
from gitops_tk.model.changes import Plan
from gitops_tk.workflows import bump as bumping
from gitops_tk.workflows import hold as holding
from gitops_tk.workflows import promote as promoting
from gitops_tk.workflows import rollback as rolling
from gitops_tk.workflows import status
from gitops_tk.workflows.history import HistoryRequest, history
from gitops_tk.workflows.views import Views
from tests.support.should_be import Build, Held, Place, Run, matches, older
from tests.support.timeline import Timeline

ENVS = ("dev", "staging", "prod")
START = 1_770_000_000.0
_CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
    publish: pull-request
promotion:
  keys: [level]
"""
Expected = tuple[str | None, Callable[[], bool]]


class Quarter:
    """The repository, the model, and what happens to both.

    Each of the methods named after what is done does it to the repository as the program would, does it to the model,
    and compares how it ended; `check` compares what is where.

    Args:
        services: how many.
    """

    def __init__(self, services: int) -> None:
        self.now = START
        self.number = 100
        names = [f"service-{one}" for one in range(services)]
        self.places = {
            (name, env): Place([Run(Build("v1.1.0", 1), START, None, None, "info")], "info")
            for name in names
            for env in ENVS
        }
        self.holds: dict[tuple[str, str], Held] = {}
        files = {"gitops-tk.yaml": _CONFIG}
        for (name, env), place in self.places.items():
            files[_path(name, env)] = _values(name, place)
        self.timeline = Timeline(START, files)
        self.commits = 1

    @property
    def services(self) -> list[str]:
        """The names that services have now."""
        return list(dict.fromkeys(name for name, _ in self.places))

    def next_build(self) -> Build:
        """A build that no pipeline has made yet."""
        self.number += 1
        return Build(f"v1.{self.number}.0", self.number)

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds

    # What pipelines and people do.

    def bump(self, name: str, env: str, build: Build) -> None:
        """A pipeline delivers a build, be it the newest or one that was slow."""
        request = self._bump(name, env, build)
        self._run(self._delivery(name, env, build), lambda views: bumping.plan(request, views, None))

    def race(self, name: str, env: str, first: Build, second: Build) -> None:
        """Two pipelines plan at once; the first one lands, and the second one plans again."""
        request = self._bump(name, env, second)
        try:
            intent = bumping.plan(request, self._views(), None).intent
        except GitopsTkError:
            intent = None
        self.bump(name, env, first)
        self._run(self._delivery(name, env, second), lambda views: bumping.plan(request, views, intent))

    def promote(self, source: str, target: str, named: Sequence[str], how: str = "push") -> None:
        """Some services, or all, go on to the next environment."""
        outcomes = {}
        for name in named or self.services:
            place, build = self.places[name, target], self.places[name, source].now
            level = self.places[name, source].level
            outcomes[name] = self._judge(name, target, build, same=(build, level) == (place.now, place.level))
        refused = [code for code in outcomes.values() if code not in (None, "unchanged")]
        expected: str | None = refused[0] if named and refused else None

        def model() -> bool:
            going = [name for name, code in outcomes.items() if code is None]
            for name in going:
                place, here = self.places[name, target], self.places[name, source]
                place.put(here.now, self.now, "promote", source)
                place.set_level(here.level)
            return bool(going)

        request = promoting.PromoteRequest(source=source, target=target, services=tuple(named))
        plan = self._run((expected, model), lambda views: promoting.plan(request, views, None), how=how)
        if plan is not None and not named:
            skipped = {one.service: one.code for one in plan.skipped}
            assert skipped == {name: code for name, code in outcomes.items() if code not in (None, "unchanged")}

    def roll_back(self, name: str, env: str, to: str | None = None, how: str = "push") -> None:
        """A person puts back what ran before, or what they name."""
        place, held = self.places[name, env], self._standing(name, env)
        goal = self._before(place, held) if to is None else self._named(place, to)
        done = to is None and held is not None and held.restored is not None and matches(held.restored, place.now)
        missing = "nothing-before" if to is None else "never-ran"

        def model() -> bool:
            if done or goal is None:
                return False
            left, changed = place.now, (goal.build, goal.level) != (place.now, place.level)
            level = goal.level
            place.put(goal.build, self.now, "rollback")
            place.set_level(level)
            if changed:
                self._leave(name, env, left, goal.build, held)
            return changed

        request = rolling.RollbackRequest(services=(name,), env=env, to=to)
        expected = (missing if goal is None and not done else None, model)
        self._run(expected, lambda views: rolling.plan(request, views, None), how=how)

    def hold(self, name: str, env: str, reason: str, until: float | None) -> None:
        """A person holds a service back."""
        known = self.holds.get((name, env))

        def model() -> bool:
            new = Held(True, until, known.images if known else [], known.restored if known else None)
            self.holds[name, env] = new
            return True

        moment = None if until is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        request = holding.HoldRequest(services=(name,), env=env, reason=f"{reason} {self.commits}", until=moment)
        self._run((None, model), lambda views: holding.plan_hold(request, views, None))

    def unhold(self, name: str, env: str) -> None:
        """A person lets a service go on."""
        request = holding.UnholdRequest(services=(name,), env=env)
        expected = (None, lambda: self.holds.pop((name, env), None) is not None)
        self._run(expected, lambda views: holding.plan_unhold(request, views, None))

    def edit(self, name: str, env: str, build: Build | None, level: str | None, replicas: int, merged: bool) -> None:
        """A person edits the file, and pushes or merges it; no rule stops them."""
        place = self.places[name, env]
        if build is not None:
            place.put(build, self.now, None)
        if level is not None:
            place.set_level(level)
        place.replicas = replicas
        files: dict[str, bytes | None] = {_path(name, env): _values(name, place)}
        message = "Merge branch 'fix'" if merged else "a change by hand"
        self._commit(files, message, merged="wip" if merged else "")

    def rename(self, name: str) -> None:
        """A person gives a service another name; its holds stay where they are, and hold nothing any more."""
        new = f"renamed-{self.commits}"
        files: dict[str, bytes | None] = {}
        for env in ENVS:
            place = self.places[new, env] = self.places.pop((name, env))
            files |= {_path(name, env): None, _path(new, env): _values(new, place)}
        self._commit(files, f"{name} is called {new}")

    # What has to be so afterwards.

    def check(self, name: str) -> None:
        """History, status and files of one service agree with the model."""
        views = self._views()
        for env in ENVS:
            place = self.places[name, env]
            held = yaml.safe_load(self.timeline.files[_path(name, env)])
            assert (held["image"]["tag"], held["image"].get("build") or None) == (place.now.tag, place.now.number)
            assert (held.get("level"), held["replicas"]) == (place.level, place.replicas)
        expected = [
            (env, run.build.image, run.command, run.source, run.since)
            for env in ENVS
            for run in self.places[name, env].runs
        ]
        events = history(HistoryRequest(service=name), views)
        told = [
            (event.env, event.to, event.command, event.source, _seconds(event.time))
            for env in ENVS
            for event in events[::-1]
            if event.env == env
        ]
        assert told == expected, (name, told, expected)
        found = status.status(views.snapshot, [name], now=self.now)
        shown = {env: running.images["default"] for env, running in found.services[name].items()}
        assert shown == {env: self.places[name, env].now.image for env in ENVS}
        standing = {(one.env, not one.images) for one in found.holds}
        assert standing == {(env, held.everything) for env in ENVS if (held := self._standing(name, env)) is not None}

    def _run(self, expected: Expected, planner: Callable[[Views], Plan], how: str = "push") -> Plan | None:
        code, model = expected
        try:
            plan = planner(self._views())
        except GitopsTkError as error:
            if error.code != code:
                raise AssertionError(f"expected {code}, and it was {error.code}: {error.message}") from error
            return None
        assert code is None, (code, plan.subject)
        assert model() == bool(plan.changeset.operations), plan.subject
        if plan.changeset.operations:
            self.commits += 1
            if how == "merge":
                self.timeline.apply(self.now, plan, f"Merge branch '{plan.proposal}'", merged=plan.message)
            elif how == "squash":
                self.timeline.apply(self.now, plan, f"{plan.message}\nCo-authored-by: E <e@example.com>\n")
            else:
                self.timeline.apply(self.now, plan)
        return plan

    def _commit(self, files: dict[str, bytes | None], message: str, merged: str = "") -> None:
        self.commits += 1
        self.timeline.commit(self.now, files, message, merged=merged)

    def _views(self) -> Views:
        return self.timeline.views(self.now)

    @staticmethod
    def _bump(name: str, env: str, build: Build) -> bumping.BumpRequest:
        return bumping.BumpRequest(services=(name,), env=env, image=build.image)

    def _delivery(self, name: str, env: str, build: Build) -> Expected:
        place = self.places[name, env]
        code = self._judge(name, env, build, same=build == place.now)

        def model() -> bool:
            if code == "unchanged":
                return False
            place.put(build, self.now, "bump")
            return True

        return (None if code == "unchanged" else code, model)

    def _judge(self, name: str, env: str, build: Build, *, same: bool) -> str | None:
        held, current = self._standing(name, env), self.places[name, env].now
        if same:
            return "unchanged"
        if build != current and older(build, current):
            return "older-build"
        if held is not None and (held.everything or any(matches(one, build) for one in held.images)):
            return "held"
        return None

    def _standing(self, name: str, env: str) -> Held | None:
        held = self.holds.get((name, env))
        return held if held is not None and (held.until is None or self.now < held.until) else None

    def _leave(self, name: str, env: str, left: Build, back: Build, held: Held | None) -> None:
        if left == back:
            return
        kept = [one for one in (held.images if held else []) if one not in (left, back)]
        everything = env == "prod" or (held is not None and held.everything)
        self.holds[name, env] = Held(everything, None, [*kept, left], back)

    @staticmethod
    def _before(place: Place, held: Held | None) -> Run | None:
        runs = place.runs
        at = len(runs) - 1
        while at and (runs[at].command == "rollback" or older(runs[at].build, runs[at - 1].build)):
            earlier = [one for one in range(at - 1) if runs[one].build == place.now]
            if not earlier:
                break
            at = earlier[-1]
        for run in runs[:at][::-1]:
            blocked = held is not None and any(matches(one, run.build) for one in held.images)
            if run.build != place.now and not blocked:
                return run
        return None

    @staticmethod
    def _named(place: Place, to: str) -> Run | None:
        newest = place.runs[::-1]
        by_tag = [run for run in newest if run.build.tag == to]
        by_number = [run for run in newest if run.build.number is not None and str(run.build.number) == to]
        return next(iter(by_tag + by_number), None)


def step(quarter: Quarter, chance: Random) -> str:
    """Something happens to some service, which is returned."""
    name, env = chance.choice(quarter.services), chance.choice(ENVS)
    place = quarter.places[name, env]
    quarter.wait(chance.choice([0, 30, 600, 7200]))
    how = chance.choice(["push", "merge", "squash"]) if env == "prod" else "push"
    levels = ["info", "debug", "warn"]
    match chance.choices(range(10), [24, 6, 24, 4, 10, 4, 6, 6, 14, 1])[0]:
        case 0:
            quarter.bump(name, env, quarter.next_build())
        case 1:
            # A pipeline that was slow, or is run again.
            old = chance.choice(place.runs).build
            number = chance.randrange(1, quarter.number)
            quarter.bump(name, env, chance.choice([old, Build(f"v1.{number}.0", number)]))
        case 2:
            source, target = chance.choice([ENVS[:2], ENVS[1:]])
            others = chance.sample(quarter.services, min(2, len(quarter.services)))
            quarter.promote(source, target, list(dict.fromkeys([name, *others[: chance.randrange(2)]])), how)
        case 3:
            quarter.promote(*chance.choice([ENVS[:2], ENVS[1:]]), [], how)
        case 4:
            quarter.roll_back(name, env, how=how)
        case 5:
            run = chance.choice(place.runs)
            quarter.roll_back(name, env, chance.choice([run.build.tag, str(run.build.number), "v9.9.9"]), how=how)
        case 6:
            until = chance.choice([None, float(int(quarter.now) + chance.randrange(3600, 86400))])
            quarter.hold(name, env, chance.choice(["incident", "freeze: a talk"]), until)
        case 7:
            quarter.unhold(name, env)
        case 8:
            build = chance.choice(
                [None, None, quarter.next_build(), Build(f"hand-{quarter.commits}"), place.runs[0].build]
            )
            level = chance.choice([None, *levels])
            quarter.edit(name, env, build, level, chance.randrange(1, 9), merged=chance.random() < 0.3)
        case _:
            quarter.rename(name)
            name = quarter.services[-1]
    if chance.random() < 0.1:
        quarter.race(name, env, quarter.next_build(), quarter.next_build())
    return name


def _path(name: str, env: str) -> str:
    return f"services/{name}/envs/{env}.yaml"


def _values(name: str, place: Place) -> bytes:
    number = f"  build: {place.now.number}\n" if place.now.number is not None else ""
    return (
        f"# {name}, as a person has written it\nreplicas: {place.replicas}\nlevel: {place.level}\n"
        f"image:\n  repository: registry.example.com/app\n  tag: {place.now.tag}\n{number}"
    ).encode()


def _seconds(text: str) -> float:
    return float(calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")))


def main() -> None:
    """Plays a quarter, checked after each step, and says how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=60)
    parser.add_argument("--commits", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    quarter, chance, began, steps = Quarter(asked.services), Random(asked.seed), time.perf_counter(), 0
    while quarter.commits < asked.commits:
        quarter.check(step(quarter, chance))
        steps += 1
        if steps % 500 == 0:
            for name in quarter.services:
                quarter.check(name)
    for name in quarter.services:
        quarter.check(name)
    print(
        f"{asked.services} services, {quarter.commits} commits, {steps} steps, seed {asked.seed}: "
        f"all agree, {time.perf_counter() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
