"""Which login of the environment goes to which host, and texts without any of them."""

import pytest

from gitops_tk.logins import Login, host_of, known, may_carry, of_environment, redact, without_secrets

SERVER = {"GITHUB_SERVER_URL": "https://git.example.com"}


def test_a_login_does_not_show_itself() -> None:
    shown = f"{Login('t0ken-as-user', 's3cret-pw')} {[Login('t0ken-as-user', 's3cret-pw', job=True)]}"
    assert "t0ken-as-user" not in shown
    assert "s3cret-pw" not in shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at https://ann:s3cret@git.example.com/x.git", "at https://***@git.example.com/x.git"),
        ("at git+ssh://s3cret@git.example.com/x", "at git+ssh://***@git.example.com/x"),
        ("Authorization: Basic s3cret==", "Authorization: ***"),
        ("> authorization: s3cret, and more", "> authorization: *** and more"),
        ("PRIVATE-TOKEN: s3cret", "PRIVATE-TOKEN: ***"),
        ("job-token:s3cret", "job-token:***"),
        ("the mail of ann@example.com", "the mail of ann@example.com"),
        ("https://git.example.com/x@v1", "https://git.example.com/x@v1"),
    ],
)
def test_a_text_is_told_without_logins(text: str, told: str) -> None:
    assert redact(text) == told


def test_a_text_is_told_without_secrets_that_are_given_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set with a line break at its end, as a file's content is; and one that is too short to be one.
    monkeypatch.setenv("DEPLOY_PASSWORD", "s3cret-of-env\n")
    monkeypatch.setenv("NO_TOKEN", "is")
    monkeypatch.setenv("COLOUR", "is-kept-whole")
    said = redact("s3cret-of-env beside s3cret-given is-kept-whole", ["s3cret-given", ""])
    assert said == "*** beside *** is-kept-whole"


def test_what_is_called_a_secret_is_no_part_of_an_environment_for_others() -> None:
    secrets = ("GITHUB_TOKEN", "db_password", "MY_PASSWD", "A_SECRET_KEY", "AWS_CREDENTIALS")
    others = {"PATH": "/bin", "SSH_AUTH_SOCK": "/run/agent"}
    assert without_secrets({**dict.fromkeys(secrets, "s3cret"), **others}) == others


@pytest.mark.parametrize(
    ("host", "environ", "kind"),
    [
        ("github.com", {}, "github"),
        ("github.example.com", {}, "github"),
        ("shop.ghe.com", {}, "github"),
        ("notghe.com", {}, None),
        ("evil-github.example", {}, None),
        ("dev.azure.com", {}, "azure"),
        ("dev.azure.com.evil.example", {}, None),
        ("org.visualstudio.com", {}, "azure"),
        ("git.example.com", SERVER, "github"),
        ("git.example.com", {**SERVER, "GITEA_ACTIONS": "true"}, "gitea"),
        ("git.example.com", {**SERVER, "FORGEJO_ACTIONS": "true"}, "gitea"),
        ("git.example.com", {**SERVER, "GITEA_ACTIONS": "false"}, "github"),
        ("git.example.com:8443", SERVER, None),
        ("other.example.com", SERVER, None),
        ("git.example.com", {"CI_SERVER_HOST": "git.example.com"}, "gitlab"),
        ("", {"GH_HOST": ""}, None),
    ],
)
def test_a_host_is_known_by_its_own_name_or_a_variable_that_names_it(
    host: str, environ: dict[str, str], kind: str | None
) -> None:
    found = known(host, environ)
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("host", "environ", "login"),
    [
        ("gitlab.example.com", {}, ("gitlab-ci-token", "of-the-job", True)),
        ("gitlab.other.example", {}, None),
        ("github.com", {}, None),
        ("gitlab.example.com", {"GITLAB_TOKEN": "of-a-person"}, ("oauth2", "of-a-person", False)),
        ("gitlab.example.com", {"GITOPS_TK_TOKEN": "of-the-job"}, ("gitlab-ci-token", "of-the-job", True)),
        (
            "gitlab.example.com",
            {"GITOPS_TK_TOKEN": "of-the-job", "GITLAB_TOKEN": "of-a-person"},
            ("gitlab-ci-token", "of-the-job", True),
        ),
        ("gitlab.example.com", {"GITOPS_TK_TOKEN": "mine\n", "GITLAB_TOKEN": "x"}, ("oauth2", "mine", False)),
        ("git.example.com", {"GITOPS_TK_TOKEN": "mine", "GITOPS_TK_USER": "ann"}, ("ann", "mine", False)),
        ("git.example.com", {"GITOPS_TK_TOKEN": " "}, None),
    ],
)
def test_a_jobs_own_token_goes_to_its_own_server_alone(
    host: str, environ: dict[str, str], login: tuple[str, str, bool] | None
) -> None:
    job = {"CI_JOB_TOKEN": "of-the-job", "CI_SERVER_HOST": "gitlab.example.com"}
    found = of_environment(host, job | environ)
    assert found == (Login(login[0], login[1], login[2]) if login else None)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://git.example.com:8443/x", "git.example.com"),
        ("git.example.com:8443", "git.example.com"),
        ("https://[::1/x", ""),
        ("", ""),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("scheme", "host", "may"),
    [
        ("https", "git.example.com", True),
        ("http", "git.example.com", False),
        ("http", "127.0.0.1.example.com", False),
        ("http", "::1", True),
        ("ssh", "localhost", False),
    ],
)
def test_a_login_is_sent_encrypted_or_on_this_machine(scheme: str, host: str, may: bool) -> None:
    assert may_carry(scheme, host) is may
