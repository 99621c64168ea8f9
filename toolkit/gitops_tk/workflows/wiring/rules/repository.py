"""The URL by which Argo CD reads the repository: in gitops-tk.yaml, and in the manifests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import normpath
from typing import Any

from gitops_tk.argocd.generate import Application, Manifest, is_reference
from gitops_tk.argocd.projects import allows_source
from gitops_tk.argocd.urls import same, same_place, shown
from gitops_tk.config import lines
from gitops_tk.config.argocd import FOLDER, Argocd, environment_of, is_placeholder
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.wiring.rules.model import Fault

Path = tuple[str | int, ...]
# A URL, and where its manifest has it.
_Named = tuple[Path, str]
# A rule, what is wrong, and where.
_Found = tuple[str, str, Path]

# Argo CD takes generators within generators, and none deeper.
_DEEPEST = 3


def repository(
    snapshot: Snapshot,
    config: Config,
    argocd: Argocd,
    manifests: Sequence[Manifest],
    applications: Iterable[Application] = (),
) -> Iterator[Fault]:
    """What reads another repository than `argocd.repository` (`argocd-repository`), or none yet (`argocd-placeholder`).

    Args:
        applications: what is generated, for URLs that a template makes.
    """
    url = argocd.repository
    if url is not None and is_placeholder(url):
        line = lines.read(snapshot.read([CONFIG_FILE])[CONFIG_FILE], CONFIG_FILE)[1].of(("argocd", "repository"))
        yield Fault("argocd-repository", "argocd.repository is not filled in", CONFIG_FILE, line=line)
        # The manifests say what it says.
        return
    generated = list(applications)
    named = [(one, list(dict.fromkeys(_named(one, generated, config)))) for one in manifests]
    for manifest, places in named:
        yield from _grouped(manifest, (_differing(place, url) for place in places))
    read = [other for _, places in named for _, other in places if not is_placeholder(other)]
    wanted = read if url is None else [url]
    # Of what is deployed beside the services the projects are its own.
    used = {argocd.project, *(_project(manifest) for manifest, places in named if places)}
    for manifest in manifests:
        if manifest.kind == "AppProject" and manifest.name in used:
            yield from _grouped(manifest, _refusing(manifest, wanted))


def _differing(named: _Named, url: str | None) -> _Found | None:
    path, other = named
    if is_placeholder(other):
        return _placeholder(path, other)
    if url is None or same(other, url):
        return None
    what = "the generator reads" if "generators" in path else "the source is"
    message = f"{what} {shown(other)}, and argocd.repository is {shown(url)}"
    if same_place(other, url):
        message += ": two repositories to Argo CD"
    return "argocd-repository", message, path


def _refusing(manifest: Manifest, wanted: Sequence[str]) -> Iterator[_Found]:
    """What keeps a project from allowing the repository, by any URL that it goes by."""
    spec = _spec(manifest)
    refused = [url for url in wanted if not allows_source(spec, url)]
    # Beside the repository itself the placeholder does no harm.
    if wanted and not refused:
        return
    found = spec.get("sourceRepos")
    listed = [str(one) for one in found] if isinstance(found, list) else []
    left = [_placeholder(("spec", "sourceRepos", at), one) for at, one in enumerate(listed) if is_placeholder(one)]
    yield from left
    if refused and not left:
        message = f"the project {manifest.name} does not allow {shown(refused[0])}"
        yield "argocd-repository", message, ("spec", "sourceRepos")


def _placeholder(path: Path, url: str) -> _Found:
    return "argocd-placeholder", f"{shown(url)} only stands for the repository's URL", path


def _grouped(manifest: Manifest, found: Iterable[_Found | None]) -> Iterator[Fault]:
    """One fault for what is wrong in the same way, with all of its lines."""
    groups: dict[tuple[str, str], set[int]] = {}
    for one in found:
        if one is not None:
            rule, message, path = one
            groups.setdefault((rule, message), set()).add(manifest.line(*path))
    for (rule, message), written in groups.items():
        first, *others = sorted(written)
        also = f" (also in line {', '.join(map(str, others))})" if others else ""
        yield Fault(rule, message + also, manifest.file, env=environment_of(manifest.file), line=first)


def _named(manifest: Manifest, applications: Iterable[Application], config: Config) -> Iterator[_Named]:
    """The URLs in a manifest that mean this repository; published charts, and what else is deployed, have their own."""
    spec = _spec(manifest)
    if manifest.kind == "Application":
        for path, source in _sources(spec):
            if normpath(str(source.get("path")).strip("/")) == FOLDER:
                yield from _url(source, ("spec", *path))
    if manifest.kind == "ApplicationSet":
        yield from _generators(spec.get("generators"), ("spec", "generators"), set())
        above = ("spec", "template", "spec")
        for path, url in _own(_template(manifest), config, above):
            if "{{" not in url:
                yield path, url
                continue
            for one in applications:
                if one.manifest == manifest.file:
                    yield from _own(one.spec, config, above)


def _own(spec: Mapping[str, Any], config: Config, above: Path) -> Iterator[_Named]:
    """The source that is this repository: that of the chart, or, where charts are published, that of their values."""
    repositories = [(path, one) for path, one in _sources(spec) if "chart" not in one and not _is_oci(one)]
    wanted = [(path, one) for path, one in repositories if is_reference(one) == (config.chart is not None)]
    for path, source in wanted[:1]:
        yield from _url(source, (*above, *path))


def _sources(spec: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    several = spec.get("sources")
    if isinstance(several, list) and several:
        yield from ((("sources", at), one) for at, one in enumerate(several) if isinstance(one, dict))
    elif isinstance(spec.get("source"), dict):
        yield ("source",), spec["source"]


def _is_oci(source: Mapping[str, Any]) -> bool:
    return str(source.get("repoURL")).startswith("oci://")


def _generators(listed: Any, above: Path, seen: set[int], depth: int = _DEEPEST) -> Iterator[_Named]:
    for at, generator in enumerate(listed if isinstance(listed, list) and depth else ()):
        # What aliases repeat is told once.
        if not isinstance(generator, dict) or id(generator) in seen:
            continue
        seen.add(id(generator))
        for kind, one in generator.items():
            if kind == "git" and isinstance(one, dict):
                yield from _url(one, (*above, at, kind))
            elif isinstance(one, dict):
                yield from _generators(one.get("generators"), (*above, at, str(kind), "generators"), seen, depth - 1)


def _url(there: Mapping[str, Any], above: Path) -> Iterator[_Named]:
    url = there.get("repoURL")
    if isinstance(url, str):
        yield (*above, "repoURL"), url


def _project(manifest: Manifest) -> str:
    spec = _template(manifest) if manifest.kind == "ApplicationSet" else _spec(manifest)
    return str(spec.get("project"))


def _template(manifest: Manifest) -> dict[str, Any]:
    return _map(_map(_spec(manifest).get("template")).get("spec"))


def _spec(manifest: Manifest) -> dict[str, Any]:
    return _map(manifest.data.get("spec"))


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
