"""The wheel works outside the checkout, in an empty environment."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parents[2]


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # The wheel is built from the source distribution, as an installer without a wheel would build it.
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(_PROJECT), cwd=folder)
    assert list(folder.glob("gitops_tk-*.tar.gz"))
    (found,) = folder.glob("gitops_tk-*.whl")
    return found


def test_the_wheel_carries_what_the_program_copies_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("chart-skeleton/skeleton.yaml", "chart-skeleton/chart/templates/_helpers.tpl", "envs/prod.yaml"):
        assert f"gitops_tk/data/{name}" in names
    for name in ("steps.yaml", "github/gitops/.github/workflows/verify.yml", "gitlab/application/.gitlab-ci.yml"):
        assert f"gitops_tk/data/pipelines/{name}" in names
    assert "gitops_tk/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    assert wheel.stat().st_size < 1_000_000


def test_the_installed_program_starts_a_repository_and_a_service(wheel: Path, tmp_path: Path) -> None:
    # The environment is empty but for what the wheel needs; pip stays outside.
    _run(sys.executable, "-m", "venv", "--without-pip", "env", cwd=tmp_path)
    programs = tmp_path / "env/bin"
    pip = (sys.executable, "-m", "pip", "--python", str(programs / "python"))
    _run(*pip, "install", "--quiet", "--no-compile", str(wheel), cwd=tmp_path)
    tool = str(programs / "gitops-tk")
    _run(tool, "init", "gitops", cwd=tmp_path)
    gitops = tmp_path / "gitops"
    _run(tool, "new-service", "user-service", "--image", "registry.example.com/user-service", cwd=gitops)
    assert (gitops / "services/user-service/chart/templates/deployment.yaml").is_file()
    assert "user-service" in _run(tool, "status", cwd=gitops)
    installed = _run(*pip, "list", cwd=tmp_path).lower()
    for name in ("pydantic", "gitpython", "pygithub", "python-gitlab", "helm"):
        assert name not in installed
