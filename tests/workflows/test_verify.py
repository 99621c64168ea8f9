"""verify-pr refuses each planted pull request by its rule and by no other, and accepts the good ones."""

import os
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support import repositories as repo
from tests.support.cli import run_json
from tests.workflows.planted import CASES, GOOD, REFUSED, make
from tests.workflows.planted_past import CONFIG, Case

from gitops_tk.config.load import parse
from gitops_tk.policy.review import NAMES, RULES, review
from gitops_tk.policy.review.model import Proposal
from gitops_tk.repository.comparison import compared
from gitops_tk.repository.location import CheckoutLocation
from gitops_tk.workflows.gating.commands import Commands
from gitops_tk.workflows.gating.healthy import Healthy
from gitops_tk.workflows.layers import Layers
from gitops_tk.workflows.reviewing.seen import seen, strays
from gitops_tk.workflows.verify import proposed
from gitops_tk.workflows.views import Views


def sorted_out(folder: Path, cases: Sequence[Case]) -> dict[str, Proposal]:
    """Planted pull requests, made and sorted."""
    checkouts = {name: repo.checkout(place, folder / name) for name, place in make(folder, cases).items()}
    found = {}
    for case in cases:
        root = checkouts[case.past]
        base, head = f"origin/base-{case.name}", f"origin/{case.name}"
        with compared(CheckoutLocation(root), base, head, os.environ) as comparison:
            views = Views.of(comparison.repository, comparison.base)
            found[case.name] = proposed(comparison, views, Commands(os.environ), Healthy(os.environ), thorough=True)
    return found


def refusals(proposal: Proposal, without: str = "") -> dict[str, list[str]]:
    """The messages of what refuses a pull request, by their rules."""
    found: dict[str, list[str]] = {}
    for one in review(proposal, [rule for rule in RULES if rule.name != without]):
        if not one.warning:
            found.setdefault(one.rule, []).append(one.message)
    return found


def test_each_pull_request_is_refused_by_its_rule_and_by_no_other(tmp_path: Path) -> None:
    proposals = sorted_out(tmp_path, CASES)
    found = {case.name: set(refusals(proposals[case.name])) for case in CASES}
    assert found == {case.name: {case.rule} if case.rule else set() for case in CASES}
    # Switching a rule off lets exactly its cases pass.
    for rule in NAMES:
        passing = {name for name, proposal in proposals.items() if not refusals(proposal, without=rule)}
        assert passing == {case.name for case in CASES if case.rule in (None, rule)}, rule


def test_a_closed_gate_says_what_to_run(tmp_path: Path) -> None:
    proposals = sorted_out(tmp_path, [case for case in REFUSED if case.name in ("not-soaked", "frozen")])

    def hints(name: str) -> list[str | None]:
        return [one.hint for one in review(proposals[name]) if not one.warning]

    again = "run the check again then"
    command = "gitops-tk promote staging prod b --override soak --reason TEXT"
    assert hints("not-soaked") == [f"{again}, or propose it with: {command}"]
    assert hints("frozen") == [f"{again}; frozen lets nobody override freeze"]


def test_what_differs_from_the_source_under_its_tag_is_told(tmp_path: Path) -> None:
    names = ("digest-taken-away", "build-that-was-made-up")
    proposals = sorted_out(tmp_path, [case for case in REFUSED if case.name in names])
    taken, made_up = (refusals(proposals[name])["digest"][0] for name in names)
    assert taken == "v1.2.0 of a was never in the source as it is here: no digest"
    assert re.fullmatch(r"v1.2.0 of a was never in the source as it is here: sha256:\w{12}, build \d+", made_up)


def test_what_is_proposed_together_is_to_be_proposed_together_again(tmp_path: Path) -> None:
    (case,) = [case for case in REFUSED if case.name == "not-soaked"]
    proposal = sorted_out(tmp_path, [case])["not-soaked"]
    (release,) = proposal.releases

    def hint(*services: str) -> str:
        several = tuple(replace(release, service=service) for service in services)
        found = {one.hint for one in review(replace(proposal, releases=several)) if one.rule == "soak"}
        return str(found.pop()).partition("gitops-tk ")[2]

    assert hint("b", "c") == "promote staging prod b c --override soak --reason TEXT"
    assert hint(*"bcdefg") == "promote staging prod --override soak --reason TEXT"


def test_there_are_thirty_bad_ones_fifteen_good_ones_and_one_for_each_rule() -> None:
    assert len(REFUSED) >= 30
    assert len(GOOD) >= 15
    assert {case.rule for case in REFUSED} == set(NAMES)
    assert max(Counter(case.name for case in CASES).values()) == 1


def test_a_chart_edit_does_not_hide_behind_an_edit_of_values(tmp_path: Path) -> None:
    config = repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    accepts: [promotion, values]\n")
    remote = repo.gitops(tmp_path / "gitops.git", ["user-service"], config)
    repo.commit(remote, {"services/user-service/chart/Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\n"})
    for branch, more in (("values", {}), ("both", {"services/user-service/chart/templates/x.yaml": b"kind: Role\n"})):
        repo.git(remote, "branch", branch, "main")
        values = repo.values("user-service", "prod") + b"replicas: 3\n"
        repo.commit(remote, {"services/user-service/envs/prod.yaml": values, **more}, branch=branch)
    found = {}
    for branch in ("values", "both"):
        ran = run_json("verify-pr", "--base", "main", "--head", branch, "--repo", f"file://{remote}", cwd=tmp_path)
        found[branch] = [(one["code"], one["file"]) for one in ran.json["problems"] if one["severity"] == "error"]
    assert found == {"values": [], "both": [("accepts", "services/user-service/chart/templates/x.yaml")]}


def test_what_mends_a_file_is_held_against_what_could_be_read_before() -> None:
    own = b"image: {tag: v1}\nreplicas: 2\n"
    twice, mended = b"config: {DB_A: 1}\nconfig: {}\n", b"config: {DB_A: 1}\nimage: {digest: d}\n"
    sides = [{"a.yaml": own, "values.yaml": chart} for chart in (twice, mended)]
    found = seen(parse(CONFIG), *(Layers("a", "staging", "a.yaml", side, ["values.yaml"], "schema") for side in sides))
    assert found is not None
    assert ([key.key for key in found.protected], found.lower) == (["config.DB_A"], True)


_MANY = range(6000)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [f"k{at}: 1" for at in _MANY]),
        ([], ["deep:", *(f"  k{at}: {{}}" for at in _MANY)]),
        (["deep: &d {a: 1}"], ["deep: &d {a: 2}", *(f"k{at}: {{<<: *d}}" for at in _MANY)]),
        ([f"k{at}: 1" for at in _MANY], [f"k{at}: {at % 2}" for at in _MANY]),
        (["a: 1", *("# why" for at in _MANY)], ["a: 2", *(("# why", "# not")[at % 2] for at in _MANY)]),
    ],
    ids=["keys that come", "empty maps below a key", "merge keys", "every other key", "comments"],
)
def test_a_large_file_takes_time_by_its_length_not_by_its_square(before: list[str], after: list[str]) -> None:
    sides = ["\n".join(["image: {tag: v1}", *lines, ""]).encode() for lines in (before, after)]
    old, new = (Layers("a", "staging", "a.yaml", {"a.yaml": side}, ["values.yaml"], "schema") for side in sides)
    began = time.process_time()
    found = seen(parse(CONFIG), old, new)
    assert found is not None
    strays(found, delivered=True)
    # It takes a second; one look at each key for each key took minutes.
    assert time.process_time() - began < 15
