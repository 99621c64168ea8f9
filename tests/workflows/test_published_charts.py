"""Charts that are published in a registry: rendered, checked and compared at the version that each environment pins."""

import gzip
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support import changes, published
from tests.support.registry import Registry, pack, serve

from gitops_tk.errors import ChartError, RefusedByPolicy
from gitops_tk.model.changes import ChangeSet, Write
from gitops_tk.model.evidence import ReleaseChange
from gitops_tk.model.result import Result
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.promote import PromoteRequest, plan
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.render import render
from gitops_tk.workflows.validate import validate
from gitops_tk.workflows.wiring.manifests import write


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with serve(tmp_path) as registry:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        published.publish(registry, "1.0.0", "1.1.0")
        yield registry


def rendered(files: Mapping[str, bytes], env: str = "dev", service: str = "a") -> str:
    options = Options(cwd=Path("/"), environ={**os.environ, **changes.EMBEDDED})
    return str(render(MemorySnapshot(files), service, env, Target(), options).details["manifest"])


def checked(files: Mapping[str, bytes]) -> Result:
    options = Options(cwd=Path("/"), environ={**os.environ, **changes.EMBEDDED})
    return validate(MemorySnapshot(files), (), (), Target(), options)


def told(result: Result) -> list[tuple[str, str | None, int | None]]:
    return [(one.code, one.file, one.line) for one in result.problems if one.severity == "error"]


def pin(files: Mapping[str, bytes], env: str, version: str, service: str = "a") -> Write:
    path = f"services/{service}/envs/{env}.yaml"
    return Write(path, files[path].replace(b"version: 1.0.0", f"version: {version}".encode()))


def objects(release: ReleaseChange) -> list[str]:
    return [one.label for one in release.objects]


def test_each_environment_is_rendered_with_the_version_that_it_pins(registry: Registry) -> None:
    files = published.repository(registry, pins={"dev": "1.1.0"})
    assert "chart: '1.1.0'" in rendered(files, "dev")
    assert "chart: '1.0.0'" in rendered(files, "prod")
    assert "image: 'v1.0.0'" in rendered(files, "prod")


def test_a_version_is_fetched_once_however_many_services_have_it(registry: Registry) -> None:
    assert told(checked(published.repository(registry, ("a", "b", "c")))) == []
    assert len([path for path, _ in registry.asked if "/manifests/" in path]) == 1


def test_the_services_name_may_be_in_the_charts_address(registry: Registry) -> None:
    published.publish(registry, "1.0.0", name="charts/a")
    files = published.repository(registry)
    files["gitops-tk.yaml"] = files["gitops-tk.yaml"].replace(b"charts/web", b"charts/{service}")
    assert "chart: '1.0.0'" in rendered(files)


def test_a_change_of_the_pin_shows_what_another_chart_makes_of_the_service(registry: Registry) -> None:
    published.publish(registry, "2.0.0", extra=changes.CONFIGMAP.replace(b"name: ", b"name: extra-"))
    files = published.repository(registry)
    (release,) = changes.changed(files, pin(files, "prod", "2.0.0"))
    assert (release.env, release.not_rendered) == ("prod", None)
    assert [(one.path, one.before, one.after) for one in release.values] == [("global.chart.version", "1.0.0", "2.0.0")]
    assert objects(release) == ["ConfigMap extra-a", "ConfigMap told"]


def test_a_promotion_shows_the_chart_that_comes_along_and_where_the_source_code_is(registry: Registry) -> None:
    about = b"apiVersion: v2\nname: web\nversion: 1.2.0\nsources: [https://github.com/shop/web]\n"
    registry.push("charts/web", "1.2.0", {"Chart.yaml": about, "templates/configmap.yaml": b"", "values.yaml": b""})
    files = published.repository(registry, pins={"staging": "1.2.0"}, tags={"staging": "v2"})
    old, new = "1f0e" * 10, "2e9b" * 10
    for env, revision in (("staging", new), ("prod", old)):
        path = f"services/a/envs/{env}.yaml"
        files[path] = files[path].replace(b"  tag:", f"  revision: {revision}\n  tag:".encode())
    found = changes.promotion(changes.views(files), environ=dict(os.environ))
    assert found.subject == "promote: a v2 and its chart from staging to prod"
    (release,) = found.releases
    assert [(one.path, one.before, one.after) for one in release.values] == [("global.chart.version", "1.0.0", "1.2.0")]
    assert [(one.change, one.label) for one in release.objects] == [
        ("removed", "ConfigMap a"),
        ("removed", "ConfigMap told"),
    ]
    assert release.images[0].compare == f"https://github.com/shop/web/compare/{old}...{new}"


def test_a_version_that_somebody_else_pins_meanwhile_is_left_alone(registry: Registry) -> None:
    files = published.repository(registry, pins={"staging": "1.1.0"})
    request = PromoteRequest(source="staging", target="prod", services=("a",))
    first = plan(request, changes.views(files), None)
    path = "services/a/envs/prod.yaml"
    # What the source pins meanwhile changes nothing of what was meant.
    newer = files | {"services/a/envs/staging.yaml": published.values("a", "staging", "v1.0.0", "1.2.0")}
    assert plan(request, changes.views(newer), first.intent).changeset == first.changeset
    assert (
        plan(request, changes.views(files | {path: pin(files, "prod", "1.1.0").data}), first.intent).changeset
        == ChangeSet()
    )
    with pytest.raises(RefusedByPolicy) as refused:
        plan(request, changes.views(files | {path: pin(files, "prod", "1.0.1").data}), first.intent)
    assert refused.value.code == "moved"


def test_another_address_in_the_configuration_shows_its_effect_everywhere(registry: Registry) -> None:
    published.publish(
        registry, "1.0.0", name="charts/other", extra=changes.CONFIGMAP.replace(b"name: ", b"name: extra-")
    )
    files = published.repository(registry)
    new = files["gitops-tk.yaml"].replace(b"charts/web", b"charts/other")
    found = changes.changed(files, Write("gitops-tk.yaml", new))
    assert [(one.env, objects(one)) for one in found] == [
        (env, ["ConfigMap extra-a"]) for env in ("prod", "staging", "dev")
    ]


def test_a_registry_that_does_not_answer_is_told_and_nothing_is_shown_by_halves(registry: Registry) -> None:
    files = published.repository(registry)
    (release,) = changes.changed(files, pin(files, "prod", "7.0.0"))
    assert release.objects == ()
    assert release.not_rendered is not None
    assert "7.0.0 cannot be fetched from oci://127.0.0.1" in release.not_rendered
    files["gitops-tk.yaml"] = files["gitops-tk.yaml"].replace(registry.host.encode(), b"127.0.0.1:1")
    with pytest.raises(ChartError) as refused:
        rendered(files)
    assert refused.value.code == "chart-pull"
    assert [code for code, _, _ in told(checked(files))] == ["chart-pull"] * 3


def test_what_could_not_be_fetched_is_not_asked_for_again_by_every_service(registry: Registry) -> None:
    files = published.repository(registry, ("a", "b", "c"), dict.fromkeys(published.ENVIRONMENTS, "7.0.0"))
    assert len(told(checked(files))) == 9
    assert len({path for path, _ in registry.asked}) == 1
    asked = len(registry.asked)
    assert len(told(checked({path: data for path, data in files.items() if "/a/" in path or "/" not in path}))) == 3
    assert len(registry.asked) == 2 * asked


@pytest.mark.parametrize(
    "version", ["latest", "^1.0", "1.0", "'*'", "../x", "-o", "1.0.0 --debug", "'{{ x }}'", "1.20", "[1]"]
)
def test_what_is_no_exact_version_is_handed_to_nobody(registry: Registry, version: str) -> None:
    files = published.repository(registry, pins={"dev": version})
    with pytest.raises(ChartError) as refused:
        rendered(files)
    assert (refused.value.code, refused.value.line) == ("bad-chart-version", 7)
    assert told(checked(files))[0] == ("bad-chart-version", "services/a/envs/dev.yaml", 7)
    assert not [path for path, _ in registry.asked if "1.0.0" not in path and "/manifests/" in path]


def test_values_that_cannot_be_read_are_told_beside_all_the_others(registry: Registry) -> None:
    more = b"argocd: {repository: 'https://git.example.com/shop/gitops.git'}\n"
    files = published.repository(registry, ("a", "b"), pins={"prod": "latest"}, more=more)
    wiring = write(changes.views(files))
    files |= {one.path: one.data for one in wiring.changeset.operations if isinstance(one, Write)}
    files["services/a/envs/dev.yaml"] += b"image: {tag: v2}\n"
    assert told(checked(files)) == [
        ("duplicate-key", "services/a/envs/dev.yaml", 8),
        ("bad-chart-version", "services/a/envs/prod.yaml", 7),
        ("bad-chart-version", "services/b/envs/prod.yaml", 7),
    ]


def test_a_service_without_a_pin_waits_until_it_has_an_image(registry: Registry) -> None:
    files = published.repository(registry)
    files["services/a/envs/prod.yaml"] = b"image: {tag: ''}\nglobal: {chart: {version: ''}}\n"
    files["services/a/envs/staging.yaml"] = b"image: {tag: v1}\n"
    assert told(checked(files)) == [("no-chart-version", "services/a/envs/staging.yaml", None)]
    with pytest.raises(ChartError) as refused:
        rendered(files, "prod")
    assert refused.value.code == "no-chart-version"
    assert refused.value.hint == "gitops-tk values set a -e prod global.chart.version=VERSION"


def test_a_folder_of_the_repository_is_never_taken_for_a_published_chart(registry: Registry) -> None:
    files = published.repository(registry)
    place = f"oci:/{registry.host}/charts/web"
    hostile = {f"{place}/{path}": data for path, data in changes.chart(evil=b"kind: Evil\n").items()}
    assert "Evil" not in rendered(files | hostile)


def test_what_a_published_chart_needs_is_not_looked_for_in_the_repository(registry: Registry) -> None:
    about = (
        b"apiVersion: v2\nname: web\nversion: 3.0.0\n"
        b"dependencies: [{name: lib, version: 1.0.0, repository: 'file://../../../../../services/lib'}]\n"
    )
    registry.push("charts/web", "3.0.0", {"Chart.yaml": about})
    files = published.repository(registry, pins={"dev": "3.0.0"})
    files |= {f"services/lib/{path}": data for path, data in changes.chart("lib").items()}
    with pytest.raises(ChartError) as refused:
        rendered(files)
    assert refused.value.code == "missing-dependency"


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        (b"no archive", "chart-load"),
        (pack({"values.yaml": b""}, "web"), "no-chart"),
        (pack({"Chart.yaml": b"apiVersion: v2\nname: web\nversion: 4.0.0\n", "../../x": b""}, "web"), "chart-path"),
        # A few kilobytes that unfold to more than any chart has.
        (gzip.compress(bytes(2**20)) * 201, "chart-too-large"),
    ],
    ids=["no archive", "no Chart.yaml", "a path that leaves it", "a bomb"],
)
def test_a_registry_that_hands_out_no_chart_is_told(registry: Registry, archive: bytes, code: str) -> None:
    registry.push("charts/web", "4.0.0", {}, archive)
    with pytest.raises(ChartError) as refused:
        rendered(published.repository(registry, pins={"dev": "4.0.0"}))
    assert refused.value.code in (code, "chart-pull")


def test_no_token_goes_to_the_registry_that_the_repository_names(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITOPS_TK_TOKEN", "GITHUB_TOKEN", "HELM_REGISTRY_TOKEN", "ARGOCD_AUTH_TOKEN"):
        monkeypatch.setenv(name, "a-secret-of-this-test")
    registry.login = "anybody:password"
    with pytest.raises(ChartError):
        rendered(published.repository(registry))
    assert {login for _, login in registry.asked} == {None}


def test_a_login_that_the_registry_refuses_is_not_told(registry: Registry, isolated_home: Path) -> None:
    registry.login = "me:password"
    (isolated_home / ".docker").mkdir()
    login = b64encode(b"me:another-one").decode()
    (isolated_home / ".docker/config.json").write_text(f'{{"auths": {{"{registry.host}": {{"auth": "{login}"}}}}}}')
    with pytest.raises(ChartError) as refused:
        rendered(published.repository(registry))
    said = f"{refused.value.message} {refused.value.hint}"
    assert "another-one" not in said
    assert login not in said


@pytest.mark.parametrize("values", ["global: [1]", "global: text", "global: {chart: [a]}", "global:"])
def test_values_of_another_shape_pin_nothing(registry: Registry, values: str) -> None:
    files = published.repository(registry)
    files["services/a/envs/dev.yaml"] = f"image: {{tag: v1}}\n{values}\n".encode()
    assert told(checked(files)) == [("no-chart-version", "services/a/envs/dev.yaml", None)]


def test_the_users_own_login_for_the_registry_is_used(registry: Registry, isolated_home: Path) -> None:
    registry.login = "me:password"
    folder = isolated_home / ".docker"
    folder.mkdir()
    login = b64encode(registry.login.encode()).decode()
    (folder / "config.json").write_text(f'{{"auths": {{"{registry.host}": {{"auth": "{login}"}}}}}}')
    assert "chart: '1.0.0'" in rendered(published.repository(registry))
