"""What stands around the pods: how they are reached, what they may reach, and what runs beside them."""

from pathlib import Path
from typing import Any

import pytest
from tests.support import charts

from gitops_tk.charts.engine import laid_out

_HOSTS = [{"host": "user.example.com", "paths": [{"path": "/api", "pathType": "Prefix"}]}]
_GATEWAY = [{"name": "public", "namespace": "gateways"}]


def test_the_service_leads_to_ports_by_name() -> None:
    spec = charts.objects("http", {"ports": {"grpc": {"enabled": True}}}).one("Service")["spec"]
    assert (spec["type"], spec["internalTrafficPolicy"]) == ("ClusterIP", "Cluster")
    assert {one["name"]: (one["port"], one["targetPort"]) for one in spec["ports"]} == {
        "http": (80, "http"),
        "grpc": (50051, "grpc"),
        "metrics": (9090, "metrics"),
    }


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_metrics_are_never_open_to_the_outside(kind: str) -> None:
    services = charts.objects("http", {"service": {"type": kind}}).named("Service")
    outside, inside = services["user-service"]["spec"], services["user-service-metrics"]["spec"]
    assert [port["name"] for port in outside["ports"]] == ["http"]
    assert (inside["type"], [port["name"] for port in inside["ports"]]) == ("ClusterIP", ["metrics"])


def test_ingress_sends_hosts_and_paths_to_a_port_by_name_and_takes_tls() -> None:
    tls = [{"secretName": "user-tls", "hosts": ["user.example.com"]}]
    rewrite = {"nginx.ingress.kubernetes.io/rewrite-target": "/$2"}
    values = {"ingress": {"enabled": True, "className": "nginx", "hosts": _HOSTS, "tls": tls, "annotations": rewrite}}
    ingress = charts.objects("http", values).one("Ingress")
    assert (ingress["spec"]["ingressClassName"], ingress["spec"]["tls"]) == ("nginx", tls)
    (rule,) = ingress["spec"]["rules"]
    backend = {"service": {"name": "user-service", "port": {"name": "http"}}}
    assert rule["http"]["paths"] == [{"path": "/api", "pathType": "Prefix", "backend": backend}]
    assert ingress["metadata"]["annotations"] == rewrite


@pytest.mark.parametrize(("key", "kind", "port"), [("httpRoute", "HTTPRoute", 80), ("grpcRoute", "GRPCRoute", 50051)])
def test_a_route_without_backends_leads_to_the_service(key: str, kind: str, port: int) -> None:
    other = {"backendRefs": [{"name": "other", "port": 1}]}
    values = {"enabled": True, "parentRefs": _GATEWAY, "hostnames": ["a.example.com"], "rules": [{}, other]}
    spec = charts.objects("http", {key: values, "ports": {"grpc": {"enabled": True}}}).one(kind)["spec"]
    assert spec == {
        "parentRefs": _GATEWAY,
        "hostnames": ["a.example.com"],
        "rules": [{"backendRefs": [{"name": "user-service", "port": port}]}, other],
    }


def test_hosts_that_were_asked_for_are_those_of_the_ingress_and_the_routes() -> None:
    values = charts.released("http", "dev", hosts=("a.example.com",))
    assert values["ingress"]["enabled"] is True
    assert values["ingress"]["hosts"][0]["host"] == "a.example.com"
    assert values["httpRoute"]["hostnames"] == values["grpcRoute"]["hostnames"] == ["a.example.com"]


def test_a_network_policy_opens_ports_names_and_what_is_listed() -> None:
    database = {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"port": 5432, "protocol": "TCP"}]}
    monitoring = [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]
    values = {"networkPolicy": {"enabled": True, "egress": [database], "metricsFrom": monitoring}}
    spec = charts.objects("http", values).one("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"] == [
        {"ports": [{"port": "http", "protocol": "TCP"}]},
        {"ports": [{"port": "metrics", "protocol": "TCP"}], "from": monitoring},
    ]
    names = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    assert spec["egress"] == [names, database]


def _selects(selector: dict[str, str], pod: dict[str, Any]) -> bool:
    return bool(selector.items() <= pod["metadata"]["labels"].items())


def test_a_migration_runs_before_the_deployment_with_its_settings_and_no_selector_finds_it() -> None:
    values = {"migration": {"enabled": True}, "config": {"data": {"A": "1"}}, "networkPolicy": {"enabled": True}}
    found = charts.objects("http", values)
    job = found.one("Job")
    waves = "argocd.argoproj.io/sync-wave"
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        waves: "-5",
    }
    for kind in ("ConfigMap", "ServiceAccount", "NetworkPolicy"):
        assert found.one(kind)["metadata"]["annotations"][waves] == "-10"
    assert waves not in found.workload["metadata"].get("annotations", {})
    template = job["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert (container["args"], container["envFrom"]) == (["migrate"], found.container["envFrom"])
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (1, 600)
    assert not _selects(found.one("Service")["spec"]["selector"], template)
    assert not _selects(found.workload["spec"]["selector"]["matchLabels"], template)
    (names,) = found.one("NetworkPolicy")["spec"]["podSelector"]["matchExpressions"]
    assert template["metadata"]["labels"]["app.kubernetes.io/name"] in names["values"]


@pytest.mark.parametrize(
    ("profile", "url"), [("http", "http://user-service:80/ready"), ("grpc", "grpc://user-service:50051")]
)
def test_helm_test_asks_the_service_with_the_images_own_program(profile: str, url: str) -> None:
    found = charts.objects(profile)
    pod = found.one("Pod")
    (container,) = pod["spec"]["containers"]
    assert container["args"] == ["healthcheck", url]
    assert container["image"] == found.container["image"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert not _selects(found.one("Service")["spec"]["selector"], pod)


def test_an_extra_object_is_literal_as_a_map_and_a_template_as_a_string() -> None:
    alert = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "{{ $labels.pod }}"}}
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-b\n"
    maps = charts.objects("http", {"extraObjects": [alert, text]}).named("ConfigMap")
    assert maps["a"] == alert
    assert "user-service-b" in maps


def test_a_role_is_bound_to_the_services_own_account() -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    found = charts.objects("http", {"rbac": {"enabled": True, "rules": [rule]}})
    assert found.one("Role")["rules"] == [rule]
    assert found.one("RoleBinding")["subjects"] == [
        {"kind": "ServiceAccount", "name": "user-service", "namespace": "shop"}
    ]


def test_made_secrets_hold_what_was_given_and_their_type() -> None:
    create = [{"name": "tls", "type": "kubernetes.io/tls", "data": {"tls.crt": "a", "tls.key": "b"}}]
    secret = charts.objects("http", {"secrets": {"create": create}}).one("Secret")
    assert (secret["type"], secret["data"]) == ("kubernetes.io/tls", {"tls.crt": "YQ==", "tls.key": "Yg=="})


@pytest.mark.parametrize(
    ("profile", "values", "said"),
    [
        ("http", {}, "port-forward service/user-service 8080:80"),
        ("http", {"ingress": {"enabled": True, "hosts": _HOSTS}}, "http://user.example.com"),
        ("http", {"service": {"type": "LoadBalancer"}}, ".status.loadBalancer"),
        ("http", {"service": {"type": "NodePort"}}, ".nodePort"),
        ("http", {"httpRoute": {"enabled": True, "parentRefs": _GATEWAY, "hostnames": ["a.b"]}}, "a.b, through the"),
        ("grpc", {}, "port-forward service/user-service 9090:50051"),
        ("worker", {}, "rollout status deployment/user-service"),
        ("cronjob", {}, "create job --from=cronjob/user-service"),
        ("worker", {}, "git revert"),
        ("http", {"secrets": {"create": [{"name": "a", "type": "Opaque", "data": {}}]}}, "WARNING: secrets.create"),
    ],
)
def test_the_notes_say_where_it_answers_and_how_to_look_and_go_back(
    profile: str, values: dict[str, Any], said: str, tmp_path: Path
) -> None:
    import helm_python

    with laid_out(charts.files(profile), "chart") as folder:
        loaded = helm_python.Chart.load(str(folder))
        rendered = loaded.render(values, name="user-service", namespace="shop")
    (notes,) = [text for name, text in rendered.items() if name.endswith("NOTES.txt")]
    assert said in notes


def test_names_can_be_replaced() -> None:
    named = charts.objects("http", {"nameOverride": "users"})
    assert named.workload["metadata"]["name"] == "user-service-users"
    assert named.container["name"] == "users"
    assert charts.objects("http", {"fullnameOverride": "people"}).workload["metadata"]["name"] == "people"
