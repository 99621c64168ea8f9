"""The life of a proposal on every kind of forge: opened, updated, given up for another, closed, merged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.forges.stage import CASES
from tests.support.proposing import Shop, shop

# Where nobody but the reviewer takes an approval back.
_STANDING = ("bitbucket", "bitbucket-dc")


@pytest.fixture(params=sorted(CASES))
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, request.param) as running:
        running.set("staging", a="v1.1.0")
        yield running


def test_a_proposal_lives_as_it_should(here: Shop) -> None:
    first = here.promote("a")
    (pull,) = here.opened()
    assert (first.outcome, first.pull_requests[0].number) == ("proposed", pull.number)
    assert first.commit in pull.body
    here.written()
    assert (here.promote("a").outcome, here.written()) == ("unchanged", [])

    here.here.approve(pull, "ann")
    here.set("staging", a="v1.2.0")
    second = here.promote("a")
    (pull,) = here.opened()
    assert second.commit in pull.body
    assert pull.title == "promote: a v1.2.0 from staging to prod"
    assert b"v1.2.0" in here.proposed(pull, "a")
    assert not pull.approvals
    expected = (2, "gitops-tk/prod/a.2") if here.kind in _STANDING else (1, "gitops-tk/prod/a")
    assert (pull.number, pull.branch) == expected

    here.set("staging", b="v2.0.0")
    third = here.promote()
    (whole,) = here.opened()
    assert (whole.branch, [one.number for one in third.closed]) == ("gitops-tk/prod/_all", [pull.number])
    assert any(third.pull_requests[0].url in one.body for one in pull.comments)

    here.here.merge(whole, "merge")
    assert (here.promote().outcome, here.opened()) == ("unchanged", [])
    assert b"v1.2.0" in repo.show(here.folder, "services/a/envs/prod.yaml")


def test_what_the_forge_merges_by_itself_is_never_something_else(here: Shop) -> None:
    here.here.settings.checks = True
    result = here.promote("a", auto_merge=True)
    (pull,) = here.opened()
    if pull.armed is None:
        # What a forge cannot do is told.
        assert [one.code for one in result.problems] == ["forge-unmet"]
        return
    assert (result.problems, here.promote("a", auto_merge=True).outcome) == ((), "unchanged")
    at_push = []
    here.server.behaviour.before_push = lambda _: at_push.append(pull.armed)
    here.set("staging", a="v1.2.0")
    here.promote("a", auto_merge=True)
    assert (at_push, pull.armed is None) == ([None], False)
    here.here.pass_checks()
    assert pull.state == "merged"
    assert b"v1.2.0" in repo.show(here.folder, "services/a/envs/prod.yaml")


@pytest.mark.parametrize("here", [*_STANDING, "gitlab"], indirect=True)
def test_where_an_approval_cannot_be_taken_back_the_successor_goes_on_in_every_way(here: Shop) -> None:
    here.here.settings.dismissals = False
    here.promote("a")
    (old,) = here.opened()
    here.here.approve(old, "ann")
    here.set("staging", a="v1.2.0")
    result = here.promote("a")
    (new,) = here.opened()
    assert (old.state, old.approvals.keys(), new.branch) == ("closed", {"ann"}, "gitops-tk/prod/a.2")
    assert result.pull_requests[0].url in old.comments[-1].body
    assert result.closed[0].url in new.body
    assert repo.git(here.folder, "branch", "--list", "gitops-tk/*").split() == ["gitops-tk/prod/a.2"]
    here.set("staging", a="v1.3.0")
    assert (here.promote("a").pull_requests[0].action, here.opened()) == ("updated", [new])
    here.set("staging", b="v2.0.0")
    here.promote()
    assert [one.branch for one in here.opened()] == ["gitops-tk/prod/_all"]
    assert new.state == "closed"
    repo.commit(here.folder, {".gitops-tk/holds/prod/a.yaml": b"reason: it leaks\n"})
    # The same branch goes on with what is left of it.
    assert [one.branch for one in here.promote().pull_requests] == ["gitops-tk/prod/_all"]
    assert b"v1.0.0" in here.proposed(here.opened()[0], "a")
