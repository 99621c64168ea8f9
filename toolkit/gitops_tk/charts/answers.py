"""What a new service is asked for, and what an answer may be."""

import re

from msgspec import Struct

from gitops_tk.errors import UsageError
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
