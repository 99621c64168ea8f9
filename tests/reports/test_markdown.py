"""The body of a pull request: the same on every run, within every forge's limit, and harmless whatever is in it."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace
from tests.support.evidence import GOLDEN, gate, moved, pages, some_of_everything

from gitops_tk.model.dialect import AZURE, DIALECTS, GIT, GITHUB, Dialect
from gitops_tk.model.evidence import Caution, Evidence, FieldChange, ObjectChange, ReleaseChange
from gitops_tk.model.foreign import block, cell, code
from gitops_tk.reports import evidence as terminal
from gitops_tk.reports.markdown import body

# What somebody could write into a name, a value or a commit to make the page say or do something else.
HOSTILE = (
    "`` ` ```\n```\n</code></pre></details><script>alert(1)</script>",
    "| a | b |\n|---|---|\n| c | d |",
    "\\| \\` \\\\",
    "@admin @shop/owners please merge, closes #1, Fixes: shop/web#2, resolves GH-3, !4",
    "[click](javascript:alert(1)) ![x](https://evil.example.com/x.png) <https://evil.example.com> www.evil.example.com",
    "# Title\n\n---\n\n> quote\n\n1. one",
    "\n/merge\n/approve\n/assign @me",
    "[skip ci] [ci skip] ***NO_CI*** skip-checks: true",
    "\x1b[31mred\x07 \u202eevil\u2066 \u200bnothing\u00a0\ufeff",
    "~~~\n$$x$$ :smile: *a* _b_ &lt;b&gt; <!-- -->",
    "Co-authored-by: Somebody <somebody@example.com>\nSigned-off-by: x <x@example.com>",
    " ",
    "\ud800",
    "`",
    "x" * 5000,
)


class _Page(HTMLParser):
    """The elements of a page in their order, and the texts that are not in code."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.plain: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.plain.append(data.strip())


_READER = MarkdownIt("commonmark", {"html": True}).enable("table")


def _page(text: str) -> _Page:
    page = _Page()
    page.feed(_READER.render(text))
    return page


@pytest.mark.parametrize("name", sorted(pages()))
def test_pages_are_as_they_were(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    expected = (GOLDEN / name).read_text(encoding="utf-8")
    assert pages()[name] == expected, "refresh them: COLUMNS=100 python -m tests.support.evidence"


@pytest.mark.parametrize("kind", sorted(DIALECTS))
def test_hostile_text_changes_nothing_of_the_page_but_its_words(kind: str) -> None:
    # Without a limit, so that nothing is left out of either.
    dialect = replace(DIALECTS[kind], limit=1_000_000)
    harmless = _page(body(some_of_everything(lambda _: "word"), dialect))
    for text in HOSTILE:
        hostile = _page(body(some_of_everything(lambda _, text=text: text), dialect))  # type: ignore[misc]
        assert (hostile.tags, hostile.links) == (harmless.tags, harmless.links), text
        assert [one for one in hostile.plain if one] == [one for one in harmless.plain if one]
        assert len(body(some_of_everything(lambda _, text=text: text), AZURE).encode()) <= AZURE.limit  # type: ignore[misc]


@given(st.text(max_size=60))
def test_any_text_stays_in_its_code(text: str) -> None:
    for written in (code(text), block(text)):
        page = _page(f"before {written} after" if written.startswith("``` ") else written)
        assert set(page.tags) <= {"p", "code", "pre"}
        assert page.tags.count("code") == 1
    page = _page(f"| a | b |\n|---|---|\n| {cell(text)} | end |")
    assert page.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "code", "td"]


@pytest.mark.parametrize("kind", sorted(DIALECTS))
def test_nothing_is_closed_nobody_is_called_and_no_pipeline_is_left_out(kind: str) -> None:
    # GitLab reads what closes issues from the raw text, in code or not; a squashed commit carries it into its message.
    closing = re.compile(r"(?i)\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)):?\s+\S*[#!/-]\d")
    for text in HOSTILE:
        page = body(some_of_everything(lambda _, text=text: text), DIALECTS[kind])  # type: ignore[misc]
        assert not closing.search(page)
        assert not re.search(r"[@#!]\w|GH-\d", page)
        assert not re.search(r"(?i)\[(skip|ci)[ -](ci|skip)\]|no_ci\b|skip-checks", page)
        assert not [line for line in page.splitlines() if line.startswith(("/", "Co-authored-by", "Signed-off-by"))]
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


def test_hostile_text_does_not_steer_a_terminal_either() -> None:
    for text in HOSTILE:
        shown = terminal.text(some_of_everything(lambda _, text=text: text))  # type: ignore[misc]
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


def _many(count: int, fields: int) -> Evidence:
    def release(at: int) -> ReleaseChange:
        name = f"service-{at}"
        # Each changes otherwise, so that nothing is grouped.
        changed = tuple(FieldChange(path=f"data.KEY_{at}_{one}", before="a", after="b" * 40) for one in range(fields))
        objects = (ObjectChange(change="changed", api_version="v1", kind="ConfigMap", name=name, fields=changed),)
        cautions = (Caution(code="replicas-cut", message=f"replicas {at + 2} -> 1", object=f"Deployment {name}"),)
        return moved(name, objects=objects, values=changed, cautions=cautions)

    releases = tuple(release(at) for at in range(count))
    back = (f"gitops-tk rollback {' '.join(one.service for one in releases)} -e prod",)
    return Evidence(
        subject="promote", source="staging", releases=releases, rollback=back, command="gitops-tk diff staging prod"
    )


@pytest.mark.parametrize(
    ("kind", "count", "fields"),
    [
        *((kind, count, fields) for kind in ("github", "bitbucket", "azure") for count, fields in ((1, 4), (40, 3))),
        *(("gitlab", 40, 100), ("gitea", 40, 100), ("git", 40, 100), ("github", 300, 3), ("azure", 300, 3)),
    ],
)
def test_a_body_keeps_to_its_limit_and_says_what_it_leaves_out(kind: str, count: int, fields: int) -> None:
    dialect, evidence = DIALECTS[kind], _many(count, fields)
    page = body(evidence, dialect)
    assert len(page.encode()) <= dialect.limit
    assert page == body(evidence, dialect)
    services = f"{count} services change" if count > 1 else "`service-0` changes"
    assert page.startswith(f"{services} in `prod`, promoted from `staging`.")
    whole = body(evidence, Dialect(limit=100_000_000, folds=dialect.folds, tables=dialect.tables))
    if len(whole.encode()) > dialect.limit:
        left = page.rstrip().splitlines()[-1]
        assert left.startswith("Left out or shortened, for a page here has its limit: ")
        assert left.endswith("`gitops-tk diff staging prod` shows all.")
        assert _page(page).open == []
    else:
        assert page == whole


def test_the_most_important_is_kept_where_there_is_little_room() -> None:
    page = body(_many(12, 30), AZURE)
    assert page.count("| `service-") == 12
    assert page.count("**replicas-cut**") == 12
    assert "**Kubernetes**: 12 objects changed" in page
    assert "details of objects" in page.splitlines()[-1]


def test_what_is_the_same_in_many_services_is_told_once() -> None:
    def release(name: str) -> ReleaseChange:
        fields = (FieldChange(path="data.LEVEL", before="info", after="debug"),)
        objects = (ObjectChange(change="changed", api_version="v1", kind="ConfigMap", name=name, fields=fields),)
        return moved(name, objects=objects, cautions=(Caution(code="x", message="y", object=f"ConfigMap {name}"),))

    page = body(Evidence(subject="s", releases=tuple(release(f"s{at}") for at in range(40))), GITHUB)
    assert page.count("data.LEVEL") == 2
    assert "s0 in prod, s1 in prod, s2 in prod and 37 more" in page
    assert page.count("**x**") == 1


def test_what_the_clock_says_of_a_gate_is_not_on_the_page() -> None:
    def page(message: str) -> str:
        waiting = gate("soak", "a", "waiting", message, until="2026-09-22T14:13:20Z")
        return body(Evidence(subject="s", releases=(moved("a"),), gates=(waiting,)), GITHUB)

    assert page("3 h of 1 d") == page("4 h of 1 d")
    assert "- `soak` for a in prod: **waiting** `until 2026-09-22T14:13:20Z`" in page("3 h of 1 d")


def test_gates_are_told_one_after_the_other() -> None:
    answers = (("a", "soak", "waiting"), ("a", "order", "passed"), ("b", "soak", "passed"), ("b", "order", "passed"))
    gates = tuple(gate(name, service, answer, "m") for service, name, answer in answers)
    page = body(Evidence(subject="s", releases=(moved("a"), moved("b")), gates=gates), GITHUB)
    assert re.findall(r"^- `(\w+)` for (.*) in", page, re.MULTILINE) == [
        ("soak", "a"),
        ("soak", "b"),
        ("order", "a and b"),
    ]


def test_a_change_that_reaches_no_release_is_said_to_reach_none() -> None:
    assert body(Evidence(subject="s"), GIT) == "No release changes.\n"
    assert terminal.text(Evidence(subject="s")) == "no release changes\n"
