"""The local GitLab and GitHub are spoken to by clients that others wrote: a second opinion on what they are."""

from collections.abc import Iterator
from pathlib import Path

import gitlab
import pytest
from github import Auth, Github, GithubException
from gitlab.exceptions import GitlabCreateError, GitlabHttpError
from tests.support.forges.server import TOKEN
from tests.support.forges.stage import BRANCH, OTHERS, Stage, staged


@pytest.fixture
def on_gitlab(tmp_path: Path, bare: Path) -> Iterator[Stage]:
    with staged("gitlab", tmp_path, bare) as stage:
        yield stage


@pytest.fixture
def on_github(tmp_path: Path, bare: Path) -> Iterator[Stage]:
    with staged("github", tmp_path, bare) as stage:
        yield stage


def test_python_gitlab_sees_what_the_adapter_did(on_gitlab: Stage) -> None:
    stage = on_gitlab
    pull = stage.opened(labels=("prod",), reviewers=("ann",), draft=True)
    stage.forge.comment(pull.number, "<!-- m -->", "said <!-- m -->")
    stage.server.dialect.page = 1
    stage.here.open(OTHERS[0], "main", "another", "b")
    with gitlab.Gitlab(stage.server.root_url, private_token=TOKEN) as client:
        project = client.projects.get("shop/team/gitops")
        found = project.mergerequests.list(state="opened", iterator=True)
        assert sorted(one.iid for one in found) == [1, 2]
        (one,) = project.mergerequests.list(source_branch=BRANCH, get_all=True)
        assert (one.title, one.labels, one.draft) == (f"Draft: promote: {BRANCH}", ["prod"], True)
        assert [reviewer["username"] for reviewer in one.reviewers] == ["ann"]
        notes = project.mergerequests.get(1).notes.list(iterator=True)
        assert [note.body for note in notes if not note.system] == ["said <!-- m -->"]


def test_what_python_gitlab_does_the_adapter_sees(on_gitlab: Stage) -> None:
    stage = on_gitlab
    with gitlab.Gitlab(stage.server.root_url, private_token=TOKEN) as client:
        project = client.projects.get("shop/team/gitops")
        asked = {"source_branch": BRANCH, "target_branch": "main", "title": "by another client", "labels": ["a", "b"]}
        made = project.mergerequests.create(asked)
        pull = stage.forge.find(BRANCH, "main")
        assert pull is not None
        assert (pull.number, pull.title, pull.labels, pull.head) == (1, "by another client", ("a", "b"), made.sha)
        with pytest.raises(GitlabCreateError) as caught:
            project.mergerequests.create(asked)
        assert caught.value.response_code == 409
        made.title = "renamed"
        made.save()
        assert stage.forge.get(1).title == "renamed"
        stage.here.settings.checks = True
        merge = f"/projects/1/merge_requests/{made.iid}/merge"
        with pytest.raises(GitlabHttpError) as refused:
            client.http_put(merge, post_data={"sha": made.sha})
        assert refused.value.response_code == 405
        assert stage.forge.arm(pull, "merge") is None
        assert project.mergerequests.get(1).merge_when_pipeline_succeeds
        made.cancel_merge_when_pipeline_succeeds()
        assert not stage.forge.get(1).armed
        stage.here.approve(stage.here.pulls[1], "ann")
        assert [one["user"]["username"] for one in made.approvals.get().approved_by] == ["ann"]
        made.reset_approvals()
        assert stage.here.pulls[1].approvals == {}
        stage.here.settings.checks = False
        client.http_put(merge, post_data={"sha": made.sha})
        assert stage.forge.get(1).state == "merged"


def test_pygithub_sees_what_the_adapter_did(on_github: Stage) -> None:
    stage = on_github
    pull = stage.opened(labels=("prod",), reviewers=("ann",))
    stage.forge.comment(pull.number, "<!-- m -->", "said <!-- m -->")
    stage.server.dialect.page = 1
    stage.here.open(OTHERS[0], "main", "another", "b")
    with Github(base_url=stage.server.api, auth=Auth.Token(TOKEN), retry=None) as client:
        repository = client.get_repo("shop/gitops")
        assert sorted(one.number for one in repository.get_pulls(state="open", base="main")) == [1, 2]
        (one,) = repository.get_pulls(state="open", head=f"shop:{BRANCH}")
        assert (one.title, [label.name for label in one.labels]) == (f"promote: {BRANCH}", ["prod"])
        assert one.head.sha == pull.head
        assert [comment.body for comment in one.get_issue_comments()] == ["said <!-- m -->"]


def test_what_pygithub_does_the_adapter_sees(on_github: Stage) -> None:
    stage = on_github
    with Github(base_url=stage.server.api, auth=Auth.Token(TOKEN), retry=None) as client:
        repository = client.get_repo("shop/gitops")
        made = repository.create_pull(base="main", head=BRANCH, title="by another client", body="b", draft=True)
        pull = stage.forge.find(BRANCH, "main")
        assert pull is not None
        assert (pull.number, pull.title, pull.draft) == (1, "by another client", True)
        with pytest.raises(GithubException) as caught:
            repository.create_pull(base="main", head=BRANCH, title="again", body="b")
        assert caught.value.status == 422
        made.edit(title="renamed")
        assert stage.forge.get(1).title == "renamed"
        stage.here.pulls[1].draft = False
        with pytest.raises(GithubException) as caught:
            made.merge(sha="0" * 40, merge_method="merge")
        assert caught.value.status == 409
        assert made.merge(sha=made.head.sha, merge_method="squash").merged
        assert stage.forge.get(1).state == "merged"
