"""The files of a repository that may be values, its charts, and what the files hold."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from posixpath import join, normpath
from typing import Any

from gitops_tk.argocd.generate import Manifest, NotEvaluated, manifests
from gitops_tk.errors import EditRefused
from gitops_tk.model.snapshot import FOLDER, SYMLINK, Snapshot
from gitops_tk.values.document import Document
from gitops_tk.workflows.adopting.environments import stage

_ENDINGS = (".yaml", ".yml")
# Folders that hold no values: what others wrote, and what Helm fills in.
_LEFT = frozenset(("node_modules", "vendor", "venv", "dist", "target", "__pycache__", "testdata"))
_CHART_OWN = frozenset(("templates", "charts", "crds", "ci", "tests"))
_CHART = "Chart.yaml"
_VALUES = "values.yaml"
_DEEPEST = 12
# What holds neither word holds no image: it is not read as YAML.
_IMAGE = re.compile(rb"image|tag", re.IGNORECASE)
_MOST_PATTERNS = 200


class Listing:
    """What a repository holds; symbolic links are not followed, and names that are no text are left out.

    Attributes:
        files: the paths of YAML files, but for charts' own.
        charts: the folders of charts, but for those inside others.
        own: charts' own values, of charts that are there for one environment each.
        links: symbolic links to folders or YAML files.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        files, charts, links = _walked(snapshot)
        self.files = tuple(sorted(files))
        self.charts = tuple(sorted(charts))
        self.links = tuple(sorted(links))
        self.own = frozenset(f"{folder}/{_VALUES}" for folder in charts).intersection(files)
        self._snapshot = snapshot
        self._known: dict[str, Mapping[str, Any]] = {}

    @cached_property
    def _bytes(self) -> Mapping[str, bytes]:
        # In one request, which a remote answers faster than a hundred small ones.
        return self._snapshot.read(self.files)

    @cached_property
    def hopeful(self) -> frozenset[str]:
        """The files that may hold an image."""
        return frozenset(path for path, data in self._bytes.items() if _IMAGE.search(data))

    @cached_property
    def pinned(self) -> frozenset[str]:
        """The files that may hold a digest."""
        return frozenset(path for path, data in self._bytes.items() if b"sha256:" in data)

    def data(self, path: str) -> Mapping[str, Any]:
        """What a file holds; nothing where it cannot be understood."""
        if path not in self._known:
            try:
                self._known[path] = Document.read(self._bytes[path], path).data if path in self.hopeful else {}
            except EditRefused:
                # `status` tells it, for whatever turns out to be values.
                self._known[path] = {}
        return self._known[path]

    @cached_property
    def claimed(self) -> frozenset[str]:
        """The files that Argo CD's Applications and ApplicationSets name as values."""
        named: set[str] = set()
        for path, data in self._bytes.items():
            if b"argoproj.io/" in data and b"valueFiles" in data:
                try:
                    named.update(name for one in manifests({path: data}) for name in _value_files(one))
                except NotEvaluated:
                    continue
        patterns = [name.split("*") for name in sorted(named) if "*" in name][:_MOST_PATTERNS]
        return frozenset(path for path in self.files if path in named or any(_fits(path, one) for one in patterns))


def _walked(snapshot: Snapshot) -> tuple[list[str], list[str], list[str]]:
    files: list[str] = []
    links: list[str] = []
    charts: list[str] = []
    level = [""]
    for _ in range(_DEEPEST):
        listed = snapshot.children(level)
        level = []
        for folder, entries in listed.items():
            names = {entry.path.rpartition("/")[2]: entry for entry in entries if entry.path.isprintable()}
            is_chart = _CHART in names and names[_CHART].is_file
            charts += [folder] if is_chart else []
            for name, entry in names.items():
                if entry.mode == FOLDER:
                    # A chart's templates are no YAML yet, and charts inside it are parts of it.
                    left = name.startswith(".") or name in _LEFT or (is_chart and name in _CHART_OWN)
                    level += [] if left else [entry.path]
                elif entry.is_file and name.endswith(_ENDINGS) and not (is_chart and _is_own(folder, name)):
                    files.append(entry.path)
                elif entry.mode == SYMLINK and (name.endswith(_ENDINGS) or "." not in name):
                    links.append(entry.path)
        if not level:
            break
    return files, charts, links


def _is_own(folder: str, name: str) -> bool:
    if name == _VALUES:
        # A chart that stands for one environment has that environment's values.
        return not any(stage(word) for segment in folder.split("/") for word in (segment, *segment.split("-")))
    return name in (_CHART, "requirements.yaml")


def _value_files(manifest: Manifest) -> Iterable[str]:
    """The value files that an Application names, as paths in the repository; `*` stands for what is filled in."""
    spec: Any = manifest.data.get("spec")
    if manifest.kind == "ApplicationSet":
        template = spec.get("template") if isinstance(spec, dict) else None
        spec = template.get("spec") if isinstance(template, dict) else None
    if manifest.kind not in ("Application", "ApplicationSet") or not isinstance(spec, dict):
        return
    several = spec.get("sources")
    for source in [spec.get("source"), *(several if isinstance(several, list) else [])]:
        helm = source.get("helm") if isinstance(source, dict) else None
        listed = helm.get("valueFiles") if isinstance(helm, dict) else None
        for name in listed if isinstance(listed, list) else []:
            filled = re.sub(r"\{\{[^{}]*\}\}", "*", str(name))
            # `$values/...` begins at the root of the source that is called so.
            folder = "" if filled.startswith("$") else re.sub(r"\{\{[^{}]*\}\}", "*", str(source.get("path") or ""))
            yield normpath(join(folder, filled.partition("/")[2] if filled.startswith("$") else filled))


def _fits(path: str, parts: list[str]) -> bool:
    """Whether a path is made of these parts in their order, with anything between them."""
    first, *middle, last = parts
    if not (path.startswith(first) and path.endswith(last) and len(path) >= len(first) + len(last)):
        return False
    at, end = len(first), len(path) - len(last)
    for part in middle:
        at = path.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
