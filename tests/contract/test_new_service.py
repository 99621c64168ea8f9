"""new-service: where answers come from, a team's own skeleton, and the application side."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.support import repositories as repo
from tests.support.cli import run, run_json
from tests.support.git_server import serve

from gitops_tk import resources

SKELETON = {
    "skeleton.yaml": b"version: '7'\n"
    b"profiles: {http: one, batch: two}\n"
    b"templated: [chart/Chart.yaml, app/go.mod]\n"
    b"only: {app/batch.go: [batch]}\n"
    b"for-modules: [app/Dockerfile]\n"
    b"variables: {tier: {default: gold}}\n",
    "chart/Chart.yaml": b"apiVersion: v2\nname: [[ service ]]\nversion: 0.1.0\n"
    b"annotations: {answers: '[[ answers ]]', tier: '[[ vars.tier ]]'}\n",
    "chart/values.yaml": b"image: {}\n",
    "app/go.mod": b"module [[ module ]]\n",
    "app/Dockerfile": b"FROM scratch\n",
    "app/main.go": b"package main\n",
    "app/batch.go": b"package main\n",
}


def gitops(folder: Path, skeleton: str = "", files: Mapping[str, bytes] | None = None) -> Path:
    """A checkout with a configuration and these files."""
    remote = repo.bare(folder / "gitops.git", {"gitops-tk.yaml": repo.CONFIG + skeleton.encode(), **(files or {})})
    return repo.checkout(remote, folder / "checkout")


def own(folder: Path) -> Path:
    """A checkout whose skeleton is in the repository itself."""
    return gitops(
        folder, "skeleton: {path: tools/new}\n", {f"tools/new/{path}": data for path, data in SKELETON.items()}
    )


def about(checkout: Path, service: str) -> dict[str, object]:
    found = yaml.safe_load((checkout / f"services/{service}/chart/Chart.yaml").read_text())
    return dict(found["annotations"])


def in_terminal(*arguments: str, cwd: Path, answers: str, **environment: str) -> tuple[int, str, str]:
    """Runs the program with a terminal for input and diagnostics; returns exit code, output and what was shown."""
    outer, inner = pty.openpty()
    environ = {key: value for key, value in os.environ.items() if key != "CI"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gitops_tk", *arguments],
        cwd=cwd,
        env={**environ, **environment},
        stdin=inner,
        stderr=inner,
        stdout=subprocess.PIPE,
    )
    os.close(inner)
    os.write(outer, answers.encode())
    out, _ = process.communicate(timeout=60)
    shown = b""
    while True:
        try:
            part = os.read(outer, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(outer)
    return process.returncode, out.decode(), shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("arguments", "missing"), [((), "NAME"), (("a",), "--image")])
def test_without_a_terminal_what_is_missing_is_named(tmp_path: Path, arguments: tuple[str, ...], missing: str) -> None:
    ran = run_json("new-service", *arguments, cwd=gitops(tmp_path))
    assert (ran.status, ran.code) == (2, "missing-answer")
    assert missing in ran.json["problems"][0]["message"]


def test_in_a_terminal_it_asks_for_what_is_missing(tmp_path: Path) -> None:
    checkout = gitops(tmp_path)
    answers = "user-service\nregistry.example.com/u\n\n9000\na.example.com, b.example.com\n\n"
    status, out, shown = in_terminal("new-service", cwd=checkout, answers=answers)
    assert status == 0, shown
    assert "add  user-service  services/user-service/chart" in out
    assert "Profile (http" in shown
    assert json.loads(str(about(checkout, "user-service")["gitops-tk/answers"])) == {
        "service": "user-service",
        "image": "registry.example.com/u",
        "profile": "http",
        "port": 9000,
        "hosts": ["a.example.com", "b.example.com"],
    }


def test_what_is_offered_comes_from_the_module_the_remote_and_the_configuration(tmp_path: Path) -> None:
    checkout = gitops(tmp_path, "skeleton: {answers: {owner: shop, hosts: ['{service}.example.com']}}\n")
    app = tmp_path / "app"
    app.mkdir()
    (app / "go.mod").write_text("module github.com/shop/Users // ours\n\ngo 1.25\n")
    repo.git(app, "init", "--quiet")
    repo.git(app, "remote", "add", "origin", "git@github.com:shop/Users.git")
    status, _, shown = in_terminal(
        "new-service", "--app-dir", str(app), "--dry-run", cwd=checkout, answers="users\n\n\n\n\n\n"
    )
    assert status == 0, shown
    for offered in ("[Users]", "[ghcr.io/shop/users]", "[users.example.com]", "[shop]"):
        assert offered in shown


def test_nothing_is_asked_where_everything_was_said_or_in_ci(tmp_path: Path) -> None:
    checkout = gitops(tmp_path)
    status, _, shown = in_terminal("new-service", "a", "--image", "x.example/a", cwd=checkout, answers="")
    assert (status, shown) == (0, "")
    status, _, shown = in_terminal("new-service", "b", cwd=checkout, answers="", CI="true")
    assert (status, "--image is missing" in shown) == (2, True)


def test_answers_come_from_options_then_a_file_then_the_configuration(tmp_path: Path) -> None:
    checkout = gitops(
        tmp_path,
        "skeleton:\n  answers: {image: 'x.example/{service}', port: 7000, owner: shop, vars: {team-label: c}}\n",
    )
    (tmp_path / "answers.yaml").write_text("port: 8000\nowner: users\nvars: {team-label: f}\n")
    ran = run_json("new-service", "a", "--answers", str(tmp_path / "answers.yaml"), "--port", "9000", cwd=checkout)
    assert ran.status == 0
    assert json.loads(str(about(checkout, "a")["gitops-tk/answers"])) == {
        "service": "a",
        "image": "x.example/a",
        "profile": "http",
        "port": 9000,
        "owner": "users",
        "vars": {"team-label": "f"},
    }


@pytest.mark.parametrize(
    "text", ["nonsense: 1", "port: many", "[1]", "a: [", "\udcff", "image: !!python/object:os.system {}", "[" * 5000]
)
def test_a_file_of_answers_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    ran = run_json("new-service", "a", "--image", "x.example/a", "--answers", str(file), cwd=gitops(tmp_path))
    assert (ran.status, ran.code) == (2, "bad-answers")
    assert not (tmp_path / "checkout/services").exists()


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("1a", [], "bad-service-name"),
        ("on", [], "bad-service-name"),
        ("null", ["--profile", "worker"], "bad-service-name"),
        ("a", ["--host", "10.0.0.1"], "bad-host"),
        ("a", ["--answers", "nowhere.yaml"], "bad-answers"),
    ],
)
def test_what_kubernetes_would_refuse_is_refused_before(tmp_path: Path, name: str, more: list[str], code: str) -> None:
    ran = run_json("new-service", name, "--image", "x.example/a", *more, cwd=gitops(tmp_path))
    assert (ran.status, ran.code) == (2, code)
    assert not (tmp_path / "checkout/services").exists()


def test_a_host_that_is_named_twice_is_one(tmp_path: Path) -> None:
    checkout = gitops(tmp_path)
    hosts = ["--host", "a.example.com", "--host", "b.example.com", "--host", "a.example.com"]
    assert run("new-service", "a", "--image", "x.example/a", *hosts, cwd=checkout).status == 0
    values = yaml.safe_load((checkout / "services/a/chart/values.yaml").read_text())
    assert [one["host"] for one in values["ingress"]["hosts"]] == ["a.example.com", "b.example.com"]


def test_a_teams_own_skeleton_lies_in_the_repository(tmp_path: Path) -> None:
    checkout = own(tmp_path)
    assert run("new-service", "a", "--image", "x.example/a", "--profile", "batch", cwd=checkout).status == 0
    assert about(checkout, "a")["tier"] == "gold"
    ran = run_json("new-service", "b", "--image", "x.example/b", "--profile", "grpc", cwd=checkout)
    assert (ran.status, ran.code) == (2, "unknown-profile")


@pytest.mark.parametrize("ref", ["v1", "main", "commit"])
def test_a_teams_own_skeleton_lies_in_another_repository(tmp_path: Path, ref: str) -> None:
    other = repo.bare(tmp_path / "skeletons.git", {f"go/{path}": data for path, data in SKELETON.items()})
    first = repo.git(other, "rev-parse", "main")
    repo.git(other, "tag", "-a", "-m", "first", "v1")
    repo.commit(other, {"go/skeleton.yaml": SKELETON["skeleton.yaml"].replace(b"gold", b"silver")})
    with serve(tmp_path) as server:
        named = (
            f"skeleton: {{url: {server.url('skeletons.git')}, ref: {first if ref == 'commit' else ref}, path: go}}\n"
        )
        checkout = gitops(tmp_path, named)
        ran = run_json("new-service", "a", "--image", "x.example/a", cwd=checkout)
    assert ran.status == 0, ran.json
    assert about(checkout, "a")["tier"] == ("silver" if ref == "main" else "gold")


def test_a_skeletons_host_gets_no_token(tmp_path: Path) -> None:
    repo.bare(tmp_path / "skeletons.git", SKELETON)
    with serve(tmp_path, password="secret-token") as server:
        checkout = gitops(tmp_path, f"skeleton: {{url: {server.url('skeletons.git')}, ref: main}}\n")
        ran = run_json("new-service", "a", "--image", "x.example/a", cwd=checkout, GITOPS_TK_TOKEN="secret-token")
        assert (ran.status, ran.code) == (1, "login-failed")
        # The remote's own host is told what the remote is told.
        repo.git(checkout, "remote", "set-url", "origin", server.url("gitops.git"))
        ran = run_json("new-service", "a", "--image", "x.example/a", cwd=checkout, GITOPS_TK_TOKEN="secret-token")
        assert ran.status == 0


@pytest.mark.parametrize(
    ("path", "content", "mode"),
    [
        ("chart/link", b"/etc/passwd", "120000"),
        ("chart/Chart.yaml", b"[[ ''.__class__.__mro__ ]]", "100644"),
        ("chart/Chart.yaml", b"[% include '/etc/passwd' %]", "100644"),
        ("chart/Chart.yaml", b"[[ nothing ]]", "100644"),
        ("chart/Chart.yaml", b"[[ 'x' * 9999999999 ]]", "100644"),
        ("skeleton.yaml", None, "100644"),
    ],
)
def test_a_hostile_or_broken_skeleton_is_refused(tmp_path: Path, path: str, content: bytes | None, mode: str) -> None:
    remote = repo.bare(tmp_path / "r.git", {f"s/{name}": data for name, data in SKELETON.items()})
    repo.commit(
        remote,
        {f"s/{path}": content, "gitops-tk.yaml": repo.CONFIG + b"skeleton: {path: s}\n"},
        modes={f"s/{path}": mode},
    )
    ran = run_json("new-service", "a", "--image", "x.example/a", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code in ("skeleton", "not-a-file")) == (1, True), ran.json
    assert repo.count(remote) == 2


def test_the_application_side_is_written_beside_the_repository(tmp_path: Path) -> None:
    checkout, app = own(tmp_path), tmp_path / "app"
    command = ("new-service", "a", "--image", "x.example/a", "--app-dir", str(app), "--module", "example.com/shop/a")
    dry = run_json(*command, "--dry-run", cwd=checkout)
    assert dry.json["outcome"] == "planned"
    assert "+module example.com/shop/a" in dry.json["diff"]
    assert not app.exists()
    ran = run_json(*command, cwd=checkout)
    assert (ran.status, ran.json["outcome"]) == (0, "written")
    assert {path.name: path.read_bytes() for path in app.iterdir()} == {
        "go.mod": b"module example.com/shop/a\n",
        "Dockerfile": b"FROM scratch\n",
        "main.go": b"package main\n",
    }
    assert [change["file"] for change in ran.json["changes"] if change["kind"] == "app"] == [
        str(app / name) for name in ("Dockerfile", "main.go", "go.mod")
    ]
    assert run_json(*command, cwd=checkout).json["outcome"] == "unchanged"


@pytest.mark.parametrize("profile", ["http", "grpc", "worker", "cronjob"])
def test_each_profile_scaffolds_a_valid_release_and_an_application(tmp_path: Path, profile: str) -> None:
    checkout, app = gitops(tmp_path), tmp_path / "app"
    for env in ("dev", "staging", "prod"):
        (checkout / "envs").mkdir(exist_ok=True)
        preset = resources.folder("envs") / f"{env}.yaml"
        (checkout / f"envs/{env}.yaml").write_bytes(preset.read_bytes())
    command = ("new-service", "a", "--image", "x.example/a", "--profile", profile, "--app-dir", str(app))
    assert run(*command, cwd=checkout).status == 0
    assert run_json("validate", cwd=checkout).json["problems"] == []
    assert {"Dockerfile", ".dockerignore", "go.mod", "main.go", f"run_{profile}.go"} <= {
        path.name for path in app.iterdir()
    }
    assert run_json(*command, cwd=checkout).json["outcome"] == "unchanged"


def test_a_go_module_that_is_there_is_left_alone_but_for_its_image(tmp_path: Path) -> None:
    checkout, app = own(tmp_path), tmp_path / "app"
    app.mkdir()
    (app / "go.mod").write_text("module mine\n")
    (app / "main.go").write_text("package main // mine\n")
    assert run("new-service", "a", "--image", "x.example/a", "--app-dir", str(app), cwd=checkout).status == 0
    assert sorted(path.name for path in app.iterdir()) == ["Dockerfile", "go.mod", "main.go"]
    assert (app / "main.go").read_text() == "package main // mine\n"
    (app / "Dockerfile").write_text("FROM mine\n")
    ran = run("new-service", "a", "--image", "x.example/a", "--app-dir", str(app), cwd=checkout)
    assert (ran.status, (app / "Dockerfile").read_text()) == (0, "FROM mine\n")
    assert f"Left as it is: {app / 'Dockerfile'}" in ran.err


def test_an_application_that_cannot_be_written_stops_the_repositorys_part_too(tmp_path: Path) -> None:
    checkout = own(tmp_path)
    for name, make in (
        ("differs", lambda folder: (folder / "main.go").write_text("package other\n")),
        ("folder", lambda folder: (folder / "Dockerfile").mkdir()),
        ("link", lambda folder: (folder / "Dockerfile").symlink_to("/etc/passwd")),
    ):
        app = tmp_path / name
        app.mkdir()
        make(app)
        ran = run_json("new-service", "a", "--image", "x.example/a", "--app-dir", str(app), cwd=checkout)
        assert (ran.status, ran.json["outcome"]) == (1, "failed"), name
        assert not (checkout / "services").exists()


def test_a_module_is_named_after_the_git_remote_or_the_service(tmp_path: Path) -> None:
    checkout = own(tmp_path)
    for remote, module in (
        ("https://git.example.com:8443/shop/a.git", "git.example.com/shop/a"),
        ("ssh://git@git.example.com/shop/a", "git.example.com/shop/a"),
        ("file:///srv/a.git", "a"),
        (None, "a"),
    ):
        app = tmp_path / f"app-{(remote or 'none').partition(':')[0]}"
        app.mkdir()
        if remote:
            repo.git(app, "init", "--quiet")
            repo.git(app, "remote", "add", "origin", remote)
        run_json("new-service", "a", "--image", "x.example/a", "--app-dir", str(app), cwd=checkout)
        assert (app / "go.mod").read_text() == f"module {module}\n"
