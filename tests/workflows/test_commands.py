"""A gate's program: where it comes from, what it sees, and what its end means."""

import json
import time
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.timeline import Timeline

from gitops_tk.config.policy import Command
from gitops_tk.errors import MissingFile, ToolMissing
from gitops_tk.model.changes import Gate
from gitops_tk.model.image import Image
from gitops_tk.model.snapshot import EXECUTABLE, SYMLINK
from gitops_tk.policy.gates import Arrival
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.gating.commands import Commands

_ENVIRON = {"PATH": "/usr/bin:/bin", "GITHUB_TOKEN": "secret", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/root"}


class Committed(MemorySnapshot):
    """Files of a commit."""

    revision: Any = "c" * 40


def run(
    text: str,
    *arguments: str,
    others: dict[str, int] | None = None,
    files: dict[str, bytes] | None = None,
    program: str = "checks/smoke.sh",
    snapshot: type[MemorySnapshot] = Committed,
    timeout: float = 20,
    **environ: str,
) -> Gate:
    there = {"checks/smoke.sh": f"#!/bin/sh\n{text}\n".encode(), **(files or {})}
    modes = {"checks/smoke.sh": EXECUTABLE, **(others or {})}
    views = replace(Timeline("2026-01-01T00:00:00", {}).views("2026-01-01T00:00:00"), snapshot=snapshot(there, modes))
    arrival = Arrival(
        service="a",
        env="prod",
        sources=["staging"],
        images={"default": Image(tag="v2", build=7)},
        before={},
    )
    command = Command(name="smoke", run=(program, *arguments), timeout=timeout)
    return Commands({**_ENVIRON, **environ})(command, arrival, views)


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ("exit 0", "passed", "smoke agrees"),
        ("echo too many errors; exit 1", "refused", "smoke refuses: too many errors"),
        ("echo one >&2; echo two >&2; exit 3", "refused", "smoke refuses: two"),
        ("exit 9", "refused", "smoke refuses: exit code 9"),
        ("echo canary at 50%; exit 75", "waiting", "smoke says not yet: canary at 50%"),
        ("printf '\\033[31mred\\n'; exit 1", "refused", "smoke refuses: ?[31mred"),
        ("kill -9 $$", "refused", "smoke refuses: exit code -9"),
    ],
)
def test_its_end_is_its_answer(text: str, answer: str, said: str) -> None:
    found = run(text)
    assert (found.gate, found.answer, found.message) == ("commands: smoke", answer, said)


def test_it_is_told_what_is_to_come() -> None:
    found = run("cat; exit 1")
    assert json.loads(found.message.removeprefix("smoke refuses: ")) == {
        "schema": "gitops-tk/gate/v1",
        "gate": "smoke",
        "service": "a",
        "sources": ["staging"],
        "target": "prod",
        "images": {"default": {"tag": "v2", "digest": "", "build": 7, "revision": ""}},
    }


def test_it_sees_no_secret_and_no_home_and_what_was_passed_on() -> None:
    found = run("env | cut -d= -f1 | sort | tr '\\n' ' '; exit 1", GITOPS_TK_GATE_URL="https://metrics")
    seen = set(found.message.removeprefix("smoke refuses: ").split())
    assert seen - {"PWD", "SHLVL", "_", "OLDPWD"} == {"GITOPS_TK_GATE", "GITOPS_TK_GATE_URL", "HOME", "PATH"}
    assert run('test "$HOME" != /root').answer == "passed"


def test_what_lies_beside_it_is_there_and_nothing_else() -> None:
    files = {"checks/lib/x.sh": b"echo from lib\n", "services/a/envs/prod.yaml": b"", "data/list.txt": b"one\n"}
    others = {"checks/link": SYMLINK}
    assert "from lib" in run(". checks/lib/x.sh; exit 1", files=files).message
    assert (
        "checks/lib/x.sh checks/smoke.sh"
        in run("echo $(find . -type f -o -type l | sort | cut -c3-); exit 1", files=files, others=others).message
    )
    # What the arguments name, too.
    assert "one" in run('cat "$1"; exit 1', "data/list.txt", files=files).message
    assert "prod.yaml" in run('ls "$1/envs"; exit 1', "services/a", files=files).message
    # A word without a slash names no file, and the program finds what lies beside it from everywhere.
    assert run('test ! -e "$1"', "list.txt", files={"list.txt": b""}).answer == "passed"
    assert run('cd / && test -e "$(dirname "$0")/lib/x.sh"', files=files).answer == "passed"


def test_a_program_on_path_may_read_files_of_the_repository() -> None:
    assert run("exit 1", "checks/smoke.sh", program="sh").answer == "refused"
    assert run("exit 0", "checks/smoke.sh", program="sh").answer == "passed"
    with pytest.raises(ToolMissing):
        run("", program="no-such-program")


def test_one_that_is_not_there_or_cannot_be_run() -> None:
    with pytest.raises(MissingFile) as missing:
        run("", program="checks/other.sh")
    assert (missing.value.code, missing.value.file) == ("gate-command", "checks/other.sh")
    plain = run("", files={"checks/plain.sh": b"exit 0\n"}, program="checks/plain.sh")
    assert plain.answer == "refused"
    assert plain.message.startswith("checks/plain.sh cannot be run: it is not executable")
    assert run("", program="./checks/smoke.sh").answer == "passed"


def test_it_has_a_time_limit() -> None:
    began = time.monotonic()
    found = run("exec sleep 30", timeout=0.3)
    assert (found.answer, found.message) == ("refused", "smoke did not end within 0.3s")
    assert time.monotonic() - began < 10


def test_it_does_not_run_from_files_that_belong_to_no_commit() -> None:
    found = run("exit 0", snapshot=MemorySnapshot)
    assert found.answer == "not-evaluated"
