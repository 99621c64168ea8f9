"""A chart from the skeleton: plain files copied, a few of them Jinja2 templates first.

The skeleton's delimiters are `[[ ]]`, `[% %]` and `[# #]`, which Helm does not use. Templates run in Jinja2's
sandbox, and a name that they do not know is an error.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, to_builtins

from gitops_tk.errors import ChartError, UsageError
from gitops_tk.model import names

# Helm allows a release 53 characters, and the release is named as the service.
LONGEST_NAME = 53
# Namespaces that Kubernetes has for itself, and words that values and templates give a meaning of their own.
_RESERVED = frozenset(
    (
        *("default", "kube-system", "kube-public", "kube-node-lease", "kubernetes", "localhost", "global"),
        *("chart", "envs", "services", "argocd"),
    )
)
# A repository of images (OCI distribution specification, "Pulling manifests"), its host's port included.
_REPOSITORY = re.compile(
    r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]{1,5})?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LONGEST_HOST = 253
_LAST_PORT = 65535


class Answers(Struct, frozen=True, kw_only=True):
    """What a new service is asked for.

    Attributes:
        service: its name, which is the chart's and the release's too.
        image: the repository of its images, without a tag.
        profile: what kind of service it is; `http` for now.
        port: the port that it listens on.
        hosts: the host names of its Ingress; none leaves it off.
        owner: the team that owns it.
        vars: answers to the skeleton's own variables.
    """

    service: str
    image: str
    profile: str = "http"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    owner: str | None = None
    vars: dict[str, str] = {}

    def check(self) -> None:
        """Refuses answers that Kubernetes, Helm or a registry would refuse.

        Raises:
            UsageError: one of them is not what it should be.
        """
        names.service(self.service)
        if len(self.service) > LONGEST_NAME:
            raise UsageError(
                f"{self.service} has {len(self.service)} characters, and a Helm release at most {LONGEST_NAME}",
                code="bad-service-name",
                hint="choose a shorter name",
            )
        if self.service in _RESERVED:
            raise UsageError(f"{self.service} is a reserved name", code="reserved-name", hint="choose another")
        if not _REPOSITORY.fullmatch(self.image) or len(self.image) > 255:
            raise UsageError(
                f"{self.image!r} is not a repository of images",
                code="bad-image",
                hint="write registry.example.com/team/name, without a tag or digest",
            )
        if not 1 <= self.port <= _LAST_PORT:
            raise UsageError(f"{self.port} is not a port", code="bad-port", hint=f"ports go from 1 to {_LAST_PORT}")
        for host in self.hosts:
            if not _HOST.fullmatch(host) or len(host) > _LONGEST_HOST:
                raise UsageError(f"{host!r} is not a host name", code="bad-host", hint="write user.example.com")
        for what, text in (("--owner", self.owner or ""), *((f"--var {key}", one) for key, one in self.vars.items())):
            if text and not _LABEL.fullmatch(text):
                raise UsageError(
                    f"{what}: {text!r} cannot be the value of a label",
                    code="bad-label",
                    hint="use letters, digits, '.', '_' and '-', at most 63",
                )


def scaffold(skeleton: Path, answers: Answers) -> dict[str, bytes]:
    """The chart's files, by their paths inside it; the same answers give the same bytes.

    Raises:
        UsageError: the profile or a variable is not one that the skeleton knows.
        ChartError: the skeleton itself is broken.
    """
    about = yaml.safe_load((skeleton / "skeleton.yaml").read_text(encoding="utf-8"))
    _check_known("profile", answers.profile, about["profiles"])
    known = about.get("variables") or {}
    for name in answers.vars:
        _check_known("variable", name, list(known))
    variables = {name: str(one.get("default", "")) for name, one in known.items()} | answers.vars
    recorded = {key: value for key, value in to_builtins(answers).items() if value not in (None, [], {}, ())}
    context = {
        **to_builtins(answers),
        "owner": answers.owner or "",
        "vars": variables,
        "answers": json.dumps(recorded, sort_keys=True),
        "skeleton_version": about["version"],
    }
    base = skeleton / "chart"
    files = {}
    for path in sorted(base.rglob("*")):
        inside = path.relative_to(base).as_posix()
        if path.is_symlink():
            raise ChartError(f"the skeleton holds a symbolic link: {inside}", code="skeleton", file=str(path))
        if path.is_file():
            data = path.read_bytes()
            files[inside] = _rendered(data.decode(), context, inside) if inside in about["templated"] else data
    return files


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
    return f"# What every service shares in {environment}.\nconfig:\n  data:\n    ENV: {environment}\n".encode()


def _rendered(text: str, context: dict[str, Any], name: str) -> bytes:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["yaml"] = _quoted
    try:
        return environment.from_string(text).render(context).encode()
    except Exception as error:
        # A template may fail in as many ways as an expression can; each is a fault of the skeleton.
        line = getattr(error, "lineno", None)
        raise ChartError(f"the skeleton's {name}: {error}", code="skeleton", file=name, line=line) from error


def _quoted(value: Any) -> str:
    # JSON in ASCII is YAML that every reader takes for the same string.
    return json.dumps(str(value))


def _check_known(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise UsageError(f"there is no {what} {name!r}", code=f"unknown-{what}", hint=f"there are {', '.join(known)}")
