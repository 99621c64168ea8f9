"""The tool in other packages: a GitHub action, a pre-commit hook, a container image."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml
from tests.support import repositories as repo
from tests.support.pipeline_runs import programs

from gitops_tk import resources
from gitops_tk.workflows.pipelines import describe

_PROJECT = Path(__file__).resolve().parents[2]
_PROGRAMS = Path(sys.executable).parent
_IDENTITY = {f"GIT_{who}_{what}": "ci@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def test_the_actions_steps_lead_to_a_first_bump(tmp_path: Path) -> None:
    action = yaml.safe_load((_PROJECT / "action.yml").read_text())
    schema = [str(_PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.github-actions"]
    subprocess.run([*schema, str(_PROJECT / "action.yml")], check=True, capture_output=True)
    python, *steps = action["runs"]["steps"]
    pinned = describe((resources.folder("pipelines") / "steps.yaml").read_text()).actions["python"]
    assert python["uses"] == pinned.partition(" ")[0]

    remote = repo.gitops(tmp_path / "gitops.git")
    arguments = f"bump\nuser-service\n--env\ndev\n--tag\nv2 $(id)\n--repo\nfile://{remote}\n"
    for given, status in ((arguments, 2), (arguments.replace(" $(id)", ""), 0)):
        expressions = {"github.action_path": str(_PROJECT), "inputs.arguments": given}
        notes = programs(tmp_path / f"bin{status}")
        path = f"{notes.parent}:/usr/bin:/bin"
        for step in steps:
            environ = {key: expressions[value.strip("${ }")] for key, value in step["env"].items()}
            environ |= {"PATH": path, "HOME": str(tmp_path), **_IDENTITY}
            done = subprocess.run(
                ["bash", "-ec", step["run"]], cwd=tmp_path, env=environ, capture_output=True, text=True
            )
        assert done.returncode == status, done.stderr
        assert notes.read_text() == f"python -m pip install --quiet {_PROJECT}[all]\n"
    assert b"tag: v2 # set by CI" in repo.show(remote, "services/user-service/envs/dev.yaml")


def test_the_pre_commit_hook_validates_the_repository(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((_PROJECT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    checkout = repo.checkout(repo.gitops(tmp_path / "gitops.git"), tmp_path / "checkout")
    program, *arguments = shlex.split(hook["entry"])
    done = subprocess.run([str(_PROGRAMS / program), *arguments], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_container_file_is_clean_pinned_and_copies_what_the_wheel_needs() -> None:
    file = _PROJECT / "Dockerfile"
    done = subprocess.run([str(_PROGRAMS / "hadolint"), "--no-color", str(file)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    text = file.read_text()
    assert all(re.search(r":\d+\.\d+", base) for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    copied = {path for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for path in line.split()}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", "toolkit", "chart-skeleton", "envs", "pipelines"}
    assert all((_PROJECT / path).exists() for path in copied)
    assert "USER 65532:65532" in text
