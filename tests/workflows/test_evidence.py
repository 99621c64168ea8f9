"""Evidence: which releases a change reaches, and what it does to each of them."""

import io
import os
import tarfile
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support import repositories as repo
from tests.support.changes import CONFIGMAP, between, changed, chart, promotion, repository, views
from tests.support.forges.stage import staged, template

from gitops_tk.config.forge import ForgeKind
from gitops_tk.errors import ConfigError
from gitops_tk.model.changes import ChangeSet, Copy, Delete, Write
from gitops_tk.model.history import Version
from gitops_tk.model.snapshot import FOLDER, SYMLINK
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.repository.memory import MemorySnapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.repository.remote import Remote
from gitops_tk.workflows.checking import processes

_STAGING = {"staging": "v1.1.0"}
_DEPENDING = (
    b"apiVersion: v2\nname: web\nversion: 0.1.0\n"
    b"dependencies: [{name: x, version: 1.0.0, repository: 'https://charts.example.com'}]\n"
)


def test_a_promotion_shows_its_images_and_what_follows_from_them() -> None:
    found = promotion(views(repository(["a", "b"], tags=_STAGING)))
    assert (found.source, found.subject) == ("staging", "promote: a and b v1.1.0 from staging to prod")
    assert [(one.service, one.env) for one in found.releases] == [("a", "prod"), ("b", "prod")]
    (release, _) = found.releases
    (image,) = release.images
    assert (image.before.tag, image.after.tag) == ("v1.0.0", "v1.1.0")  # type: ignore[union-attr]
    assert (release.values, release.cautions, release.not_rendered) == ((), (), None)
    ((deployment,),) = [one.objects for one in found.releases[:1]]
    assert [(field.path, field.because) for field in deployment.fields] == [
        ("spec.template.spec.containers[web].image", "image")
    ]
    assert found.rollback == ("gitops-tk rollback a b -e prod",)
    assert found.command == "gitops-tk diff staging prod a b"


def test_the_same_change_has_the_same_evidence() -> None:
    files = repository(["a"], tags=_STAGING)
    assert promotion(views(files)) == promotion(views(files))


def test_a_downgrade_is_told() -> None:
    (release,) = changed(
        repository(tags={"prod": "v2.0.0"}), Write("services/web/envs/prod.yaml", b"image: {tag: v1.0.0}\n")
    )
    assert [(one.code, one.message) for one in release.cautions] == [("downgrade", "v1.0.0 is older than v2.0.0")]


def test_values_are_told_key_by_key_and_secrets_are_not() -> None:
    files = repository()
    files["services/web/envs/prod.yaml"] += b"replicas: 3\nconfig: {LEVEL: info, DB_PASSWORD: hunter2}\n"
    new = (
        files["services/web/envs/prod.yaml"]
        .replace(b"3", b"2")
        .replace(b"hunter2", b"hunter3")
        .replace(b"info", b"warn")
    )
    (release,) = changed(files, Write("services/web/envs/prod.yaml", new))
    assert [(one.path, one.before, one.after) for one in release.values] == [
        ("replicas", 3, 2),
        ("config.LEVEL", "info", "warn"),
        ("config.DB_PASSWORD", "(hidden)", "(hidden)"),
    ]
    assert [one.code for one in release.cautions] == ["replicas-cut"]
    assert "hunter" not in repr(release)


def test_shared_values_reach_every_service_of_their_environment() -> None:
    found = changed(repository(["a", "b"]), Write("envs/staging.yaml", b"replicas: 5\n"))
    assert [(one.service, one.env) for one in found] == [("a", "staging"), ("b", "staging")]
    assert [one.path for one in found[0].values] == ["replicas"]


def test_a_chart_that_environments_share_is_shown_in_its_effect_on_each() -> None:
    files = repository()
    path = "services/web/chart/templates/configmap.yaml"
    found = changed(files, Write(path, files[path] + b"  NEW: '1'\n"))
    # That which matters most first.
    assert [one.env for one in found] == ["prod", "staging", "dev"]
    assert {field.path for one in found for change in one.objects for field in change.fields} == {"data.NEW"}


def test_a_chart_of_one_environment_changes_that_one() -> None:
    config = repo.CONFIG + b"layout:\n  chart: services/{service}/{env}/chart\n"
    files = {"gitops-tk.yaml": config}
    for env in ("dev", "staging", "prod"):
        files |= {f"services/web/{env}/chart/{path}": data for path, data in chart().items()}
        files[f"services/web/envs/{env}.yaml"] = b"image: {tag: v1}\n"
    files["services/web/staging/chart/templates/configmap.yaml"] = CONFIGMAP + b"  NEW: '1'\n"
    copied = {path.replace("/staging/", "/prod/"): data for path, data in files.items() if "/staging/chart/" in path}
    (release,) = changed(files, *(Write(path, data) for path, data in copied.items()))
    assert (release.env, [one.label for one in release.objects]) == ("prod", ["ConfigMap web"])


def test_a_chart_that_is_copied_by_its_id_is_rendered_from_there(tmp_path: Path) -> None:
    config = repo.CONFIG + b"layout:\n  chart: services/{service}/{env}/chart\n"
    files = {"gitops-tk.yaml": config}
    for env in ("staging", "prod"):
        files |= {f"services/web/{env}/chart/{path}": data for path, data in chart().items()}
        files[f"services/web/envs/{env}.yaml"] = b"image: {tag: v1}\n"
    files["services/web/staging/chart/templates/extra.yaml"] = CONFIGMAP.replace(b"name: ", b"name: extra-")
    with Remote(RemoteLocation(f"file://{repo.bare(tmp_path / 'r.git', files)}"), None, os.environ) as remote:
        snapshot = remote.snapshot()
        folder = snapshot.entries(["services/web/staging/chart"])["services/web/staging/chart"]
        change = ChangeSet((Copy("services/web/prod/chart", folder.oid, FOLDER),))
        (release,) = between(snapshot, Overlay(snapshot, change))
    assert [(one.change, one.label) for one in release.objects] == [("added", "ConfigMap extra-web")]


def test_a_chart_in_the_repository_reaches_those_that_depend_on_it() -> None:
    files = repository(["a", "b"])
    files |= {f"libraries/base/{path}": data for path, data in chart("base").items()}
    files["services/a/chart/Chart.yaml"] += (
        b"dependencies: [{name: base, version: 0.1.0, repository: 'file://../../../libraries/base'}]\n"
    )
    path = "libraries/base/templates/configmap.yaml"
    found = changed(files, Write(path, files[path] + b"  NEW: '1'\n"))
    assert {one.service for one in found} == {"a"}


def test_other_files_reach_nothing() -> None:
    assert changed(repository(), Write("README.md", b"x"), Write("argocd/prod.yaml", b"x")) == ()


def test_a_service_that_comes_or_goes_is_told_with_its_objects() -> None:
    files = repository(["a"])
    new = {path.replace("/a/", "/b/"): data for path, data in files.items() if "/a/" in path and "dev" not in path}
    come = changed(files, *(Write(path, data) for path, data in new.items()))
    assert [(one.service, one.env, [change.change for change in one.objects]) for one in come] == [
        ("b", env, ["added", "added"]) for env in ("prod", "staging")
    ]
    (gone,) = changed(files, Delete("services/a/envs/prod.yaml"))
    assert ([one.change for one in gone.objects], gone.images[0].after) == (["removed", "removed"], None)
    assert {one.code for one in gone.cautions} == {"object-deleted"}


def test_an_image_that_is_kept_elsewhere_from_now_on_is_the_same_image() -> None:
    files = repository()
    config = repo.CONFIG + b"images: {default: {tag: version}}\n"
    own = [
        Write(f"services/web/envs/{env}.yaml", b"image: {tag: v1.0.0}\nversion: v1.0.0\n")
        for env in ("dev", "staging", "prod")
    ]
    assert changed(files, Write("gitops-tk.yaml", config), *own) == ()


def test_a_repository_of_values_alone_has_images_and_values() -> None:
    files = {path: data for path, data in repository(tags=_STAGING).items() if "/chart/" not in path}
    (release,) = promotion(views(files)).releases
    assert (len(release.images), release.objects, release.not_rendered) == (1, (), None)


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("templates/configmap.yaml", b"{{ fail .Values.config.DB_PASSWORD }}", "(hidden)"),
        ("templates/configmap.yaml", b"a: [", "not valid YAML"),
        (
            "Chart.yaml",
            _DEPENDING,
            "depends on x",
        ),
        ("values.schema.json", b'{"properties": {"replicas": {"type": "string"}}}', "replicas"),
    ],
)
def test_what_does_not_render_is_said_to_be_not_rendered_and_nothing_partial_is_shown(
    path: str, data: bytes, reason: str
) -> None:
    files = repository()
    files["services/web/envs/prod.yaml"] += b"config: {DB_PASSWORD: hunter2}\n"
    files["envs/prod.yaml"] = b"replicas: 2\n"
    files[f"services/web/chart/{path}"] = data
    (release,) = changed(files, Write("envs/prod.yaml", b"replicas: 3\n"))
    assert release.not_rendered is not None
    assert reason in release.not_rendered
    assert (release.objects, [one.path for one in release.values]) == ((), ["replicas"])
    assert "hunter2" not in repr(release)


def test_one_file_that_cannot_be_read_is_told_of_its_own_service_alone() -> None:
    files = repository(["a", "b"], tags=_STAGING)
    files["services/b/envs/prod.yaml"] += b"image: twice\n"
    change = Write("envs/prod.yaml", b"replicas: 5\n")
    fine, broken = changed(files, change)
    assert (fine.not_rendered, [one.path for one in fine.values]) == (None, ["replicas"])
    assert (broken.not_rendered or "").startswith("services/b/envs/prod.yaml:3: the key image is there twice")
    linked = MemorySnapshot(files, {"envs/prod.yaml": SYMLINK})
    found = between(linked, Overlay(linked, ChangeSet((Delete("envs/prod.yaml"), Write("envs/prod.yaml", b"a: 1\n")))))
    assert {one.not_rendered for one in found} == {"envs/prod.yaml is a symbolic link, where a file is expected"}


def test_where_a_repository_begins_everything_comes() -> None:
    (dev, *_) = between(MemorySnapshot({"README.md": b"x"}), MemorySnapshot(repository()))
    assert ([one.change for one in dev.objects], dev.images[0].before) == (["added", "added"], None)
    with pytest.raises(ConfigError):
        between(MemorySnapshot({}), MemorySnapshot({"README.md": b"x"}))


def test_a_link_to_the_environment_of_the_process_shows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_TK_TOKEN", "s3cr3t-t0ken")
    files = repository(tags=_STAGING)
    files["services/web/chart/templates/configmap.yaml"] = (
        CONFIGMAP + b'  env: {{ .Files.Get "files/environ" | quote }}\n'
    )
    link = "services/web/chart/files/environ"
    (release,) = promotion(views(files, {link: SYMLINK})).releases
    assert release.not_rendered == f"{link} is a symbolic link or a submodule"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in chart("sub", evil=b'a: {{ .Files.Get "environ" | quote }}\nb: {{ env "HOME" }}').items():
            member = tarfile.TarInfo(f"sub/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        member = tarfile.TarInfo("sub/environ")
        member.type, member.linkname = tarfile.SYMTYPE, "/proc/self/environ"
        archive.addfile(member)
    files["services/web/chart/charts/sub-0.1.0.tgz"] = packed.getvalue()
    assert "s3cr3t-t0ken" not in repr(promotion(views(files)))


def test_what_is_random_is_no_change() -> None:
    random = b"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: {{ randAlphaNum 8 }}}\n"
    job = b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: job-{{ randNumeric 8 }}}\nspec: {at: {{ now | quote }}}\n"
    files = repository(tags=_STAGING, random=random, job=job)
    found = promotion(views(files))
    (release,) = found.releases
    assert [one.label for one in release.objects] == ["Deployment web"]
    assert [(one.code, one.object) for one in release.cautions] == [
        ("not-reproducible", "Job job-…"),
        ("not-reproducible", "Secret s"),
    ]
    assert promotion(views(files)) == found


def test_definitions_that_come_with_a_chart_are_compared_too() -> None:
    crd = b"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n"
    found = changed(repository(), Write("services/web/chart/crds/a.yaml", crd))
    assert {(one.env, one.cautions[0].code, one.objects[0].change) for one in found} == {
        (env, "cluster-wide", "added") for env in ("dev", "staging", "prod")
    }


def test_many_services_are_compared_in_several_processes_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    services = [f"s{at}" for at in range(4)]
    alone = promotion(views(repository(services, tags=_STAGING)))
    monkeypatch.setattr(processes, "_WORTH_IT", 2)
    environ = dict(os.environ)
    assert promotion(views(repository(services, tags=_STAGING))) == alone
    assert dict(os.environ) == environ


class _Told:
    """A history of a file: newest first, the time and the tag of each commit."""

    def __init__(self, *versions: tuple[int, str]) -> None:
        self.versions = versions

    def __call__(self, paths: list[str], **_: object) -> list[Version]:
        return [
            Version(str(time), time, "A <a@example.com>", {paths[0]: f"image:\n  tag: {tag}\n".encode()}, paths)
            for time, tag in self.versions
        ]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([(300, "v1.1.0"), (200, "v1.0.0")], 300),
        ([(300, "v1.1.0 # a comment"), (200, "v1.1.0"), (100, "v1.0.0")], 200),
        ([(400, "v1.1.0"), (300, "v1.0.0"), (200, "v1.1.0")], 400),
        ([(300, "v1.0.0")], None),
        ([], None),
    ],
)
def test_since_when_the_source_holds_an_image(versions: list[tuple[int, str]], expected: int | None) -> None:
    found = promotion(views(repository(tags=_STAGING), history=_Told(*versions)))
    assert found.releases[0].images[0].since == expected


def _revised(url: str) -> dict[str, bytes]:
    files = repository()
    files["services/web/chart/Chart.yaml"] += f"sources: ['javascript:alert(1)', '{url}']\n".encode()
    for env, tag, revision in (("staging", "v2", "b" * 40), ("prod", "v1", "a" * 40)):
        files[f"services/web/envs/{env}.yaml"] = f"image: {{tag: {tag}, revision: {revision}}}\n".encode()
    return files


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/shop/web", "https://github.com/shop/web/compare/{older}...{newer}"),
        ("https://gitlab.example.com/a/b/web", "https://gitlab.example.com/a/b/web/-/compare/{older}...{newer}"),
        ("https://gitea.example.com/shop/web.git", "https://gitea.example.com/shop/web/compare/{older}...{newer}"),
        ("https://bitbucket.org/shop/web", "https://bitbucket.org/shop/web/branches/compare/{newer}%0D{older}"),
        (
            "https://dev.azure.com/org/Shop/_git/web",
            "https://dev.azure.com/org/Shop/_git/web/branchCompare?baseVersion=GC{older}&targetVersion=GC{newer}",
        ),
        ("https://example.com/shop/web", None),
        ("https://github.com/shop", None),
    ],
)
def test_revisions_lead_to_what_is_between_them(url: str, expected: str | None) -> None:
    (image,) = promotion(views(_revised(url))).releases[0].images
    assert image.compare == (expected and expected.format(older="a" * 40, newer="b" * 40))
    assert image.commits == ()


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket-dc"])
def test_commits_between_two_revisions_are_asked_of_the_remotes_own_forge(kind: ForgeKind, tmp_path: Path) -> None:
    with staged(kind, tmp_path, template(tmp_path / "template.git")) as stage:
        older = repo.git(stage.here.folder, "rev-parse", "main")
        newer = repo.commit(stage.here.folder, {"a.txt": b"1"}, message="feat: one\n\nbecause")
        files = {
            path: data.replace(b"a" * 40, older.encode()).replace(b"b" * 40, newer.encode())
            for path, data in _revised(stage.url).items()
        }
        files["gitops-tk.yaml"] += f"forge: {{kind: {kind}}}\n".encode()
        view = replace(views(files), home=lambda: stage.url)
        (image,) = promotion(view, environ=stage.environ, ask=True).releases[0].images
        assert (image.compare or "").startswith(
            stage.url.removesuffix(".git").rpartition("/")[0].removesuffix("/scm/SHOP")
        )
        assert [one.subject for one in image.commits] == ["feat: one"]
        elsewhere = replace(view, home=lambda: "https://github.com/shop/gitops")
        assert promotion(elsewhere, environ=stage.environ, ask=True).releases[0].images[0].commits == ()
