"""Where in a template a key stands, and charts whose renders differ."""

import pytest

from gitops_tk.charts.again import at_another_moment, may_differ
from gitops_tk.charts.lines import line_of
from gitops_tk.charts.rules.objects import Path

_TEMPLATE = """{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  {{- if .Values.fixed }}
  replicas: 1
  {{- else }}
  replicas: 2
  {{- end }}
  template:
    spec:
      containers:
      - name: web
        image: {{ .Values.image }}
        ports:
          - containerPort: 80
          - containerPort: 81
        {{- with .Values.resources }}
        resources: {{- toYaml . | nindent 10 }}
        {{- end }}
---
kind: Service
spec:
  "type": ClusterIP
{{- end }}
"""
_CONTAINER: Path = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("kind", "path", "line"),
    [
        ("Deployment", (*_CONTAINER, "image"), 16),
        ("Deployment", (*_CONTAINER, "name"), 15),
        ("Deployment", (*_CONTAINER, "resources", "limits", "memory"), 21),
        ("Deployment", (*_CONTAINER, "ports", 1, "containerPort"), 17),
        ("Deployment", ("metadata", "name"), 5),
        ("Deployment", ("spec", "replicas"), 6),
        ("Deployment", ("status",), None),
        ("Deployment", (), None),
        ("Service", ("spec", "type"), 26),
        ("Service", ("spec", "image"), 25),
        ("Ingress", ("spec",), None),
    ],
)
def test_a_line_is_told_where_the_text_leaves_no_doubt(kind: str, path: Path, line: int | None) -> None:
    assert line_of(_TEMPLATE, kind, path) == line


@pytest.mark.parametrize(
    ("template", "differs"),
    [
        (b"a: {{ randAlphaNum 8 }}", True),
        (b'a: {{ now | date "2006" }}', True),
        (b"a: {{ uuidv4 }}", True),
        (b"a: {{ .Values.known }}", False),
    ],
)
def test_a_chart_that_may_differ_is_told_by_its_functions(template: bytes, differs: bool) -> None:
    assert may_differ({"templates/a.yaml": template, "values.yaml": b"a: now"}) is differs


def test_only_the_function_now_becomes_another_moment() -> None:
    text = (
        b'{{ now }} now {{ "now" }} {{ .Values.now }} {{ $now }} {{/* now */}} {{ nowhere }} {{ (now) | date "2006" }}'
    )
    moved = at_another_moment({"templates/a.yaml": text, "README.md": text})
    time = b'(toDate "2006-01-02T15:04:05Z07:00" "2001-02-03T04:05:06Z")'
    assert moved["README.md"] == text
    assert moved["templates/a.yaml"] == text.replace(b"{{ now }}", b"{{ " + time + b" }}").replace(
        b"(now)", b"(" + time + b")"
    )
