"""Where the program's output goes, and how it is interrupted: closed, full and odd streams."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json

FILE = "services/user-service/envs/dev.yaml"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git")


def shell(remote: Path, redirected: str, service: str = "user-service") -> subprocess.CompletedProcess[bytes]:
    command = f"{sys.executable} -m gitops_tk bump {service} -e dev --tag v1.1.0 --repo file://{remote} {redirected}"
    return subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", "-o json >&-", "2>/dev/full"])
def test_closed_streams_change_nothing(remote: Path, closed: str) -> None:
    done = shell(remote, closed)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"v1.1.0" in repo.show(remote, FILE)
    failed = shell(remote, closed, "nobody")
    assert failed.returncode == 1
    assert b"Traceback" not in failed.stderr


@pytest.mark.parametrize("full", [">/dev/full", "-o json >/dev/full"])
def test_output_that_cannot_be_written_is_told(remote: Path, full: str) -> None:
    done = shell(remote, full)
    assert done.returncode == 1
    assert done.stderr == b"error: the output cannot be written: No space left on device [output]\n"
    assert shell(remote, f"{full} 2>&1").returncode == 1


@pytest.mark.parametrize("looks", ["history user-service -o csv", "diff --base main -o markdown", "status"])
def test_what_was_seen_and_cannot_be_written_is_told(remote: Path, looks: str) -> None:
    command = f"{sys.executable} -m gitops_tk {looks} --repo file://{remote} >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr == b"error: the output cannot be written: No space left on device [output]\n"


def test_nothing_that_a_repository_holds_steers_the_terminal(remote: Path) -> None:
    odd = b'image: {tag: "v2\\e[2J"}\n"a\\e[2J": 1\n'
    repo.git(remote, "branch", "pr", "main")
    repo.commit(remote, {FILE: odd, "\x1b[2J.txt": b"x"}, branch="pr")
    for command in (
        "verify-pr --base main --head pr",
        "explain dev staging user-service --branch pr",
        "status --branch pr",
        "values get user-service -e dev --origin --branch pr",
        "values diff user-service -e dev -e staging --branch pr",
        "promote dev staging --dry-run --branch pr",
    ):
        ran = run(*command.split(), "--repo", f"file://{remote}", cwd=remote.parent)
        assert "x1b[2J" in ran.out + ran.err or "u001b[2J" in ran.out + ran.err
        assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize("wrong", ["", "--no-such-option"])
def test_a_reader_that_has_gone_is_no_bug(remote: Path, wrong: str) -> None:
    assert shell(remote, f"-o json {wrong} | true").stderr == b""


def test_output_is_utf_8_whatever_the_locale(remote: Path, tmp_path: Path) -> None:
    arguments = ("bump", "user-service", "-e", "dev", "--tag", "v2", "--message", "größer", "--dry-run")
    for locale in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}):
        ran = run_json(*arguments, "--repo", f"file://{remote}", cwd=tmp_path, **locale)
        assert ran.json["message"].startswith("größer")


def test_bytes_that_are_no_text_are_told(remote: Path, tmp_path: Path) -> None:
    bump = ("bump", "user-service", "-e", "dev", "--tag", "v2", "--repo")
    nowhere = os.fsdecode(b"/nowhere/\xff")
    assert run_json(*bump, nowhere, cwd=tmp_path).code == "no-repository"
    assert "no folder /nowhere/" in run(*bump, nowhere, cwd=tmp_path).err
    said = run_json(*bump, f"file://{remote}", "--message", os.fsdecode(b"\xff"), cwd=tmp_path)
    assert (said.status, said.code) == (2, "bad-message")


def test_an_interrupt_while_the_program_starts_leaves_nothing(remote: Path, tmp_path: Path) -> None:
    # Raised where the clone has been started and nobody has taken it over yet.
    script = (
        "import gitops_tk.__main__ as program\n"
        "def interrupted(_): raise KeyboardInterrupt\n"
        "program.run = interrupted\n"
        "program.main()"
    )
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    arguments = ("bump", "user-service", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}")
    environment = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([sys.executable, "-c", script, *arguments], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so_in_json_too(remote: Path, tmp_path: Path, how: signal.Signals) -> None:
    # A server that holds the push until the program has been told to end.
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho > {reached}\nsleep 5\n")
    hook.chmod(0o755)
    command = [sys.executable, "-m", "gitops_tk", "bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "-o", "json"]
    program = subprocess.Popen([*command, "--repo", f"file://{remote}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert reached.read_bytes() == b"\n"
    program.send_signal(how)
    out, err = program.communicate(timeout=20)
    told = json.loads(out)
    assert (program.returncode, told["command"], told["outcome"]) == (130, "bump", "failed")
    assert told["problems"][0]["code"] == "interrupted"
    assert err == b""
