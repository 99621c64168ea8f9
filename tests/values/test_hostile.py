"""Files made to harm, and corners of YAML where readers part: what Helm reads counts, and nothing ends the process."""

import subprocess
import sys

import helm_python
import pytest

from gitops_tk.errors import EditRefused, UsageError
from gitops_tk.values.document import Document
from gitops_tk.values.edit import DELETE, Edit, apply
from gitops_tk.values.keys import parse_key
from gitops_tk.values.literal import parse_assignment

_DEEP = ["'a: ' + '[' * 200000", "'a: ' + '{a: ' * 200000", "'a:\\n' + '- ' * 200000 + 'a'"]


@pytest.mark.parametrize("text", _DEEP)
def test_nesting_without_end_is_refused_and_does_not_end_the_process(text: str) -> None:
    # In a process of its own: without the guard it dies by a signal.
    code = (
        "from gitops_tk.errors import EditRefused\nfrom gitops_tk.values.document import Document\n"
        f"try: Document.read(({text}).encode(), 'f')\nexcept EditRefused as error: print(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "too-deep")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!str 1e3",
        "a: !!str 0644",
        "a: !!str null",
        "a: !!str on",
        "a: !!int '5'",
        "a: !foo 1",
        "0x10: a",
        "1.50: a",
        "1e3: a",
        "0644: a",
        "1_000: a",
        "on: a",
        "b: 2\n<<: {b: 1}",
        "<<: {b: 1}\nb: 2",
        "<<: [{a: 1}, {a: 2, c: 3}]",
        "!!str <<: {a: 1}",
        "'<<': {a: 1}",
    ],
)
def test_tags_keys_and_merge_keys_mean_what_they_mean_to_helm(text: str) -> None:
    assert Document.read(text.encode(), "f").data == helm_python.values_from_yaml(text + "\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<<: 1", "merge-key"),
        ("<<: [1]", "merge-key"),
        ("null: a", "bad-map-key"),
        ("~: a", "bad-map-key"),
        ("1e9: a", "bad-map-key"),
        ("a: !!null x", "tag"),
        ("a: !!int x", "tag"),
        ("a: !!binary aGk=", "tag"),
        ("{1: x, 0x1: z}", "duplicate-key"),
        ("{1: x, <<: {1.0: z}}", "duplicate-key"),
        ("{<<: [{'1': x}, {1: z}]}", "duplicate-key"),
    ],
)
def test_what_helm_cannot_read_or_reads_by_chance_is_refused(text: str, code: str) -> None:
    with pytest.raises(EditRefused) as refused:
        Document.read(text.encode(), "f")
    assert (refused.value.code, refused.value.line) == (code, 1)


@pytest.mark.parametrize("value", ["ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]", '"ENC[AES256_GCM,data:a]"'])
def test_a_value_that_sops_wrote_is_refused_with_its_line(value: str) -> None:
    with pytest.raises(EditRefused) as refused:
        apply(f"a: 1\nb: {value}\n".encode(), [Edit(("a",), 2)], "f")
    assert (refused.value.code, refused.value.line) == ("sops", 2)


def test_a_comment_about_sops_does_not_stand_in_the_way() -> None:
    text = b"# such as b: ENC[AES256_GCM,data:a]\na: 1\n"
    assert apply(text, [Edit(("a",), 2)], "f") == text.replace(b"1", b"2")


@pytest.mark.parametrize("key", ["l[n=z]", "l[n=z].a", "l[5]", "s[n=z]", "s.a", "s[0]"])
def test_removing_an_element_that_is_not_there_changes_nothing(key: str) -> None:
    text = b"l:\n- n: a\ns: 1\n"
    assert apply(text, [Edit(parse_key(key), DELETE)], "f") == text


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        (b"a: &x\nb: 1\n", "a", b"a: &x v9\nb: 1\n"),
        (b"a: &x # c\nb: 1\n", "a", b"a: &x v9 # c\nb: 1\n"),
        (b"a: !!str\n", "a", b"a: !!str v9\n"),
        (b"l:\nb: 1\n", "l[0]", b"l:\n  - v9\nb: 1\n"),
        (b"l:\n", "l[0].x", b"l:\n  - x: v9\n"),
        (b"---\n...\n", "a", b"---\na: v9\n...\n"),
        (b"l:\n- k: true\n  v: 1\n", "l[k=true].v", b"l:\n- k: true\n  v: v9\n"),
    ],
)
def test_values_go_where_there_was_nothing(before: bytes, key: str, after: bytes) -> None:
    assert apply(before, [Edit(parse_key(key), "v9")], "f") == after


def test_a_file_that_would_not_parse_afterwards_is_refused_as_an_edit() -> None:
    with pytest.raises(EditRefused) as refused:
        apply(b"? a\n", [Edit(("a",), "v9")], "f")
    assert refused.value.code == "edit-not-exact"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1.10", 1.1),
        ("a='1.10'", "1.10"),
        ("a=on", True),
        ("a=", ""),
        ("a=[1, x]", [1, "x"]),
        ("a={b: {c: yes}}", {"b": {"c": True}}),
        ("a=x=y", "x=y"),
        ("a=x#y ", "x#y"),
        ("a='😀 # ' ", "😀 # "),
        ("a= ", None),
    ],
)
def test_an_assignment_is_read_as_helm_reads_it(text: str, value: object) -> None:
    found = parse_assignment(text)
    assert (found.path, found.value) == (("a",), value)


@pytest.mark.parametrize(
    "text", ["a", "=1", "a=[1", "a=1\nb: 2", "a=b: c", "a=*x", "a=x # y", "a=|", "a=>", "a=\udcff"]
)
def test_what_is_no_assignment_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_assignment(text)
