"""An image is one thing: after its edits the layers merge to what was asked."""

import itertools
from typing import Any

import pytest

from gitops_tk.config.model import ImageKeys
from gitops_tk.errors import EditRefused
from gitops_tk.model.image import Image
from gitops_tk.values import quote
from gitops_tk.values.document import Document
from gitops_tk.values.edit import apply
from gitops_tk.values.image import image_edits, image_leaves, read_image, without_images
from gitops_tk.values.merge import Merged, merge

_KEYS = ImageKeys(tag="image.tag", digest="image.digest", build="image.build", revision="image.revision")
_OLD: dict[str, Any] = {"repository": "r", "tag": "v1", "digest": "sha256:old", "build": 1, "revision": "abc"}
_LAYERS: list[dict[str, Any]] = [{}, {"tag": "v1"}, _OLD, {**_OLD, "build": "57", "digest": ""}]
_WANTED = [
    Image(tag="1.10"),
    Image(tag="v2", digest="sha256:new", build=58, revision="def"),
    Image(digest="sha256:new"),
    Image(tag="1234e56", build=57),
]


def _layer(image: dict[str, Any]) -> Document:
    lines = ["# values", *(quote.block("image", image, 0) if image else [])]
    return Document.read(("\n".join(lines) + "\n").encode(), "f")


def _after(chart: Document, shared: Document, own: Document, wanted: Image, allowed: bool = True) -> Merged:
    edits = image_edits(merge([shared, own], chart), own, _KEYS, wanted, lambda *_: allowed)
    return merge([shared, Document.read(apply(own.text.encode(), edits, "f"), "f")], chart)


@pytest.mark.parametrize("wanted", _WANTED)
@pytest.mark.parametrize("layers", list(itertools.product(_LAYERS, repeat=3)))
def test_the_layers_merge_to_what_was_asked(layers: tuple[dict[str, Any], ...], wanted: Image) -> None:
    chart, shared, own = (_layer(image) for image in layers)
    merged = _after(chart, shared, own, wanted)
    assert read_image(merged, _KEYS) == wanted
    last = Document.read(apply(own.text.encode(), [], "f"), "f")
    assert merged.get(("image", "repository")) == merge([shared, last], chart).get(("image", "repository"))


@pytest.mark.parametrize("wanted", _WANTED)
def test_an_image_that_is_there_already_needs_no_edit(wanted: Image) -> None:
    chart, shared, own = _layer(_OLD), _layer({}), _layer({"tag": "v1"})
    there = _after(chart, shared, own, wanted)
    assert image_edits(there, own, _KEYS, wanted, lambda *_: True) == []


def test_what_a_schema_forbids_is_not_added_but_set_where_it_is() -> None:
    empty = _layer({})
    wanted = Image(tag="v2", build=5, revision="def")
    assert read_image(_after(empty, empty, _layer({"tag": "v1"}), wanted, False), _KEYS) == Image(tag="v2")
    assert read_image(_after(empty, empty, _layer(_OLD), wanted, False), _KEYS) == wanted


def test_a_build_number_keeps_its_quotes() -> None:
    own = Document.read(b"image:\n  tag: v1\n  build: '57'\n", "f")
    edits = image_edits(merge([own]), own, _KEYS, Image(tag="v1", build=58), lambda *_: True)
    assert apply(own.text.encode(), edits, "f") == b"image:\n  tag: v1\n  build: '58'\n"


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("nginx:1.25", Image(tag="1.26"), "nginx:1.26"),
        ("localhost:5000/a/b:v1@sha256:aa", Image(tag="v2"), "localhost:5000/a/b:v2"),
        ("localhost:5000/a/b", Image(tag="v2", digest="sha256:bb"), "localhost:5000/a/b:v2@sha256:bb"),
        ("r/a@sha256:aa", Image(digest="sha256:bb"), "r/a@sha256:bb"),
    ],
)
def test_a_whole_reference_keeps_its_repository(before: str, wanted: Image, after: str) -> None:
    keys = ImageKeys(reference="app.image")
    own = Document.read(f"app:\n  image: {before} # c\n".encode(), "f")
    edits = image_edits(merge([own]), own, keys, wanted, lambda *_: True)
    text = apply(own.text.encode(), edits, "f")
    assert text == f"app:\n  image: {after} # c\n".encode()
    assert read_image(merge([Document.read(text, "f")]), keys) == wanted


def test_a_reference_that_is_not_there_is_refused() -> None:
    own = Document.read(b"app: {}\n", "f")
    with pytest.raises(EditRefused) as refused:
        image_edits(merge([own]), own, ImageKeys(reference="app.image"), Image(tag="v1"), lambda *_: True)
    assert refused.value.code == "no-reference"


def test_a_digest_that_values_keep_nowhere_is_refused_and_not_forgotten() -> None:
    own, keys = Document.read(b"imageTag: v1\n", "f"), ImageKeys(tag="imageTag")
    assert image_edits(merge([own]), own, keys, Image(tag="v2"), lambda *_: True)
    with pytest.raises(EditRefused) as refused:
        image_edits(merge([own]), own, keys, Image(tag="v2", digest=f"sha256:{'a' * 64}"), lambda *_: True)
    assert refused.value.code == "no-digest-key"


@pytest.mark.parametrize(
    ("keys", "before", "after", "leaves"),
    [
        (_KEYS, {"image": _OLD, "a": [1]}, {"image": {"repository": "r"}, "a": [1]}, {"tag", "digest"}),
        (ImageKeys(tag="images[name=b].tag"), {"images": [{"name": "a"}, {"name": "b", "tag": "v"}]}, None, set()),
        (ImageKeys(tag="images[0].tag"), {"images": [{"name": "b", "tag": "v"}]}, {"images": [{"name": "b"}]}, set()),
        (ImageKeys(tag="images[3].tag"), {"images": [{"tag": "v"}]}, {"images": [{"tag": "v"}]}, set()),
        (ImageKeys(reference="app"), {"app": "r:5000/a:v1@sha256:aa"}, {"app": "r:5000/a"}, set()),
        (ImageKeys(reference="app"), {"app": {"not": "one"}}, {"app": {"not": "one"}}, set()),
        (ImageKeys(tag="tag"), {"other": 1}, {"other": 1}, set()),
    ],
)
def test_values_without_their_images(keys: ImageKeys, before: Any, after: Any, leaves: set[str]) -> None:
    given = repr(before)
    assert without_images(before, [keys]) == (after or {"images": [{"name": "a"}, {"name": "b"}]})
    assert repr(before) == given
    assert leaves <= {leaf[-1] for leaf in image_leaves(keys)}


def test_the_values_that_hold_an_image_end_where_a_list_begins() -> None:
    assert image_leaves(ImageKeys(tag="images[name=b].tag")) == {("images",)}
    assert image_leaves(ImageKeys(reference="app.image")) == {("app", "image")}


@pytest.mark.parametrize(
    ("own", "written"),
    [("image:\n  tag: v1\n", '"57"'), ('image:\n  tag: v1\n  build: ""\n', '"57"')],
)
def test_a_build_is_written_as_a_text_where_the_schema_wants_one(own: str, written: str) -> None:
    document = Document.parse(own.encode(), "own.yaml")
    wanted = Image(tag="v2", build=57)
    edits = image_edits(merge([document]), document, _KEYS, wanted, lambda _, value: isinstance(value, str))
    assert f"  build: {written}\n".encode() in apply(own.encode(), edits, "own.yaml")
