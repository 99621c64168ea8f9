"""validate, through the whole program: rules, where their findings are, and what is switched off."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json, start

_OWN = "services/user-service/envs/prod.yaml"
_DEPLOYMENT = "services/user-service/chart/templates/deployment.yaml"
_CRD = b"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Cache}
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
"""
_CACHE = "apiVersion: example.com/v1\nkind: Cache\nmetadata:\n  name: a\nspec:\n  size: large\n"


def _plant(checkout: Path) -> None:
    """Three pods of which three have to be there, in prod: an error of the template. A token in a variable."""
    pdb = checkout / "services/user-service/chart/templates/pdb.yaml"
    lines = [line if "maxUnavailable:" not in line else "  maxUnavailable: 0" for line in pdb.read_text().splitlines()]
    pdb.write_text("\n".join(lines) + "\n")


def _switch_off(checkout: Path, rule: str = "pdb-drain", more: str = "") -> None:
    file = checkout / "gitops-tk.yaml"
    file.write_text(
        file.read_text() + f"validate:\n  off:\n    - rule: {rule}\n      reason: drains wait for us\n{more}"
    )


def test_a_finding_says_what_why_where_and_what_to_do(checkout: Path) -> None:
    _plant(checkout)
    ran = run_json("validate", "-e", "prod", cwd=checkout)
    (problem,) = ran.json["problems"]
    line = (checkout / "services/user-service/chart/templates/pdb.yaml").read_text().splitlines()
    assert (ran.status, ran.json["outcome"], ran.json["errors"], ran.json["warnings"]) == (5, "invalid", 1, 0)
    assert problem == {
        "code": "pdb-drain",
        "severity": "error",
        "message": "user-service in prod: PodDisruptionBudget user-service: maxUnavailable is 0: "
        "no pod may ever be evicted",
        "hint": "set maxUnavailable to 1, or leave the budget out where there is one pod",
        "file": "services/user-service/chart/templates/pdb.yaml",
        "line": line.index("  maxUnavailable: 0") + 1,
    }


def test_a_template_may_name_the_release_s_namespace_and_another_not(checkout: Path) -> None:
    service = checkout / "services/user-service/chart/templates/service.yaml"
    service.write_text(
        service.read_text().replace("metadata:\n", "metadata:\n  namespace: {{ .Release.Namespace }}\n", 1)
    )
    ran = run_json("validate", "-e", "prod", cwd=checkout)
    assert (ran.status, ran.json["problems"]) == (0, [])


def test_a_finding_leads_to_the_values_file_that_it_comes_from(checkout: Path) -> None:
    own = checkout / _OWN
    own.write_text(own.read_text() + "resources:\n  limits:\n    # a thousandth of a byte\n    memory: 64m\n")
    problems = run_json("validate", "-e", "prod", cwd=checkout).json["problems"]
    found = {one["code"]: (one["file"], one["line"]) for one in problems}
    # The limit is wrong by itself, and the chart's request is more than it.
    assert found["memory-unit"] == (_OWN, len(own.read_text().splitlines()))
    assert found["request-over-limit"][0] == "services/user-service/chart/values.yaml"


def test_a_hold_that_cannot_be_understood_is_told_with_its_line(checkout: Path) -> None:
    hold = checkout / ".gitops-tk/holds/prod/user-service.yaml"
    hold.parent.mkdir(parents=True)
    hold.write_text("reason: it loses orders\n")
    assert run("validate", cwd=checkout).status == 0
    hold.write_text("reason: it loses orders\nuntil: some day\n")
    ran = run_json("validate", cwd=checkout)
    (told,) = ran.json["problems"]
    assert (ran.status, told["code"], told["line"]) == (5, "unreadable", 2)
    assert (told["file"], "gitops-tk unhold" in told["hint"]) == (hold.relative_to(checkout).as_posix(), True)
    assert run("validate", "-e", "dev", cwd=checkout).status == 0


def test_warnings_are_told_and_do_not_make_it_fail(checkout: Path) -> None:
    own = checkout / _OWN
    own.write_text(own.read_text() + "resources:\n  limits:\n    memory: null\n")
    ran = run("validate", cwd=checkout)
    assert ran.status == 0
    assert ran.out == "valid: 3 releases, 1 warning\n"
    assert ran.err.startswith(f"warning: {_DEPLOYMENT}")
    assert "[resources-missing]" in ran.err


def test_a_rule_is_switched_off_with_a_reason(checkout: Path) -> None:
    _plant(checkout)
    _switch_off(checkout)
    ran = run("validate", cwd=checkout)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "valid: 3 releases\nswitched off: pdb-drain, 2 findings: drains wait for us\n"
    assert run_json("validate", cwd=checkout).json["off"] == [
        {"rule": "pdb-drain", "reason": "drains wait for us", "findings": 2}
    ]


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ("      environments: [staging]\n", ["user-service in prod"]),
        ("      services: [user-service]\n", []),
        ("      services: [other]\n", ["user-service in prod", "user-service in staging"]),
        ("      services: [user-service]\n      environments: [prod]\n", ["user-service in staging"]),
    ],
)
def test_a_rule_may_be_off_for_some_services_and_environments_alone(checkout: Path, more: str, left: list[str]) -> None:
    _plant(checkout)
    _switch_off(checkout, more=more)
    problems = run_json("validate", cwd=checkout).json["problems"]
    assert sorted(one["message"].partition(":")[0] for one in problems) == left


def test_a_rule_that_is_not_there_cannot_be_switched_off(checkout: Path) -> None:
    _switch_off(checkout, rule="pdb-drian")
    ran = run_json("validate", cwd=checkout)
    (problem,) = ran.json["problems"]
    assert (ran.status, problem["code"], problem["hint"]) == (5, "config-unknown-rule", "did you mean pdb-drain?")
    lines = (checkout / "gitops-tk.yaml").read_text().splitlines()
    assert (problem["file"], problem["line"]) == ("gitops-tk.yaml", lines.index("    - rule: pdb-drian") + 1)


@pytest.mark.parametrize("where", ["chart", "repository", "option"])
def test_custom_resources_are_checked_where_their_definition_is_known(checkout: Path, where: str) -> None:
    chart = checkout / "services/user-service/chart"
    (chart / "templates/cache.yaml").write_text(_CACHE)
    assert run("validate", cwd=checkout).status == 0
    folder = {"chart": chart / "crds", "repository": checkout / "schemas", "option": checkout.parent / "crds"}[where]
    folder.mkdir()
    (folder / "cache.yaml").write_bytes(_CRD)
    if where == "repository":
        file = checkout / "gitops-tk.yaml"
        file.write_text(file.read_text() + "validate:\n  crds: [schemas/]\n")
    options = ["--crds", str(folder)] if where == "option" else []
    ran = run_json("validate", "-e", "dev", *options, cwd=checkout)
    (problem,) = ran.json["problems"]
    assert (ran.status, problem["code"]) == (5, "custom-resource-schema")
    assert (problem["file"], problem["line"]) == ("services/user-service/chart/templates/cache.yaml", 6)


def test_definitions_that_are_not_there_are_told(checkout: Path) -> None:
    ran = run_json("validate", "--crds", "nowhere", cwd=checkout)
    assert (ran.status, ran.code) == (1, "missing-crds")
    file = checkout / "gitops-tk.yaml"
    file.write_text(file.read_text() + "validate:\n  crds: [schemas]\n")
    ran = run_json("validate", cwd=checkout)
    assert (ran.status, ran.code, ran.json["problems"][0]["file"]) == (5, "config-value", "gitops-tk.yaml")


def test_github_shows_findings_on_their_lines(checkout: Path) -> None:
    _plant(checkout)
    ran = run("validate", "-e", "prod", "--output", "github", cwd=checkout)
    assert (ran.status, ran.err) == (5, "")
    assert ran.out.startswith("::error file=services/user-service/chart/templates/pdb.yaml,line=")
    assert ",title=pdb-drain::user-service in prod: PodDisruptionBudget user-service: maxUnavailable is 0" in ran.out
    assert run("status", "--output", "github", cwd=checkout).status == 2


def test_a_password_is_never_in_what_is_printed(checkout: Path) -> None:
    template = checkout / "services/user-service/chart/templates/secret-of-test.yaml"
    template.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  password: hunter2\n  number: 31337\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  DB_PASSWORD: hunter2\n"
        "  URL: https://a:hunter2@b.example\n"
    )
    ran = run("validate", "-e", "dev", cwd=checkout)
    assert ran.status == 5
    assert all(
        f"[{rule}]" in ran.err for rule in ("secret-plain", "secret-variable", "secret-form", "kubernetes-schema")
    )
    assert "hunter2" not in ran.err + ran.out
    assert "31337" not in ran.err + ran.out


def test_more_processes_find_the_same_in_the_same_order(checkout: Path) -> None:
    for number in range(3):
        name = f"service-{number}"
        assert run("new-service", name, "--image", f"registry.example.com/{name}", cwd=checkout).status == 0
        values = checkout / f"services/{name}/envs/prod.yaml"
        values.write_text(values.read_text() + "resources:\n  limits:\n    memory: 1m\n")
    (checkout / "services/service-1/chart/templates/link.yaml").symlink_to("service.yaml")
    (checkout / "services/service-2/envs/dev.yaml").write_text("a: 1\na: 2\n")
    _plant(checkout)
    one, two = (run_json("validate", "--jobs", jobs, cwd=checkout) for jobs in ("1", "3"))
    assert one.json == two.json
    assert {"chart-not-plain", "duplicate-key", "memory-unit", "pdb-drain"} <= {p["code"] for p in one.json["problems"]}
    assert one.json["releases"] == 12


def test_what_a_remote_holds_is_checked_as_a_checkout_is(checkout: Path, tmp_path: Path) -> None:
    _plant(checkout)
    repo.git(checkout, "commit", "--quiet", "--all", "--message", "a fault")
    repo.git(tmp_path, "clone", "--quiet", "--bare", str(checkout), "r.git")
    ran = run_json("validate", "--repo", f"file://{tmp_path}/r.git", cwd=tmp_path)
    assert ran.json["problems"] == run_json("validate", cwd=checkout).json["problems"]


def test_without_schemas_or_engine_no_process_is_left_waiting(checkout: Path) -> None:
    assert run("new-service", "other", "--image", "registry.example.com/o", cwd=checkout).status == 0
    ran = run_json("validate", "--jobs", "2", cwd=checkout, GITOPS_TK_HELM="no-such-helm")
    assert (ran.status, ran.code) == (1, "helm-missing")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_check_leaves_no_process(checkout: Path, how: signal.Signals) -> None:
    for number in range(12):
        shutil.copytree(checkout / "services/user-service", checkout / f"services/s{number}")
    # A chart that takes its time: the check is still running when it is interrupted.
    for chart in checkout.glob("services/*/chart/templates/service.yaml"):
        chart.write_text(chart.read_text() + "{{- range until 3000000 }}{{ end }}\n")
    process = start("validate", "--jobs", "2", cwd=checkout)
    workers = _workers(process.pid)
    process.send_signal(how)
    process.communicate(timeout=60)
    for _ in range(600):
        if not any(_runs(worker) for worker in workers):
            break
        time.sleep(0.05)
    assert [worker for worker in workers if _runs(worker)] == []


def _workers(parent: int) -> list[int]:
    """The processes that a process has started, once there are two that check and one that watches them."""
    for _ in range(600):
        found = [int(pid.name) for pid in Path("/proc").iterdir() if pid.name.isdecimal() and _parent(pid) == parent]
        if len(found) >= 3:
            return found
        time.sleep(0.02)
    raise AssertionError("no process was started")


def _parent(pid: Path) -> int:
    try:
        return int((pid / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
