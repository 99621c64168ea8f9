"""Two renders of a release compared: object by object, each field by field.

What says the same in other words is no difference (`meaning.py`); what is secret is masked before it is compared.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.charts import fields, kubernetes, texts
from gitops_tk.charts.cautions import cautions
from gitops_tk.charts.manifest import split
from gitops_tk.charts.masks import Mask, revealed
from gitops_tk.charts.meaning import Steps
from gitops_tk.charts.rules.objects import Object, parse
from gitops_tk.model.evidence import Caution, ObjectChange

# What charts put behind a name so that a new content gets a new one: a hash (kustomize's has letters of its own), or a
# version. For other kinds another name is another object: the old one is deleted with all that it holds.
_SUFFIX = re.compile(r"-(?=[0-9a-f]*\d)[0-9a-f]{5,64}$|-[bcdfghkmt2456789]{10}$|-v?\d[0-9A-Za-z.-]*$")
_NAMED_ANEW = ("ConfigMap", "Secret", "SealedSecret", "ExternalSecret", "Job")

_Key = tuple[str, str, str, str, int]


class Version(Struct, frozen=True):
    """An image's version that gives way to another one: what follows from it says nothing new.

    Attributes:
        before: tag, digest, revision and build as they were; empty where there was none.
        after: those that come, in the same order.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]


class Compared(Struct, frozen=True):
    """How two renders differ."""

    objects: tuple[ObjectChange, ...] = ()
    cautions: tuple[Caution, ...] = ()


def compare(
    before: Sequence[str],
    after: Sequence[str],
    *,
    namespace: str,
    versions: Iterable[Version] = (),
    mask: Mask | None = None,
) -> Compared:
    """Compares two renders.

    Args:
        before: what was rendered, as `helm template` prints it, and the chart's custom resource definitions;
            empty where there was nothing.
        after: the same of the other side.
        namespace: the release's namespace, which an object has that names none.
        versions: those that change.

    Raises:
        ChartError: a document is no YAML (`manifest-yaml`).
    """
    mask = mask or Mask()
    old, new = (_masked(documents, mask) for documents in _differing(before, after))
    pairs = list(_paired(_by_identity(old, namespace), _by_identity(new, namespace)))
    moved = [one for one in versions if one.before != one.after]
    changes: list[ObjectChange] = []
    told: list[Caution] = []
    for one, other in pairs:
        change = _change(one, other, namespace, moved)
        if change is not None:
            changes.append(change)
            told += cautions(one, other, change)
    return Compared(tuple(sorted(changes, key=_order)), tuple(told))


def without(compared: Compared, noise: Compared) -> Compared:
    """What differs, but for what differs from one render of the same to the next; of that a caution tells."""
    fields_of = {_called(one): {field.path for field in one.fields} for one in noise.objects}
    named_anew = {_called(one) for one in noise.objects if one.change != "changed" or one.was is not None}
    kept: list[ObjectChange] = []
    for one in compared.objects:
        called = _called(one)
        left = tuple(field for field in one.fields if field.path not in fields_of.get(called, ()))
        if called not in named_anew and (left or one.was is not None or one.change != "changed"):
            kept.append(replace(one, fields=left, text=None if called in fields_of else one.text))
    labels = {one.label for one in kept}
    told = [one for one in compared.cautions if one.object in labels]
    odd = [_not_reproducible(one) for one in noise.objects]
    return Compared(tuple(kept), (*told, *dict.fromkeys(odd)))


def _not_reproducible(change: ObjectChange) -> Caution:
    name = change.name if change.change == "changed" and change.was is None else _called(change)[2] + "-…"
    message = "differs from one render to the next, and so in Argo CD for ever"
    return Caution(code="not-reproducible", message=message, object=replace(change, name=name).label)


def _called(change: ObjectChange) -> tuple[str, str, str]:
    return change.kind, change.namespace or "", _SUFFIX.sub("", change.name)


def _differing(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """The documents of each side that the other has not, to the letter: the others need not be read."""
    old, new = ([one for text in side for one in split(text)] for side in (before, after))
    only_old, only_new = Counter(old) - Counter(new), Counter(new) - Counter(old)
    return list(only_old.elements()), list(only_new.elements())


def _masked(documents: Iterable[str], mask: Mask) -> list[Object]:
    found = (one for document in documents for one in parse(document))
    # A test runs when somebody asks for it; it is no part of what is deployed.
    return [Object(mask.object(one.data), one.template) for one in found if one.data and not one.is_test]


def _by_identity(objects: Iterable[Object], namespace: str) -> dict[_Key, Object]:
    known: dict[_Key, Object] = {}
    for one in objects:
        key = (one.group, one.kind, one.namespace or namespace, one.name, 0)
        while key in known:
            key = (*key[:4], key[4] + 1)
        known[key] = one
    return known


def _paired(old: dict[_Key, Object], new: dict[_Key, Object]) -> Iterator[tuple[Object | None, Object | None]]:
    yield from ((old[key], new[key]) for key in old if key in new)
    gone, come = (
        {key: one for key, one in side.items() if key not in other} for side, other in ((old, new), (new, old))
    )
    for key in list(gone):
        match = _renamed(key, gone, come)
        if match is not None:
            yield gone.pop(key), come.pop(match)
    yield from ((one, None) for one in gone.values())
    yield from ((None, one) for one in come.values())


def _renamed(key: _Key, gone: dict[_Key, Object], come: dict[_Key, Object]) -> _Key | None:
    """The object that comes in the place of one that goes: the only one of its kind and name, but for a hash."""
    stem = _stem(key)
    if key[1] not in _NAMED_ANEW:
        return None
    matches = [one for one in come if _stem(one) == stem]
    return matches[0] if len(matches) == 1 and sum(_stem(one) == stem for one in gone) == 1 else None


def _stem(key: _Key) -> tuple[str, str, str, str]:
    return (*key[:3], _SUFFIX.sub("", key[3]))


def _change(
    before: Object | None, after: Object | None, namespace: str, versions: Sequence[Version]
) -> ObjectChange | None:
    one = after or before
    if one is None:
        return None
    about: dict[str, Any] = {
        "api_version": revealed(one.api_version),
        "kind": revealed(one.kind),
        "name": revealed(one.name),
        "namespace": revealed(one.namespace) if one.namespace not in ("", namespace) else None,
    }
    if before is None:
        return ObjectChange(change="added", text=_yaml(one), **about)
    if after is None:
        return ObjectChange(change="removed", **about)
    found = fields.compare(
        after.kind,
        before.data,
        after.data,
        known=kubernetes.is_built_in(after.api_version),
        follows_image=lambda path, old, new: any(_follows(one, path, old, new) for one in versions),
    )
    was = revealed(before.name) if before.name != after.name else None
    found = [field for field in found if field.path not in ("metadata.namespace", "metadata.name")]
    return ObjectChange(change="changed", was=was, fields=tuple(found), **about) if found or was else None


def _follows(version: Version, path: Steps, before: str, after: str) -> bool:
    """Whether a text becomes another one where old versions in it are replaced by the new ones.

    Args:
        before: the text; empty where there is none.
        after: the same.
    """
    pairs = list(zip(version.before, version.after, strict=True))
    deployed = any(version.before)
    named = path[-2:-1] in (("labels",), ("annotations",))
    if named and ((before, after) in pairs or (not deployed and after and after in version.after)):
        return True
    theirs = _reference(after, version.after)
    if not deployed:
        # What was never deployed had something else in the version's place.
        return bool(theirs) or (_tells(after) and after in version.after)
    if path[-1:] == ("image",) and theirs and theirs == _reference(before, version.before):
        return True
    text = before
    for old, new in pairs:
        if old and new and _tells(old) and old in text:
            text = text.replace(old, new)
    return text == after and before != ""


def _tells(version: str) -> bool:
    # A short number stands for many things: one core gives way to two without the build of that number.
    return len(version) > 2 and not version.isdigit()


def _reference(text: str, versions: Sequence[str]) -> str:
    """The repository of a reference to one of these versions; empty where it is none."""
    rest = text
    # Twice: a digest stands behind its tag.
    for version in (*versions, *versions):
        for sign in (":", "@"):
            rest = rest.removesuffix(f"{sign}{version}") if version else rest
    return rest if rest != text else ""


def _yaml(one: Object) -> str:
    import yaml

    data = revealed(one.data)
    return texts.cut(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1_000_000).rstrip("\n"))


def _order(change: ObjectChange) -> tuple[int, str, str]:
    return (("removed", "added", "changed").index(change.change), change.kind, change.name)
