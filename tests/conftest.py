"""Every test runs in a home of its own: no git configuration, token or CI setting of this machine leaks in."""

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gitops_tk import process

# The same examples on every run: a search for new ones is `pytest --hypothesis-profile=search tests/values`.
_SLOW = [HealthCheck.too_slow]
settings.register_profile("suite", max_examples=100, derandomize=True, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("search", max_examples=5000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile("suite")

# Containers may tell Python to keep nothing that it has compiled: each start of the program would compile all of it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that starts the suite in the background has it ignore Ctrl-C, and every program that it starts too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests make a hundred thousand small files, and take them away: in memory, where there is enough of it, that is quick.
_MEMORY, _ENOUGH = Path("/dev/shm"), 2 * 1024**3
if "TMPDIR" not in os.environ and _MEMORY.is_dir():
    _about = os.statvfs(_MEMORY)
    if _about.f_bavail * _about.f_frsize > _ENOUGH and not _about.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

_LEAKS = (
    *("GIT_", "GITOPS_TK_", "XDG_", "SSH_", "HELM_", "FORCE_COLOR", "NO_COLOR"),
    *("GITHUB_", "GH_", "GITLAB_", "CI", "GITEA_", "FORGEJO_", "BITBUCKET_", "AZURE_", "SYSTEM_", "REQUESTS_", "CURL_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a processor: tests wait for servers and programs a third of their time."""
    return (os.cpu_count() or 2) * 2


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh HOME with an identity for git, and nothing else of the machine's settings."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_LEAKS):
            monkeypatch.delenv(name)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test Author\n\temail = author@example.com\n[init]\n\tdefaultBranch = main\n"
        # Nothing of a test has to last: no write waits for the disk, and nobody tidies up.
        "[core]\n\tfsync = none\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return home


def pytest_sessionfinish() -> None:
    """Ends the Helm engine that tests in this process have used: nobody is left to."""
    process.stop_all()
