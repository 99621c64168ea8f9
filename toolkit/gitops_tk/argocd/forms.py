"""The forms that an ApplicationSet's parts must have, as far as they are read here.

Source: Argo CD's own definition of it (manifests/crds/applicationset-crd.yaml); what else a part holds is left alone.
"""

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")
_Map = dict[Any, Any] | None


class _Metadata(Struct):
    labels: _Map = None
    annotations: _Map = None


class _Helm(Struct, rename="camel"):
    value_files: list[Any] | None = None


class _Source(Struct):
    helm: _Helm | None = None


class _Spec(Struct):
    source: _Source | None = None
    sources: list[_Source] | None = None
    destination: _Map = None


class Template(Struct):
    """What every Application is made from."""

    metadata: _Metadata | None = None
    spec: _Spec | None = None


class Requirement(Struct):
    """What a selector wants of a parameter."""

    key: str
    operator: Literal["Exists", "DoesNotExist", "In", "NotIn"]
    values: list[Any] | None = None


class Selector(Struct, rename="camel"):
    """A generator's selector."""

    match_labels: dict[str, Any] | None = None
    match_expressions: list[Requirement] | None = None


class Generator(Struct):
    """A generator, whatever its kind."""

    selector: Selector | None = None


def read(value: Any, form: type[T]) -> T:
    """A part as its form has it.

    Raises:
        ValueError: it has another one.
    """
    return msgspec.convert(value, form)
