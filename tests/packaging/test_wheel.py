"""The wheel: the same bytes wherever and whenever it is built, everything that is needed and nothing else."""

import re
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from tests.support.distributions import PROJECT, build, copy, first_bump, run

_DATA = ("chart-skeleton", "envs", "pipelines")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution and the wheel."""
    folder = tmp_path_factory.mktemp("first")
    return build(copy(folder / "project", when=1_700_000_000), folder / "dist", TZ="UTC")


def test_two_builds_are_the_same_bytes(built: tuple[Path, Path], tmp_path: Path) -> None:
    elsewhere = copy(tmp_path / "a/longer path/to the/project", mode=0o600, when=1_750_000_000)
    again = build(elsewhere, tmp_path / "dist", TZ="Asia/Tokyo", LC_ALL="C")
    for first, second in zip(built, again, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), f"{first.name} differs"


def test_the_wheel_holds_the_program_with_its_files_and_nothing_else(built: tuple[Path, Path]) -> None:
    found = set(zipfile.ZipFile(built[1]).namelist())
    about = {name for name in found if ".dist-info/" in name}
    package = _files(PROJECT / "toolkit/gitops_tk", "gitops_tk")
    carried = {path for name in _DATA for path in _files(PROJECT / name, f"gitops_tk/data/{name}")}
    assert found - about == package | carried
    assert {name.partition(".dist-info/")[2] for name in about} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"),
    }


def test_the_source_distribution_holds_what_the_tests_need(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    needed = ("tests", "docs", "templates", "toolkit", *_DATA)
    assert found >= {path for name in needed for path in _files(PROJECT / name, name)}
    files = ("Dockerfile", ".dockerignore", "action.yml", ".pre-commit-hooks.yaml", "Makefile", ".ci/run", "LICENSE")
    assert found >= set(files)


def test_the_wheels_size_is_what_the_documents_say(built: tuple[Path, Path]) -> None:
    (said,) = re.findall(r"The wheel is (\d+) KB", (PROJECT / "docs/packaging.md").read_text(encoding="utf-8"))
    size = built[1].stat().st_size / 1000
    assert 0.85 * int(said) < size < 1.15 * int(said), f"it is {size:.0f} KB"


def test_pipx_installs_a_program_that_makes_a_first_bump(built: tuple[Path, Path], tmp_path: Path) -> None:
    pipx = Path(sys.executable).with_name("pipx")
    places = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "USE_EMOJI": "0"}
    places |= {"PIPX_SHARED_LIBS": str(_pip(tmp_path / "shared")), "PIPX_DISABLE_SHARED_LIBS_AUTO_UPGRADE": "1"}
    run(str(pipx), "install", "--python", sys.executable, str(built[1]), cwd=tmp_path, **places)
    first_bump(str(tmp_path / "bin/gitops-tk"), tmp_path)
    installed = run(str(pipx), "runpip", "gitops-tk", "list", cwd=tmp_path, **places).lower()
    for name in ("pydantic", "gitpython", "pygithub", "python-gitlab", "helm"):
        assert name not in installed


def _pip(folder: Path) -> Path:
    """What pipx keeps pip in, with the one that is here: making another takes longer than all the rest."""
    venv.create(folder, symlinks=True)
    (libraries,) = folder.glob("lib/python*/site-packages")
    (libraries / "pip").symlink_to(Path(sysconfig.get_path("purelib"), "pip"))
    (folder / "bin/pip").symlink_to(Path(sys.executable).with_name("pip"))
    return folder


def _files(folder: Path, name: str) -> set[str]:
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
