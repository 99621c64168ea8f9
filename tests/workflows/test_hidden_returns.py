"""A soak counts no time in which another image was there, whatever the commits say that brought it and took it back."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run_json
from tests.workflows.planted_past import says

_HOUR = 3600
_CONFIG = b"""apiVersion: gitops-tk/v1
environments:
  - name: dev
  - name: staging
  - name: prod
    gates: {soak: 24h}
"""
# What a branch's last commit says so that a look at messages alone passes it by.
_ELSEWHERE = says("dev/other image.tag v1 -> v2")


def values(env: str, tag: str) -> dict[str, bytes]:
    return {f"services/a/envs/{env}.yaml": f"image:\n  tag: {tag}\n".encode()}


def merged(remote: Path, files: Mapping[str, bytes], age: float) -> None:
    """Merges a branch of two commits: one by hand, and one that says it is the tool's and about something else."""
    repo.git(remote, "branch", "-f", "side", "main")
    repo.commit(remote, files, branch="side", age=int(age * _HOUR))
    repo.commit(remote, {"notes": str(age).encode()}, branch="side", message=_ELSEWHERE, age=int(age * _HOUR))
    # The merge has the tree of what is merged.
    head = repo.git(remote, "rev-parse", "main")
    parts = repo.stream({}, "merge", "Merge branch 'side'", age=int(age * _HOUR), parent="main")
    tree = b"merge refs/heads/side^0\nM 040000 " + repo.git(remote, "rev-parse", "side^{tree}").encode() + b" \n\n"
    repo.git(remote, "fast-import", "--quiet", "--force", data=b"".join([*parts[:-1], tree]))
    assert repo.git(remote, "rev-parse", "merge^1") == head
    repo.git(remote, "branch", "-f", "main", "merge")


def squashed(remote: Path, files: Mapping[str, bytes], age: float) -> None:
    """The same, as one commit that says that it is about something else."""
    repo.commit(remote, files, message=_ELSEWHERE, age=int(age * _HOUR))


def past(folder: Path) -> Path:
    """v1 was in staging from four days ago on, v2 is since 30 hours, and other things happen."""
    remote = repo.bare(folder / "gitops.git")
    files = {"gitops-tk.yaml": _CONFIG, **values("dev", "v1"), **values("staging", "v1"), **values("prod", "v0")}
    repo.commit(remote, files, age=96 * _HOUR)
    for age in range(80, 30, -8):
        repo.commit(remote, {"other": str(age).encode()}, message=_ELSEWHERE, age=age * _HOUR)
    repo.commit(remote, values("staging", "v2"), age=30 * _HOUR)
    return remote


def promoted(remote: Path, folder: Path, *more: str) -> tuple[str, str]:
    """The outcome of a promotion to prod, and what its soak says."""
    ran = run_json("promote", "staging", "prod", "a", "--dry-run", "--repo", f"file://{remote}", *more, cwd=folder)
    return ran.json["outcome"], ran.json["gates"][0]["answer"]


@pytest.mark.parametrize("brought", [merged, squashed])
def test_an_image_that_went_out_and_came_back_begins_anew(tmp_path: Path, brought: object) -> None:
    remote = past(tmp_path)
    assert callable(brought)
    assert promoted(remote, tmp_path) == ("planned", "passed")
    brought(remote, values("staging", "v0"), 20)
    brought(remote, values("staging", "v2"), 12)
    assert promoted(remote, tmp_path) == ("refused", "waiting")
    checkout = repo.checkout(remote, tmp_path / "checkout")
    ran = run_json("promote", "staging", "prod", "a", "--local", cwd=checkout)
    assert (ran.json["outcome"], ran.json["problems"][0]["code"]) == ("refused", "soak")


def test_neither_does_what_has_gone_count_the_time_between(tmp_path: Path) -> None:
    remote = past(tmp_path)
    # v2 goes 3 hours ago, and was away for most of the time before.
    squashed(remote, values("staging", "v0"), 29)
    squashed(remote, values("staging", "v2"), 4)
    repo.commit(remote, values("staging", "v3"), age=3 * _HOUR)
    assert promoted(remote, tmp_path, "--tag", "v2") == ("refused", "refused")
    assert promoted(remote, tmp_path, "--tag", "v1") == ("planned", "passed")


def test_nor_does_what_was_there_before_it_came_back_for_a_while(tmp_path: Path) -> None:
    remote = past(tmp_path)
    # v2 would have been there for 29 hours before it went; it was for half an hour less than the soak asks for.
    squashed(remote, values("staging", "v0"), 29)
    squashed(remote, values("staging", "v2"), 24.5)
    repo.commit(remote, values("staging", "v3"), age=_HOUR)
    repo.commit(remote, values("staging", "v2"), age=_HOUR // 2)
    assert promoted(remote, tmp_path) == ("refused", "waiting")
