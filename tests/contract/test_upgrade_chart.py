"""upgrade-chart: charts follow their skeleton, and keep what the team made of them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.support import argocd
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json
from tests.support.git_server import serve

from gitops_tk import resources
from gitops_tk.errors import RefusedByPolicy
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.upgrade_chart import Upgrade, UpgradeRequest

TOOLS = "tools/new"
CONFIG = repo.CONFIG + b"skeleton: {path: tools/new}\n"
NEW = ("new-service", "web", "--image", "x.example/web")
ONE = {
    "skeleton.yaml": b"version: '1'\nprofiles: {http: one}\ntemplated: ['chart/*.yaml']\nvariables: {tier: {}}\n",
    "chart/Chart.yaml": b"apiVersion: v2\nname: [[ service ]]\nversion: 0.1.0\nannotations:\n"
    b"  gitops-tk/skeleton-version: [[ skeleton_version | yaml ]]\n  gitops-tk/answers: [[ answers | yaml ]]\n",
    "chart/values.yaml": b"one: 1\ntwo: 2\nthree: 3\nfour: 4\nimage: {tag: ''}\n",
    "chart/values.schema.json": b'{"properties": {"five": {"type": "integer"}}}\n',
    "chart/templates/a.yaml": b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n"
    b"data: {one: {{ .Values.one | quote }}}\n",
    "chart/templates/gone.yaml": b"# gone\n",
    "chart/templates/away.yaml": b"# away\n",
}
TWO = ONE | {
    "skeleton.yaml": ONE["skeleton.yaml"].replace(b"'1'", b"'2'"),
    "chart/values.yaml": ONE["chart/values.yaml"].replace(b"four: 4", b"four: 44"),
    "chart/templates/new.yaml": b"# new\n",
    "chart/templates/gone.yaml": None,
}


def below(folder: str, files: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    return {f"{folder}/{path}": data for path, data in files.items()}


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote with a skeleton of its own and a service that was made from its first version."""
    return made(tmp_path, CONFIG)


def made(folder: Path, config: bytes, skeleton: Mapping[str, bytes] = ONE) -> Path:
    files = {path: data for path, data in below(TOOLS, skeleton).items() if data is not None}
    remote = repo.bare(folder / "r.git", {"gitops-tk.yaml": config, **files})
    checkout = repo.checkout(remote, folder / "first")
    assert run(*NEW, "--commit", cwd=checkout).status == 0
    repo.git(checkout, "push", "--quiet", "origin", "main")
    return remote


def edit(remote: Path, skeleton: Mapping[str, bytes | None] = TWO, **chart: bytes | None) -> None:
    """Commits another skeleton, and files of the chart by the names that they have without `.yaml`."""
    files = {f"services/web/chart/{name.replace('__', '/')}.yaml": data for name, data in chart.items()}
    repo.commit(remote, below(TOOLS, skeleton) | files)


def upgrade(folder: Path, *arguments: str, at: bool = False) -> Ran:
    where = ("--repo", f"file://{folder}") if at else ()
    return run_json("upgrade-chart", *arguments, *where, cwd=folder)


def chart(remote: Path, path: str, env: str = "") -> bytes:
    return repo.show(remote, f"services/web/{env}chart/{path}")


def test_untouched_files_are_replaced_and_edits_stay(remote: Path) -> None:
    mine = ONE["chart/values.yaml"].replace(b"one: 1", b"one: 11 # ours")
    edit(remote, values=mine, templates__away=None, templates__ours=b"# ours\n")
    ran = upgrade(remote, at=True)
    assert (ran.status, ran.json["outcome"]) == (0, "changed"), ran.json
    assert chart(remote, "values.yaml") == mine.replace(b"four: 4", b"four: 44")
    assert chart(remote, "templates/new.yaml") == b"# new\n"
    assert sorted(repo.git(remote, "ls-tree", "--name-only", "main:services/web/chart/templates").split()) == [
        "a.yaml",
        "new.yaml",
        "ours.yaml",
    ]
    assert yaml.safe_load(chart(remote, "Chart.yaml"))["annotations"]["gitops-tk/skeleton-version"] == "2"
    assert [(one["kind"], one["file"], one["from"], one["to"]) for one in ran.json["changes"]] == [
        ("chart", "services/web/chart", "1", "2"),
        ("file", "services/web/chart/values.yaml", "edited", "merged"),
    ]
    assert ran.json["message"] == (
        "upgrade-chart: web to version 2 of the skeleton\n\n"
        "stays away: services/web/chart/templates/away.yaml, which was removed from the chart\n"
        "merged with edits: services/web/chart/values.yaml\n\n"
        "Gitops-Tk-Command: upgrade-chart\nGitops-Tk-Change: web skeleton 1 -> 2\n"
    )
    before = repo.state(remote)
    assert upgrade(remote, at=True).json["outcome"] == "unchanged"
    assert repo.state(remote) == before


def test_in_a_checkout_files_are_written_and_committed_on_demand(remote: Path, tmp_path: Path) -> None:
    edit(remote)
    there = repo.checkout(remote, tmp_path / "c")
    shown = run("upgrade-chart", "--dry-run", cwd=there)
    assert shown.status == 0
    assert "web  skeleton  1 -> 2\n" in shown.out
    assert "-four: 4\n+four: 44\n" in shown.out
    assert repo.git(there, "status", "--porcelain") == ""
    ran = run("upgrade-chart", "web", cwd=there)
    assert (ran.status, ran.out) == (0, "web  skeleton  1 -> 2\nwritten; commit it when you are ready\n")
    again = run("upgrade-chart", "web", cwd=there)
    assert again.out == "unchanged: there is nothing to do\n"
    assert again.err == "1 chart is at version 2 already; a skeleton that changes raises its version\n"
    repo.git(there, "checkout", "--quiet", ".")
    repo.git(there, "clean", "--quiet", "-fd")
    assert upgrade(there, "--commit").json["outcome"] == "committed"
    assert repo.git(there, "status", "--porcelain") == ""


def test_a_conflict_is_told_with_its_line_and_nothing_is_written(remote: Path, tmp_path: Path) -> None:
    edit(remote, values=b"# ours\n" + ONE["chart/values.yaml"].replace(b"four: 4", b"four: 5"))
    before = repo.state(remote)
    ran = upgrade(remote, at=True)
    assert (ran.status, ran.json["outcome"]) == (1, "failed")
    (problem,) = ran.json["problems"]
    assert (problem["code"], problem["line"]) == ("chart-conflict", 5)
    assert problem["file"] == "services/web/chart/values.yaml"
    assert repo.state(remote) == before
    there = repo.checkout(remote, tmp_path / "c")
    assert upgrade(there, "--dry-run").status == upgrade(there).status == 1
    assert repo.git(there, "status", "--porcelain") == ""


@pytest.mark.parametrize(("side", "four"), [("ours", b"four: 5"), ("theirs", b"four: 44")])
def test_a_conflict_is_settled_as_asked(remote: Path, side: str, four: bytes) -> None:
    mine = ONE["chart/values.yaml"].replace(b"four: 4", b"four: 5").replace(b"one: 1", b"one: 11")
    edit(remote, values=mine)
    ran = upgrade(remote, "--conflict", side, at=True)
    assert ran.json["outcome"] == "changed"
    assert chart(remote, "values.yaml") == mine.replace(b"four: 5", four)
    assert upgrade(remote, at=True).json["outcome"] == "unchanged"


def test_markers_are_left_to_be_settled_in_a_checkout_alone(remote: Path, tmp_path: Path) -> None:
    edit(remote, values=ONE["chart/values.yaml"].replace(b"four: 4", b"four: 5"))
    there = repo.checkout(remote, tmp_path / "c")
    assert upgrade(remote, "--conflict", "markers", at=True).code == "markers-committed"
    assert upgrade(there, "--conflict", "markers", "--commit").code == "markers-committed"
    assert upgrade(there, "--conflict", "mine").code == "bad-conflict"
    ran = upgrade(there, "--conflict", "markers")
    assert (ran.status, ran.json["outcome"]) == (0, "written")
    assert [(one["severity"], one["line"]) for one in ran.json["problems"]] == [("warning", 4)]
    text = (there / "services/web/chart/values.yaml").read_text()
    assert text.endswith(
        "three: 3\n<<<<<<< the chart\nfour: 5\n=======\nfour: 44\n>>>>>>> version 2 of the skeleton\nimage: {tag: ''}\n"
    )


def test_a_file_that_the_skeleton_dropped_stays_where_it_was_edited(remote: Path) -> None:
    edit(remote, templates__gone=b"# ours\n")
    ran = run("upgrade-chart", "--repo", f"file://{remote}", cwd=remote)
    assert "stays: services/web/chart/templates/gone.yaml, which the skeleton has no more, since it was" in ran.err
    assert chart(remote, "templates/gone.yaml") == b"# ours\n"


def test_versions_that_were_skipped_and_edits_since_are_merged_from_what_was_recorded(remote: Path) -> None:
    edit(remote, values=ONE["chart/values.yaml"].replace(b"one: 1", b"one: 11"))
    assert upgrade(remote, at=True).json["outcome"] == "changed"
    three = TWO | {
        "skeleton.yaml": ONE["skeleton.yaml"].replace(b"'1'", b"'3'"),
        "chart/values.yaml": ONE["chart/values.yaml"].replace(b"four: 4", b"four: 444"),
    }
    edit(remote, three)
    assert upgrade(remote, at=True).json["outcome"] == "changed"
    assert chart(remote, "values.yaml") == ONE["chart/values.yaml"].replace(b"one: 1", b"one: 11").replace(
        b"four: 4", b"four: 444"
    )


def test_with_a_chart_for_each_environment_the_first_one_follows(tmp_path: Path) -> None:
    remote = made(tmp_path, CONFIG + b"layout: {chart: 'services/{service}/{env}/chart'}\n")
    edit(remote)
    ran = upgrade(remote, at=True)
    assert ran.json["outcome"] == "changed"
    assert [(one["env"], one["file"]) for one in ran.json["changes"]] == [("dev", "services/web/dev/chart")]
    assert b"four: 44" in chart(remote, "values.yaml", "dev/")
    assert b"four: 4\n" in chart(remote, "values.yaml", "prod/")
    assert upgrade(remote, at=True).json["outcome"] == "unchanged"
    repo.commit(remote, {f"services/web/envs/{env}.yaml": repo.values("web", env) for env in ("dev", "staging")})
    carried = run_json("promote", "dev", "staging", "web", "--repo", f"file://{remote}", cwd=remote)
    assert [one["kind"] for one in carried.json["changes"]] == ["chart"]


def test_it_is_proposed_where_an_environment_asks_for_it(tmp_path: Path) -> None:
    proposing = CONFIG.replace(b"name: prod\n", b"name: prod\n    publish: pull-request\n") + b"forge: {kind: git}\n"
    remote = made(tmp_path, proposing)
    edit(remote)
    ran = upgrade(remote, at=True)
    assert (ran.json["outcome"], ran.json["pull_requests"][0]["branch"]) == (
        "proposed",
        "gitops-tk/_/web.upgrade-chart",
    )
    assert b"four: 4\n" in chart(remote, "values.yaml")


def test_values_that_would_no_longer_fit_are_refused_and_told_in_a_checkout(remote: Path, tmp_path: Path) -> None:
    repo.commit(remote, {"services/web/envs/prod.yaml": b"image: {tag: v1}\nfive: 5\n"})
    edit(remote, TWO | {"chart/values.schema.json": b'{"properties": {"five": {"type": "string"}}}\n'})
    before = repo.state(remote)
    ran = upgrade(remote, at=True)
    assert (ran.status, ran.code) == (1, "chart-misfit")
    problem = ran.json["problems"][0]
    assert (problem["file"], problem["line"]) == ("services/web/envs/prod.yaml", 2)
    assert "web in prod would no longer fit its chart" in problem["message"]
    assert repo.state(remote) == before
    there = repo.checkout(remote, tmp_path / "c")
    assert upgrade(there, "--commit").code == "chart-misfit"
    ran = run_json("upgrade-chart", "--dry-run", cwd=there, GITOPS_TK_HELM="no-such-helm")
    assert (ran.status, ran.code, ran.json["problems"][0]["severity"]) == (0, "helm-missing", "warning")
    ran = upgrade(there)
    assert (ran.status, ran.json["outcome"], ran.json["problems"][0]["severity"]) == (0, "written", "warning")


def test_a_chart_that_would_no_longer_render_is_refused(remote: Path) -> None:
    edit(remote, TWO | {"chart/templates/a.yaml": b"a: {{ .Values.nothing.more }}\n"})
    assert upgrade(remote, at=True).code == "chart-misfit"


def test_after_it_validate_passes_as_before(remote: Path) -> None:
    def valid() -> int:
        return run("validate", "--repo", f"file://{remote}", cwd=remote).status

    repo.commit(remote, {f"services/web/envs/{env}.yaml": b"image: {tag: v1}\n" for env in ("dev", "staging", "prod")})
    edit(remote, values=ONE["chart/values.yaml"].replace(b"one: 1", b"one: 11"))
    assert valid() == 0
    assert upgrade(remote, at=True).json["outcome"] == "changed"
    assert valid() == 0


def test_charts_that_record_nothing_are_skipped_and_refused_by_name(remote: Path) -> None:
    other = {"Chart.yaml": b"apiVersion: v2\nname: old\nversion: 1.0.0\n"}
    repo.commit(
        remote,
        below("services/old/chart", other)
        | {f"services/{name}/envs/dev.yaml": repo.values(name, "dev") for name in ("old", "bare")},
    )
    edit(remote)
    ran = upgrade(remote, at=True)
    assert [(one["service"], one["code"]) for one in ran.json["skipped"]] == [
        ("bare", "no-chart"),
        ("old", "no-record"),
    ]
    assert ran.json["outcome"] == "changed"
    assert upgrade(remote, "old", at=True).code == "no-record"
    assert upgrade(remote, "bare", at=True).code == "no-chart"
    assert upgrade(remote, "wed", at=True).code == "unknown-service"


@pytest.mark.parametrize(
    ("version", "answers", "code"),
    [
        ("'1'", "'{'", "bad-record"),
        ("'1'", "'" + "[" * 5000 + "'", "bad-record"),
        ("1", "'{}'", "bad-record"),
        ("'1'", "{a: b}", "bad-record"),
        ("'1'", """'{"service": "../x", "image": "y"}'""", "bad-record"),
        ("'9'", """'{"service": "x", "image": "y"}'""", "unknown-skeleton"),
        ("../1", """'{"service": "x", "image": "y"}'""", "unknown-skeleton"),
        ("'1'", """'{"service": "x", "image": "y", "profile": "no"}'""", "unknown-profile"),
    ],
)
def test_records_that_were_tampered_with_are_refused(remote: Path, version: str, answers: str, code: str) -> None:
    said = f"{{gitops-tk/skeleton-version: {version}, gitops-tk/answers: {answers}}}"
    edit(remote, Chart=f"apiVersion: v2\nname: web\nversion: 0.1.0\nannotations: {said}\n".encode())
    before = repo.state(remote)
    ran = upgrade(remote, "web", at=True)
    assert (ran.status, ran.code) == (1, code)
    assert repo.state(remote) == before


@pytest.mark.parametrize(
    ("path", "content", "mode", "code"),
    [
        ("tools/new/chart/link", b"/etc/passwd", "120000", "not-a-file"),
        ("tools/new/chart/Chart.yaml", b"name: [[ service ]]\n", "100644", "skeleton"),
        ("tools/new/chart/values.yaml", b"[[ nothing ]]", "100644", "skeleton"),
        ("tools/new/chart/values.yaml/x", b"", "100644", "not-a-file"),
        ("services/web/chart/templates/link", b"/etc", "120000", "chart-not-plain"),
        ("services/web/chart/templates/new.yaml/x", b"", "100644", "not-a-file"),
        ("services/web/chart/Chart.yaml", b"../../../gitops-tk.yaml", "120000", "no-chart"),
    ],
)
def test_what_is_hostile_or_in_the_way_is_refused(
    remote: Path, path: str, content: bytes, mode: str, code: str
) -> None:
    edit(remote)
    above = path.rpartition("/")[0]
    gone = {above: None} if above.endswith(".yaml") else {}
    repo.commit(remote, {**gone, path: content}, modes={path: mode})
    before = repo.state(remote)
    ran = upgrade(remote, "web", at=True)
    assert (ran.status, ran.code) == (1, code)
    assert repo.state(remote) == before


def test_a_variable_that_the_skeleton_asks_no_more_is_left_out(tmp_path: Path) -> None:
    remote = repo.bare(
        tmp_path / "r.git", {"gitops-tk.yaml": CONFIG, **{k: v for k, v in below(TOOLS, ONE).items() if v is not None}}
    )
    there = repo.checkout(remote, tmp_path / "c")
    assert run(*NEW, "--var", "tier=gold", "--commit", cwd=there).status == 0
    repo.git(there, "push", "--quiet", "origin", "main")
    edit(remote, TWO | {"skeleton.yaml": TWO["skeleton.yaml"].replace(b"variables: {tier: {}}\n", b"")})
    ran = run("upgrade-chart", "--repo", f"file://{remote}", cwd=remote)
    assert ran.status == 0
    assert "web: the skeleton has no variable tier any more" in ran.err
    answers = yaml.safe_load(chart(remote, "Chart.yaml"))["annotations"]["gitops-tk/answers"]
    assert "tier" not in json.loads(answers).get("vars", {})


def test_a_chart_of_the_built_in_skeleton_follows_a_team_to_its_own(tmp_path: Path) -> None:
    remote = repo.bare(tmp_path / "r.git", {"gitops-tk.yaml": repo.CONFIG})
    there = repo.checkout(remote, tmp_path / "c")
    assert run(*NEW, "--commit", cwd=there).status == 0
    assert run("upgrade-chart", cwd=there).out == "unchanged: there is nothing to do\n"
    values = there / "services/web/chart/values.yaml"
    values.write_text(values.read_text() + "# ours\n")
    repo.git(there, "commit", "--quiet", "--all", "--message", "edit")
    repo.git(there, "push", "--quiet", "origin", "main")
    folder = resources.folder("chart-skeleton")
    own = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    own = {path: data for path, data in own.items() if path.startswith(("skeleton.yaml", "chart/"))}
    own["skeleton.yaml"] = own["skeleton.yaml"].replace(b'version: "1.0.0"', b'version: "team-1"')
    own["chart/templates/team.yaml"] = b"# team\n"
    own["chart/values.yaml"] = b"# The team's.\n" + own["chart/values.yaml"]
    repo.commit(remote, {"gitops-tk.yaml": CONFIG} | below(TOOLS, own))
    ran = upgrade(remote, at=True)
    assert ran.json["outcome"] == "changed", ran.json
    merged = chart(remote, "values.yaml")
    assert merged.startswith(b"# The team's.\n")
    assert merged.endswith(b"# ours\n")
    assert chart(remote, "templates/team.yaml") == b"# team\n"


def test_a_skeleton_elsewhere_is_read_at_the_tag_that_the_chart_was_made_from(tmp_path: Path) -> None:
    other = repo.bare(tmp_path / "skeletons.git", {path: data for path, data in ONE.items() if data is not None})
    repo.git(other, "tag", "v1")
    repo.commit(other, TWO)
    repo.git(other, "tag", "v2")
    with serve(tmp_path) as server:

        def config(ref: str) -> bytes:
            return repo.CONFIG + f"skeleton: {{url: {server.url('skeletons.git')}, ref: {ref}}}\n".encode()

        remote = made(tmp_path, config("v1"))
        mine = ONE["chart/values.yaml"].replace(b"one: 1", b"one: 11")
        repo.commit(remote, {"gitops-tk.yaml": config("v2"), "services/web/chart/values.yaml": mine})
        ran = upgrade(remote, at=True)
    assert ran.json["outcome"] == "changed", ran.json
    assert chart(remote, "values.yaml") == mine.replace(b"four: 4", b"four: 44")


def test_a_file_with_uncommitted_changes_is_refused(remote: Path, tmp_path: Path) -> None:
    edit(remote)
    there = repo.checkout(remote, tmp_path / "c")
    (there / "services/web/chart/values.yaml").write_text("one: 1\n")
    assert upgrade(there, "--conflict", "ours").code == "uncommitted-changes"


def test_another_skeleton_than_the_first_try_saw_is_not_taken(tmp_path: Path) -> None:
    files = {path: data for path, data in below(TOOLS, ONE).items() if data is not None}
    views = argocd.views(MemorySnapshot({"gitops-tk.yaml": CONFIG, **files}))
    upgrade = Upgrade(UpgradeRequest(), Options(cwd=tmp_path, environ={}))
    assert upgrade.plan(views, "1").intent == "1"
    with pytest.raises(RefusedByPolicy) as refused:
        upgrade.plan(views, "2")
    assert refused.value.code == "moved"
