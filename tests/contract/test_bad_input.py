"""Bad input: a clear error, the right exit code, and nothing written anywhere."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run, run_json

FILE = "services/user-service/envs/dev.yaml"
_BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + above] * 10)}]\n" for above, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return repo.gitops(tmp_path / "gitops.git", ["order-service", "user-service"])


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc", "a/b", "-oProxyCommand=x", "--upload-pack=x", "a\nb", "A", "", ".", "..", "a_b", "x" * 64, "ü"],
)
@pytest.mark.parametrize("command", ["bump", "promote", "new-service", "render", "values"])
def test_a_name_that_is_no_name_never_becomes_a_path(remote: Path, tmp_path: Path, command: str, name: str) -> None:
    before = repo.state(remote)
    arguments = {
        "bump": ["bump", "-e", "dev", "--tag", "v2", "--", name],
        "promote": ["promote", "--", "dev", "staging", name],
        "new-service": ["new-service", "--image", "registry.example.com/x", "--", name],
        "render": ["render", "-e", "dev", "--", name],
        "values": ["values", "set", "-e", "dev", "--", name, "a=1"],
    }[command]
    ran = run(*arguments, cwd=tmp_path, GITOPS_TK_REPO=f"file://{remote}", GITOPS_TK_OUTPUT="json")
    assert ran.status == 2
    assert ran.code == "bad-service-name"
    assert repo.state(remote) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gitops.git"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--tag", "a b"], "bad-tag"),
        (["--tag", "-x"], "bad-tag"),
        (["--tag", ""], "bad-tag"),
        (["--tag", "v1\nGitops-Tk-Change: x"], "bad-tag"),
        (["--tag", "x" * 129], "bad-tag"),
        (["--tag", "v2", "--digest", "sha256:abc"], "bad-digest"),
        (["--tag", "v2", "--digest", "md5:" + "a" * 64], "bad-digest"),
        (["--tag", "v2", "--revision", "-x"], "bad-revision"),
        (["--tag", "v2", "--revision", "a b"], "bad-revision"),
        (["--tag", "v2", "--build", "x"], "usage"),
        (["--tag", "v2", "--build", "-1"], "usage"),
        (["--tag", "v2", "--build", str(2**63)], "usage"),
        (["--tag", "v2", "--branch", "-x"], "bad-branch"),
        (["--tag", "v2", "--branch", "a..b"], "bad-branch"),
        (["--tag", "v2", "--branch", "refs/heads/../x"], "bad-branch"),
        (["--tag", "v2", "--retry-for", "soon"], "bad-duration"),
        (["--tag", "v2", "--image", "sidecar"], "unknown-image"),
        (["--tag", "v2", "--message", ""], "empty-message"),
        (["--no-such-option"], "usage"),
        ([], "usage"),
    ],
)
def test_a_wrong_command_line_ends_with_2(remote: Path, tmp_path: Path, arguments: list[str], code: str) -> None:
    before = repo.state(remote)
    ran = run_json("bump", "user-service", "-e", "dev", *arguments, "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (2, "failed", code)
    assert repo.state(remote) == before


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/x",
        "-oProxyCommand=x",
        "ssh://-oProxyCommand=x/y",
        "fd::17",
        "ftp://x/y",
        "https://",
        "a\nb",
    ],
)
def test_an_address_that_would_run_something_is_refused(tmp_path: Path, address: str) -> None:
    ran = run("status", cwd=tmp_path, GITOPS_TK_REPO=address, GITOPS_TK_OUTPUT="json")
    assert (ran.status, ran.code) == (2, "bad-repository")


def test_a_folder_without_a_repository_is_told(tmp_path: Path) -> None:
    ran = run_json("status", cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "no-repository")
    assert run_json("status", "--repo", "nowhere", cwd=tmp_path).code == "no-repository"


def test_an_unknown_environment_or_service_is_told_with_the_nearest(remote: Path, tmp_path: Path) -> None:
    arguments = ("--tag", "v2", "--repo", f"file://{remote}")
    ran = run_json("bump", "user-service", "-e", "stagin", *arguments, cwd=tmp_path)
    assert (ran.status, ran.code) == (2, "unknown-environment")
    assert ran.json["problems"][0]["hint"] == "did you mean staging?"
    ran = run_json("bump", "user-servic", "-e", "dev", *arguments, cwd=tmp_path)
    assert (ran.status, ran.code) == (1, "unknown-service")
    assert run_json("promote", "dev", "qa", "--repo", f"file://{remote}", cwd=tmp_path).code == "unknown-environment"


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (None, "config-missing", None),
        (b"", "config-empty", None),
        (b"# nothing\n", "config-empty", None),
        (b"- a\n", "config-not-a-map", 1),
        (b"just text\n", "config-not-a-map", 1),
        (repo.CONFIG.replace(b"v1", b"v9"), "config-version", 1),
        (b"environments:\n- name: dev\n", "config-version", None),
        (repo.CONFIG + b"promotoin: {}\n", "config-unknown-key", 6),
        (repo.CONFIG.replace(b"name: prod", b"name: prod\n    publsh: push"), "config-unknown-key", 6),
        (repo.CONFIG + b"layout: {values: x}\n", "config-layout", 6),
        (repo.CONFIG + b"layout:\n  values: ../{service}/{env}.yaml\n", "config-layout", 7),
        (repo.CONFIG + b"layout:\n  values: /{service}/{env}.yaml\n", "config-layout", 7),
        (repo.CONFIG + b"layout:\n  values: .git/{service}/{env}.yaml\n", "config-layout", 7),
        (repo.CONFIG + b"layout:\n  values: '-{service}/{env}.yaml'\n", "config-layout", 7),
        (repo.CONFIG + b"layout:\n  shared: services/{env}/envs/dev.yaml\n", "config-layout", None),
        (repo.CONFIG.replace(b"name: prod", b"name: prod\n    from: [qa]"), "config-unknown-environment", 6),
        (repo.CONFIG.replace(b"name: dev", b"name: dev\n    from: [prod]"), "config-circle", 4),
        (repo.CONFIG.replace(b"name: prod", b"name: dev"), "config-duplicate-environment", 5),
        (repo.CONFIG.replace(b"name: prod", b"name: ../prod"), "config-value", 5),
        (repo.CONFIG.replace(b"name: prod", b"name: prod\n    path: ../x"), "config-value", 6),
        (
            repo.CONFIG + b"x-bomb:\n" + "".join(f"  {line}\n" for line in _BOMB.splitlines()).encode(),
            "config-alias-bomb",
            None,
        ),
        (repo.CONFIG + b"forge: {}\nforge: {}\n", "config-duplicate-key", 7),
        (repo.CONFIG + b"x-deep: " + b"[" * 200_000, "config-alias-bomb", 6),
        (repo.CONFIG + b"---\na: 1\n", "config-several-documents", 6),
        (repo.CONFIG.decode().encode("utf-16"), "config-encoding", None),
        (repo.CONFIG + b"x-y: \xff\n", "config-encoding", 6),
        (repo.CONFIG + b"\tx: 1\n", "config-yaml", 6),
        (repo.CONFIG + b'requires: ">=99.0"\nunheard-of: 1\n', "config-requires", 6),
    ],
)
def test_a_broken_configuration_is_told_with_its_line(
    tmp_path: Path, text: bytes | None, code: str, line: int | None
) -> None:
    files = {FILE: repo.values("user-service", "dev")} | ({"gitops-tk.yaml": text} if text is not None else {})
    remote = repo.bare(tmp_path / "r.git", files)
    before = repo.state(remote)
    ran = run_json("bump", "user-service", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (1, "failed", code)
    assert ran.json["problems"][0]["file"] == "gitops-tk.yaml"
    if line is not None:
        assert ran.json["problems"][0]["line"] == line
    assert repo.state(remote) == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"image:\n  tag: v1\n  tag: v2\n", "duplicate-key"),
        (b"x: &t v1\nimage:\n  tag: *t\n", "alias"),
        (b"x: &i\n  tag: v1\nimage:\n  <<: *i\n", "merge-key"),
        (b"image:\n  tag: v1\n---\na: 1\n", "several-documents"),
        (b"image:\n  tag: v1\nsops:\n  mac: x\n", "sops"),
        (b"image:\n\ttag: v1\n", "yaml"),
        ("image:\n  tag: v1\n".encode("utf-16"), "encoding"),
        (b"image:\n  tag: \xff\n", "encoding"),
    ],
)
def test_an_unsafe_values_file_is_refused_and_so_is_the_whole_command(tmp_path: Path, text: bytes, code: str) -> None:
    files = {"gitops-tk.yaml": repo.CONFIG, FILE: text, "services/a/envs/dev.yaml": repo.values("a", "dev")}
    remote = repo.bare(tmp_path / "r.git", files)
    before = repo.state(remote)
    ran = run_json("bump", "a", "user-service", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.json["outcome"], ran.code) == (1, "failed", code)
    assert ran.json["problems"][0]["file"] == FILE
    assert repo.state(remote) == before


def test_a_byte_order_mark_and_windows_line_ends_stay(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbfimage:\r\n  tag: v1\r\n"
    remote = repo.bare(tmp_path / "r.git", {"gitops-tk.yaml": repo.CONFIG, FILE: text})
    run("bump", "user-service", "-e", "dev", "--tag", "v2", "--repo", f"file://{remote}", cwd=tmp_path)
    assert repo.show(remote, FILE) == text.replace(b"v1", b"v2")


@pytest.mark.parametrize("arguments", [["--help"], ["bump", "--help"], ["values", "set", "--help"], ["--version"]])
def test_help_needs_no_repository(tmp_path: Path, arguments: list[str]) -> None:
    ran = run(*arguments, cwd=tmp_path)
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["bump", "user-service", "-e", "dev", "--tag", "v2", "--local"], "local-needs-checkout"),
        (["values", "diff", "user-service", "-e", "dev"], "usage"),
        (["values", "diff", "user-service", "-e", "dev", "-e", "staging", "-e", "prod"], "usage"),
        (["new-service", "a", "--image", "registry.example.com/a", "--var", "team"], "usage"),
        (["env", "add", "qa", "--publish", "pull"], "bad-publish"),
        (["env", "add", "dev", "--path", "elsewhere"], "environment-exists"),
        (["env", "add", "qa", "--path", ".."], "config-value"),
    ],
)
def test_what_does_not_go_together_ends_with_2(remote: Path, tmp_path: Path, arguments: list[str], code: str) -> None:
    before = repo.state(remote)
    ran = run_json(*arguments, "--repo", f"file://{remote}", cwd=tmp_path)
    assert (ran.status, ran.code) == (2, code)
    assert repo.state(remote) == before


def test_a_usage_error_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    for arguments in (["bump", "-o", "json"], ["nonsense", "--output=json"], ["values", "nonsense", "-ojson"]):
        ran = run(*arguments, cwd=tmp_path)
        assert (ran.status, ran.json["outcome"], ran.code) == (2, "failed", "usage")
    assert run("status", "--output", "yaml", cwd=tmp_path).status == 2
    assert run("-o", "json", "bump", cwd=tmp_path).json["command"] == "bump"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (
            ["explain", "user-service", "-e", "prod"],
            "gitops-tk explain [OPTIONS] SOURCE TARGET SERVICE; see gitops-tk explain --help",
        ),
        (["promote", "dev"], "gitops-tk promote [OPTIONS] SOURCE TARGET [SERVICE...]; see gitops-tk promote --help"),
        (["promote", "dev", "staging", "--tag"], "see gitops-tk promote --help"),
        (["values", "set", "a", "--env"], "see gitops-tk values set --help"),
        (["values", "put"], "see gitops-tk values --help"),
        (["--nonsense"], "see gitops-tk --help"),
    ],
)
def test_a_usage_error_says_what_the_command_takes(tmp_path: Path, arguments: list[str], hint: str) -> None:
    ran = run(*arguments, cwd=tmp_path)
    assert (ran.status, ran.err.splitlines()[-1]) == (2, f"  hint: {hint}")
