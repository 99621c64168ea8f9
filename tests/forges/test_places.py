"""A remote's URL says which forge it is on and where its API is; a file of the repository never says the host."""

import pytest

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.forges import registry
from gitops_tk.forges.place import Place, find, sibling
from gitops_tk.logins import Login

KNOWN = [
    ("https://github.com/shop/gitops.git", "github", "shop/gitops", "https://api.github.com"),
    ("https://github.com/shop/gitops/", "github", "shop/gitops", "https://api.github.com"),
    ("git@github.com:shop/gitops.git", "github", "shop/gitops", "https://api.github.com"),
    ("ssh://git@ssh.github.com:443/shop/gitops.git", "github", "shop/gitops", "https://api.github.com"),
    ("https://github.example.com/shop/gitops", "github", "shop/gitops", "https://github.example.com/api/v3"),
    ("https://github.example.com:8443/shop/g", "github", "shop/g", "https://github.example.com:8443/api/v3"),
    ("https://shop.ghe.com/shop/gitops", "github", "shop/gitops", "https://api.shop.ghe.com"),
    ("https://github.com//shop//gitops/", "github", "shop/gitops", "https://api.github.com"),
    ("https://gitlab.com/shop/team/gitops.git", "gitlab", "shop/team/gitops", "https://gitlab.com/api/v4"),
    ("https://gitlab.com/scm/team/gitops", "gitlab", "scm/team/gitops", "https://gitlab.com/api/v4"),
    ("git@gitlab.example.com:a/b/c/d.git", "gitlab", "a/b/c/d", "https://gitlab.example.com/api/v4"),
    ("ssh://git@gitlab.example.com:2222/a/b.git", "gitlab", "a/b", "https://gitlab.example.com/api/v4"),
    ("https://codeberg.org/shop/gitops", "gitea", "shop/gitops", "https://codeberg.org/api/v1"),
    ("https://gitea.example.com/sub/shop/g.git", "gitea", "shop/g", "https://gitea.example.com/sub/api/v1"),
    ("https://gitea.example.com/my%20forge/shop/g", "gitea", "shop/g", "https://gitea.example.com/my%20forge/api/v1"),
    ("https://bitbucket.org/shop/gitops", "bitbucket", "shop/gitops", "https://api.bitbucket.org/2.0"),
    ("git@bitbucket.org:shop/gitops.git", "bitbucket", "shop/gitops", "https://api.bitbucket.org/2.0"),
    (
        "https://bitbucket.example.com/scm/SHOP/gitops.git",
        "bitbucket-dc",
        "SHOP/gitops",
        "https://bitbucket.example.com/rest/api/1.0",
    ),
    (
        "https://bitbucket.example.com/ctx/scm/~ann/gitops.git",
        "bitbucket-dc",
        "~ann/gitops",
        "https://bitbucket.example.com/ctx/rest/api/1.0",
    ),
    (
        "ssh://git@bitbucket.example.com:7999/~ann/gitops.git",
        "bitbucket-dc",
        "~ann/gitops",
        "https://bitbucket.example.com/rest/api/1.0",
    ),
    ("https://dev.azure.com/org/My%20Project/_git/gitops", "azure", "org/My Project/gitops", "https://dev.azure.com"),
    ("https://dev.azure.com/org/_git/gitops", "azure", "org/gitops/gitops", "https://dev.azure.com"),
    ("git@ssh.dev.azure.com:v3/org/project/gitops", "azure", "org/project/gitops", "https://dev.azure.com"),
    ("org@vs-ssh.visualstudio.com:v3/org/project/gitops", "azure", "org/project/gitops", "https://dev.azure.com"),
    ("https://org.visualstudio.com/project/_git/gitops", "azure", "org/project/gitops", "https://dev.azure.com"),
    (
        "https://org.visualstudio.com/DefaultCollection/project/_git/gitops",
        "azure",
        "org/project/gitops",
        "https://dev.azure.com",
    ),
]


@pytest.mark.parametrize(("url", "kind", "path", "api"), KNOWN)
def test_a_remote_tells_its_forge(url: str, kind: str, path: str, api: str) -> None:
    found = find(url, {})
    assert (found.kind, found.path, found.api) == (kind, path, api)


@pytest.mark.parametrize(
    "url",
    [
        "file:///srv/gitops.git",
        "https://git.example.com/shop/gitops.git",
        "ssh://git@git.example.com/shop/gitops",
        "https://evil-github.example/shop/gitops",
        "https://github.com.evil.example/",
        "https://github.com/only-one",
        "https://github.com/a/b/c",
        "https://github.com/../../etc",
        "https://github.com:port/shop/gitops",
        "https://[github.com/shop/gitops",
        "https:///shop/gitops",
        "ftp://github.com/shop/gitops",
        "../github.com/gitops",
        "ssh://git@gitea.example.com/sub/shop/gitops",
        "https://gitea.example.com/gitops",
        "https://dev.azure.com/org/project/_git/a/b",
        "https://dev.azure.com/_git/gitops",
        "https://dev.azure.com/v3/org/gitops",
    ],
)
def test_what_is_no_known_forge_is_git(url: str) -> None:
    assert find(url, {}).kind == "git"


def test_an_azure_devops_server_of_ones_own() -> None:
    found = find("https://tfs.example.com/tfs/Main/Shop/_git/gitops", {}, "azure")
    assert (found.path, found.api) == ("tfs/Main/Shop/gitops", "https://tfs.example.com")


@pytest.mark.parametrize(
    ("url", "kind", "repository", "path"),
    [
        ("https://dev.azure.com/x", "azure", "org/project/gitops", "org/project/gitops"),
        ("https://dev.azure.com/x", "azure", "org/gitops", None),
        ("https://git.example.com/gitops", "gitlab", None, None),
        ("https://git.example.com/a/b/c", "github", None, None),
        ("https://git.example.com/a/b", "bitbucket-dc", None, "a/b"),
    ],
)
def test_a_kind_in_the_file_needs_a_path_that_fits_it(
    url: str, kind: ForgeKind, repository: str | None, path: str | None
) -> None:
    if path is not None:
        assert find(url, {}, kind, repository).path == path
        return
    with pytest.raises(ConfigError) as caught:
        find(url, {}, kind, repository)
    assert caught.value.code == "forge-repository"


def test_a_kind_in_the_file_asks_the_remotes_own_host() -> None:
    found = find("git@git.example.com:shop/gitops.git", {}, "gitea")
    assert found.api == "https://git.example.com/api/v1"


def test_a_kind_in_the_file_leads_to_no_other_host() -> None:
    with pytest.raises(ConfigError) as caught:
        find("https://git.example.com/shop/gitops.git", {}, "bitbucket")
    assert caught.value.code == "forge-kind"


def test_a_repository_in_the_file_is_a_path_on_the_same_host() -> None:
    url = "git@github.com:mirror/gitops.git"
    assert find(url, {}, repository="shop/gitops").path == "shop/gitops"
    assert find(url, {}, repository="https://github.com/shop/gitops").path == "shop/gitops"
    for other in ("https://evil.example/shop/gitops", "git@evil.example:shop/gitops"):
        with pytest.raises(ConfigError) as caught:
            find(url, {}, repository=other)
        assert caught.value.code == "forge-repository"


@pytest.mark.parametrize("path", ["shop", "../gitops", "shop/../gitops", "a/b/c", "", "shop/git\nops"])
def test_a_repository_that_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ConfigError):
        find("https://github.com/shop/gitops", {}, repository=path)


def test_the_environment_may_name_another_api() -> None:
    environ = {"GITOPS_TK_FORGE_API": "https://git.example.com/gitea/api/v1/"}
    found = find("https://git.example.com/gitea/shop/gitops.git", environ, "gitea")
    assert (found.web, found.path) == ("https://git.example.com/gitea", "shop/gitops")
    assert found.api == "https://git.example.com/gitea/api/v1"
    elsewhere = {"GITOPS_TK_FORGE_API": "https://api.example.com/v1"}
    found = find("https://git.example.com/sub/shop/gitops.git", elsewhere, "gitea")
    assert (found.web, found.path, found.api) == (
        "https://git.example.com",
        "shop/gitops",
        "https://api.example.com/v1",
    )
    assert find("https://bitbucket.org/shop/gitops", elsewhere).web == "https://bitbucket.org"
    for named in ("shop", "ftp://user:s3cret@git.example.com/", "https:///api"):
        with pytest.raises(UsageError) as caught:
            find("https://git.example.com/shop/gitops", {"GITOPS_TK_FORGE_API": named}, "gitea")
        assert "s3cret" not in caught.value.message


def test_ci_systems_name_their_own_api_for_their_own_host_alone() -> None:
    environ = {"GITHUB_SERVER_URL": "https://git.example.com", "GITHUB_API_URL": "https://api.git.example.com"}
    assert find("https://git.example.com/shop/gitops", environ).api == "https://api.git.example.com"
    assert find("https://github.com/shop/gitops", environ).api == "https://api.github.com"
    gitlab = {"CI_SERVER_HOST": "git.example.com", "CI_API_V4_URL": "https://git.example.com/gl/api/v4"}
    found = find("https://git.example.com/gl/shop/gitops.git", gitlab)
    assert (found.kind, found.path, found.api) == ("gitlab", "shop/gitops", "https://git.example.com/gl/api/v4")
    assert find("https://git.example.com/shop/team/gitops", gitlab).path == "shop/team/gitops"
    assert find("git@git.example.com:gl/gitops.git", gitlab).path == "gl/gitops"
    # Without encryption, or said of another kind, it is none.
    plain = gitlab | {"CI_API_V4_URL": "http://git.example.com/gl/api/v4"}
    assert find("https://git.example.com/shop/gitops", plain).api == "https://git.example.com/api/v4"
    assert find("https://git.example.com/a/b", environ | {"GITHUB_API_URL": ""}).api == "https://git.example.com/api/v3"
    assert find("https://github.com/shop/gitops", {}, "gitlab").api == "https://github.com/api/v4"


def test_giteas_runner_speaks_of_itself_in_githubs_variables() -> None:
    environ = {"GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example.com", "GITHUB_TOKEN": "t"}
    environ["GITHUB_API_URL"] = "https://git.example.com/api/v1"
    found = find("https://git.example.com/shop/gitops", environ)
    assert (found.kind, found.api) == ("gitea", "https://git.example.com/api/v1")
    assert registry.login(found, environ) == Login("gitops-tk", "t")


_OTHER = "https://gitlab.example.com/api"
TOKENS = {"GITHUB_TOKEN": "of-github", "GITLAB_TOKEN": "of-gitlab", "CI_JOB_TOKEN": "of-the-job"}


@pytest.mark.parametrize(
    ("place", "more", "expected"),
    [
        (find("https://github.com/a/b", {}), {}, "of-github"),
        (find("https://git.example.com/a/b", {}, "github"), {}, None),
        (find("https://git.example.com/a/b", {}, "gitlab"), {}, None),
        (find("https://git.example.com/a/b", {}, "gitlab"), {"GITLAB_HOST": "git.example.com"}, "of-gitlab"),
        (find("https://git.example.com/a/b", {}, "github"), {"GITOPS_TK_TOKEN": "own"}, "own"),
        (find("https://gitlab.com/a/b", {}), {"CI_SERVER_HOST": "gitlab.com"}, "of-gitlab"),
        (find("https://git.example.com/a/b", {}, "gitlab"), {"CI_SERVER_HOST": "git.example.com"}, "of-gitlab"),
        (find("http://git.example.com/a/b", {}, "gitlab"), {"GITOPS_TK_TOKEN": "own"}, None),
        (find("http://127.0.0.1/a/b", {}, "gitlab"), {"GITOPS_TK_TOKEN": "own"}, "own"),
        (Place(kind="git"), {"GITOPS_TK_TOKEN": "own"}, None),
        (Place(kind="gitea", host="git.example.com", api=_OTHER), {"GITOPS_TK_FORGE_API": _OTHER}, "of-gitlab"),
        (Place(kind="gitea", host="git.example.com", api=_OTHER), {"GITOPS_TK_FORGE_API": " "}, None),
        (Place(kind="github", host="github.com", api=_OTHER), {"GITOPS_TK_FORGE_API": _OTHER}, "of-github"),
    ],
)
def test_which_token_a_place_gets(place: Place, more: dict[str, str], expected: str | None) -> None:
    found = registry.login(place, TOKENS | more)
    assert (found.password if found else None) == expected


def test_a_jobs_own_token_is_used_where_that_is_said() -> None:
    place = find("https://git.example.com/a/b", {}, "gitlab")
    environ = {"CI_JOB_TOKEN": "of-the-job", "CI_SERVER_HOST": "git.example.com"}
    assert registry.login(place, environ) is None
    said = registry.login(place, environ | {"GITOPS_TK_TOKEN": "of-the-job"})
    assert said == Login("gitlab-ci-token", "of-the-job", job=True)


def test_a_login_of_the_remotes_url_is_for_its_own_host() -> None:
    own = Login("ci", "in-the-url")
    assert registry.login(find("https://git.example.com/a/b", {}, "gitea"), {}, own) == own
    environ = {"GITOPS_TK_FORGE_API": "https://elsewhere.example/api/v1"}
    assert registry.login(find("https://git.example.com/a/b", environ, "gitea"), environ, own) is None


def test_content_names_other_repositories_of_the_same_forge_alone() -> None:
    place = find("git@github.com:shop/gitops.git", {})
    assert sibling(place, "https://github.com/shop/user-service", {}) == find(
        "https://github.com/shop/user-service", {}
    )
    assert sibling(place, "https://evil.example/shop/user-service", {}) is None
    assert sibling(place, "https://github.com.evil.example/shop/user-service", {}) is None
    assert sibling(place, "ext::sh -c id", {}) is None
    assert sibling(place, "https://github.com/only-one", {}) is None
    assert sibling(find("file:///srv/gitops.git", {}), "file:///srv/user-service.git", {}) is None
