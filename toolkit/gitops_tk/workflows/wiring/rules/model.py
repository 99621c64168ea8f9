"""What a rule of the wiring looks at, and what it finds."""

from functools import cached_property
from posixpath import join, normpath
from typing import Any

from msgspec import Struct

from gitops_tk.argocd.generate import Application, Tree
from gitops_tk.config.argocd import Argocd
from gitops_tk.config.model import Config
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.wiring.generated import Generated, generated


class Fault(Struct, frozen=True):
    """What breaks a rule.

    Attributes:
        service: the service that it is about; None for the wiring itself.
        env: the environment; None for all.
    """

    rule: str
    message: str
    file: str
    service: str | None = None
    env: str | None = None
    line: int | None = None


class Wiring:
    """A repository, its `argocd` section, and what its manifests generate."""

    def __init__(self, snapshot: Snapshot, config: Config, argocd: Argocd) -> None:
        self.snapshot = snapshot
        self.config = config
        self.argocd = argocd
        self.tree = Tree(snapshot)

    @cached_property
    def found(self) -> Generated:
        """The objects in `argocd/`, and the Applications."""
        return generated(self.snapshot, tree=self.tree)

    @cached_property
    def projects(self) -> dict[str, dict[str, Any]]:
        """What each AppProject says, by its name."""
        named: dict[str, dict[str, Any]] = {}
        for one in self.found.manifests:
            if one.kind == "AppProject" and isinstance(one.data.get("spec"), dict):
                named.setdefault(one.name, one.data["spec"])
        return named

    def place(self, one: Application) -> tuple[str, str] | None:
        """The service and the environment that an Application is of; None where its file is no service's."""
        return self.config.layout.match_values(one.values)

    def fault(self, rule: str, one: Application, message: str) -> Fault:
        """What is wrong with an Application."""
        service, env = self.place(one) or (None, None)
        return Fault(rule, f"{one.name}: {message}", one.manifest, service, env)


def value_files(one: Application) -> list[str]:
    """The paths of an Application's value files in the repository."""
    root = str(one.source.get("path") or "")
    found = []
    for path in one.helm.get("valueFiles") or ():
        text = str(path)
        name, _, inside = text.removeprefix("$").partition("/")
        if text.startswith("$") and name in one.references:
            text = f"/{inside}"
        # What is named in no other way is in the chart, of whose files nobody knows here.
        elif "chart" in one.source:
            text = f"/{text} of the chart"
        found.append(normpath(text[1:] if text.startswith("/") else join(root, text)))
    return found
