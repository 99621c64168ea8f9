"""What people at a terminal get: progress where it takes a while, and completion in their shell."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.git_server import serve

_PROGRAM = Path(sys.executable).with_name("gitops-tk")
_WORDS = {
    "bump us": ["user-service"],
    "render user-service -e sta": ["staging"],
    "prom": ["promote"],
    "promote ": ["dev", "prod", "staging"],
    "promote dev staging user-service --tag ": ["v1.0.0", "v1.2.0", "v1.3.0"],
    "promote dev staging --tag v1.3": ["v1.3.0"],
    "promote staging prod user-service --tag ": ["v1.0.0"],
    "promote moon prod --tag ": [],
    "rollback user-service -e dev --to v1.2": ["v1.2.0"],
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose dev has held three versions."""
    folder = tmp_path_factory.mktemp("completion")
    remote = repo.gitops(folder / "r.git", ["order-service", "user-service"])
    for tag in ("v1.2.0", "v1.3.0"):
        repo.commit(remote, {"services/user-service/envs/dev.yaml": repo.values("user-service", "dev", tag)})
    return repo.checkout(remote, folder / "c")


def _terminal(*arguments: str, cwd: Path, **environment: str) -> str:
    """Runs the program with standard error on a terminal, and returns what came there."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "gitops_tk", *arguments]
    with subprocess.Popen(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        told = b""
        try:
            while part := os.read(ours, 4096):
                told += part
        except OSError:
            # The terminal ends with the program.
            pass
        finally:
            os.close(ours)
        process.communicate(timeout=30)
    assert process.returncode == 0, told
    return told.decode()


def test_a_terminal_is_told_what_takes_a_while_and_a_pipeline_is_not(tmp_path: Path) -> None:
    repo.gitops(tmp_path / "r.git")
    with serve(tmp_path) as server:
        status = ("status", "--repo", server.url("r.git"))
        server.behaviour.request_delay = 0.8
        assert "reading" in _terminal(*status, cwd=tmp_path)
        assert _terminal(*status, cwd=tmp_path, CI="true") == ""


@pytest.mark.parametrize("words", _WORDS)
def test_bash_completes_commands_services_environments_and_tags(checkout: Path, words: str) -> None:
    *before, last = words.split(" ")
    typed = " ".join(f"'{word}'" for word in ("gitops-tk", *before, last))
    script = f"""
    eval "$(_GITOPS_TK_COMPLETE=source_bash gitops-tk)"
    COMP_WORDS=({typed}); COMP_CWORD={len(before) + 1}
    _gitops_tk_completion gitops-tk
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert sorted(_shell("bash", script, checkout).split()) == _WORDS[words]


@pytest.mark.parametrize("shell", [name for name in ("zsh", "fish") if shutil.which(name)] or ["sh"])
def test_other_shells_ask_the_same(checkout: Path, shell: str) -> None:
    # What their scripts ask the program; where the shell is installed it runs the question itself.
    asked = "'gitops-tk promote dev staging user-service --tag v1.3'"
    zsh = f"env _TYPER_COMPLETE_ARGS={asked} _GITOPS_TK_COMPLETE=complete_zsh gitops-tk"
    fish = zsh.replace("env ", "env _TYPER_COMPLETE_FISH_ACTION=get-args ").replace("complete_zsh", "complete_fish")
    for question in (zsh, fish):
        assert "v1.3.0" in _shell(shell, question, checkout)


def test_completion_is_silent_where_nothing_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "gitops-tk.yaml").write_text("apiVersion: [\n")
    for words in ("bump u", "promote d", "promote dev prod --tag v"):
        count = len(words.split())
        question = f"env COMP_WORDS='gitops-tk {words}' COMP_CWORD={count} _GITOPS_TK_COMPLETE=complete_bash gitops-tk"
        assert _shell("sh", question, tmp_path).strip() == ""


def _shell(shell: str, script: str, folder: Path) -> str:
    environ = {**os.environ, "PATH": f"{_PROGRAM.parent}:{os.environ['PATH']}"}
    done = subprocess.run([shell, "-c", script], cwd=folder, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
