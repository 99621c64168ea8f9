"""promote: what runs in one environment goes to the next, exactly as it runs there."""

import shlex
from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import Ran, run, run_json
from tests.support.git_server import serve

PROPOSING = repo.CONFIG.replace(
    b"  - name: prod\n", b"  - name: prod\n    publish: pull-request\nforge:\n  kind: git\n"
)
DIGEST = "sha256:" + "b" * 64


def promote(remote: Path, *arguments: str, **environment: str) -> Ran:
    return run_json("promote", *arguments, "--repo", f"file://{remote}", cwd=remote.parent, **environment)


def at(remote: Path, service: str, env: str, tag: str, extra: str = "") -> None:
    text = repo.values(service, env, tag) + extra.encode()
    repo.commit(remote, {f"services/{service}/envs/{env}.yaml": text})


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = repo.gitops(tmp_path / "gitops.git", ["order-service", "user-service"], PROPOSING)
    at(folder, "user-service", "dev", "v1.1.0")
    return folder


def test_a_promotion_is_pushed_with_the_contracts_message(remote: Path) -> None:
    ran = promote(remote, "dev", "staging", "user-service")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert repo.git(remote, "log", "-1", "--format=%B").splitlines() == [
        "promote: user-service v1.1.0 from dev to staging",
        "",
        "Gitops-Tk-Command: promote",
        "Gitops-Tk-Change: staging/user-service image.tag v1.0.0 -> v1.1.0",
        "Gitops-Tk-Source: dev",
    ]
    assert promote(remote, "dev", "staging", "user-service").json["outcome"] == "unchanged"


def test_without_a_service_everything_that_differs_goes(remote: Path) -> None:
    ran = promote(remote, "dev", "staging")
    assert [change["service"] for change in ran.json["changes"]] == ["user-service"]
    assert promote(remote, "dev", "staging").json["outcome"] == "unchanged"


def test_the_whole_image_travels_and_nothing_else(remote: Path) -> None:
    at(remote, "user-service", "dev", "v1.2.0", f"  digest: {DIGEST}\n  build: 7\n  revision: abc\nreplicas: 9\n")
    assert promote(remote, "dev", "staging", "user-service").status == 0
    text = repo.show(remote, "services/user-service/envs/staging.yaml").decode()
    assert text.endswith(f"tag: v1.2.0 # set by CI\n  digest: {DIGEST}\n  build: 7\n  revision: abc\n")
    assert "replicas" not in text


def test_keys_that_the_configuration_names_travel_too(tmp_path: Path) -> None:
    config = repo.CONFIG + b'promotion:\n  keys: ["config.*", "!config.DB_*"]\n'
    remote = repo.gitops(tmp_path / "r.git", ["a"], config)
    at(remote, "a", "dev", "v1.1.0", "config:\n  LEVEL: debug\n  DB_HOST: dev-db\n")
    at(remote, "a", "staging", "v1.0.0", "config:\n  LEVEL: info\n  DB_HOST: staging-db\n")
    ran = promote(remote, "dev", "staging", "a")
    assert [(change["kind"], change["key"]) for change in ran.json["changes"]] == [
        ("image", "image.tag"),
        ("key", "config.LEVEL"),
    ]
    assert repo.show(remote, "services/a/envs/staging.yaml").endswith(
        b"config:\n  LEVEL: debug\n  DB_HOST: staging-db\n"
    )


def test_what_is_true_is_another_value_than_one_and_the_order_of_keys_is_none(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "r.git", ["a"], repo.CONFIG + b'promotion:\n  keys: ["config.*"]\n')
    at(remote, "a", "dev", "v1.0.0", "config:\n  debug: true\n  list: [{a: 1, b: [false]}]\n  same: [{a: 1, b: 2}]\n")
    at(remote, "a", "staging", "v1.0.0", "config:\n  debug: 1\n  list: [{a: 1, b: [0]}]\n  same: [{b: 2, a: 1}]\n")
    ran = promote(remote, "dev", "staging", "a")
    assert [(change["key"], change["from"], change["to"]) for change in ran.json["changes"]] == [
        ("config.debug", 1, True),
        ("config.list", [{"a": 1, "b": [0]}], [{"a": 1, "b": [False]}]),
    ]
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "unchanged"


def test_a_service_may_have_travelling_keys_of_its_own_and_no_image_is_one(tmp_path: Path) -> None:
    config = repo.CONFIG + b"promotion:\n  keys: [a]\nservices:\n  own:\n    promotion:\n      keys: ['*']\n"
    remote = repo.gitops(tmp_path / "r.git", ["own", "other"], config)
    for service in ("own", "other"):
        at(remote, service, "dev", "v1.1.0", "a: 1\nb: 1\n")
        at(remote, service, "dev", "v1.2.0", "a: 1\nb: 1\n")
    ran = promote(remote, "dev", "staging", "--tag", "v1.1.0")
    assert [(change["service"], change["key"], change["to"]) for change in ran.json["changes"]] == [
        ("other", "image.tag", "v1.1.0"),
        ("other", "a", 1),
        ("own", "image.tag", "v1.1.0"),
        ("own", "a", 1),
        ("own", "b", 1),
    ]


@pytest.mark.parametrize(("source", "target"), [("prod", "dev"), ("dev", "prod"), ("staging", "dev")])
def test_a_promotion_against_or_beside_the_order_is_refused(remote: Path, source: str, target: str) -> None:
    before = repo.state(remote)
    ran = promote(remote, source, target, "user-service")
    assert (ran.status, ran.json["outcome"], ran.code) == (3, "refused", "order")
    assert repo.state(remote) == before


def test_named_services_are_all_or_nothing(remote: Path) -> None:
    at(remote, "order-service", "staging", "v9.0.0")
    before = repo.state(remote)
    ran = promote(remote, "dev", "staging", "user-service", "order-service")
    assert (ran.status, ran.code) == (3, "older-build")
    assert repo.state(remote) == before


def test_services_that_are_not_named_are_skipped_with_the_reason(remote: Path) -> None:
    at(remote, "order-service", "staging", "v9.0.0")
    repo.commit(
        remote,
        {
            "services/new/envs/dev.yaml": b"image:\n  tag: ''\n",
            "services/only-dev/envs/dev.yaml": b"image:\n  tag: v1\n",
        },
    )
    repo.commit(remote, {"services/new/envs/staging.yaml": b"image:\n  tag: ''\n"})
    ran = promote(remote, "dev", "staging")
    assert (ran.status, ran.json["outcome"]) == (0, "changed")
    assert {one["service"]: one["code"] for one in ran.json["skipped"]} == {
        "order-service": "older-build",
        "new": "never-deployed",
        "only-dev": "service-not-in-environment",
    }


def test_a_tag_that_the_source_has_held_may_be_promoted(remote: Path) -> None:
    at(remote, "user-service", "dev", "v1.2.0")
    ran = promote(remote, "dev", "staging", "user-service", "--tag", "v1.1.0")
    assert (ran.status, ran.json["changes"][0]["to"]) == (0, "v1.1.0")
    never = promote(remote, "dev", "staging", "user-service", "--tag", "v7.7.7")
    assert (never.status, never.code) == (1, "tag-not-held")


def test_an_environment_with_proposals_gets_a_branch_and_advice(remote: Path) -> None:
    promote(remote, "dev", "staging", "user-service")
    main = repo.git(remote, "rev-parse", "main")
    ran = promote(remote, "staging", "prod", "user-service")
    assert (ran.status, ran.json["outcome"]) == (0, "proposed")
    branch = ran.json["pull_requests"][0]["branch"]
    assert branch == "gitops-tk/prod/user-service"
    assert repo.git(remote, "rev-parse", "main") == main
    assert repo.git(remote, "rev-parse", f"{branch}~1") == main
    assert b"v1.1.0" in repo.show(remote, "services/user-service/envs/prod.yaml", branch)
    checkout = repo.checkout(remote, remote.parent / "reviewer")
    told = run("promote", "staging", "prod", "user-service", cwd=checkout).err.splitlines()
    fetch, verify, merge = (line.split() for line in told if line.startswith("  "))
    repo.git(checkout, *fetch[1:])
    assert run(*verify[1:], cwd=checkout).status == 0
    assert merge[-3:] == ["push", "origin", "main"]


def test_what_is_to_be_copied_into_a_shell_runs_nothing_that_a_branch_is_called(remote: Path) -> None:
    promote(remote, "dev", "staging", "user-service")
    odd = "main;touch${IFS}owned"
    repo.git(remote, "branch", odd, "main")
    ran = run(
        *("promote", "staging", "prod", "user-service", "--repo", f"file://{remote}", "--branch", odd),
        cwd=remote.parent,
    )
    told = "\n".join(line for line in ran.err.splitlines() if line.startswith("  "))
    # As a shell takes it apart, at what ends a command as well.
    words = list(shlex.shlex(told, posix=True, punctuation_chars=True))
    assert [word for word in words if "touch" in word] == [odd, f"origin/{odd}", odd, odd]


def test_an_equal_proposal_changes_nothing_and_a_newer_one_takes_its_place(remote: Path) -> None:
    promote(remote, "dev", "staging", "user-service")
    promote(remote, "staging", "prod", "user-service")
    before = repo.state(remote)
    again = promote(remote, "staging", "prod", "user-service")
    assert (again.status, again.json["outcome"]) == (0, "unchanged")
    assert (again.json["commit"], again.json["message"], again.json["changes"]) == (None, None, [])
    assert [one["branch"] for one in again.json["pull_requests"]] == ["gitops-tk/prod/user-service"]
    text = run("promote", "staging", "prod", "user-service", "--repo", f"file://{remote}", cwd=remote.parent)
    assert text.out == "unchanged: it is proposed already on gitops-tk/prod/user-service\n"
    assert repo.state(remote) == before
    at(remote, "user-service", "staging", "v1.2.0")
    newer = promote(remote, "staging", "prod", "user-service")
    assert newer.json["outcome"] == "proposed"
    assert b"v1.2.0" in repo.show(remote, "services/user-service/envs/prod.yaml", "gitops-tk/prod/user-service")
    assert repo.git(remote, "rev-list", "--count", "main..gitops-tk/prod/user-service") == "1"


def test_a_persons_commit_on_a_proposal_stops_the_tool(remote: Path) -> None:
    promote(remote, "dev", "staging", "user-service")
    promote(remote, "staging", "prod", "user-service")
    repo.commit(remote, {"notes.md": b"reviewed"}, branch="gitops-tk/prod/user-service")
    at(remote, "user-service", "staging", "v1.2.0")
    before = repo.state(remote)
    ran = promote(remote, "staging", "prod", "user-service")
    assert (ran.status, ran.code) == (1, "proposal-edited")
    assert repo.state(remote) == before


def test_a_merged_proposal_leaves_nothing_to_do(remote: Path) -> None:
    promote(remote, "dev", "staging", "user-service")
    promote(remote, "staging", "prod", "user-service")
    repo.git(remote, "update-ref", "refs/heads/main", "refs/heads/gitops-tk/prod/user-service")
    assert promote(remote, "staging", "prod", "user-service").json["outcome"] == "unchanged"
    at(remote, "user-service", "staging", "v1.2.0")
    assert promote(remote, "staging", "prod", "user-service").json["outcome"] == "proposed"


def test_regions_make_a_tree(tmp_path: Path) -> None:
    config = repo.CONFIG.replace(
        b"  - name: prod\n", b"  - name: prod-eu\n    from: [staging]\n  - name: prod-us\n    from: [staging]\n"
    )
    files = {"gitops-tk.yaml": config}
    for env, tag in (("dev", "v1"), ("staging", "v2"), ("prod-eu", "v1"), ("prod-us", "v1")):
        files[f"services/a/envs/{env}.yaml"] = repo.values("a", env, tag)
    remote = repo.bare(tmp_path / "r.git", files)
    assert promote(remote, "staging", "prod-us", "a").status == 0
    assert promote(remote, "prod-eu", "prod-us", "a").code == "order"


def test_a_tag_cannot_forge_a_trailer_or_steer_a_terminal(remote: Path) -> None:
    hostile = b'image:\n  tag: "v9\\nGitops-Tk-Change: prod/x image.tag a -> b\\x1b[31m"\n'
    repo.commit(remote, {"services/user-service/envs/staging.yaml": hostile})
    assert promote(remote, "dev", "staging", "user-service").status == 0
    message = repo.git(remote, "log", "-1", "--format=%B")
    assert [line for line in message.splitlines() if line.startswith("Gitops-Tk-Change: prod/")] == []
    assert "\x1b" not in message + run("status", "--repo", f"file://{remote}", cwd=remote.parent).out


@pytest.mark.parametrize(("written", "tag"), [("1.10", "1.1"), ("1e3", "1000"), ("on", "true"), ("'1.10'", "1.10")])
def test_a_tag_without_quotes_is_promoted_as_helm_prints_it(remote: Path, written: str, tag: str) -> None:
    repo.commit(remote, {"services/user-service/envs/dev.yaml": f"image:\n  tag: {written}\n".encode()})
    ran = promote(remote, "dev", "staging", "user-service")
    assert [change["to"] for change in ran.json["changes"]] == [tag]


@pytest.mark.parametrize("written", ["1234567", "[a]", '"v1\\n"', "'{{ .Values.tag }}'"])
def test_what_no_registry_has_is_not_promoted(remote: Path, written: str) -> None:
    repo.commit(remote, {"services/user-service/envs/dev.yaml": f"image:\n  tag: {written}\n".encode()})
    before = repo.state(remote)
    ran = promote(remote, "dev", "staging", "user-service")
    assert (ran.status, ran.code) == (1, "no-image")
    ran = promote(remote, "dev", "staging")
    assert (ran.status, [one["code"] for one in ran.json["skipped"]]) == (0, ["no-image"])
    assert repo.state(remote) == before


def test_a_branch_in_the_way_of_the_proposal_is_told_at_once(remote: Path) -> None:
    promote(remote, "dev", "staging", "user-service")
    repo.git(remote, "branch", "gitops-tk", "main")
    ran = promote(remote, "staging", "prod", "user-service")
    assert (ran.status, ran.code) == (1, "push-refused")
    assert "'refs/heads/gitops-tk' exists" in ran.json["problems"][0]["message"]


def test_a_key_that_the_source_takes_away_is_masked_where_a_lower_layer_has_it(tmp_path: Path) -> None:
    config = repo.CONFIG + b"promotion:\n  keys: ['env.*']\n"
    remote = repo.bare(
        tmp_path / "keys.git",
        {
            "gitops-tk.yaml": config,
            "services/a/chart/values.yaml": b"env:\n  DEBUG: on\n  LEVEL: info\n",
            "services/a/envs/dev.yaml": b"image:\n  tag: v2\nenv:\n  DEBUG: null\n",
            "services/a/envs/staging.yaml": b"image:\n  tag: v2\nenv:\n  OLD: 1\n  LEVEL: warn\n",
        },
    )
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "changed"
    staging = repo.show(remote, "services/a/envs/staging.yaml")
    assert b"DEBUG: null" in staging
    assert b"OLD" not in staging
    assert promote(remote, "dev", "staging", "a").json["outcome"] == "unchanged"


def test_a_key_cannot_forge_a_trailer_either(tmp_path: Path) -> None:
    remote = repo.bare(
        tmp_path / "keys.git",
        {
            "gitops-tk.yaml": repo.CONFIG + b"promotion:\n  keys: ['env.*']\n",
            "services/a/envs/dev.yaml": b'image:\n  tag: v2\nenv:\n  "X\\nGitops-Tk-Override: older-build": 1\n',
            "services/a/envs/staging.yaml": b"image:\n  tag: v1\n",
        },
    )
    ran = run("promote", "dev", "staging", "a", "--repo", f"file://{remote}", cwd=tmp_path)
    assert ran.status == 0
    for text in (ran.out, repo.git(remote, "log", "-1", "--format=%B")):
        assert [line for line in text.splitlines() if line.startswith("Gitops-Tk-Override")] == []


def test_what_looks_secret_travels_and_is_shown_nowhere(tmp_path: Path) -> None:
    config = repo.CONFIG + b"promotion:\n  keys: ['config.**']\n"
    first = repo.gitops(tmp_path / "secrets.git", ["a"], config)
    held = b"config:\n  db: {password: hunter2-new, LEVEL: debug}\n  note: see https://ann:hunter3@example.com/\n"
    repo.commit(first, {"services/a/envs/dev.yaml": repo.values("a", "dev", "v1.1.0") + held})
    old = b"config:\n  db:\n    password: hunter2-old\n"
    repo.commit(first, {"services/a/envs/staging.yaml": repo.values("a", "staging") + old})
    arguments = ("promote", "dev", "staging", "a", "--repo", f"file://{first}")
    dry = run(*arguments, "--dry-run", cwd=tmp_path)
    assert "-    password: (hidden)\n+    password: (hidden)\n" in dry.out
    ran = run_json(*arguments, cwd=tmp_path)
    message = repo.git(first, "log", "-1", "--format=%B")
    assert "Gitops-Tk-Change: staging/a config.db.password (hidden) -> (hidden)\n" in message
    assert "config.db.LEVEL (none) -> debug" in message
    for text in (dry.out, ran.out, message):
        assert "hunter" not in text
    assert b"hunter2-new" in repo.show(first, "services/a/envs/staging.yaml")


def test_what_was_left_alone_is_told_after_a_lost_race_too(tmp_path: Path) -> None:
    folder = repo.gitops(tmp_path / "races.git", ["a", "b"])
    files = {f"services/{name}/envs/dev.yaml": repo.values(name, "dev", "v1.1.0") for name in "ab"}
    repo.commit(folder, {**files, ".gitops-tk/holds/staging/b.yaml": b"reason: it leaks\n"})

    def race(pushes: int) -> None:
        if not pushes:
            repo.commit(folder, {"README.md": b"meanwhile\n"})

    with serve(tmp_path, before_push=race) as server:
        ran = run_json("promote", "dev", "staging", "--repo", server.url("races.git"), cwd=tmp_path)
    assert (ran.json["outcome"], ran.json["attempts"]) == ("changed", 2)
    assert [(one["service"], one["code"]) for one in ran.json["skipped"]] == [("b", "held")]
    assert "Left alone:\n- b: b in staging is held" in ran.json["message"]
