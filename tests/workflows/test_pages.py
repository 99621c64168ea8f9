"""The page of a proposal is its evidence, on the forge as in a terminal."""

from pathlib import Path

import pytest
from tests.support import repositories as repo
from tests.support.changes import chart
from tests.support.forges.server import TOKEN
from tests.support.proposing import Shop, shop

from gitops_tk.cli import options as opt
from gitops_tk.config.forge import ForgeKind
from gitops_tk.model.dialect import DIALECTS

_NAMES = [f"s{at}" for at in range(40)]


def _with_charts(here: Shop, names: list[str]) -> None:
    charts = {f"services/{name}/chart/{path}": data for name in names for path, data in chart(name).items()}
    sources = {f"services/{name}/chart/Chart.yaml": f"sources: ['{here.url}']\n".encode() for name in names}
    repo.commit(here.folder, {path: data + sources.get(path, b"") for path, data in charts.items()})


def test_forty_services_are_one_pull_request_with_the_evidence_of_all(tmp_path: Path) -> None:
    with shop(tmp_path, services=_NAMES) as here:
        _with_charts(here, _NAMES)
        here.set("staging", **dict.fromkeys(_NAMES, "v1.1.0"))
        here.written()
        assert here.promote(body=opt.shared().body).outcome == "proposed"
        # The push of the branch is git's own.
        assert len([one for one in here.written() if "git-receive-pack" not in one]) <= 4
        (pull,) = here.opened()
        assert pull.body.count("| `v1.0.0` | `v1.1.0` |") == 40
        assert "**Kubernetes**: 40 objects changed; only the image and what carries its version" in pull.body
        assert "gitops-tk rollback s0 s1" in pull.body
        assert (here.promote(body=opt.shared().body).outcome, here.written()) == ("unchanged", [])


@pytest.mark.parametrize("kind", ["gitlab", "azure"])
def test_a_page_has_links_and_commits_and_no_secret(
    kind: ForgeKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_TK_TOKEN", TOKEN)
    with shop(tmp_path, kind, ["a"]) as here:
        _with_charts(here, ["a"])
        older = repo.git(here.folder, "rev-parse", "main")
        newer = repo.commit(here.folder, {"main.go": b"package main\n"}, message="feat: faster")
        for env, tag, revision in (("prod", "v1.0.0", older), ("staging", "v1.1.0", newer)):
            written = f"image: {{tag: {tag}, revision: {revision}}}\nconfig: {{DB_PASSWORD: hunter-{env}}}\n"
            repo.commit(here.folder, {f"services/a/envs/{env}.yaml": written.encode()})
        config = repo.show(here.folder, "gitops-tk.yaml") + b"promotion: {keys: ['config.*']}\n"
        repo.commit(here.folder, {"gitops-tk.yaml": config})
        assert here.promote("a", body=opt.shared().body).outcome == "proposed"
        (pull,) = here.opened()
        assert len(pull.body.encode()) <= DIALECTS[kind].limit
        assert f"{older[:8]}...{newer[:8]}" in pull.body
        assert "`feat: faster`" in pull.body
        assert "! config.DB_PASSWORD: changed (hidden)" in pull.body
        assert "hunter" not in pull.body
        assert TOKEN not in pull.body
