"""The files of the four systems: as they are kept, well-formed, pinned, and rendered from one description."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from tests.support.pipelines import CONTEXTS, GOLDEN, ROOT, components, files

from gitops_tk import resources
from gitops_tk.errors import GitopsTkError
from gitops_tk.workflows.pipelines import SYSTEMS, Step, describe, render

STEPS = describe((resources.folder("pipelines") / "steps.yaml").read_text())
# What each side does; `digest` is between build and scan, `install` comes before the tool.
APPLICATION = ("test", "lint", "build", "digest", "scan", "sign", "bump")
GITOPS = ("validate", "verify-pr", "promote", "wait")


def documents(system: str) -> list[Any]:
    return [
        one
        for path, text in files(system).items()
        if not path.endswith("Jenkinsfile")
        for one in yaml.safe_load_all(text)
    ]


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_files_are_those_that_are_kept(system: str) -> None:
    kept = {path.relative_to(GOLDEN / system).as_posix() for path in (GOLDEN / system).rglob("*") if path.is_file()}
    made = files(system)
    assert kept == made.keys()
    for path, text in made.items():
        assert (GOLDEN / system / path).read_text() == text, "refresh them: python -m tests.support.pipelines"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", [*APPLICATION, *GITOPS, "install"])
def test_a_step_that_changes_changes_every_system(system: str, name: str) -> None:
    changed = replace(STEPS, steps={**STEPS.steps, name: Step("another-command", STEPS.steps[name].variables)})
    for side, context in CONTEXTS.items():
        if name == "install" or (name in APPLICATION) == (side == "application"):
            before, after = render(system, side, context), render(system, side, context, changed)
            assert before != after
            assert any(b"another-command" in data for data in after.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_variable_that_a_system_does_not_know_is_an_error(system: str) -> None:
    bump = STEPS.steps["bump"]
    changed = replace(STEPS, steps={**STEPS.steps, "bump": Step(bump.run, (*bump.variables, "MOON"))})
    with pytest.raises(GitopsTkError, match="bump has MOON from"):
        render(system, "application", CONTEXTS["application"], changed)


@pytest.mark.parametrize("text", ["images: [", "images: {}", "steps: {bump: {run: 1}}"])
def test_a_description_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(GitopsTkError, match=r"pipelines/steps\.yaml") as refused:
        describe(text)
    assert refused.value.code == "pipelines"


@pytest.mark.parametrize("name", STEPS.steps)
def test_a_command_uses_the_variables_that_it_names_and_no_other(name: str) -> None:
    step = STEPS.steps[name]
    # What the programs read from the environment themselves.
    read = {one for one in step.variables if one.startswith(("GIT_", "ARGOCD_")) or one == "GITOPS_TK_TOKEN"}
    assert set(re.findall(r'"?\$([A-Z_]+)', step.run)) == set(step.variables) - read


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("vendor.github-workflows", "github/*/.github/workflows/*.yml"),
        ("vendor.gitlab-ci", "gitlab/*/.gitlab-ci.yml"),
    ],
)
def test_the_files_are_what_the_vendors_schema_allows(schema: str, names: str) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    found = [str(path) for path in GOLDEN.glob(names)]
    assert found
    done = subprocess.run([str(program), "--builtin-schema", schema, *found], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_actionlint_finds_nothing_in_githubs_workflows() -> None:
    program = Path(sys.executable).with_name("actionlint")
    found = [str(path) for path in GOLDEN.glob("github/*/.github/workflows/*.yml")]
    done = subprocess.run(
        [str(program), "-no-color", "-shellcheck=", "-pyflakes=", *found], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_gitlabs_components_are_those_of_this_project() -> None:
    made = components()
    assert {f"templates/{path.name}" for path in (ROOT / "templates").iterdir()} == made.keys()
    for path, text in made.items():
        assert (ROOT / path).read_text() == text, "refresh them: python -m tests.support.pipelines"


@pytest.mark.parametrize("name", ["validate", "verify-pr", "promote", "wait", "bump", "install"])
def test_a_step_that_changes_changes_the_components(name: str) -> None:
    changed = replace(STEPS, steps={**STEPS.steps, name: Step("another-command", STEPS.steps[name].variables)})
    made = render("gitlab", "component", {}, changed)
    assert any(b"another-command" in data for data in made.values())


def test_components_are_what_gitlabs_schema_allows_and_no_input_is_part_of_a_command(tmp_path: Path) -> None:
    for path, text in components().items():
        parts = list(yaml.safe_load_all(text))
        assert list(parts[0]) == ["spec"]
        assert not {"default", "stages", "workflow", "variables"} & parts[1].keys(), "they would reach other jobs"
        for number, part in enumerate(parts):
            (tmp_path / f"{Path(path).stem}-{number}.json").write_text(json.dumps(part))
        used = set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", text))
        assert used == parts[0]["spec"]["inputs"].keys()
        scripts = [line for job in parts[1].values() for line in job["script"]]
        assert scripts
        assert not any("$[[" in line for line in scripts)
    program = Path(sys.executable).with_name("check-jsonschema")
    found = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(
        [str(program), "--builtin-schema", "vendor.gitlab-ci", *found], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_actions_are_pinned_by_commit_and_say_their_version() -> None:
    for path, text in files("github").items():
        for used in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), (path, used)


def test_images_are_pinned_by_a_version() -> None:
    for image in STEPS.images.values():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", image), image


def test_github_gives_each_job_what_it_needs_and_the_workflow_nothing() -> None:
    for document in documents("github"):
        assert document["permissions"] == {}
        assert document["concurrency"]
        for name, job in document["jobs"].items():
            writes = {key for key, value in job["permissions"].items() if value == "write"}
            assert writes == {
                "image": {"packages", "id-token"},
                "verify-pr": {"pull-requests"},
                "again": {"actions"},
            }.get(name, set())
            assert job["timeout-minutes"] <= 30


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_text_of_the_system_is_part_of_a_command(system: str) -> None:
    for document in documents(system):
        for command in _commands(document):
            assert "${{" not in command
            assert "{{" not in command.replace("{}", "")


def _commands(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node[key] for key in ("run", "script") if isinstance(node.get(key), str)]
        return found + [one for value in node.values() for one in _commands(value)]
    return [one for value in node for one in _commands(value)] if isinstance(node, list) else []
