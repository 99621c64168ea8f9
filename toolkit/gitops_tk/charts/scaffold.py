"""What a new service begins with: its chart from the skeleton, and its values."""

import json
from pathlib import Path

from msgspec import to_builtins

from gitops_tk.charts.answers import Answers
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.helm_yaml import is_name


def scaffold(skeleton: Skeleton, answers: Answers, part: str = "chart") -> dict[str, bytes]:
    """The files of a part (`chart` or `app`), by their paths inside it; the same answers give the same bytes.

    Raises:
        UsageError: the profile or a variable is not one that the skeleton knows.
        ChartError: the skeleton itself is broken.
    """
    skeleton.check(answers)
    defaults = {name: variable.default for name, variable in skeleton.about.variables.items()}
    # The module is the application's: the chart says nothing of it.
    said = {key: value for key, value in to_builtins(answers).items() if key != "module"}
    recorded = {key: value for key, value in said.items() if value not in (None, (), {})}
    context = {
        **to_builtins(answers),
        "owner": answers.owner or "",
        "vars": defaults | answers.vars,
        "answers": json.dumps(recorded, sort_keys=True),
        "skeleton_version": skeleton.about.version,
    }
    return skeleton.render(part, answers.profile, context)


def environment_values(answers: Answers, environment: str) -> bytes:
    """A new service's own values in an environment: its image, which is not set yet."""
    return (
        f"# {answers.service} in {environment}: what differs here from the environment's shared values and the\n"
        "# chart's defaults, which values.yaml in the chart lists with comments.\n"
        "image:\n"
        "  # Set by gitops-tk bump and gitops-tk promote.\n"
        '  tag: ""\n'
    ).encode()


def shared_values(presets: Path, environment: str) -> bytes:
    """What the services of an environment share at first: its preset, or nothing but a comment."""
    preset = presets / f"{environment}.yaml"
    if preset.is_file():
        return preset.read_bytes()
    value = environment if is_name(environment) else f'"{environment}"'
    return f"# What every service shares in {environment}.\nconfig:\n  data:\n    ENV: {value}\n".encode()
