"""Pipelines run as their systems run them: each command of a generated file, in order, with the variables it was given.

What a system puts in place of its own expressions is in the tables: these are the documented variables, and no others.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support import warm

DIGEST = "sha256:" + "4f" * 32
# What buildx writes for --metadata-file, the image's own digest among others.
_METADATA = f"""{{
  "buildx.build.ref": "default/default/n0c4r3",
  "containerimage.config.digest": "sha256:{"00" * 32}",
  "containerimage.digest": "{DIGEST}",
  "image.name": "registry.example.com/a"
}}"""
_DOCKER = f"""
while [ $# -gt 0 ]; do
  case "$1" in
    --password-stdin) cat > /dev/null ;;
    --metadata-file) cat > "$2" <<'END'
{_METADATA}
END
    ;;
  esac
  shift
done
"""


class Facts(NamedTuple):
    """What a system knows about a run.

    Attributes:
        revision: the commit that it is about.
        number: the pull request's.
        url: where the repository is that it is about.
        argocd: where Argo CD is.
    """

    revision: str
    token: str
    url: str
    number: int = 0
    argocd: str = ""


class Command(NamedTuple):
    """A step's command with its variables."""

    text: str
    environ: dict[str, str]


def commands(system: str, path: Path, facts: Facts) -> Iterator[Command]:
    """The commands of a system's file, in order."""
    text = path.read_text(encoding="utf-8")
    known = _TABLES[system](facts)
    if system == "jenkins":
        yield from _jenkins(text, known)
        return
    for document in yaml.safe_load_all(text):
        yield from {"github": _github, "gitlab": _gitlab, "tekton": _tekton}[system](document, known)


def component(path: Path, inputs: Mapping[str, str], facts: Facts) -> Iterator[Command]:
    """The commands of a GitLab component, with the inputs that an `include` gives it."""
    spec, jobs = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    declared = spec["spec"]["inputs"]
    assert inputs.keys() <= declared.keys()
    known = {name: one["default"] for name, one in declared.items() if "default" in one} | dict(inputs)
    assert known.keys() == declared.keys(), "an input without a default has to be given"
    yield from _gitlab(_interpolated(jobs, known), _on_gitlab(facts))


def programs(folder: Path) -> Path:
    """Makes a folder for PATH: the tool itself, and programs that only note how they were called; returns the notes."""
    folder.mkdir()
    notes = folder / "notes.txt"
    notes.touch()
    warm.program(folder / "gitops-tk")
    (folder / "git").symlink_to(str(shutil.which("git")))
    for name in ("docker", "trivy", "cosign", "go", "python"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {notes}\n' + (_DOCKER if name == "docker" else ""))
        script.chmod(0o755)
    return notes


def execute(command: Command, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder, with a home of its own and the variables that it was given."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    environ = {"PATH": f"{path}:/usr/bin:/bin", "HOME": str(home), "CI": "true", **command.environ}
    shell = ["sh", "-euc", command.text]
    return subprocess.run(shell, cwd=folder, env=environ, pass_fds=[warm.inherited()], capture_output=True, text=True)


def _github(document: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Command]:
    for job in document["jobs"].values():
        for environment in job.get("strategy", {}).get("matrix", {}).get("environment", [""]):
            here = {**known, "matrix.environment": environment}
            for step in job["steps"]:
                if "run" in step:
                    given = {name: _filled(str(value), here) for name, value in step.get("env", {}).items()}
                    yield Command(step["run"], given)


def _gitlab(document: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Command]:
    for job in document.values():
        if isinstance(job, dict) and "script" in job:
            given = {
                name: re.sub(r"\$(\w+)", lambda match: known.get(match[1], ""), str(value))
                for name, value in job.get("variables", {}).items()
            }
            # Every job has the project's variables.
            project = {name: known[name] for name in ("ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN")}
            for text in [*job.get("before_script", ()), *job["script"]]:
                yield Command(text, {**project, **given})


def _interpolated(node: Any, inputs: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {_interpolated(key, inputs): _interpolated(value, inputs) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(one, inputs) for one in node]
    if isinstance(node, str):
        return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda match: inputs[match[1]], node)
    return node


def _tekton(document: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Command]:
    for task in document["spec"]["pipelineSpec"]["tasks"]:
        for step in task["taskSpec"]["steps"]:
            given = {
                one["name"]: _filled(one["value"], known)
                if "value" in one
                else known["{name}/{key}".format(**one["valueFrom"]["secretKeyRef"])]
                for one in step["env"]
                if one["name"] not in ("HOME", "DOCKER_CONFIG")
            }
            yield Command(step["script"], given)


def _jenkins(text: str, known: Mapping[str, str]) -> Iterator[Command]:
    for match in re.finditer(r"(?:withEnv\(\[\n((?: +'[^\n]*,\n)*) *\]\) \{\s*)?sh '''(.*?)'''", text, re.DOTALL):
        given = {}
        for name, value in re.findall(r"'(\w+)=' \+ (.*),\n", match[1] or ""):
            given[name] = "".join(known.get(part, part.strip("'")) for part in value.split(" + "))
        yield Command(match[2].replace("\\'", "'").replace("\\\\", "\\"), given)


def _filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$?\{\{ ([\w.]+) \}\}", lambda match: known[match[1]], text)


def _on_github(facts: Facts) -> dict[str, str]:
    return {
        "github.sha": facts.revision,
        "github.run_number": "57",
        "github.actor": "alice",
        "github.token": facts.token,
        "github.repository": "shop/gitops",
        "steps.token.outputs.token": facts.token,
        "github.base_ref": "main",
        "github.event.pull_request.head.sha": facts.revision,
        "github.event.pull_request.number": str(facts.number),
        "vars.ARGOCD_SERVER": facts.argocd,
        "secrets.ARGOCD_AUTH_TOKEN": facts.token,
    }


def _on_gitlab(facts: Facts) -> dict[str, str]:
    return {
        "CI_COMMIT_SHA": facts.revision,
        "CI_PIPELINE_IID": "57",
        "CI_REGISTRY": "registry.example.com",
        "CI_REGISTRY_USER": "gitlab-ci-token",
        "CI_REGISTRY_PASSWORD": facts.token,
        "GITOPS_TOKEN": facts.token,
        "GITOPS_COMMENT_TOKEN": facts.token,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_IID": str(facts.number),
        "ARGOCD_SERVER": facts.argocd,
        "ARGOCD_AUTH_TOKEN": facts.token,
    }


def _on_jenkins(facts: Facts) -> dict[str, str]:
    return {
        "env.GIT_COMMIT": facts.revision,
        "env.BUILD_NUMBER": "57",
        "env.REGISTRY_LOGIN_USR": "alice",
        "env.REGISTRY_LOGIN_PSW": facts.token,
        "env.GITOPS_LOGIN_PSW": facts.token,
        "env.CHANGE_TARGET": "main",
        "env.CHANGE_ID": str(facts.number),
        "env.ARGOCD_SERVER": facts.argocd,
        "env.ARGOCD_LOGIN": facts.token,
    }


def _on_tekton(facts: Facts) -> dict[str, str]:
    return {
        "revision": facts.revision,
        "repo_url": facts.url,
        "target_branch": "main",
        "pull_request_number": str(facts.number),
        "gitops-login/token": facts.token,
        "argocd-login/server": facts.argocd,
        "argocd-login/token": facts.token,
    }


_TABLES = {"github": _on_github, "gitlab": _on_gitlab, "jenkins": _on_jenkins, "tekton": _on_tekton}
