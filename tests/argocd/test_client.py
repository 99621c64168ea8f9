"""The client of Argo CD's API: which addresses it takes, and that a name never becomes more than a name."""

import pytest
from tests.support.http_server import Answer, serve

from gitops_tk.argocd.client import Server, address
from gitops_tk.errors import UsageError


@pytest.mark.parametrize(
    "text", ["argocd.example", "https://argocd.example/", " argocd.example:8443\n", "http://[::1]:80"]
)
def test_an_address_is_taken_with_or_without_its_scheme(text: str) -> None:
    found = address({"ARGOCD_SERVER": text})
    assert found is not None
    assert found.startswith(("https://argocd.example", "http://[::1]"))
    assert not found.endswith("/")


@pytest.mark.parametrize(
    "text",
    [
        "https://argocd.example/?next=evil",
        "argocd.example#x",
        "argocd.example/a b",
        "argocd.example/\x1b[2J",
        "https://argocd.example:0",
        "https://argocd.example:99999",
        "https://",
        "https://me@argocd.example",
        "ftp://argocd.example",
    ],
)
def test_what_is_no_address_of_an_argo_cd_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        address({"ARGOCD_SERVER": text})
    assert refused.value.code == "bad-argocd-server"


def test_a_name_that_looks_like_a_path_stays_a_name() -> None:
    with serve(Answer(404)) as server:
        there = Server(server.url, "t0k3n-of-argo", namespace="argocd", project="shop")
        assert there.application("../projects/x?y#z") is None
        there.close()
        assert server.asked[0].line.startswith("GET /api/v1/applications/..%2Fprojects%2Fx%3Fy%23z?")
