"""The program itself: help, completion, versions, start-up, and what only looks."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support import repositories as repo
from tests.support.cli import run, run_json
from tests.support.doctor import scene

from gitops_tk import __version__
from gitops_tk.cli.app import app
from gitops_tk.cli.boundary import guarded

_ROOT = typer.main.get_command(app)
_HEAVY = ("hashlib", "jinja2", "rich", "requests", "git", "pydantic", "helm_python", "kubernetes_validate", "semver")


# What overrides a policy has to be typed, with its reason.
_OVERRIDES = ("--allow-older", "--override", "--push-now")


def _commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in sorted(_ROOT.commands.items()):  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found += [(name, inner) for inner in sorted(below)] if below else [(name,)]
    return found


@pytest.mark.parametrize("command", _commands())
def test_every_command_has_help_with_an_example(command: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(*command, "--help", cwd=tmp_path)
    assert ran.status == 0
    assert re.search(rf"Example:\s+gitops-tk {' '.join(command)}\b", ran.out)


@pytest.mark.parametrize("group", [(), *((name,) for name in ("values", "env", "pipeline", "argocd", "config"))])
def test_no_summary_of_a_command_is_cut_in_a_narrow_terminal(group: tuple[str, ...], tmp_path: Path) -> None:
    listed = run(*group, "--help", cwd=tmp_path, COLUMNS="80").out.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


def test_the_commands_of_the_first_issue_are_there() -> None:
    assert {" ".join(command) for command in _commands()} >= {
        *("init", "new-service", "bump", "promote", "status", "render", "validate", "config schema", "config show"),
        *("values get", "values set", "values unset", "values diff", "env list", "env add", "env remove"),
    }


@pytest.mark.parametrize("command", _commands())
def test_a_wrong_option_is_told_in_json_for_every_command(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded([*command, "--output", "json", "--no-such-option"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["outcome"]) == (" ".join(command), "failed")
    assert [problem["code"] for problem in document["problems"]] == ["usage"]


@pytest.mark.parametrize("command", _commands())
def test_every_option_is_read_from_the_environment_but_for_those_that_override_a_policy(
    command: tuple[str, ...],
) -> None:
    found: Any = _ROOT
    for word in command:
        found = found.commands[word]
    options = {max(one.opts, key=len): one for one in found.params if one.param_type_name == "option"}
    typed = {*_OVERRIDES, "--help", *(["--reason"] if "--override" in options else [])}
    for name, option in options.items():
        expected = "GITOPS_TK_" + name.removeprefix("--").upper().replace("-", "_")
        assert option.envvar == (None if name in typed else expected), name


def test_the_version_is_the_packages_and_the_engines_are_told(tmp_path: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.19.0+g1234567\n')
    helm.chmod(0o755)
    said = run("--version", cwd=tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}").out.splitlines()
    git = repo.git(tmp_path, "--version").split()[2]
    assert said[:3] == [f"gitops-tk {__version__}", f"Python {platform.python_version()}", f"git {git}"]
    assert re.fullmatch(r"Helm v4\.\d+\.\d+ \(embedded Helm\)", said[3])
    assert said[4:] == [f"Helm v3.19.0+g1234567 ({helm})"]
    said = run("--version", cwd=tmp_path, PATH=str(tmp_path)).out.splitlines()
    assert said[2].startswith("no git: git is not installed")


def test_verbose_tells_each_git_process_and_request_and_no_secret(tmp_path: Path) -> None:
    with scene(tmp_path) as well:
        secret = well.environ["GITOPS_TK_TOKEN"]
        url = well.server.root_url
        shown = ("GITOPS_TK_TOKEN", "ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN")
        environ = {name: well.environ[name] for name in shown}
        bump = ("bump", "user-service", "-e", "dev", "--tag", "v2", "--repo", f"{url}/shop/gitops.git")
        ran = run(*bump, "--verbose", cwd=tmp_path, **environ)
        assert (ran.status, ran.out.splitlines()[-1][:6]) == (0, "pushed")
        assert re.search(r"^\[\d+\.\d{3} s\] git -C \S+ clone .*: exit 0$", ran.err, re.MULTILINE)
        assert re.search(r"^\[\d+\.\d{3} s\] git -C \S+ push .*: exit 0$", ran.err, re.MULTILINE)
        looked = run("doctor", "-o", "json", cwd=well.checkout, GITOPS_TK_VERBOSE="1", **environ)
        assert looked.json["outcome"] == "unchanged"
        for told in (f"GET {well.server.api}/user: 200", f"GET {well.argocd.api}/api/v1/applications: 200"):
            assert re.search(rf"^\[\d+\.\d{{3}} s\] {re.escape(told)}$", looked.err, re.MULTILINE)
        assert secret not in ran.err + looked.err + looked.out
        assert run(*bump[:5], "v3", *bump[6:], cwd=tmp_path, **environ).err == ""
        ran = run("--verbose", "status", "--repo", f"{url}/shop/gitops.git", cwd=tmp_path, **environ)
        assert "git -C" in ran.err


def test_doctor_tells_people_what_is_well_and_what_to_do(tmp_path: Path) -> None:
    with scene(tmp_path) as well:
        well.here.settings.guarded = False
        environ = {name: well.environ[name] for name in ("GITOPS_TK_TOKEN", "ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN")}
        ran = run("doctor", cwd=well.checkout, **environ)
    assert ran.status == 0
    assert ran.out.splitlines()[0].startswith("ok  git                git ")
    assert ran.out.splitlines()[-1] == "0 errors, 2 warnings, 0 not checked"
    assert "warning: whoever may write may push to main" in ran.err
    assert "hint: protect main" in ran.err
    ran = run("doctor", "--repo", str(tmp_path / "nowhere"), "--offline", cwd=tmp_path)
    assert (ran.status, ran.out.splitlines()[-1]) == (1, "1 error, 0 warnings, 16 not checked")


def test_completion_is_printed_for_the_shell_that_asks(tmp_path: Path) -> None:
    # The program looks which shell has started it.
    shell = ["bash", "-c", f"{sys.executable} -m gitops_tk --show-completion; exit $?"]
    shown = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "complete" in shown.stdout


def test_a_bump_loads_no_module_that_it_does_not_need(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git")
    script = (
        "import os, sys\nfrom gitops_tk.__main__ import run\nfrom gitops_tk.repository import early\n"
        f"arguments = ['bump', 'user-service', '-e', 'dev', '--tag', 'v2', '--repo', 'file://{remote}']\n"
        "early.begin(arguments, os.environ)\nprint(*sys.modules)\nrun(arguments)\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before_the_clone, *_, loaded = (set(line.split()) for line in done.stdout.splitlines())
    assert "msgspec" not in before_the_clone
    assert len(before_the_clone) < 110
    assert "yaml" in loaded
    assert not loaded & set(_HEAVY)
    assert len(loaded) < 310


def test_nothing_is_coloured_in_a_pipe_or_with_no_color(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git")
    for environment in ({}, {"CI": "true"}, {"NO_COLOR": "1"}):
        ran = run("status", "--repo", f"file://{remote}", cwd=tmp_path, **environment)
        assert "\x1b" not in ran.out + ran.err


def test_status_says_what_is_where_and_what_differs(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git", ["a", "b"])
    repo.commit(
        remote,
        {
            "services/a/envs/dev.yaml": repo.values("a", "dev", "v2.0.0"),
            "services/b/envs/prod.yaml": b"image:\n  tag: ''\n",
            "services/c/envs/dev.yaml": b"image:\n  tag: v1\n",
        },
    )
    ran = run("status", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.out.splitlines() == [
        "SERVICE  DEV     STAGING   PROD",
        "a        v2.0.0  v1.0.0 *  v1.0.0",
        "b        v1.0.0  v1.0.0    never deployed *",
        "c        v1      -         -",
        "",
        "* differs from the environment it is promoted from",
    ]
    found = run_json("status", "a", "-e", "staging", "--repo", f"file://{remote}", cwd=tmp_path).json
    assert found["environments"] == ["staging"]
    assert found["services"]["a"]["staging"]["images"]["default"]["tag"] == "v1.0.0"
    assert found["services"]["a"]["staging"]["differs_from"] == ["dev"]
    assert run_json("status", "zzz", "--repo", f"file://{remote}", cwd=tmp_path).code == "unknown-service"


def test_status_tells_the_others_where_one_file_cannot_be_read(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git", ["a", "b"])
    repo.commit(remote, {"services/b/envs/staging.yaml": b"image:\n  tag: v1\n  tag: v2\n"})
    ran = run("status", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 1
    assert ran.out.splitlines() == [
        "SERVICE  DEV     STAGING     PROD",
        "a        v1.0.0  v1.0.0      v1.0.0",
        "b        v1.0.0  unreadable  v1.0.0",
    ]
    assert "services/b/envs/staging.yaml:3: " in ran.err
    found = run_json("status", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (found.status, found.json["outcome"], found.code) == (1, "failed", "duplicate-key")
    assert found.json["services"]["b"]["staging"]["readable"] is False
    assert run_json("status", "-e", "prod", "--repo", f"file://{remote}", cwd=tmp_path).status == 0


def test_a_table_fits_a_narrow_terminal(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git", ["a-service-with-quite-a-long-name-indeed"], tag="v1.0.0-" + "x" * 60)
    ran = run("status", "--repo", f"file://{remote}", cwd=tmp_path, COLUMNS="60")
    assert max(len(line) for line in ran.out.splitlines()) <= 60


def test_a_table_in_a_pipe_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    remote = repo.gitops(tmp_path / "r.git", ["a-service"], tag="v1.0.0-" + "x" * 100)
    ran = run("status", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.out.count("v1.0.0-" + "x" * 100) == 3


def test_the_configuration_is_shown_with_its_defaults_and_its_schema(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git")
    shown = run_json("config", "show", "--repo", f"file://{remote}", cwd=tmp_path).json["config"]
    assert shown["layout"]["values"] == "services/{service}/envs/{env}.yaml"
    assert '"$schema"' in run("config", "schema", cwd=tmp_path).out


_BROKEN = """
import sys, gitops_tk.workflows.status as status
def broken(*_): raise ZeroDivisionError('token s3cr3t-t0ken')
status.load = broken
from gitops_tk.__main__ import run
sys.exit(run(['status', '-o', 'json']))
"""


# In a container the place of the details may be none that can be written.
@pytest.mark.parametrize(("state", "place"), [("state", "state/gitops-tk"), ("remote.git/HEAD", "tmp"), (None, None)])
def test_a_bug_is_said_to_be_one_and_its_details_are_written(
    tmp_path: Path, state: str | None, place: str | None
) -> None:
    checkout = repo.checkout(repo.gitops(tmp_path / "remote.git"), tmp_path / "c")
    nowhere = tmp_path / "remote.git/HEAD"
    done = subprocess.run(
        [sys.executable, "-c", _BROKEN],
        cwd=checkout,
        env={
            **os.environ,
            "GITOPS_TK_TOKEN": "s3cr3t-t0ken",
            "XDG_STATE_HOME": str(tmp_path / (state or nowhere)),
            "TMPDIR": str(tmp_path / "tmp" if place else nowhere),
        },
        capture_output=True,
        text=True,
    )
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.returncode, problem["code"], done.stderr) == (1, "bug", "")
    if place is None:
        assert problem["file"] is None
        return
    (log,) = (tmp_path / place).iterdir()
    assert problem["file"] == str(log)
    assert "ZeroDivisionError" in log.read_text()
    assert "s3cr3t-t0ken" not in log.read_text() + done.stdout


def test_a_completion_that_cannot_be_installed_is_no_bug(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    # The shell is named where none is looked for among those who have started the program.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path / "home")}
    ran = run("--install-completion", "bash", cwd=tmp_path, **named)
    assert ran.status == 1
    assert "--show-completion" in ran.err


@pytest.mark.parametrize(
    "command",
    ["init", "new-service", "bump", "promote", "values set", "values unset", "env add", "env remove", "hold", "unhold"],
)
def test_every_command_that_writes_takes_the_common_options(command: str) -> None:
    found: Any = _ROOT
    for word in command.split():
        found = found.commands[word]
    options = {option for parameter in found.params for option in parameter.opts}
    assert options >= {"--dry-run", "--message", "--repo", "--branch", "--output", "-o"}
