"""What git is told of logins: the remote's own host gets its own, and nobody else any."""

import base64

import pytest

from gitops_tk.logins import Login
from gitops_tk.repository.credentials import settings
from gitops_tk.repository.location import remote

TOKEN = {"GITOPS_TK_TOKEN": "t0ken"}


def sends(place: str, login: str) -> list[tuple[str, str]]:
    basic = f"Authorization: Basic {base64.b64encode(login.encode()).decode()}"
    return [(f"{place}.extraHeader", ""), (f"{place}.extraHeader", basic), (f"{place}.followRedirects", "false")]


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://github.com/a/b", TOKEN, sends("http.https://github.com/", "x-access-token:t0ken")),
        ("http://127.0.0.1:80/a", TOKEN, sends("http.http://127.0.0.1:80/", "gitops-tk:t0ken")),
        ("http://git.example.com/a", TOKEN, []),
        ("http://ann:pw@git.example.com/a", TOKEN, []),
        ("ssh://git@github.com/a/b", TOKEN, []),
        ("git@github.com:a/b", TOKEN, []),
        ("file:///srv/a.git", TOKEN, []),
        ("https://github.com/a/b", {}, []),
        ("https://ann:p%40w@github.com/a/b", TOKEN, sends("http.https://github.com/", "ann:p@w")),
        ("https://ann@github.com/a/b", TOKEN, sends("http.https://github.com/", "x-access-token:t0ken")),
        ("https://ann@github.com/a/b", {}, [("credential.https://github.com.username", "ann")]),
    ],
)
def test_git_sends_a_login_to_the_remotes_own_host(
    url: str, environ: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    location = remote(url)
    assert settings(location.url, location.login, environ) == expected


@pytest.mark.parametrize(
    ("url", "clean", "login"),
    [
        ("https://ann:s3cret@github.com/a", "https://github.com/a", Login("ann", "s3cret")),
        ("https://t0ken@github.com/a", "https://github.com/a", Login("t0ken", "")),
        ("ssh://git:s3cret@git.example.com:22/a", "ssh://git@git.example.com:22/a", None),
        ("git+ssh://git:s3cret@git.example.com/a", "git+ssh://git@git.example.com/a", None),
        ("file://ann:s3cret@/srv/a", "file://ann@/srv/a", None),
        ("ssh://git@git.example.com/a", "ssh://git@git.example.com/a", None),
    ],
)
def test_a_remotes_address_is_kept_without_the_secret_in_it(url: str, clean: str, login: Login | None) -> None:
    found = remote(url)
    assert (found.url, found.login) == (clean, login)
