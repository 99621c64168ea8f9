"""Addresses and variables from outside: what cannot be used is told, without the logins in it."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.cli import run_json

from gitops_tk.repository.location import is_url

BUMP = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0")


@pytest.mark.parametrize(
    "address",
    [
        "https://[::1/gitops",
        "https://h\u2100st/gitops",
        "https://user:s3cret-pw@host",
        "https://user:s3cret-pw@h st/gitops",
        "https://user:s3cret-pw@[::1/gitops",
        "ext::sh -c id",
        "-oProxyCommand=id",
        "--upload-pack=id",
        "ssh://-oProxyCommand=id/gitops",
        "ssh://git@-oProxyCommand=id/gitops",
        "ssh://git@host/gitops\n",
        "file://",
    ],
)
def test_what_is_no_address_is_told_without_the_login_in_it(tmp_path: Path, address: str) -> None:
    for ran in (
        run_json(*BUMP, "--repo", address, cwd=tmp_path),
        run_json(*BUMP, cwd=tmp_path, GITOPS_TK_REPO=address),
    ):
        assert (ran.status, ran.code) == (2, "bad-repository")
        assert "s3cret-pw" not in ran.out + ran.err


@pytest.mark.parametrize("address", ["git@host:-x", "git@-host:x", "git@host::x", "host://x"])
def test_what_a_program_could_take_for_an_option_is_no_address(address: str) -> None:
    assert not is_url(address)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GIT_CONFIG_COUNT", "many"),
        ("GITOPS_TK_GIT_TIMEOUT", "9" * 30),
        ("GITOPS_TK_GIT_TIMEOUT", "2m"),
        ("GIT_CONFIG_COUNT", "\u0663"),
    ],
)
def test_a_variable_that_is_no_number_is_told(tmp_path: Path, name: str, text: str) -> None:
    remote = repo.gitops(tmp_path / "gitops.git")
    ran = run_json(*BUMP, "--repo", f"file://{remote}", cwd=tmp_path, **{name: text})
    assert (ran.status, ran.code) == (2, "bad-environment")
    assert name in ran.json["problems"][0]["message"]
