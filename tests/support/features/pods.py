"""What runs, and how it starts and ends."""

from tests.support.charts import Objects
from tests.support.features.model import DIGEST, RUN, SERVE, Feature, switch


def _annotation(found: Objects, name: str) -> bool:
    return name in found.workload["metadata"].get("annotations", {})


IMAGE = (
    Feature(
        "image-digest",
        {"image": {"tag": "v1", "digest": DIGEST}},
        {"image": {"tag": "v1", "digest": ""}},
        lambda found: found.container["image"].endswith("@" + DIGEST),
    ),
    Feature(
        "image-build",
        {"image": {"build": 57, "revision": "1234e56"}},
        {"image": {"build": "", "revision": ""}},
        lambda found: _annotation(found, "gitops-tk/build") and _annotation(found, "gitops-tk/revision"),
    ),
    Feature(
        "image-pull-secrets",
        {"imagePullSecrets": [{"name": "registry"}]},
        {},
        lambda found: {"name": "registry"} in found.pod.get("imagePullSecrets", []),
    ),
    Feature("command", {"command": ["/app"]}, {}, lambda found: "command" in found.container),
    Feature("args", {"args": ["serve"]}, {}, lambda found: "args" in found.container),
)

IDENTITY = (
    Feature(
        "owner",
        {"owner": "shop", "partOf": "store"},
        {"owner": "", "partOf": ""},
        lambda found: all(
            {"app.kubernetes.io/owner", "app.kubernetes.io/part-of"} <= one["metadata"]["labels"].keys()
            for one in (found.workload, found.template)
        ),
    ),
    Feature(
        "common-labels",
        {"commonLabels": {"example.com/cost": "shop"}, "commonAnnotations": {"example.com/docs": "on the wiki"}},
        {},
        lambda found: (
            "example.com/cost" in found.workload["metadata"]["labels"] and _annotation(found, "example.com/docs")
        ),
    ),
    Feature(
        "workload-annotations",
        {"workloadAnnotations": {"example.com/reload": "true"}},
        {},
        lambda found: _annotation(found, "example.com/reload"),
    ),
    Feature(
        "pod-labels",
        {"podLabels": {"example.com/mesh": "on"}, "podAnnotations": {"example.com/inject": "true"}},
        {},
        lambda found: (
            "example.com/mesh" in found.template["metadata"]["labels"]
            and "example.com/inject" in found.template["metadata"]["annotations"]
        ),
    ),
)

ROLLOUT = (
    Feature(
        "recreate",
        {"strategy": {"type": "Recreate"}},
        {"strategy": {"type": "RollingUpdate"}},
        lambda found: found.workload["spec"]["strategy"] == {"type": "Recreate"},
        RUN,
    ),
    *(
        Feature(
            f"probe-{name}",
            *switch(f"probes.{name}"),
            lambda found, key=f"{name}Probe": key in found.container,
            RUN,
        )
        for name in ("startup", "liveness", "readiness")
    ),
    Feature(
        "probe-of-type-tcp",
        {"probes": {"liveness": {"enabled": True, "type": "tcp", "port": "metrics"}}},
        {},
        lambda found: "tcpSocket" in found.container.get("livenessProbe", {}),
        RUN,
        needs=("port-metrics", "probe-liveness"),
    ),
    Feature(
        "probe-of-type-exec",
        {"probes": {"startup": {"type": "exec", "command": ["/app", "healthcheck"]}}},
        {},
        lambda found: "exec" in found.container.get("startupProbe", {}),
        RUN,
        needs=("probe-startup",),
    ),
    Feature(
        "probe-of-type-grpc",
        {"probes": {"readiness": {"type": "grpc", "service": "users.v1.Users"}}},
        {},
        lambda found: found.container.get("readinessProbe", {}).get("grpc", {}).get("service") == "users.v1.Users",
        SERVE,
        needs=("port-grpc", "probe-readiness"),
    ),
    Feature(
        "probe-of-type-http",
        {"probes": {"readiness": {"type": "http", "path": "/status", "initialDelaySeconds": 5}}},
        {},
        lambda found: found.container.get("readinessProbe", {}).get("httpGet", {}).get("path") == "/status",
        RUN,
        needs=("port-http", "probe-readiness"),
        against=("probe-of-type-grpc",),
    ),
    Feature(
        "pre-stop",
        {"shutdown": {"preStopSeconds": 15}},
        {"shutdown": {"preStopSeconds": 0}},
        lambda found: found.container.get("lifecycle", {}).get("preStop") == {"sleep": {"seconds": 15}},
        RUN,
        against=("lifecycle",),
    ),
    Feature(
        "drain-time",
        {"shutdown": {"drainSeconds": 20}},
        {"shutdown": {"drainSeconds": None}},
        lambda found: found.env.get("DRAIN_SECONDS") == "20",
    ),
    Feature(
        "lifecycle",
        {"lifecycle": {"preStop": {"exec": {"command": ["/app", "drain"]}}}},
        {},
        lambda found: "exec" in found.container.get("lifecycle", {}).get("preStop", {}),
    ),
)

CRON = tuple(
    Feature(f"cron-{name}", {"cronJob": on}, {"cronJob": off}, shows, ("cronjob",))
    for name, on, off, shows in (
        (
            "time-zone",
            {"timeZone": "Europe/Berlin"},
            {"timeZone": ""},
            lambda found: "timeZone" in found.workload["spec"],
        ),
        (
            "starting-deadline",
            {"startingDeadlineSeconds": 60},
            {"startingDeadlineSeconds": None},
            lambda found: "startingDeadlineSeconds" in found.workload["spec"],
        ),
        (
            "active-deadline",
            {"activeDeadlineSeconds": 1000000},
            {"activeDeadlineSeconds": None},
            lambda found: found.workload["spec"]["jobTemplate"]["spec"].get("activeDeadlineSeconds") == 1000000,
        ),
        (
            "time-to-live",
            {"ttlSecondsAfterFinished": 3600},
            {"ttlSecondsAfterFinished": None},
            lambda found: "ttlSecondsAfterFinished" in found.workload["spec"]["jobTemplate"]["spec"],
        ),
        ("suspended", {"suspend": True}, {"suspend": False}, lambda found: found.workload["spec"]["suspend"] is True),
        (
            "concurrency",
            {"concurrencyPolicy": "Replace"},
            {"concurrencyPolicy": "Forbid"},
            lambda found: found.workload["spec"]["concurrencyPolicy"] == "Replace",
        ),
    )
)
