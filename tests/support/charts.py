"""Charts of the built-in skeleton, rendered by the real engine and held against Kubernetes' own schemas."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_tk import resources
from gitops_tk.charts import kubernetes
from gitops_tk.charts.answers import Answers
from gitops_tk.charts.engine import LoadedChart, find
from gitops_tk.charts.rules import RULES, check
from gitops_tk.charts.rules.objects import Objects as Rendered
from gitops_tk.charts.rules.objects import parse
from gitops_tk.charts.scaffold import environment_values, scaffold, shared_values
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.values.document import Document
from gitops_tk.values.merge import merge

PROFILES = ("http", "grpc", "worker", "cronjob")
ENVIRONMENTS = ("dev", "staging", "prod", "qa")
OLDEST = "1.29"
_CRDS = Path(__file__).resolve().parents[3] / "shared/specs/crds"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Objects:
    """The objects of a release."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.all: list[dict[str, Any]] = [one for one in yaml.load_all(text, Loader=_LOADER) if one]

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        """The objects of a kind, by name."""
        return {one["metadata"]["name"]: one for one in self.all if one["kind"] == kind}

    def one(self, kind: str) -> dict[str, Any]:
        """The one object of a kind."""
        (found,) = self.named(kind).values()
        return found

    def __contains__(self, kind: str) -> bool:
        return bool(self.named(kind))

    @property
    def workload(self) -> dict[str, Any]:
        """The Deployment or the CronJob."""
        (found,) = (self.named("Deployment") | self.named("CronJob")).values()
        return found

    @property
    def template(self) -> dict[str, Any]:
        """What the workload's pods are made from."""
        spec = self.workload["spec"]
        template: dict[str, Any] = (
            spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
        )
        return template

    @property
    def pod(self) -> dict[str, Any]:
        """The spec of the workload's pods."""
        spec: dict[str, Any] = self.template["spec"]
        return spec

    @property
    def container(self) -> dict[str, Any]:
        """The service's own container."""
        found: dict[str, Any] = self.pod["containers"][0]
        return found

    @property
    def env(self) -> dict[str, Any]:
        """The container's own environment: values, or where they come from."""
        return {one["name"]: one.get("value") or one["valueFrom"] for one in self.container["env"]}


def files(profile: str = "http", **answers: Any) -> dict[str, bytes]:
    """A new chart of a profile."""
    return dict(_files(profile, **answers))


@cache
def _files(profile: str, **answers: Any) -> Mapping[str, bytes]:
    given = {"service": "user-service", "image": "registry.example.com:5000/shop/user-service", **answers}
    return scaffold(_skeleton(), Answers(profile=profile, **given))


@cache
def _skeleton() -> Skeleton:
    return Skeleton.in_folder(resources.folder("chart-skeleton"))


@cache
def chart(profile: str = "http") -> LoadedChart:
    """A new chart of a profile, loaded once."""
    return find({"GITOPS_TK_HELM": "embedded"}).load(files(profile), root="services/user-service/chart")


def objects(profile: str = "http", values: Mapping[str, Any] | None = None) -> Objects:
    """What a new chart renders to, with values over its own."""
    return Objects(chart(profile).render(values or {}, release="user-service", namespace="shop"))


def released(profile: str, environment: str, **answers: Any) -> dict[str, Any]:
    """A new service's merged values in an environment."""
    made = files(profile, **answers)
    layers = [
        Document.read(shared_values(resources.folder("envs"), environment), "shared"),
        Document.read(environment_values(Answers(service="user-service", image="x/y"), environment), "own"),
    ]
    return dict(merge(layers, Document.read(made["values.yaml"], "chart")).data)


def faults(manifest: str) -> list[str]:
    """What the oldest and the newest Kubernetes would refuse in a manifest."""
    documents = manifest.split("\n---\n")
    return [fault for one in documents for version in (OLDEST, None) for fault in _faults(one, version)]


# A document at a time tells nothing of what belongs together: rules/ tests that.
_SHAPES = [rule for rule in RULES if rule.name.startswith(("manifest-", "kubernetes-"))]


@cache
def _faults(document: str, version: str | None) -> tuple[str, ...]:
    found = check(Rendered(parse(document), kubernetes.version(version)), _SHAPES)
    return tuple(f"Kubernetes {version}: {one.rule}: {one.message}" for one in found)


def custom_resource_faults(objects: Objects) -> list[str]:
    """What the operators' own schemas refuse in the custom resources among some objects."""
    found = []
    for one in objects.all:
        validator = _custom_validators().get((one["apiVersion"], one["kind"]))
        for error in validator.iter_errors(one) if validator else ():
            found.append(f"{one['kind']}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
    return found


@cache
def _custom_validators() -> dict[tuple[str, str], Any]:
    from jsonschema import Draft202012Validator

    if not _CRDS.is_dir():
        pytest.skip("the custom resources' schemas are not in ../shared/specs/crds")
    found = {}
    for path in sorted(_CRDS.glob("*.yaml")):
        definition = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"metadata": {"type": "object"}}
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found[key] = Draft202012Validator(schema)
    return found


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string") is True:
        strict["type"] = ["integer", "string"]
    closed = isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema
    if closed and schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict["additionalProperties"] = False
    return strict
