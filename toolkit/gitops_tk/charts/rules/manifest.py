"""Rules of a manifest as such: objects that are objects, once, and the same on every render."""

from collections.abc import Iterator

from gitops_tk.charts.rules.model import Fault, rule
from gitops_tk.charts.rules.objects import Objects


@rule(
    "manifest-object",
    "error",
    summary="Every document is an object with apiVersion and kind",
    reason="Helm and Argo CD refuse the whole release.",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/#required-fields",
    fix="write apiVersion and kind, or let the template render nothing at all",
)
def manifest_object(objects: Objects) -> Iterator[Fault]:
    """Documents that are no objects."""
    for one in objects.items:
        if not one.kind or not one.api_version:
            yield Fault(one, (), "an object needs apiVersion and kind")


@rule(
    "manifest-no-name",
    "error",
    summary="Every object has a name",
    reason="Kubernetes refuses an object without a name, and so does Argo CD.",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/#required-fields",
    fix="set metadata.name",
)
def manifest_no_name(objects: Objects) -> Iterator[Fault]:
    """Objects without a name."""
    for one in objects.items:
        if one.kind and one.api_version and not one.name:
            yield Fault(one, ("metadata", "name"), "it has no metadata.name")


@rule(
    "manifest-duplicate-key",
    "error",
    summary="No key is there twice in a map",
    reason="Readers disagree on which one counts: one of the two settings is lost without a word.",
    source="https://yaml.org/spec/1.2.2/#3213-node-comparison",
    fix="write the key once; look for a template and a helper that both write it",
)
def manifest_duplicate_key(objects: Objects) -> Iterator[Fault]:
    """Keys that are there twice."""
    for one in objects.items:
        for path in one.duplicates:
            yield Fault(one, path, f"the key {path[-1]} is there twice")


@rule(
    "manifest-duplicate-object",
    "error",
    summary="No object is there twice in a release",
    reason="The last one wins, or the two undo each other; Argo CD warns of a repeated resource.",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/status-conditions/",
    fix="give one of them another name",
)
def manifest_duplicate_object(objects: Objects) -> Iterator[Fault]:
    """Objects that are there twice."""
    seen: dict[tuple[str, str, str, str], str | None] = {}
    for one in objects.items:
        key = (one.group, one.kind, one.namespace or objects.namespace, one.name)
        if not one.name or not one.metadata.get("name"):
            continue
        if key in seen:
            yield Fault(one, ("metadata", "name"), f"it is there twice, also from {seen[key] or 'the same template'}")
        seen.setdefault(key, one.template)


@rule(
    "render-differs",
    "error",
    summary="Two renders of the same release are the same",
    reason="Argo CD renders again and again: it stays OutOfSync, or rolls the pods out on every sync.",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#random-data",
    fix="take random data and the time out of the templates: set a value, or use an ExternalSecret",
)
def render_differs(objects: Objects) -> Iterator[Fault]:
    """Values that differ between two renders."""
    if objects.again is None:
        return
    for one, other in zip(objects.items, objects.again.items, strict=False):
        before, after = dict(one.leaves), dict(other.leaves)
        differing = [path for path, value in before.items() if after.get(path) != value]
        if differing:
            path = differing[0]
            more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
            shown = ".".join(str(part) for part in path)
            yield Fault(one, path, f"{shown}{more} differs between two renders")
        elif before != after:
            yield Fault(one, (), "it has other keys in the second of two renders")
    if objects.items and len(objects.items) != len(objects.again.items):
        yield Fault(objects.items[0], (), "two renders of the chart have different numbers of objects")
