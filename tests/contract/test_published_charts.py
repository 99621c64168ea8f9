"""Where charts are published in a registry, a service's values pin a version, and a promotion carries the pin."""

from pathlib import Path

from tests.support import repositories as repo
from tests.support.cli import run, run_json

CONFIG = repo.CONFIG + b"layout: {chart: {oci: oci://registry.example.com/charts/web}}\n"


def test_a_new_service_gets_values_alone_and_is_told_to_pin_its_chart(tmp_path: Path) -> None:
    checkout = repo.checkout(repo.bare(tmp_path / "r.git", {"gitops-tk.yaml": CONFIG}), tmp_path / "c")
    shown = run("new-service", "a", "--image", "x.example/a", "--dry-run", cwd=checkout)
    assert "pin its chart: gitops-tk values set a -e dev global.chart.version=VERSION" in shown.out + shown.err
    ran = run_json("new-service", "a", "--image", "x.example/a", "--commit", cwd=checkout)
    assert sorted(one["file"] for one in ran.json["changes"]) == [
        f"services/a/envs/{env}.yaml" for env in ("dev", "prod", "staging")
    ]
    assert "its chart is oci://registry.example.com/charts/web." in ran.json["message"]
    assert (checkout / "services/a/envs/dev.yaml").read_text().endswith('global:\n  chart:\n    version: ""\n')
    assert run_json("validate", cwd=checkout, GITOPS_TK_HELM="embedded").json["problems"] == []
    assert run_json("new-service", "a", "--image", "x.example/a", cwd=checkout).json["outcome"] == "unchanged"


def test_charts_that_are_published_elsewhere_are_not_upgraded_here(tmp_path: Path) -> None:
    checkout = repo.checkout(repo.bare(tmp_path / "r.git", {"gitops-tk.yaml": CONFIG}), tmp_path / "c")
    ran = run_json("upgrade-chart", cwd=checkout)
    assert (ran.status, ran.code) == (2, "published-charts")
    assert "oci://registry.example.com/charts/web" in ran.json["problems"][0]["message"]
