"""What Argo CD makes of a repository's manifests, from its documents: an opinion independent of the tool's own code.

Files are found by git itself, as Argo CD's repo server finds them (`git ls-files`), or by doublestar's rules, as with
its new globbing; templates are rendered by Go's text/template with Sprig, out of the Helm engine.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gitops_tk.charts.engine import find
from gitops_tk.model.changes import Write
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.views import Views
from gitops_tk.workflows.wiring.manifests import write
from tests.support import repositories as repo

GLOBBING = ("greedy", "doublestar")
_CHART = {
    "Chart.yaml": b"apiVersion: v2\nname: texts\nversion: 1.0.0\n",
    "templates/texts.yaml": (
        b"kind: Texts\napiVersion: v1\nmetadata:\n  name: texts\ntexts:\n"
        b"{{- range .Values.items }}\n{{- $params := .params }}\n"
        b"{{- range .texts }}\n  - {{ tpl . $params | toJson }}\n{{- end }}\n{{- end }}\n"
    ),
}


def wired(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A git work tree of these files, with the manifests that gitops-tk.yaml asks for."""
    plan = write(views(MemorySnapshot(files)))
    made = {one.path: one.data for one in plan.changeset.operations if isinstance(one, Write)}
    for path, data in {**files, **made}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    repo.git(folder, "init", "--quiet")
    repo.git(folder, "add", "--all")
    return folder


def views(snapshot: Snapshot) -> Views:
    """The views of a repository that has neither a history nor a remote."""
    return Views(snapshot, lambda _: iter(()), lambda *_: {}, 0.0, lambda: "Somebody <a@example.com>", lambda: None)


def manifests(checkout: Path) -> list[dict[str, Any]]:
    """The objects in `argocd/`, as `directory: {recurse: false}` reads them."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((checkout / "argocd").glob("*.yaml"))]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def applications(checkout: Path, globbing: str = "greedy") -> list[dict[str, Any]]:
    """The Applications that all ApplicationSets of a checkout generate, by name."""
    work: list[tuple[Any, dict[str, Any]]] = []
    for one in manifests(checkout):
        if one["kind"] != "ApplicationSet":
            continue
        spec = one["spec"]
        assert spec["goTemplate"] is True
        assert spec["goTemplateOptions"] == ["missingkey=error"]
        for generator in spec["generators"]:
            assert generator.keys() <= {"git", "selector"}
            work += [(spec["template"], params) for params in _params(checkout, generator, globbing)]
    return sorted(_rendered(work), key=lambda made: str(made["metadata"]["name"]))


def _params(checkout: Path, generator: dict[str, Any], globbing: str) -> Iterator[dict[str, Any]]:
    found: set[str] = set()
    for one in generator["git"]["files"]:
        if not one.get("exclude"):
            found |= _files(checkout, one["path"], globbing)
    for one in generator["git"]["files"]:
        if one.get("exclude"):
            found -= _files(checkout, one["path"], globbing)
    for path in sorted(found):
        content = yaml.safe_load((checkout / path).read_text(encoding="utf-8"))
        for keys in content if isinstance(content, list) else [content or {}]:
            folder, _, name = path.rpartition("/")
            folder = folder or "."
            params = {
                **keys,
                "path": {
                    "path": folder,
                    "basename": folder.rpartition("/")[2],
                    "filename": name,
                    "segments": folder.split("/"),
                },
            }
            if "selector" not in generator or _selects(generator["selector"], dict(_flat(params))):
                yield params


def _files(checkout: Path, pattern: str, globbing: str) -> set[str]:
    if globbing == "greedy":
        return {path for path in repo.git(checkout, "ls-files", "--full-name", "-z", "--", pattern).split("\0") if path}
    tracked = [path for path in repo.git(checkout, "ls-files", "-z").split("\0") if path]
    return {path for path in tracked if _is_matched(pattern.split("/"), path.split("/"))}


def _is_matched(pattern: list[str], path: list[str]) -> bool:
    """doublestar's rules: `**` is any number of folders, everything else stays in its segment."""
    if not pattern or not path:
        return pattern == path
    if pattern[0] == "**":
        return _is_matched(pattern[1:], path) or _is_matched(pattern, path[1:])
    source = ""
    for part in re.findall(r"\*|\?|\[\^?[^\]]+\]|.", pattern[0]):
        classes = "(?!/)" + part.replace("[[", r"[\[") if len(part) > 1 else re.escape(part)
        source += {"*": "[^/]*", "?": "[^/]"}.get(part, classes)
    return re.fullmatch(source, path[0]) is not None and _is_matched(pattern[1:], path[1:])


def _flat(value: Any, above: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _flat(below, f"{above}.{key}" if above else str(key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from _flat(below, f"{above}.{at}")
    else:
        yield above, "<nil>" if value is None else str(value)


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert selector.keys() == {"matchExpressions"}
    for one in selector["matchExpressions"]:
        there, value = one["key"] in labels, labels.get(one["key"])
        match one["operator"]:
            case "Exists":
                holds = there
            case "DoesNotExist":
                holds = not there
            case "In":
                holds = there and value in one["values"]
            case "NotIn":
                holds = not there or value not in one["values"]
        if not holds:
            return False
    return True


def _rendered(work: list[tuple[Any, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Templates with their strings rendered, each by itself, all in one run of the engine."""
    made = [(copy.deepcopy(template), params) for template, params in work]
    items = [{"texts": [holder[key] for holder, key in _strings(one)], "params": params} for one, params in made]
    values = json.loads(json.dumps({"items": items}))
    if not items:
        return
    chart = find({"GITOPS_TK_HELM": "embedded"}).load(_CHART, root="texts")
    texts = iter(yaml.safe_load(chart.render(values, release="texts", namespace="default"))["texts"])
    for one, _ in made:
        for holder, key in _strings(one):
            holder[key] = next(texts)
        yield one


def _strings(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in list(pairs):
        if isinstance(below, str):
            yield value, key
        else:
            yield from _strings(below)
