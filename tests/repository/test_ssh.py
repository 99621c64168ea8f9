"""SSH remotes, with a real server and a real key."""

from pathlib import Path

from tests.support import repositories as repo
from tests.support import ssh_server
from tests.support.cli import run_json


def test_a_bump_over_ssh(tmp_path: Path) -> None:
    remote = repo.gitops(tmp_path / "gitops.git")
    with ssh_server.serve(tmp_path) as (port, command):
        url = f"ssh://git@127.0.0.1:{port}{remote}"
        arguments = ("bump", "user-service", "-e", "dev", "--tag", "v1.1.0", "--repo", url)
        ran = run_json(*arguments, cwd=tmp_path, GIT_SSH_COMMAND=command)
        assert (ran.status, ran.json["outcome"]) == (0, "changed"), ran.out
        refused = run_json(*arguments, cwd=tmp_path, GIT_SSH_COMMAND=command.replace("/id ", "/none "))
    assert (refused.status, refused.code) == (1, "login-failed")
    assert b"v1.1.0" in repo.show(remote, "services/user-service/envs/dev.yaml")
