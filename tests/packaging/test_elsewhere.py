"""The tool in other packages: a container image, a GitHub action, a pre-commit hook."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from tests.support import repositories as repo
from tests.support.distributions import PROJECT, first_bump

from gitops_tk import resources
from gitops_tk.workflows.pipelines import describe

_PROGRAMS = Path(sys.executable).parent
_DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
_IDENTITY = {f"GIT_{who}_{what}": "ci@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_PLACE = "/opt/gitops-tk"
# What the tool depends on was installed for the tests, from the same pyproject.toml and with the same extras: a quarter
# of a gigabyte, which is not installed twice.
_LIBRARIES = {"PYTHONPATH": sysconfig.get_path("purelib")}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the image's steps fill: the build stage's commands in order, with what its COPY lines copy."""
    folder = tmp_path_factory.mktemp("image")
    source = folder / "src"
    source.mkdir()
    stage = re.sub(r"\\\n\s*", "", _DOCKERFILE.partition("AS build\n")[2].partition("\nFROM ")[0])
    # As the base image has it: Python is called python.
    path = f"{_PROGRAMS}:/usr/bin:/bin"
    for line in stage.splitlines():
        word, _, rest = line.partition(" ")
        if word == "COPY":
            *copied, target = rest.split()
            for name in copied:
                there, to = PROJECT / name, source / (name if target == "./" else target)
                shutil.copytree(there, to) if there.is_dir() else shutil.copy(there, to)
        elif word == "RUN":
            command = rest.replace(_PLACE, str(folder / "opt"))
            environ = {"PATH": path, "HOME": str(folder), **_pip()}
            done = subprocess.run(["sh", "-ec", command], cwd=source, env=environ, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            assert word in ("WORKDIR", ""), line
    return folder / "opt"


def test_the_images_steps_lead_to_a_first_bump(image: Path, tmp_path: Path) -> None:
    assert f"COPY --from=build {_PLACE} {_PLACE}" in _DOCKERFILE
    (entry,) = re.findall(r'^ENTRYPOINT \["(\S+)"\]$', _DOCKERFILE, re.MULTILINE)
    (path,) = re.findall(r'^ENV PATH="(\S+?):', _DOCKERFILE, re.MULTILINE)
    tool = Path(path.replace(_PLACE, str(image))) / entry
    first_bump(str(tool), tmp_path, PATH="/usr/bin:/bin", **_LIBRARIES)
    environ = {**os.environ, **_LIBRARIES}
    said = subprocess.run([str(tool), "--version"], env=environ, capture_output=True, text=True, check=True).stdout
    assert "Helm v4" in said


def test_the_actions_steps_lead_to_a_first_bump(image: Path, tmp_path: Path) -> None:
    action = yaml.safe_load((PROJECT / "action.yml").read_text())
    schema = [str(_PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.github-actions"]
    subprocess.run([*schema, str(PROJECT / "action.yml")], check=True, capture_output=True)
    python, *steps = action["runs"]["steps"]
    pinned = describe((resources.folder("pipelines") / "steps.yaml").read_text()).actions["python"]
    assert python["uses"] == pinned.partition(" ")[0]

    # setup-python puts a Python of its own on PATH; here it has the dependencies, and not the tool.
    (image / "bin/gitops-tk").rename(image / "bin/gone")
    source = image.parent / "src"
    remote = repo.gitops(tmp_path / "gitops.git")
    arguments = f"bump\nuser-service\n--env\ndev\n--tag\nv2 $(id)\n--repo\nfile://{remote}\n"
    for given, status in ((arguments, 2), (arguments.replace(" $(id)", ""), 0)):
        expressions = {"github.action_path": str(source), "inputs.arguments": given}
        for step in steps if status else steps[1:]:
            environ = {key: expressions[value.strip("${ }")] for key, value in step["env"].items()}
            environ |= {
                "PATH": f"{image}/bin:/usr/bin:/bin",
                "HOME": str(tmp_path),
                **_IDENTITY,
                **_LIBRARIES,
                **_pip(),
            }
            done = subprocess.run(
                ["bash", "-ec", step["run"]], cwd=tmp_path, env=environ, capture_output=True, text=True
            )
        assert done.returncode == status, done.stderr
    assert (image / "bin/gitops-tk").exists()
    assert b"tag: v2 # set by CI" in repo.show(remote, "services/user-service/envs/dev.yaml")


def test_the_pre_commit_hook_validates_the_repository(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    checkout = repo.checkout(repo.gitops(tmp_path / "gitops.git"), tmp_path / "checkout")
    program, *arguments = shlex.split(hook["entry"])
    done = subprocess.run([str(_PROGRAMS / program), *arguments], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_container_file_is_clean_pinned_and_copies_what_the_wheel_needs() -> None:
    file = PROJECT / "Dockerfile"
    done = subprocess.run([str(_PROGRAMS / "hadolint"), "--no-color", str(file)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert all(re.search(r":\d+\.\d+", base) for base in re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE))
    copied = {path for line in re.findall(r"^COPY (?!--)(.*) \S+$", _DOCKERFILE, re.MULTILINE) for path in line.split()}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", "toolkit", "chart-skeleton", "envs", "pipelines"}
    assert all((PROJECT / path).exists() for path in copied)
    assert "USER 65532:65532" in _DOCKERFILE


def _pip() -> dict[str, str]:
    """How pip is set up here: as the machine has it, with what the tests have, and without compiling."""
    known = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}
    # Its name is a negation and its value another one: nothing is fetched to build with, either.
    options = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_COMPILE": "1"}
    return {**known, **options, **_LIBRARIES}
