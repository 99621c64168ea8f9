"""What Argo CD makes of the manifests in `argocd/`: the Applications that every generator would generate.

Sources: Argo CD, "Git Generator" (files, exclude), "Post Selector all generators", "Go Template";
applicationset/generators/git.go for what a file's parameters are.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitops_tk import helm_yaml
from gitops_tk.argocd import forms, gotemplate
from gitops_tk.argocd.globs import Globbing, compiled, fixed_folder
from gitops_tk.argocd.selectors import Requirement, matches
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.nesting import documents, too_deep, unfolds

T = TypeVar("T")

# No cluster takes an object of this size (etcd's limit is 1.5 MiB).
_LARGEST = 2_000_000


class NotEvaluated(ValueError):
    """A manifest, or a file that it takes, that nothing can be generated from here."""


class Manifest(Struct, frozen=True):
    """An object in `argocd/`.

    Attributes:
        file: its path.
        node: where it is written there.
    """

    file: str
    data: dict[str, Any]
    node: Node

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.data.get("kind"))

    @property
    def name(self) -> str:
        """Its name."""
        return str(_at(self.data, "metadata", "name"))

    def line(self, *path: str | int) -> int:
        """The 1-based line of what a path leads to, or of the nearest thing above it."""
        node, line = self.node, self.node.start_mark.line
        for step in path:
            key, below = _below(node, step)
            if below is None:
                break
            node, line = below, (key or below).start_mark.line
        return line + 1


class Application(Struct, frozen=True):
    """An Application that an ApplicationSet generates.

    Attributes:
        manifest: the ApplicationSet's file.
        values: the file that it is generated from.
        metadata: its name, labels and annotations.
    """

    manifest: str
    values: str
    metadata: dict[str, Any]
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata.get("name", ""))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Where it comes from: several win over one."""
        several = self.spec.get("sources")
        found = several if isinstance(several, list) and several else [self.spec.get("source")]
        return [one for one in found if isinstance(one, dict)]

    @property
    def source(self) -> dict[str, Any]:
        """Where its chart is: the first source that renders something."""
        return next((one for one in self.sources if not is_reference(one)), {})

    @property
    def references(self) -> dict[str, dict[str, Any]]:
        """The sources that value files may come from, by what they are called there: `$values`."""
        return {str(one["ref"]): one for one in self.sources if "ref" in one}

    @property
    def repository(self) -> dict[str, Any]:
        """The source that is the repository itself: that of the chart, or of a published chart's values."""
        return next(iter(self.references.values()), {}) if "chart" in self.source else self.source

    @property
    def helm(self) -> dict[str, Any]:
        """How its chart is rendered."""
        found = self.source.get("helm")
        return found if isinstance(found, dict) else {}

    @property
    def destination(self) -> dict[str, Any]:
        """The cluster and the namespace."""
        found = self.spec.get("destination")
        return found if isinstance(found, dict) else {}


class Matching(Protocol):
    """Files that patterns are tried on."""

    def matching(self, pattern: str, globbing: Globbing) -> list[str]:
        """Those that a pattern takes."""


class Paths:
    """Some paths, be they there or not."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = list(paths)

    def matching(self, pattern: str, globbing: Globbing) -> list[str]:
        """Those that a pattern takes.

        Raises:
            ValueError: the pattern cannot be read.
        """
        expression = compiled(pattern, globbing)
        return [path for path in self._paths if expression.fullmatch(path)]


class Tree:
    """A repository's files, found by patterns and read once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._folders: dict[str, list[str]] = {}
        self._matching: dict[tuple[str, Globbing], list[str]] = {}
        self._params: dict[str, list[dict[str, Any]]] = {}

    def matching(self, pattern: str, globbing: Globbing) -> list[str]:
        """The files that a pattern takes.

        Raises:
            ValueError: the pattern cannot be read.
        """
        key = (pattern, globbing)
        if key not in self._matching:
            expression, folder = compiled(pattern, globbing), fixed_folder(pattern)
            if folder not in self._folders:
                self._folders[folder] = [one.path for one in self._snapshot.tree(folder) if one.is_file]
            self._matching[key] = [path for path in self._folders[folder] if expression.fullmatch(path)]
        return self._matching[key]

    def params(self, paths: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The parameters of each file: its own keys, and its path.

        Raises:
            NotEvaluated: a file cannot be read; one is enough for Argo CD to generate nothing at all.
        """
        wanted = list(paths)
        for path, data in self._snapshot.read([path for path in wanted if path not in self._params]).items():
            self._params[path] = [{**keys, "path": _path(path)} for keys in _objects(data, path)]
        for path in wanted:
            for params in self._params.get(path, ()):
                yield path, params


def is_reference(source: Mapping[str, Any]) -> bool:
    """Whether a source is there for value files alone, and renders nothing."""
    return "ref" in source and not source.get("path") and not source.get("chart")


def manifests(files: Mapping[str, bytes]) -> list[Manifest]:
    """The objects in some files.

    Raises:
        NotEvaluated: a file is no YAML, or larger than any that is written by hand.
    """
    found = []
    for path, data in files.items():
        if len(data) > _LARGEST:
            raise NotEvaluated(f"{path} is too large")
        try:
            read = documents(data.decode())
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise NotEvaluated(f"{path} cannot be read as YAML") from error
        found += [Manifest(path, one, node) for one, node in read if isinstance(one, dict)]
    return found


def taken(manifest: Manifest, tree: Matching, globbing: Globbing) -> list[list[str]]:
    """The files that each generator of an ApplicationSet takes, before its selector.

    Raises:
        NotEvaluated: a generator is of a kind that is not evaluated here.
    """
    generators = _at(manifest.data, "spec", "generators")
    if not isinstance(generators, list):
        raise NotEvaluated(f"{manifest.file} has no generators")
    return [_files(_git(manifest, generator), tree, globbing) for generator in generators]


def applications(manifest: Manifest, tree: Tree, globbing: Globbing) -> list[Application]:
    """The Applications that an ApplicationSet generates.

    Raises:
        NotEvaluated: it holds what is not evaluated here, or Argo CD could not evaluate it either.
    """
    spec = manifest.data.get("spec")
    if not isinstance(spec, dict) or not spec.get("goTemplate") or spec.get("templatePatch"):
        raise NotEvaluated(f"{manifest.file} has no goTemplate, or a templatePatch")
    _formed(manifest, "template", spec.get("template"), forms.Template)
    found = []
    listed = taken(manifest, tree, globbing)
    for generator, files in zip(spec["generators"], listed, strict=True):
        selector = _requirements(manifest, generator)
        for path, params in tree.params(files):
            if matches(selector, dict(flat(params))):
                made = _rendered(spec.get("template"), params, manifest)
                found.append(Application(manifest.file, path, made.get("metadata") or {}, made.get("spec") or {}))
    return found


def flat(value: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """Nested parameters as a selector sees them: keys joined by dots, values as text."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        yield above, "<nil>" if value is None else str(value)
        return
    for key, below in pairs:
        yield from flat(below, f"{above}.{key}" if above else str(key))


def _git(manifest: Manifest, generator: Any) -> dict[str, Any]:
    git = generator.get("git") if isinstance(generator, dict) else None
    if not isinstance(git, dict) or set(generator) - {"git", "selector"} or not isinstance(git.get("files"), list):
        raise NotEvaluated(f"{manifest.file} has a generator other than git's for files")
    if git.get("values") or git.get("pathParamPrefix"):
        raise NotEvaluated(f"{manifest.file} has a generator with values or pathParamPrefix")
    return git


def _files(git: Mapping[str, Any], tree: Matching, globbing: Globbing) -> list[str]:
    found: set[str] = set()
    try:
        for one in git["files"]:
            if not one.get("exclude"):
                found.update(tree.matching(one["path"], globbing))
        for one in git["files"]:
            if one.get("exclude"):
                found.difference_update(tree.matching(one["path"], globbing))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise NotEvaluated(f"a generator's files cannot be read: {error}") from error
    return sorted(found)


def _requirements(manifest: Manifest, generator: Mapping[str, Any]) -> list[Requirement]:
    selector = _formed(manifest, "generator", generator, forms.Generator).selector or forms.Selector()
    named = [{"key": key, "operator": "In", "values": [one]} for key, one in (selector.match_labels or {}).items()]
    wanted = selector.match_expressions or ()
    return [*named, *({"key": one.key, "operator": one.operator, "values": one.values or ()} for one in wanted)]


def _formed(manifest: Manifest, part: str, value: Any, form: type[T]) -> T:
    try:
        return forms.read(value, form)
    except ValueError as error:
        raise NotEvaluated(f"{manifest.file} has a {part} that Argo CD would not take: {error}") from error


def _rendered(value: Any, params: Mapping[str, Any], manifest: Manifest) -> Any:
    try:
        if isinstance(value, str):
            return gotemplate.render(value, params)
    except gotemplate.NotUnderstood as error:
        raise NotEvaluated(f"{manifest.file}: {error}") from error
    if isinstance(value, dict):
        return {key: _rendered(below, params, manifest) for key, below in value.items()}
    return [_rendered(one, params, manifest) for one in value] if isinstance(value, list) else value


def _objects(data: bytes, path: str) -> list[dict[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
        if too_deep(text) is not None:
            raise ValueError("nested too deep")
        node = yaml.compose(text, Loader=helm_yaml.Loader)
        if node is not None and unfolds(node):
            raise ValueError("its aliases unfold to too many values")
        content = {} if node is None else helm_yaml.plain(node)
    except (yaml.YAMLError, ValueError) as error:
        raise NotEvaluated(f"{path} cannot be read as YAML") from error
    found = content if isinstance(content, list) else [{} if content is None else content]
    if not all(isinstance(one, dict) for one in found):
        raise NotEvaluated(f"{path} is no map of values")
    return found


def _path(path: str) -> dict[str, Any]:
    folder, _, name = path.rpartition("/")
    folder = folder or "."
    return {
        "path": folder,
        "basename": folder.rpartition("/")[2],
        "filename": name,
        "segments": folder.split("/"),
    }


def _below(node: Node, step: str | int) -> tuple[Node | None, Node | None]:
    """The key and the value that a step leads to; a list has no keys."""
    if isinstance(node, MappingNode):
        pairs = (pair for pair in node.value if isinstance(pair[0], ScalarNode) and pair[0].value == step)
        return next(pairs, (None, None))
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None, None


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
