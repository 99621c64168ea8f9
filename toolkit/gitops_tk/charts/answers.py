"""What a new service is asked for, and what an answer may be."""

import re
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct
from msgspec.structs import asdict, replace

from gitops_tk.errors import UsageError
from gitops_tk.helm_yaml import is_name
from gitops_tk.model import names
from gitops_tk.nesting import document

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
# No address: an Ingress takes names alone.
_HOST = re.compile(rf"(?![0-9.]+$)(?:\*\.)?{names.DNS_LABEL}(?:\.{names.DNS_LABEL})+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LONGEST_HOST = 253
# The path of a Go module (Go modules reference, "Module paths"), as far as a scaffold needs it.
_MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*")
_LAST_PORT = 65535


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers as they are given, by an option, a file or a person; None where nothing was said."""

    service: str | None = None
    image: str | None = None
    profile: str | None = None
    port: int | None = None
    hosts: tuple[str, ...] | None = None
    owner: str | None = None
    module: str | None = None
    vars: dict[str, str] = {}

    def over(self, other: "Given") -> "Given":
        """These answers, and the other's where these say nothing."""
        own = {key: value for key, value in asdict(self).items() if value is not None}
        return replace(other, **own | {"vars": other.vars | self.vars})


class Answers(Struct, frozen=True, kw_only=True):
    """What a new service is asked for.

    Attributes:
        service: its name, which is the chart's and the release's too.
        image: the repository of its images, without a tag.
        profile: what kind of service it is, of those that the skeleton has.
        port: the port that it listens on.
        hosts: the host names of its Ingress; none leaves it off.
        owner: the team that owns it.
        module: the path of its Go module, for the application side.
        vars: answers to the skeleton's own variables.
    """

    service: str
    image: str
    profile: str = "http"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    owner: str | None = None
    module: str = ""
    vars: dict[str, str] = {}

    @classmethod
    def of(cls, given: Given) -> "Answers":
        """The answers, with defaults where nothing was said; `{service}` in image and hosts is the service's name.

        Raises:
            UsageError: what has no default was not said (code `missing-answer`).
        """
        service, image = given.service, given.image
        if service is None or image is None:
            option = "NAME" if service is None else "--image"
            raise UsageError(
                f"{option} is missing",
                code="missing-answer",
                hint="give it, or answer in a terminal, in a file with --answers, or in gitops-tk.yaml under skeleton",
            )
        said = {key: value for key, value in asdict(given).items() if value is not None}
        hosts = dict.fromkeys(host.replace("{service}", service) for host in given.hosts or ())
        return cls(**said | {"image": image.replace("{service}", service), "hosts": tuple(hosts)})

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
        if not is_name(self.service):
            raise UsageError(
                f"{self.service} cannot name a Service: Kubernetes or YAML takes it for something else than a name",
                code="bad-service-name",
                hint="begin with a letter, and choose another word than on, null and the like",
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
        if self.module and not _MODULE.fullmatch(self.module):
            raise UsageError(
                f"{self.module!r} is not the path of a Go module",
                code="bad-module",
                hint="write example.com/team/name",
            )
        for what, text in (("--owner", self.owner or ""), *((f"--var {key}", one) for key, one in self.vars.items())):
            if text and not _LABEL.fullmatch(text):
                raise UsageError(
                    f"{what}: {text!r} cannot be the value of a label",
                    code="bad-label",
                    hint="use letters, digits, '.', '_' and '-', at most 63",
                )


def read_answers(path: Path) -> Given:
    """Answers out of a YAML or JSON file: a map with the keys of Given.

    Raises:
        UsageError: it cannot be read, or holds something else (code `bad-answers`).
    """
    try:
        said = document(path.read_text(encoding="utf-8-sig"))
        return msgspec.convert({} if said is None else said, Given)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", code="bad-answers", file=str(path)) from error
    except (UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        problem = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        raise UsageError(
            f"{path}: {problem}",
            code="bad-answers",
            hint=f"it is a map of {', '.join(Given.__struct_fields__)}",
            file=str(path),
            line=mark.line + 1 if mark else None,
        ) from error
