"""What a hold file says, until when, and what it does when it says nothing that can be understood."""

import re
from pathlib import Path

import pytest

from gitops_tk.errors import UsageError
from gitops_tk.model.image import Image
from gitops_tk.policy.holds import check_reason, parse, until_end

FILE = ".gitops-tk/holds/prod/user-service.yaml"
DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
WANTED = {"default": Image(tag="v2")}


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("2026-12-24", 1798156800),
        ("2028-02-29", 1835481600),
        ("2026-12-24T18:00", 1798135200),
        ("2026-12-24T18:00Z", 1798135200),
        ("2026-12-24t18:00:30z", 1798135230),
        ("2026-12-24 18:00:00+01:00", 1798131600),
    ],
)
def test_a_date_holds_to_its_end_and_a_time_to_its_moment(until: str, end: int) -> None:
    hold = parse(f"reason: why\nuntil: {until}\n".encode(), FILE)
    assert until_end(until) == end
    assert hold.blocks(WANTED, end - 1)
    assert not hold.blocks(WANTED, end)


@pytest.mark.parametrize("until", ["", "tomorrow", "2026-13-01", "2027-02-29", "20261224", "2026-W01-1", "٢٠٢٦-12-24"])
def test_what_is_no_date_is_told(until: str) -> None:
    with pytest.raises(UsageError) as caught:
        until_end(until)
    assert caught.value.code == "bad-date"


def test_a_hold_without_images_holds_everything() -> None:
    hold = parse(b"reason: incident 42\nby: Jane <jane@example.com>\n", FILE)
    assert hold.blocks({}, 0)
    assert hold.blocks(WANTED, 0)
    assert hold.shown == "incident 42 (by Jane <jane@example.com>)"


@pytest.mark.parametrize(
    ("image", "blocked"),
    [
        (Image(tag="v2"), True),
        (Image(tag="v3"), False),
        (Image(tag="v2", digest=DIGEST), True),
        (Image(tag="v2", digest=OTHER), False),
        (Image(tag="v9", digest=DIGEST), True),
        (Image(digest=OTHER), False),
        (Image(), False),
    ],
)
def test_a_hold_of_an_image_lets_every_other_one_through(image: Image, blocked: bool) -> None:
    hold = parse(f"reason: why\nimages:\n  - tag: v2\n    digest: {DIGEST}\n".encode(), FILE)
    assert hold.blocks({"default": image}, 0) is blocked
    assert not hold.blocks({"sidecar": image}, 0)
    assert not hold.blocks({}, 0)


@pytest.mark.parametrize(
    ("held", "image", "blocked"),
    [
        ("tag: main, build: 7", Image(tag="main", build=7), True),
        ("tag: main, build: 7", Image(tag="main", build=8), False),
        ("tag: main, build: 7", Image(tag="main"), True),
        ("tag: main, build: 7", Image(tag="main", build=7, digest=DIGEST), True),
        ("tag: main", Image(tag="main", build=8, digest=DIGEST), True),
        (f"digest: '{DIGEST}'", Image(tag="v9", digest=DIGEST), True),
        (f"digest: '{DIGEST}'", Image(tag="v9"), False),
        (f"digest: '{DIGEST}'", Image(), False),
    ],
)
def test_an_image_is_held_as_far_as_it_is_known(held: str, image: Image, blocked: bool) -> None:
    hold = parse(f"reason: why\nimages: [{{{held}}}]\n".encode(), FILE)
    assert (hold.fault, hold.blocks({"default": image}, 0)) == (None, blocked)


def test_images_beside_a_hold_of_everything_change_nothing() -> None:
    assert parse(b"reason: why\nscope: all\nimages: [{tag: v1}]\n", FILE).blocks(WANTED, 0)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        (b"", "is empty", None),
        (b"- a\n", "is not a map", 1),
        (b"until: 2026-01-01\n", "it has no reason", 1),
        (b"reason: ' '\n", "its reason is empty", 1),
        (b"reason: why\nuntill: 2000-01-01\n", "unknown key untill", 2),
        (b"reason: why\nuntil: soon\n", "is not a date", 2),
        (b"reason: why\nscope: some\n", "invalid enum value", 2),
        (b"reason: why\nscope: images\n", "there are none", 2),
        (b"reason: why\nimages:\n  - tag: v1\n  - tag: 1.10\n", "expected a text, got a number", 4),
        (b"reason: why\nimages:\n  - name: default\n", "neither tag nor digest", 3),
        (b"reason: why\nreason: why not\n", "is there twice", 2),
        (b"reason: [\n", "not valid YAML", 2),
        (b"reason: \xff\n", "not UTF-8", 1),
        (b"reason: why\nfault: null\n", "unknown key fault", 2),
    ],
)
def test_a_hold_that_cannot_be_understood_holds_and_says_so(text: bytes, said: str, line: int | None) -> None:
    hold = parse(text, FILE)
    assert hold.blocks(WANTED, 4e9)
    assert said in hold.shown
    assert hold.shown.isprintable()
    assert hold.fault.line == line


@pytest.mark.parametrize(
    "reason", ["", "  ", "two\nlines", "\x1b[31mred", "turned \u202e round", "half \ud800", "x" * 501]
)
def test_a_reason_is_one_line_of_text(reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_reason(reason)
    assert caught.value.code == "bad-reason"


def test_a_reason_by_hand_may_have_lines_and_steers_no_terminal() -> None:
    assert parse(b'reason: |\n  one\n  two\nby: "\\e[2J"\n', FILE).shown == "one two (by '\\x1b[2J')"


def test_the_example_of_the_document_is_a_hold() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/holds.md").read_text(encoding="utf-8")
    hold = parse(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0].encode(), FILE)
    assert (hold.fault, hold.images[0].tag, hold.restored[0].tag) == (None, "v1.3.0", "v1.2.4")
