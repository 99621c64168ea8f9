"""Values are read as Helm reads them."""

import math
from typing import Any

import helm_python
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_tk.charts import engine
from gitops_tk.helm_yaml import printed
from gitops_tk.values.document import Document

_WORDS = (
    "1 0 -1 +1 1.10 1e3 1E3 1e+3 1.5e-3 .5 5. -.5 0o17 0O17 017 08 0x1F 0X1f 0b101 -0x10 +0x10 -0b11 1_000 1__0 _1 0_7 "
    "on On ON oN off Off yes Yes YES yEs no NO y Y n N true True TRUE tRue false null Null NULL nUll ~ .inf .Inf -.inf "
    "2024-01-01 2024-01-01T10:00:00Z 12:30:45 190:20:30 1:2 sha256:abc v1.2.3 1.2.3 9223372036854775807 1.0 1.50 0.1 "
    "-9223372036854775808 123456789012345678 1e100 0e0 00 0 -0 +.5 1e 0x 0b 0b2 e5 1-2 abc a_b 0xg 0.0 - + ."
).split()


@pytest.mark.parametrize("word", _WORDS)
def test_an_unquoted_word_is_what_helm_makes_of_it(word: str) -> None:
    text = f"a: {word}\n"
    try:
        expected = helm_python.values_from_yaml(text)["a"]
    except helm_python.HelmError:
        return
    if isinstance(expected, float) and math.isinf(expected):
        return
    found = Document.read(text.encode(), "f").data["a"]
    # Helm passes numbers on as floats; ours stay exact beyond their 53 bits.
    assert found == expected or float(found) == float(expected)
    assert isinstance(found, bool) == isinstance(expected, bool)
    assert isinstance(found, str) == isinstance(expected, str)


@given(st.from_regex(r"[-+.]?[0-9a-fxobeEXOB._:+-]{1,8}", fullmatch=True))
def test_numbers_and_what_looks_like_them_are_what_helm_makes_of_them(word: str) -> None:
    text = f"a: {word}\n"
    expected: Any
    try:
        expected = helm_python.values_from_yaml(text)["a"]
        found = Document.read(text.encode(), "f").data["a"]
    except Exception:
        return
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    elif isinstance(expected, int | float) and isinstance(found, int | float):
        assert math.isclose(found, expected, rel_tol=1e-12)


def test_a_value_is_printed_as_a_template_prints_it() -> None:
    words = (
        "0 1 -1 1.10 1e3 0o17 0x1F 1_000 100000 999999 1000000 1234567 -1000000 123456.7 1234567.8 1e20 1e21 .5 1.0 "
        "-0.0 0.0001 0.00001 1.5e-7 -12.5e-9 18446744073709551615 9007199254740993 on No text 2024-01-01"
    ).split()
    values = "".join(f"v{at}: {word}\n" for at, word in enumerate(words)).encode()
    template = "".join(f"v{at}: '{{{{ .Values.v{at} }}}}'\n" for at in range(len(words))).encode()
    chart = {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\n", "templates/a.yaml": template}
    loaded = engine.find({"GITOPS_TK_HELM": "embedded"}).load(chart, root="chart")
    given = Document.read(values, "f").data
    rendered = loaded.render(given, release="a", namespace="a", kube_version=None, api_versions=())
    expected = Document.read(rendered.encode(), "f").data
    assert {key: printed(value) for key, value in given.items()} == expected


def test_aliases_and_merge_keys_are_followed() -> None:
    text = "base: &b {x: 1, y: {z: 2}}\na:\n  <<: *b\n  x: 3\nc: *b\nd:\n  <<: [*b, {w: 4}]\n"
    assert Document.read(text.encode(), "f").data == helm_python.values_from_yaml(text)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "\ufeff# mark\n"])
def test_a_file_without_content_is_an_empty_map(text: str) -> None:
    assert Document.read(text.encode(), "f").data == {}


def test_a_value_is_found_with_its_line() -> None:
    document = Document.read(b"a:\n  b:\n    - c: 1\n    - c: 2\n", "f")
    from gitops_tk.values.keys import parse_key

    found = document.find(parse_key("a.b[1].c"))
    assert found is not None
    assert (found.value, found.line) == (2, 4)
    assert document.find(parse_key("a.b[2]")) is None
