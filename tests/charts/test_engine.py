"""The Helm engines: what they print is what `helm template` prints."""

import os
import resource
from pathlib import Path
from typing import Any

import pytest
from tests.support import engines

from gitops_tk import process
from gitops_tk.charts import embedded, engine
from gitops_tk.charts.dependencies import complete
from gitops_tk.charts.engine import Engine
from gitops_tk.errors import ChartError, ToolMissing, UsageError
from gitops_tk.values.document import Document
from gitops_tk.values.merge import merge

_GOLDEN = Path(__file__).parent / "golden"
_CHART = {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\n"}


@pytest.fixture(params=engines.NAMES)
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return engines.find(request.param, tmp_path)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_manifests_are_byte_for_byte_those_of_helm(found: Engine) -> None:
    # golden/expected.yaml was printed by Helm 3.10.1 itself:
    # helm template rel chart -f values.yaml -n ns --kube-version 1.34.0 --api-versions monitoring.coreos.com/v1
    files = _files(_GOLDEN / "chart")
    own = Document.read((_GOLDEN / "values.yaml").read_bytes(), "values.yaml")
    merged = merge([own], Document.read(files["values.yaml"], "chart"))
    assert "gone" not in merged.data["nested"]
    text = found.load(files, root="charts/golden").render(
        own.data,
        release="rel",
        namespace="ns",
        kube_version="1.34.0",
        api_versions=["monitoring.coreos.com/v1"],
    )
    assert text == (_GOLDEN / "expected.yaml").read_text()


@pytest.mark.parametrize(
    ("chart", "files", "expected"),
    [
        ({}, [{"a": None}], {}),
        ({"a": 1}, [{"a": None}], {}),
        ({"a": {"b": 1, "c": 2}}, [{"a": {"b": None}}], {"a": {"c": 2}}),
        ({"a": {"b": 1}}, [{"a": None}, {"a": {"c": 2}}], {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, [{"a": {"b": 2}}, {"a": None}], {}),
        ({"a": [1, 2]}, [{"a": [3]}], {"a": [3]}),
        ({"a": {"b": 1}}, [{"a": [1]}], {"a": [1]}),
        ({"a": [1]}, [{"a": {"b": 1}}], {"a": {"b": 1}}),
        ({"a": None}, [{}], {"a": None}),
        ({"a": 1}, [{"a": {"b": 2}}, {"a": {"c": 3}}], {"a": {"b": 2, "c": 3}}),
        ({"x": {}}, [{"x": {"y": {"z": 1}}}, {"x": {"y": {"z": None}}}], {"x": {"y": {"z": None}}}),
        ({"a": {"b": {"c": 1}}}, [{"a": {"b": {}}}], {"a": {"b": {"c": 1}}}),
    ],
)
def test_layers_are_merged_exactly_as_helm_merges_them(
    chart: dict[str, Any], files: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    import json

    import yaml

    documents = [Document.read(json.dumps(one).encode(), "f") for one in files]
    merged = merge(documents, Document.read(json.dumps(chart).encode(), "c")).data
    template = b"apiVersion: v1\nkind: A\nmetadata: {name: a}\nvalues: {{ .Values | toJson }}\n"
    files_of = {**_CHART, "values.yaml": json.dumps(chart).encode(), "templates/a.yaml": template}
    over: dict[str, Any] = merge(documents).data
    loaded = engine.find({"GITOPS_TK_HELM": "embedded"}).load(files_of, root="c")
    helms = yaml.safe_load(loaded.render(over, release="r", namespace="n"))["values"]
    # A null that nothing below needs taking away is told apart from an absent key by nobody.
    assert _without_nulls(merged) == _without_nulls(helms) == _without_nulls(expected)


def test_the_merged_values_render_like_the_layers(found: Engine) -> None:
    files = _files(_GOLDEN / "chart")
    own = Document.read((_GOLDEN / "values.yaml").read_bytes(), "values.yaml")
    chart = found.load(files, root="c")
    layered = chart.render(own.data, release="r", namespace="n")
    assert chart.render(own.data, release="r", namespace="n") == layered


@pytest.mark.parametrize(
    ("files", "code", "file", "line"),
    [
        ({"templates/a.yaml": b"a: {{ .Values.x.y.z }}\n"}, "render", "c/templates/a.yaml", 1),
        ({"templates/a.yaml": b'\n{{ required "need it" .Values.x }}\n'}, "render", "c/templates/a.yaml", 2),
        ({"templates/a.yaml": b'{{ include "no" . }}\n'}, "render", "c/templates/a.yaml", 1),
        ({"templates/a.yaml": b"kind: [\n"}, "manifest-yaml", "c/templates/a.yaml", None),
        ({"templates/a.yaml": b'{{ repeat 200000 "[" }}'}, "manifest-yaml", "c/templates/a.yaml", None),
        (
            {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\nkubeVersion: '<1.2.0'\n"},
            "kube-version",
            "c/Chart.yaml",
            None,
        ),
        (
            {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\nkubeVersion: no range\n"},
            "kube-version",
            "c/Chart.yaml",
            None,
        ),
        (
            {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\ntype: library\n"},
            "library-chart",
            "c/Chart.yaml",
            None,
        ),
        (
            {"values.schema.json": b'{"required": ["x"]}'},
            "values-schema",
            "c/values.schema.json",
            None,
        ),
    ],
)
def test_what_cannot_be_rendered_is_told_with_its_place(
    files: dict[str, bytes], code: str, file: str, line: int | None
) -> None:
    with pytest.raises(ChartError) as refused:
        engine.find({"GITOPS_TK_HELM": "embedded"}).load({**_CHART, **files}, root="c").render(
            {}, release="r", namespace="n"
        )
    assert (refused.value.code, refused.value.file, refused.value.line) == (code, file, line)


def test_an_executables_errors_are_told_with_their_place(tmp_path: Path) -> None:
    helm = engines.find("executable", tmp_path)
    with pytest.raises(ChartError) as refused:
        helm.load({**_CHART, "templates/a.yaml": b'\n{{ fail "no" }}\n'}, root="c").render(
            {}, release="r", namespace="n"
        )
    assert (refused.value.code, refused.value.line) == ("render", 2)
    chart = helm.load({**_CHART, "values.schema.json": b'{"required": ["x"]}'}, root="c")
    assert chart.schema_findings({})
    assert not chart.schema_findings({"x": 1})


@pytest.mark.parametrize(
    "template",
    [
        b'{{ repeat 2000000000 "xxxxxxxx" }}',
        b"{{ range until 200000000 }}{{ end }}",
        b'{{ define `a` }}{{ tpl `{{ include "a" . }}` . }}{{ end }}{{ include `a` . }}',
    ],
)
def test_a_chart_that_wants_all_memory_is_refused_and_the_next_one_rendered(template: bytes) -> None:
    helm = engine.find({"GITOPS_TK_HELM": "embedded"})
    good = helm.load({**_CHART, "templates/a.yaml": b"kind: A\n"}, root="c")
    good.render({}, release="r", namespace="n")
    running = embedded._worker._process
    assert running is not None
    assert resource.prlimit(running.pid, resource.RLIMIT_AS)[0] == engine.MEMORY
    # To fill all of it takes seconds: half a gigabyte more than it has now is a limit of the same kind.
    has = int(Path(f"/proc/{running.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(running.pid, resource.RLIMIT_AS, (has + 2**29, has + 2**29))
    with pytest.raises(ChartError) as refused:
        helm.load({**_CHART, "templates/a.yaml": template}, root="c").render({}, release="r", namespace="n")
    assert refused.value.code in ("chart-limit", "render")
    assert "kind: A" in good.render({}, release="r", namespace="n")


@pytest.mark.parametrize(
    ("said", "code", "line"),
    [
        (
            "runtime: goroutine stack exceeds limit\n\ngoroutine 1 [running]:\nmain()",
            "chart-limit",
            None,
        ),
        (
            "Error: chart requires kubeVersion: <1.2.0 which is incompatible with Kubernetes v1.25.0",
            "kube-version",
            None,
        ),
        ("Error: cannot load Chart.yaml: error unmarshaling JSON", "chart-load", None),
        ("Error: YAML parse error on a/templates/a.yaml: x", "manifest-yaml", None),
        ('Error: template: a/templates/a.yaml:3:5: executing "a/templates/a.yaml" at <.a.b>: x', "render", 3),
    ],
)
def test_what_a_helm_executable_says_gets_the_same_codes(
    said: str, code: str, line: int | None, tmp_path: Path
) -> None:
    # The words are those of Helm 3.10.1.
    program = tmp_path / "helm"
    program.write_text(
        f"#!/bin/sh\ncat >&2 <<'END'\n{said}\n\nUse --debug flag to render out invalid YAML\nEND\nexit 1\n"
    )
    program.chmod(0o755)
    helm = engine.find({**os.environ, "GITOPS_TK_HELM": str(program)})
    with pytest.raises(ChartError) as refused:
        helm.load(_CHART, root="c").render({}, release="r", namespace="n")
    assert (refused.value.code, refused.value.line) == (code, line)
    assert "goroutine" not in refused.value.message
    assert "--debug" not in refused.value.message


@pytest.mark.parametrize("path", ["../escape.yaml", "/etc/x", "a//b", "templates/../../x"])
def test_a_path_that_leaves_the_chart_is_refused(path: str, found: Engine) -> None:
    with pytest.raises(ChartError) as refused:
        found.load({**_CHART, path: b"x"}, root="c").render({}, release="r", namespace="n")
    assert refused.value.code == "chart-path"


@pytest.mark.parametrize("paths", [("b", "b/x"), ("b/x", "b"), ("b", "b/c/x"), ("x" * 300,), ("a\ud800",)])
def test_files_that_cannot_be_beside_each_other_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(ChartError) as refused, engine.laid_out(dict.fromkeys(paths, b"x"), "c"):
        pass
    assert refused.value.code == "chart-path"


@pytest.mark.parametrize(("release", "namespace"), [("Bad_Name", "n"), ("a" * 54, "n"), ("r", "../x"), ("-x", "n")])
def test_names_that_kubernetes_refuses_are_refused(release: str, namespace: str, found: Engine) -> None:
    with pytest.raises(UsageError):
        found.load(_CHART, root="c").render({}, release=release, namespace=namespace)


def test_what_is_no_chart_is_told() -> None:
    with pytest.raises(ChartError) as refused:
        engine.find({"GITOPS_TK_HELM": "embedded"}).load({"Chart.yaml": b"name: [\n"}, root="services/a/chart")
    assert refused.value.code == "chart-load"


@pytest.mark.parametrize(
    "more", ["appVersion: 2024-13-45", "x: =", "x: 1:99:00", "kubeVersion: '>=1.2.0-0'\nx: 2024-99-99"]
)
def test_a_chart_is_described_in_the_yaml_that_helm_reads(more: str, found: Engine) -> None:
    chart = {**_CHART, "Chart.yaml": _CHART["Chart.yaml"] + more.encode(), "templates/a.yaml": b"kind: A\n"}
    complete_one = complete(chart, "c", lambda _: None, lambda _: b"")
    assert "kind: A" in found.load(complete_one, root="c").render({}, release="r", namespace="n")


def test_there_may_be_no_engine() -> None:
    with pytest.raises(ToolMissing):
        engine.find({"GITOPS_TK_HELM": "no-such-program", "PATH": "/nowhere"})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return value


def test_an_engine_that_was_ended_from_outside_is_started_again() -> None:
    chart = {"Chart.yaml": b"apiVersion: v2\nname: a\nversion: 0.1.0\n", "templates/a.yaml": b"kind: {{ .Values.a }}\n"}
    loaded = engine.find({"GITOPS_TK_HELM": "embedded"}).load(chart, root="chart")
    assert "kind: one" in loaded.render({"a": "one"}, release="a", namespace="a")
    process.stop_all()
    assert "kind: two" in loaded.render({"a": "two"}, release="a", namespace="a")
    process.stop_all()
    again = engine.find({"GITOPS_TK_HELM": "embedded"}).load(chart, root="chart")
    assert "kind: three" in again.render({"a": "three"}, release="a", namespace="a")
