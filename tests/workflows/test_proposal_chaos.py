"""Many at once, replies that are lost, commands that die: one pull request in the end, with the right content."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.forges.server import Fault, Response
from tests.support.forges.stage import CASES
from tests.support.proposing import CONFIG, Shop, shop

from gitops_tk.errors import GitopsTkError


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as running:
        running.set("staging", a="v1.1.0")
        yield running


# How often the same is sent: often where it costs little.
ROUNDS = {"github": 12}
CREATE = "(pulls|merge_requests|pullrequests|pull-requests)$"


@pytest.mark.parametrize("kind", [*sorted(CASES), "git"])
def test_promotions_at_once_with_replies_lost_leave_one_pull_request(tmp_path: Path, kind: str) -> None:
    with shop(tmp_path, kind if kind != "git" else "github") as here:  # type: ignore[arg-type]
        here.set("staging", a="v1.1.0")
        if kind == "git":
            repo.commit(here.folder, {"gitops-tk.yaml": CONFIG + b"forge:\n  kind: git\n"})
        repeat(here, ROUNDS.get(kind, 4))
        assert here.promote("a").outcome == "unchanged"
        branch = "gitops-tk/prod/a"
        assert repo.git(here.folder, "branch", "--list", "gitops-tk/*").split() == [branch]
        assert repo.git(here.folder, "rev-list", "--count", f"main..{branch}") == "1"
        assert b"v1.1.0" in repo.show(here.folder, "services/a/envs/prod.yaml", branch)
        assert [pull.branch for pull in here.here.pulls.values()] == ([] if kind == "git" else [branch])
        assert all(repo.git(here.folder, "rev-parse", branch) in pull.body for pull in here.opened())


def repeat(here: Shop, rounds: int) -> None:
    """The same promotion, four at once, with replies lost at random."""
    chance = random.Random(4)
    lost = [Fault("POST|PATCH|PUT", CREATE, cut=True, done=chance.random() < 0.7) for _ in range(1 + rounds // 6)]
    here.server.faults += [*lost, Fault("POST", CREATE, Response(502), done=True)]
    here.server.behaviour.drop_push_answers = 2

    def promote(_: int) -> str:
        try:
            return here.promote("a").outcome
        except GitopsTkError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(promote, range(rounds)))
    assert set(outcomes) <= {"proposed", "unchanged", "forge-unanswered", "unreachable"}


def test_two_at_once_with_other_contents_end_with_a_page_of_what_is_there(here: Shop) -> None:
    here.set("staging", a="v1.2.0")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda tag: here.promote("a", tag=tag), ["v1.1.0", "v1.2.0"]))
    (pull,) = here.opened()
    assert len(here.here.pulls) == 1
    assert repo.git(here.folder, "rev-parse", pull.branch) in pull.body


def test_what_a_command_left_half_done_the_next_one_completes(here: Shop) -> None:
    refused = Fault(method="POST", path="pulls$", response=Response(403, {"message": "Resource not accessible"}))
    here.server.faults.append(refused)
    with pytest.raises(GitopsTkError):
        here.promote("a")
    assert here.opened() == []
    assert here.promote("a").pull_requests[0].action == "opened"
    here.set("staging", a="v1.2.0")
    here.server.faults.append(Fault(method="PATCH", path="pulls/1", response=Response(403, {"message": "no"})))
    with pytest.raises(GitopsTkError):
        here.promote("a")
    (pull,) = here.opened()
    assert "v1.1.0" in pull.body
    assert here.promote("a").pull_requests[0].action == "updated"
    assert "v1.2.0" in pull.body


def test_forty_services_take_at_most_four_calls_that_create(tmp_path: Path) -> None:
    services = [f"service-{number}" for number in range(40)]
    with shop(tmp_path, services=services) as here:
        here.configure("  labels: [promotion]\n  reviewers: [ann]\n")
        here.here.settings.checks = True
        here.set("staging", **dict.fromkeys(services, "v1.1.0"))
        here.written()
        result = here.promote(auto_merge=True)
        assert (len(result.changes), len(here.here.pulls), result.problems) == (40, 1, ())
        created = [one for one in here.written() if not one.startswith("POST /shop") and "git-" not in one]
        assert len(created) <= 4, created
