"""Faults planted in a release that was really rendered; `planted/` lists them by theme."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, convert

from gitops_tk import resources
from gitops_tk.charts import again, crds, kubernetes
from gitops_tk.charts.engine import find
from gitops_tk.charts.rules.objects import Objects, parse
from gitops_tk.charts.scaffold import Answers, scaffold
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.values.document import Document
from gitops_tk.values.keys import Index, KeyPath, parse_key
from gitops_tk.values.merge import merge

_HERE = Path(__file__).parent / "planted"
CRDS = Path(__file__).resolve().parents[4] / "shared/specs/crds"
ANSWERS = Answers(service="user-service", image="registry.example.com/user-service", hosts=("user.example.com",))
# C and P in the keys of a case.
_SHORT = {"C": "spec.template.spec.containers[0]", "P": "spec.template.spec"}
_WITHOUT = "---\n"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault.

    Attributes:
        rule: the rule that has to find it.
        also: rules that find it too, because it is their fault as well.
        set: values to set, by kind and key; a list grows by an index beyond its end.
        unset: keys to take away, by kind.
        add: an object, or a document as text, that is there in addition.
        copy: a part of an object, or a whole one under another name, that is there twice.
        text: what is replaced in the manifest.
        template: what is replaced in a template before it is rendered, by its path.
        source: where the fault itself is told of.
    """

    name: str
    rule: str
    also: tuple[str, ...] = ()
    set: dict[str, dict[str, Any]] = {}
    unset: dict[str, list[str]] = {}
    add: Any = None
    copy: dict[str, dict[str, Any]] = {}
    text: tuple[str, str] | None = None
    template: dict[str, tuple[str, str]] = {}
    source: str | None = None


def cases() -> list[Case]:
    """All of them, theme by theme."""
    themes = (yaml.load(file.read_bytes(), Loader=_LOADER) for file in sorted(_HERE.glob("*.yaml")))
    return [one for theme in themes for one in convert(theme, list[Case])]


@cache
def known() -> crds.Definitions:
    """The custom resource definitions of the project's specifications; none where those are missing."""
    return crds.definitions({file.name: file.read_bytes() for file in sorted(CRDS.glob("*.yaml"))})


def planted(case: Case | None, env: str = "prod") -> Objects:
    """The objects of the scaffolded release in an environment, with a fault in them."""
    changes = tuple(case.template.items()) if case else ()
    manifest, later = _rendered(changes, env)
    text = _changed(manifest, case) if case else manifest
    version = kubernetes.version(None)
    second = Objects(parse(later), version) if later is not None else None
    return Objects(parse(text), version, known(), second)


@cache
def _rendered(changes: tuple[tuple[str, tuple[str, str]], ...], env: str) -> tuple[str, str | None]:
    """What the chart with these changes renders to, and what at another moment where that may differ."""
    files = dict(_scaffolded())
    for path, (old, new) in changes:
        text = files[path].decode()
        assert old in text, (path, old)
        files[path] = text.replace(old, new, 1).encode()
    later = _manifest(again.at_another_moment(files), env) if again.may_differ(files) else None
    return _manifest(files, env), later


@cache
def _scaffolded() -> Mapping[str, bytes]:
    return scaffold(Skeleton.in_folder(resources.folder("chart-skeleton")), ANSWERS)


def _manifest(files: Mapping[str, bytes], env: str) -> str:
    preset = (resources.folder("envs") / f"{env}.yaml").read_bytes()
    own = b"image:\n  tag: v1.2.3\n"
    layers = [Document.read(preset, "shared"), Document.read(own, "own")]
    values = merge(layers, Document.read(files["values.yaml"], "chart")).data
    return find({}).load(files, root="chart").render(values, release="user-service", namespace="default")


def _changed(manifest: str, case: Case) -> str:
    if case.text:
        old, new = case.text
        assert old in manifest, old
        manifest = manifest.replace(old, new, 1)
    if case.text or case.template:
        return manifest
    objects = copy.deepcopy(_loaded(manifest))
    for kind, how in case.copy.items():
        _copy(_first(objects, kind), objects, how)
    for kind, keys in case.unset.items():
        for key in keys:
            _put(_first(objects, kind), _path(key), None, remove=True)
    for kind, values in case.set.items():
        for key, value in values.items():
            _put(_first(objects, kind), _path(key), value)
    if isinstance(case.add, dict):
        objects.append(case.add)
    text = yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=False)
    return text + (f"{_WITHOUT}{case.add}\n" if isinstance(case.add, str) else "")


@cache
def _loaded(manifest: str) -> list[Any]:
    return [one for one in yaml.load_all(manifest, Loader=_LOADER) if one]


def _copy(one: dict[str, Any], objects: list[Any], how: Mapping[str, Any]) -> None:
    if not how["from"]:
        second = copy.deepcopy(one)
        second["metadata"]["name"] = how["name"]
        objects.append(second)
        return
    part = copy.deepcopy(_at(one, _path(how["from"])))
    _put(one, _path(how["to"]), {key: value for key, value in part.items() if key not in how["without"]})


def _first(objects: list[Any], kind: str) -> dict[str, Any]:
    return next(one for one in objects if one["kind"] == kind)


def _path(key: str) -> KeyPath:
    head, dot, rest = key.partition(".")
    return parse_key(_SHORT.get(head, head) + dot + rest)


def _at(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data[step.at if isinstance(step, Index) else step]
    return data


def _put(data: Any, path: KeyPath, value: Any, *, remove: bool = False) -> None:
    *above, last = path
    for step, following in zip(above, path[1:], strict=True):
        empty: Any = [] if isinstance(following, Index) else {}
        data = data[step.at] if isinstance(step, Index) else data.setdefault(step, empty)
    if remove:
        del data[last]
    elif isinstance(last, Index):
        data[last.at : last.at + 1] = [value]
    else:
        data[last] = value
