"""Where each environment has its own charts, a promotion carries them like images."""

import os
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json

from gitops_tk.errors import RefusedByPolicy
from gitops_tk.model.changes import Plan
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.remote import Remote
from gitops_tk.workflows.comparing.evidence import evidence
from gitops_tk.workflows.promote import PromoteRequest, plan
from gitops_tk.workflows.views import Views

CONFIG = repo.CONFIG + b"layout: {chart: 'services/{service}/{env}/chart'}\n"
BASE = {
    "Chart.yaml": b"apiVersion: v2\nname: a\nversion: 1.0.0\n",
    "values.yaml": b"replicas: 1\nimage: {tag: ''}\n",
    "templates/one.yaml": (
        b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: one}\ndata: {replicas: {{ .Values.replicas | quote }}}\n"
    ),
}


def chart(env: str, files: dict[str, bytes] | None = None, service: str = "a", **changed: bytes) -> dict[str, bytes]:
    """A chart's files in an environment; `values=...` is another values.yaml."""
    found = BASE if files is None else files
    found = found | {f"{name}.yaml": data for name, data in changed.items()}
    return {f"services/{service}/{env}/chart/{path}": data for path, data in found.items()}


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    files = {"gitops-tk.yaml": CONFIG}
    for service in ("a", "b"):
        for env in ("dev", "staging", "prod"):
            files |= chart(env, service=service)
            files[f"services/{service}/envs/{env}.yaml"] = repo.values(service, env)
    return repo.bare(tmp_path / "r.git", files)


def promote(remote: Path, *arguments: str) -> Ran:
    return run_json("promote", *arguments, "--repo", f"file://{remote}", cwd=remote.parent)


def tree(remote: Path, env: str, service: str = "a", branch: str = "main") -> str:
    return repo.git(remote, "rev-parse", f"{branch}:services/{service}/{env}/chart")


def test_a_chart_travels_with_the_image_and_the_message_says_so(remote: Path) -> None:
    before = tree(remote, "staging")
    repo.commit(
        remote, chart("dev", values=b"replicas: 2\n") | {"services/a/envs/dev.yaml": repo.values("a", "dev", "v2")}
    )
    ran = promote(remote, "dev", "staging", "a")
    assert ran.json["outcome"] == "changed"
    assert tree(remote, "staging") == tree(remote, "dev") != before
    assert [(one["kind"], one["key"], one["from"], one["to"]) for one in ran.json["changes"]] == [
        ("chart", "chart", before, tree(remote, "dev")),
        ("image", "image.tag", "v1.0.0", "v2"),
    ]
    message = repo.git(remote, "log", "-1", "--format=%B")
    assert message.startswith("promote: a v2 and its chart from dev to staging\n")
    assert f"Gitops-Tk-Change: staging/a chart {before} -> {tree(remote, 'dev')}\n" in message
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "unchanged"
    assert tree(remote, "prod") == before


def test_without_a_service_every_chart_that_differs_travels(remote: Path) -> None:
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    repo.commit(remote, chart("dev", service="b", values=b"replicas: 3\n"))
    ran = promote(remote, "dev", "staging")
    assert [one["service"] for one in ran.json["changes"]] == ["a", "b"]
    assert ran.json["message"].startswith("promote: the charts of a and b from dev to staging\n")
    assert tree(remote, "staging", "b") == tree(remote, "dev", "b")


@pytest.mark.parametrize("instead", [{}, {"services/a/dev/chart": b"no folder\n"}])
def test_where_the_source_has_no_chart_the_image_goes_alone(remote: Path, instead: dict[str, bytes]) -> None:
    gone: dict[str, bytes | None] = dict.fromkeys(chart("dev"))
    before = tree(remote, "staging")
    repo.commit(remote, {**gone, **instead, "services/a/envs/dev.yaml": repo.values("a", "dev", "v2")})
    assert [one["kind"] for one in promote(remote, "dev", "staging", "a").json["changes"]] == ["image"]
    assert tree(remote, "staging") == before


def test_a_part_alone_travels_when_asked(remote: Path) -> None:
    repo.commit(
        remote, chart("dev", values=b"replicas: 2\n") | {"services/a/envs/dev.yaml": repo.values("a", "dev", "v2")}
    )
    before = tree(remote, "staging")
    ran = promote(remote, "dev", "staging", "a", "--only", "image")
    assert [one["kind"] for one in ran.json["changes"]] == ["image"]
    assert tree(remote, "staging") == before
    ran = promote(remote, "dev", "staging", "a", "--only", "chart")
    assert [one["kind"] for one in ran.json["changes"]] == ["chart"]
    assert ran.json["message"].startswith("promote: the chart of a from dev to staging\n")
    assert promote(remote, "dev", "staging", "a", "--only", "charts").code == "bad-only"


def test_a_shared_chart_is_not_carried(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git", ["a"])
    ran = promote(remote, "dev", "staging", "a", "--only", "chart")
    assert (ran.status, ran.code) == (2, "shared-charts")


def test_a_chart_that_was_edited_in_the_target_is_refused_with_the_difference(remote: Path) -> None:
    repo.commit(remote, chart("staging", values=b"replicas: 9\n"))
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    before = repo.state(remote)
    ran = promote(remote, "dev", "staging", "a")
    assert (ran.status, ran.code) == (3, "chart-diverged")
    assert ran.json["problems"][0]["message"] == "the chart of a in staging was edited by itself: values.yaml"
    assert "-image: {tag: ''}\n" in ran.json["diff"]
    assert "+replicas: 9\n" in ran.json["diff"]
    assert "replicas: 2" not in ran.json["diff"]
    assert "+replicas: 9\n" in run("promote", "dev", "staging", "a", "--repo", str(remote), cwd=remote.parent).err
    # Nothing was named: the others go.
    repo.commit(remote, chart("dev", service="b", values=b"replicas: 3\n"))
    before = tree(remote, "staging")
    ran = promote(remote, "dev", "staging")
    assert [(one["service"], one["code"]) for one in ran.json["skipped"]] == [("a", "chart-diverged")]
    assert (tree(remote, "staging"), tree(remote, "staging", "b")) == (before, tree(remote, "dev", "b"))


def test_explain_says_whether_the_chart_may_travel(remote: Path) -> None:
    def explained() -> tuple[str, str]:
        gates = run_json("explain", "dev", "staging", "a", "--repo", str(remote), cwd=remote.parent).json["gates"]
        (gate,) = [one for one in gates if one["gate"] == "chart-diverged"]
        return gate["answer"], gate["message"]

    assert explained() == ("passed", "staging has the chart of dev")
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    assert explained() == ("passed", "the chart of dev comes along")
    repo.commit(remote, chart("staging", values=b"replicas: 9\n"))
    assert explained() == ("refused", "the chart of a in staging was edited by itself: values.yaml")


def test_an_edit_that_was_made_in_both_is_no_divergence(remote: Path) -> None:
    for env in ("staging", "dev"):
        repo.commit(remote, chart(env, values=b"replicas: 9\n"))
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "changed"


def test_a_divergence_is_dropped_where_gitops_tk_yaml_allows_it(remote: Path) -> None:
    repo.commit(remote, chart("staging", values=b"replicas: 9\n") | chart("dev", values=b"replicas: 2\n"))
    override = ("--override", "chart-diverged", "--reason", "tried out by hand")
    assert promote(remote, "dev", "staging", "a", *override).code == "override-not-allowed"
    allowed = CONFIG.replace(b"  - name: staging\n", b"  - name: staging\n    override: [chart-diverged]\n")
    repo.commit(remote, {"gitops-tk.yaml": allowed})
    ran = promote(remote, "dev", "staging", "a", *override)
    assert ran.json["outcome"] == "changed"
    assert tree(remote, "staging") == tree(remote, "dev")
    assert "Gitops-Tk-Override: chart-diverged tried out by hand\n" in ran.json["message"]


def test_what_the_source_held_long_ago_is_found(remote: Path) -> None:
    for number in range(30):
        repo.commit(remote, chart("dev", values=f"replicas: {number}\n".encode()))
        repo.commit(remote, {"services/b/envs/dev.yaml": repo.values("b", "dev", f"v{number}")})
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "changed"


def test_an_older_image_brings_the_chart_that_it_had(remote: Path) -> None:
    for tag in ("v2", "v3"):
        edit = chart("dev", values=f"replicas: {tag[1]}\nimage: {{tag: ''}}\n".encode())
        repo.commit(remote, edit | {"services/a/envs/dev.yaml": repo.values("a", "dev", tag)})
    ran = promote(remote, "dev", "staging", "a", "--tag", "v2")
    assert ran.json["outcome"] == "changed"
    assert repo.show(remote, "services/a/staging/chart/values.yaml").startswith(b"replicas: 2\n")


def test_an_image_masks_what_the_chart_that_comes_has(remote: Path) -> None:
    values = b"image: {tag: '', digest: 'sha256:old'}\n"
    repo.commit(
        remote,
        chart("dev", values=values)
        | {"services/a/envs/dev.yaml": b"image:\n  tag: v2\n  digest: ''\n"}
        | {"services/a/envs/staging.yaml": b"image:\n  tag: v1\n"},
    )
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "changed"
    assert b"digest: ''" in repo.show(remote, "services/a/envs/staging.yaml").replace(b'""', b"''")


def test_the_proposal_has_the_chart_and_a_dry_run_shows_it(remote: Path) -> None:
    proposing = CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\nforge: {kind: git}\n")
    repo.commit(remote, {"gitops-tk.yaml": proposing} | chart("staging", values=b"replicas: 2\n"))
    shown = promote(remote, "staging", "prod", "a", "--dry-run")
    assert "diff --git a/services/a/prod/chart/values.yaml b/services/a/prod/chart/values.yaml\n" in shown.json["diff"]
    ran = promote(remote, "staging", "prod", "a")
    assert ran.json["outcome"] == "proposed"
    assert tree(remote, "prod", branch="gitops-tk/prod/a") == tree(remote, "staging") != tree(remote, "prod")


def test_a_split_promotion_has_each_chart_in_its_own_commit(remote: Path) -> None:
    for service in ("a", "b"):
        repo.commit(remote, chart("dev", service=service, values=b"replicas: 2\n"))
    ran = promote(remote, "dev", "staging", "--split")
    assert [one["message"].split("\n")[0] for one in ran.json["commits"]] == [
        "promote: the chart of a from dev to staging",
        "promote: the chart of b from dev to staging",
    ]
    assert tree(remote, "staging", "b") == tree(remote, "dev", "b")


def test_a_hold_holds_the_chart_back(remote: Path) -> None:
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    run("hold", "a", "-e", "staging", "--reason", "tests", "--repo", str(remote), cwd=remote.parent)
    assert promote(remote, "dev", "staging", "a").code == "held"


def test_in_a_checkout_the_files_of_the_chart_are_written(remote: Path, tmp_path: Path) -> None:
    gone = dict.fromkeys(chart("dev", {"templates/one.yaml": b""}))
    new = chart("dev", {"templates/two.yaml": b"# two\n", "run.sh": b"#!/bin/sh\n"})
    repo.commit(remote, {**gone, **new}, modes={"services/a/dev/chart/run.sh": "100755"})
    there = repo.checkout(remote, tmp_path / "c")
    mine = there / "services/a/staging/chart/mine.txt"
    mine.write_text("mine")
    (there / "services/a/dev/chart/values.yaml").write_text("replicas: 5\n")
    shown = run_json("promote", "dev", "staging", "a", "--local", "--dry-run", cwd=there)
    assert "b/services/a/staging/chart/templates/two.yaml" in shown.json["diff"]
    ran = run_json("promote", "dev", "staging", "a", "--local", cwd=there)
    assert ran.json["outcome"] == "committed"
    # What is committed travels; what is not stays where it is.
    assert repo.git(there, "rev-parse", "HEAD:services/a/staging/chart") == tree(remote, "dev")
    assert repo.git(there, "status", "--porcelain").splitlines() == [
        " M services/a/dev/chart/values.yaml",
        "?? services/a/staging/chart/mine.txt",
    ]
    assert not (there / "services/a/staging/chart/templates/one.yaml").exists()
    again = run_json("promote", "dev", "staging", "a", "--local", cwd=there)
    assert again.json["outcome"] == "unchanged"


def test_a_file_in_the_way_in_a_checkout_is_refused(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    there = repo.checkout(remote, tmp_path / "c")
    (there / "services/a/staging/chart/values.yaml").write_text("replicas: 7\n")
    ran = run_json("promote", "dev", "staging", "a", "--local", cwd=there)
    assert (ran.status, ran.code) == (1, "uncommitted-changes")
    assert (there / "services/a/staging/chart/values.yaml").read_text() == "replicas: 7\n"


def test_each_environment_renders_its_own_chart_until_it_is_promoted(remote: Path) -> None:
    def replicas(env: str) -> str:
        out = run("render", "a", "-e", env, "--repo", str(remote), cwd=remote.parent, GITOPS_TK_HELM="embedded").out
        return out.rpartition("replicas: ")[2].strip('"}\n')

    repo.commit(remote, chart("dev", values=b"replicas: 2\nimage: {}\n"))
    assert (replicas("dev"), replicas("prod")) == ("2", "1")
    promote(remote, "dev", "staging", "a")
    promote(remote, "staging", "prod", "a")
    assert replicas("prod") == "2"


def test_a_rollback_brings_chart_and_image_back_together(remote: Path) -> None:
    def back(*arguments: str) -> Ran:
        return run_json("rollback", "a", "-e", "staging", *arguments, "--repo", f"file://{remote}", cwd=remote.parent)

    trees = {}
    for number in (2, 3):
        edit = chart("dev", values=f"replicas: {number}\nimage: {{}}\n".encode())
        repo.commit(remote, edit | {"services/a/envs/dev.yaml": repo.values("a", "dev", f"v{number}")})
        trees[f"v{number}"] = tree(remote, "dev")
        promote(remote, "dev", "staging", "a")
    # The chart went on while v3 ran, and what ran with it last is what comes back with it.
    repo.commit(remote, chart("dev", values=b"replicas: 4\nimage: {}\n"))
    trees["v3"] = tree(remote, "dev")
    promote(remote, "dev", "staging", "a")
    ran = back("--reason", "errors")
    back_to = {one["kind"]: one["to"] for one in ran.json["changes"] if one["kind"] != "hold"}
    assert back_to == {"chart": trees["v2"], "image": "v2"}
    assert tree(remote, "staging") == trees["v2"]
    run("unhold", "a", "-e", "staging", "--repo", str(remote), cwd=remote.parent)
    assert back("--to", "v3").json["outcome"] == "changed"
    assert tree(remote, "staging") == trees["v3"]
    assert b"tag: v3 " in repo.show(remote, "services/a/envs/staging.yaml")


@pytest.mark.parametrize("publish", ["push", "pull-request"])
def test_a_rollback_to_a_commit_brings_another_chart_back_under_the_same_image(remote: Path, publish: str) -> None:
    edit = chart("dev", values=b"replicas: 2\nimage: {}\n")
    repo.commit(remote, edit | {"services/a/envs/dev.yaml": repo.values("a", "dev", "v2")})
    promote(remote, "dev", "staging", "a")
    then, before = repo.git(remote, "rev-parse", "main"), tree(remote, "staging")
    repo.commit(remote, chart("dev", values=b"replicas: 3\nimage: {}\n"))
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "changed"
    assert tree(remote, "staging") != before
    config = CONFIG.replace(b"name: staging\n", f"name: staging\n    publish: {publish}\n".encode())
    repo.commit(remote, {"gitops-tk.yaml": config})
    arguments = ("rollback", "a", "-e", "staging", "--to", then[:12], "--repo", f"file://{remote}")
    ran = run_json(*arguments, cwd=remote.parent)
    there = "main" if publish == "push" else "gitops-tk/staging/a.rollback"
    # Where it is proposed it is held, so that the next promotion does not bring the chart again; no image was left.
    held = [] if publish == "push" else ["hold", "hold"]
    assert [one["kind"] for one in ran.json["changes"]] == ["chart", *held], ran.out
    assert tree(remote, "staging", branch=there) == before
    assert b"tag: v2 " in repo.show(remote, "services/a/envs/staging.yaml", there)
    assert run_json(*arguments, cwd=remote.parent).json["outcome"] == "unchanged"
    if publish == "pull-request":
        options = ("--base", "main", "--head", there, "--repo", f"file://{remote}")
        assert run_json("verify-pr", *options, cwd=remote.parent).json["problems"] == []
        repo.git(remote, "update-ref", "refs/heads/main", there)
        assert promote(remote, "dev", "staging", "a").code == "held"
        assert run_json(*arguments, cwd=remote.parent).json["outcome"] == "unchanged"


def test_status_shows_where_charts_differ(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    there = repo.checkout(remote, tmp_path / "c")
    for where in (("--repo", str(remote)), ()):
        ran = run_json("status", *where, cwd=there)
        differing = {env: one["chart_differs_from"] for env, one in ran.json["services"]["a"].items()}
        assert differing == {"dev": [], "staging": ["dev"], "prod": []}
        assert "a        v1.0.0  v1.0.0 +  v1.0.0\n" in run("status", *where, cwd=there).out
    (there / "services/a/staging/chart/values.yaml").write_bytes(b"replicas: 2\n")
    after = run_json("status", "a", cwd=there).json["services"]["a"]
    assert (after["staging"]["chart_differs_from"], after["prod"]["chart_differs_from"]) == ([], ["staging"])


def test_a_new_environment_gets_copies_of_the_charts_and_takes_them_with_it(remote: Path, tmp_path: Path) -> None:
    there = repo.checkout(remote, tmp_path / "c")
    ran = run_json("env", "add", "qa", "--after", "dev", "--copy", "dev", "--commit", cwd=there)
    assert [(one["kind"], one["file"]) for one in ran.json["changes"] if one["kind"] == "chart"] == [
        ("chart", "services/a/qa/chart"),
        ("chart", "services/b/qa/chart"),
    ]
    assert repo.git(there, "rev-parse", "HEAD:services/a/qa/chart") == tree(remote, "dev")
    assert run("env", "remove", "qa", "--commit", cwd=there).status == 0
    assert not (there / "services/a/qa").exists()


def test_a_chart_may_hold_files_whose_names_are_no_text(remote: Path, tmp_path: Path) -> None:
    there = repo.checkout(remote, tmp_path / "c")
    odd = os.fsdecode(b"caf\xe9.txt")
    (there / "services/a/dev/chart" / odd).write_text("x")
    repo.git(there, "add", ".")
    repo.git(there, "commit", "--quiet", "--message", "by hand")
    repo.git(there, "push", "--quiet", "origin", "main")
    address = ("--repo", f"file://{remote}")
    here, far = (run_json("status", *where, cwd=there).json["services"] for where in ((), address))
    assert here == far
    assert here["a"]["staging"]["chart_differs_from"] == ["dev"]
    added = run_json("env", "add", "qa", "--after", "dev", "--copy", "dev", *address, cwd=there)
    assert added.json["outcome"] == "changed"
    assert tree(remote, "qa") == tree(remote, "dev")
    assert run_json("env", "remove", "qa", *address, cwd=there).json["outcome"] == "changed"
    for command in (("add", "qa", "--copy", "dev"), ("remove", "qa")):
        assert run_json("env", *command, "--commit", cwd=there).json["outcome"] == "committed"
    assert repo.git(there, "status", "--porcelain") == ""


def test_the_evidence_of_a_promotion_shows_what_the_chart_does_to_the_target(remote: Path) -> None:
    repo.commit(remote, chart("staging", values=b"replicas: 2\nimage: {}\n"))
    with Remote(RemoteLocation(f"file://{remote}"), None, os.environ) as opened:
        views = Views.of(opened, opened.snapshot())
        made = plan(PromoteRequest(source="staging", target="prod", services=("a",)), views, None)
        (release,) = evidence(views, made, {**os.environ, "GITOPS_TK_HELM": "embedded"}).releases
    assert (release.service, release.env, release.not_rendered) == ("a", "prod", None)
    (changed,) = release.objects
    assert [(field.before, field.after) for field in changed.fields] == [("1", "2")]


def test_what_a_promotion_of_a_chart_means_is_fixed_by_its_first_plan(remote: Path) -> None:
    request = PromoteRequest(source="dev", target="staging", services=("a",))

    def planned(intent: object = None) -> Plan:
        with Remote(RemoteLocation(f"file://{remote}"), None, os.environ) as opened:
            return plan(request, Views.of(opened, opened.snapshot()), intent)

    repo.commit(remote, chart("dev", values=b"replicas: 2\n"))
    wanted = tree(remote, "dev")
    intent = planned().intent
    # Dev goes on meanwhile: what is shipped is what was seen first.
    repo.commit(remote, chart("dev", values=b"replicas: 3\n"))
    assert [one.to for one in planned(intent).changeset.changes] == [wanted]
    repo.commit(remote, chart("staging", values=b"replicas: 2\n"))
    assert planned(intent).changeset.operations == ()
    repo.commit(remote, chart("staging", values=b"replicas: 9\n"))
    with pytest.raises(RefusedByPolicy) as refused:
        planned(intent)
    assert refused.value.code == "moved"
