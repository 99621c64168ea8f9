"""Where charts are published in a registry, a service's values pin a version, and a promotion carries the pin."""

from pathlib import Path

import pytest
import yaml
from tests.support import published
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json

CONFIG = repo.CONFIG + b"layout: {chart: {oci: oci://registry.example.com/charts/web}}\n"


def values(service: str, env: str, tag: str, version: str) -> dict[str, bytes]:
    return {f"services/{service}/envs/{env}.yaml": published.values(service, env, tag, version)}


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    files = {"gitops-tk.yaml": CONFIG}
    for service in ("a", "b"):
        for env in published.ENVIRONMENTS:
            files |= values(service, env, "v1.0.0", "1.0.0")
    return repo.bare(tmp_path / "r.git", files)


def ask(remote: Path, command: str, *arguments: str) -> Ran:
    return run_json(command, *arguments, "--repo", f"file://{remote}", cwd=remote.parent)


def told(ran: Ran) -> list[tuple[str, str, str, str]]:
    return [(one["kind"], one["key"], one["from"], one["to"]) for one in ran.json["changes"] if one["kind"] != "hold"]


def held(remote: Path, env: str, service: str = "a") -> tuple[str, str]:
    """The image and the version of the chart, and no other line of the file is another one."""
    path = f"services/{service}/envs/{env}.yaml"
    text = repo.show(remote, path).decode()
    found = yaml.safe_load(text)
    tag, version = found["image"]["tag"], found["global"]["chart"]["version"]
    assert text.replace(f'"{version}"', version).encode() == published.values(service, env, tag, version)
    return tag, version


def pin(remote: Path, env: str, service: str = "a") -> str:
    return held(remote, env, service)[1]


def test_the_version_travels_with_the_image_and_the_message_says_so(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v2", "1.1.0"))
    ran = ask(remote, "promote", "dev", "staging", "a")
    assert told(ran) == [
        ("image", "image.tag", "v1.0.0", "v2"),
        ("chart", "global.chart.version", "1.0.0", "1.1.0"),
    ]
    message = repo.git(remote, "log", "-1", "--format=%B")
    assert message.startswith("promote: a v2 and its chart from dev to staging\n")
    assert "Gitops-Tk-Change: staging/a global.chart.version 1.0.0 -> 1.1.0\n" in message
    assert held(remote, "staging") == ("v2", "1.1.0")
    assert ask(remote, "promote", "dev", "staging", "a").json["outcome"] == "unchanged"
    assert pin(remote, "prod") == "1.0.0"


def test_without_a_service_every_chart_that_differs_travels(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v1.0.0", "1.1.0") | values("b", "dev", "v1.0.0", "1.2.0"))
    ran = ask(remote, "promote", "dev", "staging")
    assert ran.json["message"].startswith("promote: the charts of a and b from dev to staging\n")
    assert (pin(remote, "staging"), pin(remote, "staging", "b")) == ("1.1.0", "1.2.0")


def test_a_part_alone_travels_when_asked(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v2", "1.1.0"))
    assert [kind for kind, *_ in told(ask(remote, "promote", "dev", "staging", "a", "--only", "image"))] == ["image"]
    assert pin(remote, "staging") == "1.0.0"
    ran = ask(remote, "promote", "dev", "staging", "a", "--only", "chart")
    assert [kind for kind, *_ in told(ran)] == ["chart"]
    assert ran.json["message"].startswith("promote: the chart of a from dev to staging\n")


def test_an_older_image_brings_the_version_that_it_had(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v2", "1.1.0"))
    repo.commit(remote, values("a", "dev", "v3", "1.2.0"))
    assert ask(remote, "promote", "dev", "staging", "a", "--tag", "v2").json["outcome"] == "changed"
    assert held(remote, "staging") == ("v2", "1.1.0")


def test_what_nobody_could_read_on_the_way_is_in_the_way_of_nothing(remote: Path) -> None:
    broken = {"services/a/envs/dev.yaml": b"image: {tag: v2}\nimage: {tag: v2}\n"}
    repo.commit(remote, values("a", "dev", "v2", "1.1.0"))
    repo.commit(remote, values("a", "dev", "v2", "1.2.0"))
    repo.commit(remote, broken)
    repo.commit(remote, values("a", "dev", "v3", "1.3.0"))
    # The image has the version that it had last.
    assert ask(remote, "promote", "dev", "staging", "a", "--tag", "v2").json["outcome"] == "changed"
    assert held(remote, "staging") == ("v2", "1.2.0")
    # The source never had it, as far as anybody can tell.
    repo.commit(remote, values("a", "staging", "v2", "1.5.0"))
    assert ask(remote, "promote", "dev", "staging", "a").code == "chart-diverged"
    gates = {one["gate"]: one["answer"] for one in ask(remote, "explain", "dev", "staging", "a").json["gates"]}
    assert gates["chart-diverged"] == "refused"


def test_a_version_that_was_pinned_in_the_target_alone_is_not_undone(remote: Path) -> None:
    repo.commit(remote, values("a", "staging", "v1.0.0", "1.5.0") | values("a", "dev", "v2", "1.1.0"))
    ran = ask(remote, "promote", "dev", "staging", "a")
    assert (ran.status, ran.code) == (3, "chart-diverged")
    said = "the chart of a in staging was pinned by itself: dev never had 1.5.0, and 1.1.0 is older"
    assert ran.json["problems"][0]["message"] == said
    gates = ask(remote, "explain", "dev", "staging", "a").json["gates"]
    assert [(one["answer"], one["message"]) for one in gates if one["gate"] == "chart-diverged"] == [("refused", said)]
    assert [one["code"] for one in ask(remote, "promote", "dev", "staging").json["skipped"]] == ["chart-diverged"]
    assert ask(remote, "promote", "dev", "staging", "a", "--only", "image").json["outcome"] == "changed"
    repo.commit(remote, {"gitops-tk.yaml": CONFIG.replace(b"staging\n", b"staging\n    override: [chart-diverged]\n")})
    override = ("--override", "chart-diverged", "--reason", "it was a try")
    assert ask(remote, "promote", "dev", "staging", "a", *override).json["outcome"] == "changed"
    assert pin(remote, "staging") == "1.1.0"


def test_a_promotion_goes_back_to_an_older_version_that_the_source_went_back_to(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v2", "1.5.0"))
    ask(remote, "promote", "dev", "staging", "a")
    repo.commit(remote, values("a", "dev", "v3", "1.4.0"))
    assert ask(remote, "promote", "dev", "staging", "a").json["outcome"] == "changed"
    assert pin(remote, "staging") == "1.4.0"


def test_what_is_no_version_does_not_travel(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v2", "^1.1") | values("b", "dev", "v2", "1.1.0"))
    ran = ask(remote, "promote", "dev", "staging", "a")
    assert (ran.code, ran.json["problems"][0]["line"]) == ("bad-chart-version", 7)
    ran = ask(remote, "promote", "dev", "staging")
    assert [(one["service"], one["code"]) for one in ran.json["skipped"]] == [("a", "bad-chart-version")]
    assert (pin(remote, "staging"), pin(remote, "staging", "b")) == ("1.0.0", "1.1.0")


def test_a_rollback_brings_version_and_image_back_together(remote: Path) -> None:
    for tag, version in (("v2", "1.1.0"), ("v3", "1.2.0")):
        repo.commit(remote, values("a", "dev", tag, version))
        ask(remote, "promote", "dev", "staging", "a")
    then = repo.git(remote, "rev-parse", "main")
    ran = ask(remote, "rollback", "a", "-e", "staging", "--reason", "errors")
    assert told(ran) == [
        ("image", "image.tag", "v3", "v2"),
        ("chart", "global.chart.version", "1.2.0", "1.1.0"),
    ]
    assert pin(remote, "staging") == "1.1.0"
    repo.commit(remote, values("a", "staging", "v2", "1.3.0"))
    ask(remote, "rollback", "a", "-e", "staging", "--to", then)
    assert held(remote, "staging") == ("v3", "1.2.0")


def test_status_and_history_show_the_version_and_where_it_differs(remote: Path) -> None:
    repo.commit(remote, values("a", "dev", "v1.0.0", "1.1.0"))
    ask(remote, "promote", "dev", "staging", "a")
    shown = run("status", "a", "--repo", f"file://{remote}", cwd=remote.parent).out.splitlines()
    assert shown[1:] == [
        "a        v1.0.0, chart 1.1.0  v1.0.0, chart 1.1.0  v1.0.0, chart 1.0.0 +",
        "",
        "+ its chart differs from that of the environment it is promoted from",
    ]
    events = ask(remote, "history", "a", "-e", "staging").json["events"]
    assert [(one["kind"], one["from"] and one["from"]["tag"], one["to"]["tag"], one["command"]) for one in events] == [
        ("chart", "1.0.0", "1.1.0", "promote"),
        ("image", None, "v1.0.0", None),
        ("chart", None, "1.0.0", None),
    ]
    assert "chart=1.1.0" in run("history", "a", "--repo", f"file://{remote}", cwd=remote.parent).out


def test_a_version_is_set_exactly_and_never_taken_away(remote: Path) -> None:
    key = "global.chart.version"
    for version in ("latest", "1.10", "^1.0.0", "-o", "../x"):
        assert ask(remote, "values", "set", "a", "-e", "dev", f"{key}={version}").code == "bad-chart-version"
    assert ask(remote, "values", "unset", "a", "-e", "dev", key).code == "chart-emptied"
    assert ask(remote, "values", "set", "a", "-e", "dev", f"{key}=1.1.0-rc.1+b").json["outcome"] == "changed"
    assert pin(remote, "dev") == "1.1.0-rc.1+b"


def refused(remote: Path, files: dict[str, bytes], message: str = "by hand") -> list[str]:
    """The rules that refuse a pull request of some files."""
    repo.git(remote, "branch", "--force", "proposed", "main")
    repo.commit(remote, files, branch="proposed", message=message)
    ran = ask(remote, "verify-pr", "--base", "main", "--head", "proposed")
    return sorted({one["code"] for one in ran.json["problems"] if one["severity"] == "error"})


def test_a_proposed_version_is_one_that_the_source_has_or_had(remote: Path) -> None:
    repo.commit(remote, values("a", "staging", "v2", "1.1.0"))
    repo.commit(remote, values("a", "staging", "v3", "1.2.0"))
    assert refused(remote, values("a", "prod", "v3", "1.2.0")) == []
    assert refused(remote, values("a", "prod", "v2", "1.1.0")) == []
    assert refused(remote, values("a", "prod", "v1.0.0", "1.2.0")) == []
    assert refused(remote, values("a", "prod", "v3", "1.9.0")) == ["chart-not-in-source", "key-not-in-source"]
    assert refused(remote, values("a", "prod", "v1.0.0", "1.9.0")) == ["chart-not-in-source"]
    gone = values("a", "prod", "v1.0.0", "''")
    assert refused(remote, gone) == ["chart-not-in-source"]
    # Where nothing is promoted to, the version is set by hand.
    assert refused(remote, values("a", "dev", "v1.0.0", "1.9.0")) == []


def test_what_values_that_services_share_say_is_no_pin(remote: Path) -> None:
    repo.commit(remote, {"envs/staging.yaml": b"global: {chart: {version: 6.6.6}}\n"})
    repo.commit(remote, {"services/a/envs/staging.yaml": repo.values("a", "staging")})
    assert refused(remote, values("a", "prod", "v1.0.0", "6.6.6")) == ["chart-not-in-source"]
    assert ask(remote, "promote", "staging", "prod", "a").json["outcome"] == "unchanged"
    assert [one["to"]["tag"] for one in ask(remote, "history", "a").json["events"] if one["to"]] == [
        "v1.0.0",
        "1.0.0",
    ] * 3


def test_another_registry_or_key_weakens_the_policy_and_comes_alone(remote: Path) -> None:
    for old, new in ((b"registry.example.com", b"evil.example"), (b"charts/web}", b"charts/web, version: x.y}")):
        changed = {"gitops-tk.yaml": CONFIG.replace(old, new)}
        assert refused(remote, changed) == []
        assert refused(remote, changed | values("b", "staging", "v2", "1.0.0")) == ["not-in-source", "policy-weakened"]


def test_a_file_that_cannot_be_read_may_be_put_right(remote: Path) -> None:
    repo.commit(remote, {"services/a/envs/prod.yaml": b"image: {tag: v1\n"})
    assert refused(remote, values("a", "prod", "v1.0.0", "1.0.0")) == []
    repo.commit(remote, {"gitops-tk.yaml": repo.CONFIG})
    assert refused(remote, {"services/a/envs/prod.yaml": repo.values("a", "prod")}) == []


def test_a_range_is_refused_though_the_source_has_it(remote: Path) -> None:
    repo.commit(remote, values("a", "staging", "v1.0.0", "'>=0.0.0'"))
    assert refused(remote, values("a", "prod", "v1.0.0", "'>=0.0.0'")) == ["chart-not-in-source"]


def test_what_an_environment_had_before_may_come_back(remote: Path) -> None:
    repo.commit(remote, values("a", "prod", "v0.9.0", "0.9.0"))
    repo.commit(remote, values("a", "prod", "v1.0.0", "1.0.0"))
    assert refused(remote, values("a", "prod", "v0.9.0", "0.9.0")) == []
    assert refused(remote, values("a", "prod", "v1.0.0", "0.9.0")) == []


def test_a_new_service_may_bring_its_version_to_all_environments_at_once(remote: Path) -> None:
    everywhere = {
        path: data for env in ("dev", "staging", "prod") for path, data in values("c", env, "''", "2.0.0").items()
    }
    assert refused(remote, everywhere) == []
    assert refused(remote, everywhere | values("c", "prod", "''", "2.1.0")) == ["chart-not-in-source"]
    # Where the source has it already, its version changes there first.
    repo.commit(remote, values("c", "dev", "''", "1.0.0"))
    both = values("c", "dev", "''", "2.0.0") | values("c", "staging", "''", "2.0.0")
    assert refused(remote, both) == ["chart-not-in-source"]


def test_a_promotion_that_the_tool_proposes_is_accepted(remote: Path) -> None:
    config = CONFIG.replace(
        b"name: prod\n", b"name: prod\n    publish: pull-request\n    accepts: [promotion, rollback]\n"
    )
    repo.commit(remote, {"gitops-tk.yaml": config + b"forge: {kind: git}\n"} | values("a", "staging", "v2", "1.1.0"))
    assert ask(remote, "promote", "staging", "prod", "a").json["outcome"] == "proposed"
    ran = ask(remote, "verify-pr", "--base", "main", "--head", "gitops-tk/prod/a")
    assert (ran.status, ran.json["problems"]) == (0, [])


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
