"""Pull requests that say where images are pulled from: a tag that was tried says nothing in another repository."""

from tests.workflows.planted_past import CHART, D1, D2, D3, LISTED, WHOLE, Case, own, path

_EVIL = "evil.example.com/a"
_OVERRIDE = "moved\n\nGitops-Tk-Override: foreign-repository the mirror moved\n"


def pulled(values: bytes, where: str, key: str = "repository") -> bytes:
    """The same values, with a place that their image is pulled from."""
    assert values.count(b"image:\n") == 1
    return values.replace(b"image:\n", f"image:\n  {key}: {where}\n".encode())


def _foreign(name: str, place: str, content: bytes, **more: str) -> Case:
    return Case(name, "foreign-repository", {place: content}, **more)


_B_PROD = own("v1.1.0", D2)
_NEW_CHART = {
    "services/new/chart/values.yaml": CHART,
    "services/new/chart/Chart.yaml": b"apiVersion: v2\nname: new\nversion: 0.1.0\n",
    path("new", "dev"): own("''", "''"),
    path("new", "staging"): own("''", "''"),
}

PLACES = [
    _foreign("new-service-from-elsewhere", path("few", "prod"), pulled(own("v2.0.0", D3), _EVIL)),
    _foreign("repository-of-prod", path("b", "prod"), pulled(_B_PROD, _EVIL)),
    _foreign("registry-of-prod", path("b", "prod"), pulled(_B_PROD, "evil.example.com", "registry")),
    _foreign("repository-with-a-tag-of-its-own", path("b", "prod"), pulled(_B_PROD, "example.com/a:v9")),
    _foreign("repository-by-a-merge-key", path("b", "prod"), pulled(_B_PROD, f"{{repository: {_EVIL}}}", "<<")),
    _foreign("repository-that-dev-alone-has", path("moving", "prod"), pulled(own("v1.0.0"), "new.example.com/a")),
    _foreign("repository-of-another-service", path("b", "prod"), pulled(_B_PROD, "new.example.com/a")),
    _foreign("repository-by-a-shared-file", "envs/prod.yaml", b"region: eu\nimage: {repository: evil.example.com/a}\n"),
    _foreign("mirror-that-moves", "envs/asked.yaml", b"region: eu\nimage: {registry: evil.example.com}\n"),
    _foreign("repository-by-a-charts-default", "services/few/chart/values.yaml", CHART.replace(b"example", b"evil")),
    _foreign(
        "repository-taken-away", "services/few/chart/values.yaml", CHART.replace(b"  repository: example.com/a\n", b"")
    ),
    _foreign(
        "digest-that-gitops-tk-yaml-does-not-name",
        path("listed", "staging"),
        LISTED.replace(b"newTag: v1.0.0\n", b"newTag: v1.0.0\n    digest: sha256:9\n", 1),
    ),
    _foreign("repository-of-a-whole-reference", path("whole", "staging"), WHOLE.replace(b"example", b"evil")),
    _foreign(
        "repository-in-a-list", path("listed", "staging"), LISTED.replace(b"example.com/web", b"evil.example/web")
    ),
    _foreign(
        "override-where-none-is-allowed", path("b", "staging"), pulled(own("v2.0.0", D3), _EVIL), message=_OVERRIDE
    ),
    Case(
        "new-service-with-a-place-of-its-own-in-one-environment",
        "foreign-repository",
        {**_NEW_CHART, path("new", "prod"): pulled(own("''", "''"), _EVIL)},
    ),
]

PLACES_GOOD = [
    Case("new-service-from-where-the-source-has-it", None, {path("few", "prod"): own("v2.0.0", D3)}),
    Case("new-service-behind-the-mirror-that-all-use", None, {path("new", "asked"): own("''", "''"), **_NEW_CHART}),
    Case("new-service-everywhere", None, {**_NEW_CHART, path("new", "prod"): own("''", "''")}),
    Case(
        "repository-that-the-source-has", None, {path("moving", "staging"): pulled(own("v1.0.0"), "new.example.com/a")}
    ),
    Case("repository-of-the-first-environment", None, {path("a", "dev"): pulled(own("v1.2.0", D3, "debug"), _EVIL)}),
    Case("repository-overridden", None, {path("b", "prod"): pulled(_B_PROD, _EVIL)}, message=_OVERRIDE),
    Case("promotion-of-a-whole-reference", None, {path("whole", "staging"): WHOLE.replace(b"v1.0.0", b"v1.1.0")}),
    Case("promotion-in-a-list", None, {path("listed", "staging"): LISTED.replace(b"v1.0.0", b"v1.1.0")}),
    Case("mirror-taken-away", None, {"envs/asked.yaml": b"region: eu\n"}),
    Case("values-behind-a-mirror", None, {path("b", "asked"): own("v1.0.0", D1, "trace")}),
]
