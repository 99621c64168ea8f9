"""The four profiles in every environment: valid, the same for Helm 3 and Helm 4, and each with what it is for."""

import json
from typing import Any

import pytest
import yaml
from tests.support import charts, helm3
from tests.support.charts import ENVIRONMENTS, PROFILES


@pytest.mark.parametrize("name", helm3.CASES)
def test_helm_4_prints_what_helm_3_prints(name: str) -> None:
    profile, values = helm3.release(name)
    text = charts.chart(profile).render(values, release="user-service", namespace="shop")
    assert text == (helm3.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"see {helm3.__file__} to refresh it"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_profile_is_valid_in_every_environment(profile: str, environment: str) -> None:
    values = charts.released(profile, environment)
    assert charts.chart(profile).schema_findings(values) == []
    found = charts.objects(profile, values)
    assert charts.faults(found.text) == []
    assert found.workload["kind"] == ("CronJob" if profile == "cronjob" else "Deployment")


def test_what_helm_3_printed_is_there_for_each_case_and_no_other() -> None:
    assert {path.stem for path in helm3.FOLDER.iterdir()} == set(helm3.CASES)


def test_dev_runs_one_pod_that_logs_everything() -> None:
    found = charts.objects("http", charts.released("http", "dev"))
    assert found.workload["spec"]["replicas"] == 1
    assert found.one("ConfigMap")["data"] == {"ENV": "dev", "LOG_LEVEL": "debug"}
    assert not {"HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"} & {one["kind"] for one in found.all}


@pytest.mark.parametrize(("environment", "fewest", "most"), [("staging", 2, 4), ("prod", 3, 10)])
def test_staging_and_prod_scale_spread_and_are_cut_off(environment: str, fewest: int, most: int) -> None:
    found = charts.objects("http", charts.released("http", environment))
    hpa = found.one("HorizontalPodAutoscaler")["spec"]
    assert (hpa["minReplicas"], hpa["maxReplicas"]) == (fewest, most)
    assert found.one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "NetworkPolicy" in found
    assert len(found.pod["topologySpreadConstraints"]) == 2
    assert found.one("ConfigMap")["data"]["ENV"] == environment


def test_grpc_speaks_http2_without_tls_and_is_probed_by_grpc() -> None:
    found = charts.objects("grpc")
    assert [(port["name"], port["appProtocol"]) for port in found.one("Service")["spec"]["ports"]] == [
        ("grpc", "kubernetes.io/h2c"),
        ("metrics", "http"),
    ]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert found.container[probe]["grpc"]["port"] == 8080
    assert (found.env["GRPC_PORT"], "PORT" in found.env) == ("8080", False)


def test_grpc_may_have_an_http_port_beside_it() -> None:
    found = charts.objects("grpc", {"ports": {"http": {"enabled": True}}})
    assert [port["name"] for port in found.one("Service")["spec"]["ports"]] == ["grpc", "http", "metrics"]
    assert (found.env["GRPC_PORT"], found.env["PORT"]) == ("8080", "8081")


def test_a_worker_has_no_service_but_probes_and_a_pod_monitor() -> None:
    found = charts.objects("worker", {"podMonitor": {"enabled": True}})
    kinds = {one["kind"] for one in found.all}
    assert kinds == {"ServiceAccount", "Deployment", "PodMonitor"}
    assert found.container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert found.one("PodMonitor")["spec"]["podMetricsEndpoints"][0]["port"] == "metrics"


def test_a_cronjob_runs_once_at_a_time_and_ends() -> None:
    found = charts.objects("cronjob")
    spec = found.workload["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 3 * * *", "Etc/UTC", "Forbid")
    assert (spec["startingDeadlineSeconds"], spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]) == (300, 3600)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 3)
    assert (spec["jobTemplate"]["spec"]["backoffLimit"], found.pod["restartPolicy"]) == (2, "Never")
    assert not {"ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"} & found.container.keys()


def test_the_name_of_a_cronjob_leaves_room_for_that_of_its_jobs() -> None:
    text = charts.chart("cronjob").render({}, release="a" * 53, namespace="shop")
    assert len(charts.Objects(text).workload["metadata"]["name"]) <= 52


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_knows_the_keys_of_all_so_that_environments_can_share_values(profile: str) -> None:
    known = [json.loads(charts.files(one)["values.schema.json"])["properties"].keys() for one in PROFILES]
    assert all(keys == known[0] for keys in known)
    shared = {"ingress": {"className": "traefik"}, "cronJob": {"suspend": False}, "podMonitor": {"interval": "10s"}}
    assert charts.chart(profile).schema_findings(shared) == []
    assert charts.objects(profile, shared).all == charts.objects(profile).all


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("port", [8080, 8081, 9090, 50051])
def test_no_two_ports_are_the_same(profile: str, port: int) -> None:
    ports = yaml.safe_load(charts.files(profile, port=port)["values.yaml"]).get("ports", {})
    for key in ("port", "servicePort"):
        taken = [one[key] for one in ports.values() if key in one]
        assert len(set(taken)) == len(taken)
    assert profile == "cronjob" or port in [one["port"] for one in ports.values()]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_key_is_described_in_the_schema_and_every_value_is_in_it(profile: str) -> None:
    schema = json.loads(charts.files(profile)["values.schema.json"])
    values = yaml.safe_load(charts.files(profile)["values.yaml"])

    def check(rule: dict[str, Any], given: Any, at: str) -> None:
        if "$ref" in rule:
            rule = schema["definitions"][rule["$ref"].rpartition("/")[2]]
        for name, below in rule.get("properties", {}).items():
            assert below.get("description"), f"{at}.{name}"
            check(below, given.get(name) if isinstance(given, dict) else None, f"{at}.{name}")
        if rule.get("additionalProperties") is False and isinstance(given, dict):
            assert given.keys() <= rule["properties"].keys(), at
        if isinstance(rule.get("items"), dict):
            check(rule["items"], None, f"{at}[]")

    check(schema, values, "values")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_value_has_a_comment(profile: str) -> None:
    text = charts.files(profile)["values.yaml"].decode()
    node = yaml.compose(text)
    lines = text.splitlines()

    def check(mapping: yaml.MappingNode, at: str) -> None:
        for key, value in mapping.value:
            above = key.start_mark.line - 1
            while lines[above].lstrip().startswith("#") and not lines[above].lstrip().startswith("# -- "):
                above -= 1
            if not lines[above].lstrip().startswith("# -- "):
                assert isinstance(value, yaml.MappingNode), f"{at}{key.value}"
                check(value, f"{at}{key.value}.")

    check(node, "")
