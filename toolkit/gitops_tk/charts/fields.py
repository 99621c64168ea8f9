"""Two objects compared field by field, as Kubernetes reads them."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from gitops_tk.charts import meaning, texts
from gitops_tk.charts.masks import is_marked, revealed
from gitops_tk.charts.meaning import NOTHING, Steps
from gitops_tk.model.evidence import FieldChange

# Told by a name: `checksum/config`, `example.com/config-hash`.
_CHECKSUM = re.compile(r"(?:^|[/._-])(?:checksum|hash|sha256|sha1|md5)(?:[/._-]|$)", re.IGNORECASE)
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-fA-F]{8,128}")
_BARE = re.compile(r"[^.\[\]\"=\s]+")
_LONG = 160
# Of more pairs not each is compared: nobody writes such lists by hand.
_MOST_PAIRS = 10_000

# Told by the path and the texts before and after, empty where there is none.
FollowsImage = Callable[[Steps, str, str], bool]


def compare(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any], *, known: bool, follows_image: FollowsImage
) -> list[FieldChange]:
    """The fields that differ between two masked objects.

    Args:
        kind: the kind of both.
        known: whether it is one of Kubernetes' own, whose defaults and lists are known.
        follows_image: whether a text that changes follows from the image that changes.
    """
    return list(_Walk(kind, known, follows_image).maps((), "", before, after))


class _Walk:
    def __init__(self, kind: str, known: bool, follows_image: FollowsImage) -> None:
        self._kind = kind
        self._known = known
        self._follows_image = follows_image

    def maps(
        self, path: Steps, shown: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[FieldChange]:
        for key in dict.fromkeys((*before, *after)):
            place = (*path, str(key))
            one = self._held(place, before, key)
            other = self._held(place, after, key)
            yield from self._values(place, f"{shown}.{_word(key)}" if shown else _word(key), one, other)

    def _held(self, path: Steps, holder: Mapping[str, Any], key: str) -> Any:
        """What a field means: where it is missing, its default."""
        value = holder.get(key)
        if not meaning.is_empty(path[-1], value):
            return value
        return meaning.default(self._kind, path, holder) if self._known else NOTHING

    def _values(self, path: Steps, shown: str, before: Any, after: Any) -> Iterator[FieldChange]:
        before, after = meaning.filled(path[-1], before, after), meaning.filled(path[-1], after, before)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.maps(path, shown, before, after)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self._lists(path, shown, before, after)
        elif not self._same(path, before, after):
            yield self._change(path, shown, before, after)

    def _same(self, path: Steps, before: Any, after: Any) -> bool:
        if before is NOTHING or after is NOTHING:
            return before is after
        if isinstance(before, dict | list) or isinstance(after, dict | list):
            return type(before) is type(after) and not any(self._values(path, "", before, after))
        return meaning.same_scalar(path, before, after)

    def _lists(self, path: Steps, shown: str, before: list[Any], after: list[Any]) -> Iterator[FieldChange]:
        keys = meaning.identity(path[-1], [*before, *after]) if not before or not after else None
        if before and after:
            one, other = (meaning.identity(path[-1], items) for items in (before, after))
            keys = one if one == other else None
        ordered = meaning.has_order(path[-1], [*before, *after], known=self._known)
        if keys is not None:
            yield from self._keyed(path, shown, keys, before, after, ordered=ordered)
        elif ordered:
            yield from self._in_order(path, shown, before, after)
        else:
            gone, come = self._unmatched(path, before, after)
            yield from self._left_over(path, shown, gone, come)

    def _keyed(
        self, path: Steps, shown: str, keys: Steps, before: list[Any], after: list[Any], *, ordered: bool
    ) -> Iterator[FieldChange]:
        old, new = ({meaning.identified(keys, one): one for one in items} for items in (before, after))
        for one in dict.fromkeys((*old, *new)):
            place = f"{shown}[{_label(keys, one)}]"
            if one in old and one in new:
                yield from self._values(path, place, old[one], new[one])
            else:
                yield self._change(path, place, old.get(one, NOTHING), new.get(one, NOTHING))
        stayed = [one for one in old if one in new], [one for one in new if one in old]
        if ordered and stayed[0] != stayed[1]:
            names = [[_label(keys, one) for one in part] for part in stayed]
            yield FieldChange(path=f"{shown} (order)", before=names[0], after=names[1])

    def _in_order(self, path: Steps, shown: str, before: list[Any], after: list[Any]) -> Iterator[FieldChange]:
        head = _run(before, after, lambda one, other: self._same(path, one, other))
        tail = _run(before[head:][::-1], after[head:][::-1], lambda one, other: self._same(path, one, other))
        gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
        if len(gone) == len(come):
            for at, (one, other) in enumerate(zip(gone, come, strict=True), head):
                yield from self._values(path, f"{shown}[{at}]", one, other)
            return
        # Of what is between the first and the last difference, what is there on both sides has only moved along.
        gone, come = self._unmatched(path, gone, come)
        yield from self._left_over(path, shown, gone, come)

    def _unmatched(self, path: Steps, before: list[Any], after: list[Any]) -> tuple[list[Any], list[Any]]:
        """What each side has that the other has not, in whatever order."""
        written = [[json.dumps(one, sort_keys=True) for one in side] for side in (before, after)]
        common = Counter(written[0]) & Counter(written[1])
        gone, come = (_without(side, texts, common) for side, texts in zip((before, after), written, strict=True))
        if len(gone) * len(come) > _MOST_PAIRS:
            return gone, come
        for one in list(gone):
            at = next((at for at, other in enumerate(come) if self._same(path, one, other)), None)
            if at is not None:
                gone.remove(one)
                del come[at]
        return gone, come

    def _left_over(self, path: Steps, shown: str, gone: list[Any], come: list[Any]) -> Iterator[FieldChange]:
        if len(gone) == len(come) == 1 and isinstance(gone[0], dict) and isinstance(come[0], dict):
            yield from self._values(path, f"{shown}[]", gone[0], come[0])
            return
        for one in gone:
            yield self._change(path, f"{shown}[]", one, NOTHING)
        for one in come:
            yield self._change(path, f"{shown}[]", NOTHING, one)

    def _change(self, path: Steps, shown: str, before: Any, after: Any) -> FieldChange:
        old, new = (None if one is NOTHING else revealed(one) for one in (before, after))
        hidden = is_marked(before) or is_marked(after)
        because = self._reason(path, before, after)
        texts_both = isinstance(before, str) and isinstance(after, str)
        if path[:1] == ("binaryData",):
            old, new = (_size(one) for one in (before, after))
        elif texts_both and ("\n" in before.strip() or "\n" in after.strip()):
            return FieldChange(path=shown, diff=revealed(texts.changed_lines(before, after)), hidden=hidden)
        elif texts_both and max(len(before), len(after)) > _LONG and not hidden:
            old, new = texts.around(before, after)
        return FieldChange(path=shown, before=old, after=new, hidden=hidden, because=because)

    def _reason(self, path: Steps, before: Any, after: Any) -> Literal["image", "checksum"] | None:
        if path[-2:-1] == ("annotations",) and _CHECKSUM.search(path[-1]) and _is_digest(before) and _is_digest(after):
            return "checksum"
        old, new = ("" if one is NOTHING else one for one in (before, after))
        texts_both = isinstance(old, str) and isinstance(new, str)
        return "image" if texts_both and self._follows_image(path, old, new) else None


def _is_digest(value: Any) -> bool:
    return value is NOTHING or is_marked(value) or (isinstance(value, str) and bool(_DIGEST.fullmatch(value)))


def _without(items: list[Any], written: list[str], common: Counter[str]) -> list[Any]:
    left = Counter(common)
    kept = []
    for one, text in zip(items, written, strict=True):
        if left[text]:
            left[text] -= 1
        else:
            kept.append(one)
    return kept


def _run(one: Sequence[Any], other: Sequence[Any], same: Callable[[Any, Any], bool]) -> int:
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if not same(one[at], other[at])), shorter)


def _label(keys: Steps, one: Steps) -> str:
    parts = [part for key, part in zip(keys, one, strict=True) if part and (key, part) != ("protocol", "TCP")]
    return str(revealed("/".join(parts)))


def _word(key: Any) -> str:
    text = str(revealed(str(key)))
    return text if _BARE.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _size(value: Any) -> str | None:
    return f"({len(value) * 3 // 4} bytes)" if isinstance(value, str) else None
