"""The gate `healthy`: the source environment runs the image, synced and healthy, as Argo CD reports it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support import published
from tests.support import repositories as repo
from tests.support.argocd_server import App, ArgoCD, state
from tests.support.cli import run_json
from tests.support.forges.server import TOKEN, Fault, ForgeServer, Response, serve

from gitops_tk.config.load import parse
from gitops_tk.http import Patience
from gitops_tk.model.changes import Gate
from gitops_tk.model.image import Image
from gitops_tk.policy.gates import Arrival
from gitops_tk.workflows.gating.healthy import Healthy

CONFIG = (
    repo.CONFIG.replace(b"  - name: prod\n", b"  - name: prod\n    gates:\n      healthy: true\n")
    + b"argocd:\n  repository: https://git.example.com/shop/gitops.git\n"
)
DIGEST = "sha256:" + "d" * 64
ARRIVAL = Arrival(
    service="user-service",
    env="prod",
    sources=("staging",),
    images={"default": Image(tag="v1.1.0", digest=DIGEST)},
    before={},
)
WELL = f"registry.example.com/user-service:v1.1.0@{DIGEST}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgeServer]:
    with serve(tmp_path, ArgoCD) as running:
        yield running


def asked(server: ForgeServer, state_: object = None, arrival: Arrival = ARRIVAL, **environ: str) -> Gate:
    assert isinstance(server.dialect, ArgoCD)
    if state_ is not None:
        server.dialect.apps["user-service-staging"] = App([state_])  # type: ignore[list-item]
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN} | environ
    return Healthy(there, Patience(total=0))(arrival, parse(CONFIG))


def test_an_image_that_runs_synced_and_healthy_passes(server: ForgeServer) -> None:
    found = asked(server, state("a" * 40, image=WELL))
    assert (found.gate, found.answer) == ("healthy", "passed")
    by_tag = Arrival(
        **{**{f: getattr(ARRIVAL, f) for f in ARRIVAL.__struct_fields__}, "images": {"x": Image(tag="v1.1.0")}}
    )
    assert asked(server, state("a" * 40, image=WELL), by_tag).answer == "passed"
    longer = asked(server, state("a" * 40, image="registry.example.com/user-service:v1.1.0-rc1"), by_tag)
    assert (longer.answer, "does not run v1.1.0" in longer.message) == ("waiting", True)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (state("a" * 40, image="registry.example.com/user-service:v1.1.0"), "does not run v1.1.0"),
        (state("a" * 40, image=WELL.replace("d", "e")), "does not run v1.1.0"),
        (state("a" * 40, "OutOfSync", image=WELL), "OutOfSync and Healthy"),
        (state("a" * 40, health="Degraded", image=WELL), "Synced and Degraded"),
        (state("a" * 40, phase="Running", image=WELL), "is being synced"),
        (None, "has no Application"),
    ],
)
def test_everything_else_waits_and_says_why(server: ForgeServer, seen: object, said: str) -> None:
    found = asked(server, seen)
    assert found.answer == "waiting"
    assert said in found.message


def test_an_argo_cd_that_cannot_be_asked_leaves_the_gate_not_evaluated(server: ForgeServer) -> None:
    assert asked(server, ARGOCD_SERVER="").answer == "not-evaluated"
    assert asked(server, ARGOCD_AUTH_TOKEN="").answer == "not-evaluated"
    server.faults.append(Fault(response=Response(403, {"message": "permission denied"}), times=9))
    found = asked(server, state("a" * 40, image=WELL))
    assert (found.answer, "permission denied" in found.message) == ("not-evaluated", True)


def test_a_promotion_is_refused_until_the_source_is_healthy(server: ForgeServer, tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "gitops.git", ["user-service"], CONFIG)
    repo.commit(remote, {"services/user-service/envs/staging.yaml": repo.values("user-service", "staging", "v1.1.0")})
    arguments = ("promote", "staging", "prod", "user-service", "--repo", f"file://{remote}")
    before = repo.state(remote)
    unasked = run_json(*arguments, cwd=tmp_path)
    assert (unasked.status, unasked.code, unasked.json["gates"][0]["answer"]) == (3, "healthy", "not-evaluated")
    assert isinstance(server.dialect, ArgoCD)
    image = "registry.example.com/user-service:v1.1.0"
    server.dialect.apps["user-service-staging"] = App([state("a" * 40, health="Progressing", image=image)])
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN}
    waits = run_json(*arguments, cwd=tmp_path, **there)
    assert (waits.status, waits.code, waits.json["gates"][0]["answer"]) == (3, "healthy", "waiting")
    assert repo.state(remote) == before
    server.dialect.apps["user-service-staging"] = App([state("a" * 40, image=image)])
    assert run_json(*arguments, cwd=tmp_path, **there).json["outcome"] == "changed"


def test_the_gate_needs_an_environment_to_ask_about() -> None:
    from gitops_tk.errors import ConfigError

    with pytest.raises(ConfigError) as caught:
        parse(repo.CONFIG.replace(b"  - name: dev\n", b"  - name: dev\n    gates: {healthy: true}\n"))
    assert caught.value.code == "config-contradiction"


def test_the_chart_that_comes_along_has_to_run_in_the_source_too(server: ForgeServer) -> None:
    arrival = replace(ARRIVAL, chart="1.1.0")
    found = asked(server, state("a" * 40, image=WELL, chart="1.0.0"), arrival)
    said = "Argo CD does not run the chart 1.1.0 of user-service in staging"
    assert (found.answer, found.message) == ("waiting", said)
    assert asked(server, state("a" * 40, image=WELL, chart="1.1.0"), arrival).answer == "passed"


def test_a_promotion_asks_for_the_version_that_it_carries(server: ForgeServer, tmp_path: Path) -> None:
    files = {"gitops-tk.yaml": CONFIG + b"layout: {chart: {oci: oci://registry.example.com/charts/web}}\n"}
    for env, version in (("staging", "1.1.0"), ("prod", "1.0.0")):
        files[f"services/user-service/envs/{env}.yaml"] = published.values("user-service", env, "v1.1.0", version)
    remote = repo.bare(tmp_path / "published.git", files)
    assert isinstance(server.dialect, ArgoCD)
    there = {"ARGOCD_SERVER": server.api, "ARGOCD_AUTH_TOKEN": TOKEN}

    def answers(command: str) -> list[str]:
        arguments = (command, "staging", "prod", "user-service", "--repo", f"file://{remote}")
        gates = run_json(*arguments, cwd=tmp_path, **there).json["gates"]
        return [one["answer"] for one in gates if one["gate"] == "healthy"]

    server.dialect.apps["user-service-staging"] = App([state("a" * 40, chart="1.0.0")])
    assert (answers("explain"), answers("promote")) == (["waiting"], ["waiting"])
    server.dialect.apps["user-service-staging"] = App([state("a" * 40, chart="1.1.0")])
    assert (answers("explain"), answers("promote")) == (["passed"], ["passed"])
