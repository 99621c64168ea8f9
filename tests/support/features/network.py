"""How the service is reached, and what it may reach."""

from typing import Any

from tests.support.charts import Objects
from tests.support.features.model import RUN, SERVE, Feature, switch

_PARENT = {"parentRefs": [{"name": "public", "namespace": "gateways"}], "hostnames": ["user.example.com"]}
_INGRESS = {
    "className": "traefik",
    "annotations": {"example.com/rewrite": "/$2"},
    "hosts": [{"host": "user.example.com", "paths": [{"path": "/api", "pathType": "Prefix"}]}],
    "tls": [{"secretName": "user-tls", "hosts": ["user.example.com"]}],
}
_NETWORK = {
    "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"port": 5432, "protocol": "TCP"}]}]
}
_PEERS = {
    "from": [{"podSelector": {}}],
    "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
}


def _ports(found: Objects) -> dict[str, int]:
    return {one["name"]: one["containerPort"] for one in found.container["ports"]}


def _service(found: Objects) -> dict[str, Any]:
    return dict(found.named("Service").get("user-service", {"spec": {}})["spec"])


NETWORKING = (
    Feature("service", *switch("service"), lambda found: "Service" in found, SERVE),
    Feature(
        "port-http", *switch("ports.http"), lambda found: "http" in _ports(found) and "PORT" in found.env, ("grpc",)
    ),
    Feature(
        "port-grpc",
        *switch("ports.grpc"),
        lambda found: "grpc" in _ports(found) and "GRPC_PORT" in found.env,
        ("http",),
    ),
    Feature(
        "port-metrics",
        *switch("ports.metrics"),
        lambda found: "metrics" in _ports(found) and "METRICS_PORT" in found.env,
        RUN,
    ),
    Feature(
        "node-port",
        {"service": {"type": "NodePort"}, "ports": {"http": {"nodePort": 30080}, "grpc": {"nodePort": 30090}}},
        {"service": {"type": "ClusterIP"}},
        lambda found: any("nodePort" in port for port in _service(found).get("ports", [])),
        SERVE,
        needs=("service",),
        against=("load-balancer", "headless-service"),
    ),
    Feature(
        "load-balancer",
        {
            "service": {
                "type": "LoadBalancer",
                "loadBalancerClass": "example.com/nlb",
                "loadBalancerSourceRanges": ["10.0.0.0/8"],
                "externalTrafficPolicy": "Local",
            }
        },
        {"service": {"type": "ClusterIP"}},
        lambda found: "loadBalancerSourceRanges" in _service(found) and "loadBalancerClass" in _service(found),
        SERVE,
        needs=("service",),
        against=("headless-service",),
    ),
    Feature(
        "headless-service",
        {"service": {"clusterIP": "None"}},
        {"service": {"clusterIP": ""}},
        lambda found: _service(found).get("clusterIP") == "None",
        SERVE,
        needs=("service",),
    ),
    Feature(
        "session-affinity",
        *switch("service.sessionAffinity"),
        lambda found: _service(found).get("sessionAffinity") == "ClientIP",
        SERVE,
        needs=("service",),
    ),
    Feature(
        "internal-traffic-policy",
        {"service": {"internalTrafficPolicy": "Local"}},
        {"service": {"internalTrafficPolicy": "Cluster"}},
        lambda found: _service(found).get("internalTrafficPolicy") == "Local",
        SERVE,
        needs=("service",),
    ),
    Feature(
        "service-spec",
        {"service": {"extraSpec": {"ipFamilyPolicy": "PreferDualStack"}, "annotations": {"example.com/dns": "a"}}},
        {},
        lambda found: "ipFamilyPolicy" in _service(found),
        SERVE,
        needs=("service",),
    ),
    Feature("ingress", *switch("ingress", **_INGRESS), lambda found: "Ingress" in found, SERVE, needs=("service",)),
    Feature(
        "http-route",
        *switch("httpRoute", **_PARENT),
        lambda found: "HTTPRoute" in found,
        SERVE,
        needs=("service", "port-http"),
    ),
    Feature(
        "grpc-route",
        *switch("grpcRoute", **_PARENT),
        lambda found: "GRPCRoute" in found,
        SERVE,
        needs=("service", "port-grpc"),
    ),
    Feature("network-policy", *switch("networkPolicy", **_NETWORK), lambda found: "NetworkPolicy" in found),
    Feature(
        "network-policy-peers",
        {"networkPolicy": _PEERS},
        {},
        lambda found: (
            "from" in str(found.named("NetworkPolicy").get("user-service", {}).get("spec", {}).get("ingress"))
        ),
        RUN,
        needs=("network-policy",),
    ),
)
