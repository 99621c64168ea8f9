"""Each rule of doctor finds what was made wrong for it, on real servers; and all is well where nothing was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.doctor import PLANTED, Scene, scene
from tests.support.forges.server import TOKEN

from gitops_tk.config.forge import ForgeKind
from gitops_tk.workflows.diagnosing.rules import NETWORK, RULES

_CASES = [(rule, number) for rule, cases in PLANTED.items() for number in range(len(cases))]
# What the APIs of a forge do not tell, or are not asked.
_UNTOLD: dict[ForgeKind, set[str]] = {
    "github": set(),
    "gitlab": set(),
    "gitea": {"forge-expiry", "forge-rights"},
    "azure": {"forge-expiry", "forge-rights", "direct-push"},
}


@pytest.fixture
def well(tmp_path: Path) -> Iterator[Scene]:
    """Everything as it should be, on GitHub, which tells most."""
    with scene(tmp_path) as found:
        yield found


def test_every_rule_has_what_makes_it_wrong() -> None:
    assert list(PLANTED) == list(RULES)


@pytest.mark.parametrize(("rule", "number"), _CASES)
def test_what_is_made_wrong_is_found(well: Scene, rule: str, number: int) -> None:
    make_wrong, state, said = PLANTED[rule][number]
    make_wrong(well)
    result = well.look()
    (found,) = (one for one in result.details["findings"] if one["rule"] == rule)
    assert (found["state"], said in found["message"]) == (state, True), found
    assert found["fix"]
    assert [one.severity for one in result.problems if one.code == rule] == [state]
    assert result.exit_status == (1 if any(one.severity == "error" for one in result.problems) else 0)
    assert TOKEN not in str(result)


@pytest.mark.parametrize("kind", _UNTOLD)
def test_nothing_is_found_where_nothing_is_wrong_and_nothing_is_changed(tmp_path: Path, kind: ForgeKind) -> None:
    with scene(tmp_path, kind) as well:
        before = repo.state(well.here.folder), repo.state(well.checkout)
        result = well.look()
        assert (result.problems, result.exit_status) == ((), 0)
        found = {one["rule"]: one["state"] for one in result.details["findings"]}
        assert list(found) == list(RULES)
        assert {rule for rule, state in found.items() if state != "ok"} == _UNTOLD[kind]
        assert (repo.state(well.here.folder), repo.state(well.checkout)) == before
        asked = well.server.seen.requests
        assert ({line.split()[0] for line in asked}, len(asked)) == ({"GET"}, len(set(asked)))
        assert TOKEN not in str(result)


@pytest.mark.parametrize("kind", ["gitlab", "gitea"])
@pytest.mark.parametrize("rule", ["forge-rights", "direct-push", "unprotected", "required-check"])
def test_other_forges_tell_it_their_own_way(tmp_path: Path, kind: ForgeKind, rule: str) -> None:
    with scene(tmp_path, kind) as well:
        make_wrong, state, _ = PLANTED[rule][0]
        make_wrong(well)
        assert well.finding(rule).state == state


@pytest.mark.parametrize("rule", ["unprotected", "required-check"])
def test_azure_tells_the_policies_of_a_branch(tmp_path: Path, rule: str) -> None:
    with scene(tmp_path, "azure") as well:
        make_wrong, state, said = PLANTED[rule][0]
        make_wrong(well)
        found = well.finding(rule)
        assert (found.state, said in found.message) == (state, True)


def test_a_remote_is_looked_at_without_a_checkout(well: Scene, tmp_path: Path) -> None:
    well.repo = repo.git(well.checkout, "remote", "get-url", "origin")
    well.checkout = tmp_path
    found = {one["rule"]: one["state"] for one in well.look().details["findings"]}
    assert {rule for rule, state in found.items() if state != "ok"} == {
        "shallow",
        "hooks",
        "filters",
        "argocd-repository",
    }


def test_offline_nobody_is_asked(well: Scene) -> None:
    result = well.look(offline=True)
    found = {one["rule"]: one for one in result.details["findings"]}
    assert {rule for rule, one in found.items() if one["state"] != "ok"} == set(NETWORK)
    assert all("--offline" in found[rule]["message"] for rule in NETWORK)
    assert (well.server.counts.requests, well.server.seen.requests, well.argocd.seen.requests) == ([], [], [])


def test_what_can_be_told_outside_a_repository_is_told(well: Scene, tmp_path: Path) -> None:
    well.checkout = tmp_path
    result = well.look()
    told = {one["rule"] for one in result.details["findings"] if one["state"] == "ok"}
    assert (told, result.exit_status) == ({"git", "helm", "identity"}, 0)
