"""The chart that a new service gets: valid everywhere, deterministic, and safe from what it is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_tk import resources
from gitops_tk.charts.answers import Answers
from gitops_tk.charts.engine import LoadedChart, find
from gitops_tk.charts.scaffold import scaffold
from gitops_tk.charts.skeleton import Skeleton, about
from gitops_tk.errors import ChartError, UsageError

_ANSWERS = Answers(service="user-service", image="registry.example.com:5000/shop/user-service")
_DIGEST = "sha256:" + "a" * 64


def _files(answers: Answers = _ANSWERS) -> dict[str, bytes]:
    return scaffold(Skeleton.in_folder(resources.folder("chart-skeleton")), answers)


@pytest.fixture(scope="module")
def chart() -> LoadedChart:
    return find({}).load(_files(), root="services/user-service/chart")


def _objects(chart: LoadedChart, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    text = chart.render(values, release="user-service", namespace="default")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_the_same_answers_give_the_same_bytes() -> None:
    assert _files() == _files()


@pytest.mark.parametrize(
    "answers",
    [
        {"service": "Bad"},
        {"service": "a" * 54},
        {"service": "kube-system"},
        {"image": "x/y:v1"},
        {"image": "x y"},
        {"image": "{{ .Values.x }}"},
        {"image": "https://x/y"},
        {"port": 0},
        {"port": 65536},
        {"hosts": ("a b",)},
        {"hosts": ("[[ 7*7 ]].example.com",)},
        {"owner": "me\nroot: true"},
        {"owner": "[[ service ]]"},
        {"owner": '"'},
        {"profile": "lambda"},
        {"vars": {"nope": "x"}},
        {"profile": "worker", "hosts": ("a.example.com",)},
        {"profile": "cronjob", "hosts": ("a.example.com",)},
        {"vars": {"team-label": "{{ 1 }}"}},
    ],
)
def test_hostile_or_wrong_answers_are_refused(answers: dict[str, Any]) -> None:
    given = Answers(**{"service": "a", "image": "x/y", **answers})

    def scaffolded() -> None:
        given.check()
        _files(given)

    with pytest.raises(UsageError):
        scaffolded()


def test_helms_own_braces_stay_and_no_delimiter_of_the_skeleton_is_left() -> None:
    files = _files()
    assert b"{{- include" in files["templates/deployment.yaml"]
    for path, data in files.items():
        assert b"[[" not in data, path
        assert b"[%" not in data, path


def test_a_skeleton_cannot_run_code_follow_links_or_use_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    about = "version: '1'\nprofiles: {http: x}\ntemplated: [chart/a.yaml]\n"
    (tmp_path / "skeleton.yaml").write_text(about)
    for text in (
        "[[ unknown ]]",
        "[[ ''.__class__.__mro__[1].__subclasses__() ]]",
        "[% include '/etc/passwd' %]",
        "[[ ",
    ):
        (tmp_path / "chart/a.yaml").write_text(text)
        with pytest.raises(ChartError):
            scaffold(Skeleton.in_folder(tmp_path), _ANSWERS)
    (tmp_path / "chart/a.yaml").write_text("fine")
    (tmp_path / "chart/link").symlink_to("/etc/passwd")
    with pytest.raises(ChartError):
        scaffold(Skeleton.in_folder(tmp_path), _ANSWERS)


_ABOUT = b"version: '1'\nprofiles: {http: x}\ntemplated: ['chart/*']\n"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"chart/../../x": b""}, "chart/../../x"),
        ({"chart/./x": b""}, "chart/./x"),
        ({"/chart/x": b""}, "/chart/x"),
        ({"chart/.Git/hooks/pre-commit": b""}, "chart/.Git/hooks/pre-commit"),
        ({"chart/\x1b[2J": b""}, "chart/\x1b[2J"),
        ({"chart/latin-1": b"\xe9"}, "chart/latin-1"),
        ({"chart/half": b'[[ "\\ud800" ]]'}, "chart/half"),
        ({"skeleton.yaml": b"\xe9"}, "skeleton.yaml"),
        ({"skeleton.yaml": b"version: ["}, "skeleton.yaml"),
        ({"skeleton.yaml": b"[" * 3000}, "skeleton.yaml"),
        ({"skeleton.yaml": _ABOUT + b"runs: rm\n"}, "skeleton.yaml"),
        ({"skeleton.yaml": b"profiles: {http: x}\n"}, "skeleton.yaml"),
    ],
)
def test_a_skeleton_that_cannot_be_one_is_told_with_its_file(files: dict[str, bytes], place: str) -> None:
    with pytest.raises(ChartError) as refused:
        Skeleton({"skeleton.yaml": _ABOUT, **files}).render("chart", "http", {})
    assert (refused.value.code, refused.value.file) == ("skeleton", place)


def test_a_folder_without_a_description_is_no_skeleton(tmp_path: Path) -> None:
    with pytest.raises(ChartError) as refused:
        Skeleton.in_folder(tmp_path)
    assert (refused.value.code, refused.value.file) == ("skeleton", "skeleton.yaml")


def test_a_teams_templates_are_filled_in_without_what_lies_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit('imported from where it was run')")
    monkeypatch.chdir(tmp_path)
    files = {"skeleton.yaml": _ABOUT, "chart/a": b"[[ name ]]", "chart/b/c": b"[[ name ]]", "app/a": b"[[ name ]]"}
    assert Skeleton(files).render("chart", "http", {"name": "x"}) == {"a": b"x", "b/c": b"x"}
    assert Skeleton(files).render("app", "http", {"name": "x"}) == {"a": b"[[ name ]]"}


@pytest.mark.parametrize(
    "template", ["[% for a in range(99999) %][% for b in range(99999) %][% endfor %][% endfor %]", "[[ 'x' * 10**11 ]]"]
)
def test_a_template_that_never_ends_or_wants_all_memory_ends_alone(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitops_tk.charts.skeleton._SECONDS", 1.0)
    skeleton = Skeleton({"skeleton.yaml": _ABOUT, "chart/a": template.encode()})
    with pytest.raises(ChartError) as refused:
        skeleton.render("chart", "http", {})
    assert refused.value.code == "skeleton"


@pytest.mark.parametrize(
    "text",
    [
        *(b"[]", b"", b"\xff", b"a: [", b"[" * 200_000, b"version: !!bool maybe\n", b"version: !!timestamp now\n"),
        *(b"version: &a [*a]\n", b"version: '1'\n---\nversion: '2'\n", b"version: '1'\nprofiles: {http: {}}\n"),
        b"version: '1'\nprofiles: {http: x}\nhooks: {after: rm}\n",
    ],
)
def test_a_skeleton_says_of_itself_what_can_be_read_or_is_refused(text: bytes) -> None:
    with pytest.raises(ChartError) as refused:
        about({"skeleton.yaml": text})
    assert refused.value.code == "skeleton"
