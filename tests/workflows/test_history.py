"""history: what the files held decides, however it came about; trailers only add what they can prove."""

from typing import Any

import pytest
from tests.support.timeline import Timeline

from gitops_tk.errors import GitopsTkError
from gitops_tk.model.image import Image
from gitops_tk.reports.history import markdown, text
from gitops_tk.workflows import bump, promote, rollback
from gitops_tk.workflows.history import Event, HistoryRequest, history, result

CONFIG = b"apiVersion: gitops-tk/v1\nenvironments: [{name: dev}, {name: prod}]\n"
NOW = "2026-03-20T00:00:00"
DAY = 86400


def path(env: str, service: str = "a") -> str:
    return f"services/{service}/envs/{env}.yaml"


def values(tag: str, more: str = "") -> bytes:
    return f"# of a\nreplicas: 2\nimage:\n  tag: {tag}\n{more}config: {{level: info, name: a, size: 4}}\n".encode()


def start(**more: bytes) -> Timeline:
    return Timeline("2026-03-01T00:00:00", {"gitops-tk.yaml": CONFIG, path("dev"): values("v1"), **more})


def told(made: Timeline, service: str = "a", **options: Any) -> list[Event]:
    return history(HistoryRequest(service=service, **options), made.views(NOW))


def short(events: list[Event]) -> list[tuple[Any, ...]]:
    return [
        (event.env, event.from_.tag if event.from_ else None, event.to.tag if event.to else None, event.command)
        for event in events
    ]


def deploy(made: Timeline, when: str, tag: str, **how: Any) -> None:
    request = bump.BumpRequest(services=("a",), env="dev", image=Image(tag=tag))
    made.apply(when, bump.plan(request, made.views(when), None), **how)


def test_every_change_is_told_with_when_who_and_how_long() -> None:
    made = start(**{path("prod"): values("v0")})
    deploy(made, "2026-03-02T00:00:00", "v2")
    when = "2026-03-04T00:00:00"
    plan = promote.plan(promote.PromoteRequest(source="dev", target="prod"), made.views(when), None)
    made.apply(when, plan)
    made.commit("2026-03-05T00:00:00", {path("dev"): values("v3")}, "a hotfix", author="Eve <eve@example.com>")
    when = "2026-03-06T00:00:00"
    made.apply(when, rollback.plan(rollback.RollbackRequest(services=("a",), env="prod"), made.views(when), None))
    events = told(made)
    assert [
        (one.env, one.from_ and one.from_.tag, one.to and one.to.tag, one.command, one.source, one.seconds // DAY)
        for one in events
    ] == [
        ("prod", "v2", "v0", "rollback", None, 14),
        ("dev", "v2", "v3", None, None, 15),
        ("prod", "v0", "v2", "promote", "dev", 2),
        ("dev", "v1", "v2", "bump", None, 3),
        ("prod", None, "v0", None, None, 3),
        ("dev", None, "v1", None, None, 1),
    ]
    assert events[1].author == "Eve <eve@example.com>"
    assert [one.until for one in events[:3]] == [None, None, "2026-03-06T00:00:00Z"]
    assert events[2].time == "2026-03-04T00:00:00Z"


def test_it_can_be_cut_to_environments_a_number_and_a_time() -> None:
    made = start(**{path("prod"): values("v0")})
    for day in range(2, 6):
        made.commit(f"2026-03-0{day}T00:00:00", {path("dev"): values(f"v{day}")})
    assert [one.env for one in told(made, envs=("prod",))] == ["prod"]
    assert [one.to and one.to.tag for one in told(made, limit=2)] == ["v5", "v4"]
    assert [one.to and one.to.tag for one in told(made, since="2026-03-04")] == ["v5", "v4"]
    assert [one.to and one.to.tag for one in told(made, since="16 days ago")] == ["v5", "v4"]


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda message: f"Merged PR 12: a new build\n\n* {message.replace(chr(10), chr(10) + '  ')}\nSigned-off-by: x",
        lambda message: f"Squashed (#7)\n\n{message}\nCo-authored-by: Eve <eve@example.com>\n",
    ],
)
def test_a_squash_merge_keeps_the_command_that_its_message_carries(rewrite: Any) -> None:
    made = start()
    request = bump.BumpRequest(services=("a",), env="dev", image=Image(tag="v2"))
    plan = bump.plan(request, made.views(NOW), None)
    made.apply("2026-03-02T00:00:00", plan, message=rewrite(plan.message))
    assert short(told(made))[0] == ("dev", "v1", "v2", "bump")


def test_a_merge_takes_the_command_of_what_was_merged() -> None:
    made = start()
    request = bump.BumpRequest(services=("a",), env="dev", image=Image(tag="v2"))
    plan = bump.plan(request, made.views(NOW), None)
    made.apply("2026-03-02T00:00:00", plan, message="Merge branch 'gitops-tk/dev/a'", merged=plan.message)
    assert short(told(made))[0] == ("dev", "v1", "v2", "bump")


@pytest.mark.parametrize(
    "claim",
    [
        "dev/a image.tag v1 -> v9",
        "dev/b image.tag v1 -> v2",
        "prod/a image.tag v1 -> v2",
        "dev/a replicas 2 -> 3",
        # What the image has, and had before.
        "dev/a replicas 2 -> 7",
        "dev/a replicas 2 -> 3\nGitops-Tk-Note: dev/a image.tag v1 -> v2",
    ],
)
def test_a_trailer_that_the_files_do_not_prove_is_no_credit(claim: str) -> None:
    made = start(**{path("dev"): values("v1", "  build: 7\n")})
    message = f"x\n\nGitops-Tk-Command: promote\nGitops-Tk-Change: {claim}\nGitops-Tk-Source: prod\n"
    made.commit("2026-03-02T00:00:00", {path("dev"): values("v2", "  build: 7\n")}, message)
    assert short(told(made))[0] == ("dev", "v1", "v2", None)


def test_of_several_commands_in_one_message_the_one_that_tells_of_the_change_counts() -> None:
    made = start()
    told_of = [("promote", "dev/a image.tag v1 -> v2", "soak it is urgent"), ("bump", "dev/b image.tag v1 -> v2", "x")]
    blocks = (
        f"Gitops-Tk-Command: {command}\nGitops-Tk-Change: {change}\nGitops-Tk-Override: {override}\n"
        for command, change, override in told_of
    )
    made.commit("2026-03-02T00:00:00", {path("dev"): values("v2")}, "squashed\n\n" + "\n".join(blocks))
    event = told(made)[0]
    assert (event.command, event.overrides) == ("promote", ("soak it is urgent",))
    assert "`promote`, overriding `soak: it is urgent`" in markdown(result("a", [event]))


def test_commits_that_change_no_image_are_no_events() -> None:
    made = start()
    made.commit("2026-03-02T00:00:00", {path("dev"): values("v1").replace(b"2", b"3")})
    made.commit("2026-03-03T00:00:00", {path("dev"): b"image: [broken"})
    made.commit("2026-03-04T00:00:00", {path("dev"): values("v1")})
    made.commit("2026-03-05T00:00:00", {path("dev"): values("''")})
    assert short(told(made)) == [("dev", "v1", None, None), ("dev", None, "v1", None)]


def test_a_lower_layer_that_changes_the_image_is_an_event() -> None:
    made = Timeline("2026-03-01T00:00:00", {"gitops-tk.yaml": CONFIG, path("dev"): b"replicas: 1\n"})
    made.commit("2026-03-02T00:00:00", {"envs/dev.yaml": b"image: {tag: v1}\n"})
    made.commit("2026-03-03T00:00:00", {"services/a/chart/values.yaml": b"image: {tag: v0}\n", "envs/dev.yaml": b""})
    assert short(told(made)) == [("dev", "v1", "v0", None), ("dev", None, "v1", None)]


def test_parts_of_an_image_and_images_of_a_service_are_told_apart() -> None:
    config = CONFIG + b"images:\n  sidecar: {tag: sidecar.tag}\n"
    made = start(**{"gitops-tk.yaml": config})
    made.commit("2026-03-02T00:00:00", {path("dev"): values("v1", "  build: 7\n")})
    made.commit("2026-03-03T00:00:00", {path("dev"): values("v1", "  build: 7\nsidecar: {tag: s1}\n")})
    events = told(made)
    assert [(one.image, one.to and (one.to.tag, one.to.build), one.seconds // DAY) for one in events] == [
        ("sidecar", ("s1", None), 17),
        ("default", ("v1", 7), 18),
        ("default", ("v1", None), 1),
    ]


def test_a_service_is_followed_to_the_name_it_had_before() -> None:
    made = start()
    deploy(made, "2026-03-02T00:00:00", "v2")
    made.commit(
        "2026-03-03T00:00:00", {path("dev"): None, path("dev", "z"): values("v2").replace(b"# of a", b"# of z")}
    )
    made.commit("2026-03-04T00:00:00", {path("dev", "z"): values("v3")})
    made.commit("2026-03-05T00:00:00", {path("dev", "z"): None, path("dev", "y"): values("v4")})
    assert [(one.service, one.to and one.to.tag, one.command) for one in told(made, "y")] == [
        ("y", "v4", None),
        ("z", "v3", None),
        ("a", "v2", "bump"),
        ("a", "v1", None),
    ]


def test_a_new_service_has_no_part_in_the_history_of_one_that_goes() -> None:
    made = start()
    made.commit("2026-03-03T00:00:00", {path("dev"): None, path("dev", "z"): b"image:\n  tag: v9\n"})
    assert [(one.service, one.to and one.to.tag) for one in told(made, "z")] == [("z", "v9")]
    assert short(told(made, "a")) == [("dev", "v1", None, None), ("dev", None, "v1", None)]


def test_a_new_service_is_none_of_those_that_move_with_their_layout() -> None:
    made = start(**{path("dev", "b"): values("v1")})
    moved = {f"apps/dev/{service}/values.yaml": values("v1") for service in ("a", "b", "c")}
    config = CONFIG + b"layout: {values: 'apps/{env}/{service}/values.yaml'}\n"
    made.commit("2026-03-03T00:00:00", {**moved, "gitops-tk.yaml": config, path("dev"): None, path("dev", "b"): None})
    assert [(one.service, one.time) for one in told(made, "c")] == [("c", "2026-03-03T00:00:00Z")]


@pytest.mark.parametrize("before", [{}, {"gitops-tk.yaml": b"broken: ["}, {"gitops-tk.yaml": b"environments: []"}])
def test_what_was_before_the_configuration_is_followed_under_no_other_name(before: dict[str, bytes]) -> None:
    made = Timeline("2026-03-01T00:00:00", {path("dev"): values("v1"), **before})
    made.commit("2026-03-03T00:00:00", {"gitops-tk.yaml": CONFIG, path("dev"): None, path("dev", "z"): values("v1")})
    assert [(one.service, one.time) for one in told(made, "z")] == [("z", "2026-03-03T00:00:00Z")]


@pytest.mark.parametrize("at_once", [True, False])
def test_files_are_followed_when_the_layout_moves(at_once: bool) -> None:
    made = start()
    made.commit("2026-03-02T00:00:00", {path("dev"): values("v2")})
    files: dict[str, bytes | None] = {path("dev"): None, "apps/dev/a/values.yaml": values("v2")}
    config = {"gitops-tk.yaml": CONFIG + b"layout: {values: 'apps/{env}/{service}/values.yaml'}\n"}
    if at_once:
        made.commit("2026-03-03T00:00:00", {**files, **config})
    else:
        made.commit("2026-03-03T00:00:00", {"apps/dev/a/values.yaml": values("v2")})
        made.commit("2026-03-03T00:00:00", config)
        made.commit("2026-03-03T00:00:00", {path("dev"): None})
    made.commit("2026-03-04T00:00:00", {"apps/dev/a/values.yaml": values("v3")})
    assert [event[1:3] for event in short(told(made))] == [("v2", "v3"), ("v1", "v2"), (None, "v1")]


def test_an_environment_with_another_path_and_keys_that_moved_are_followed() -> None:
    made = start()
    made.commit(
        "2026-03-02T00:00:00",
        {
            "gitops-tk.yaml": CONFIG.replace(b"{name: dev}", b"{name: dev, path: test}")
            + b"images: {default: {tag: app.version}}\n",
            path("dev"): None,
            path("test"): b"app: {version: v1}\n",
        },
    )
    made.commit("2026-03-03T00:00:00", {path("test"): b"app: {version: v2}\n"})
    made.commit("2026-03-04T00:00:00", {"gitops-tk.yaml": b"broken: [", path("test"): b"app: {version: v3}\n"})
    made.commit("2026-03-05T00:00:00", {"gitops-tk.yaml": CONFIG, path("dev"): values("v4"), path("test"): None})
    assert [event[1:3] for event in short(told(made))][-2:] == [("v1", "v2"), (None, "v1")]
    assert [event[1:3] for event in short(told(made))][:2] == [("v3", "v4"), ("v2", "v3")]


def test_clocks_that_go_wrong_make_no_time_negative() -> None:
    made = start()
    made.commit("2026-02-01T00:00:00", {path("dev"): values("v2")})
    made.commit("2026-03-05T00:00:00", {path("dev"): values("v3")})
    made.commit("2027-01-01T00:00:00", {path("dev"): values("v4")})
    assert [(one.time, one.seconds // DAY) for one in told(made)] == [
        ("2026-03-20T00:00:00Z", 0),
        ("2026-03-05T00:00:00Z", 15),
        ("2026-03-01T00:00:00Z", 4),
        ("2026-03-01T00:00:00Z", 0),
    ]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (HistoryRequest(service="zzz"), "unknown-service"),
        (HistoryRequest(service="a", envs=("zzz",)), "unknown-environment"),
        (HistoryRequest(service="../a"), "bad-service-name"),
        (HistoryRequest(service="a", limit=0), "bad-limit"),
        (HistoryRequest(service="a", since="2026-13-01"), "bad-date"),
    ],
)
def test_what_has_no_history_is_told(request_: HistoryRequest, code: str) -> None:
    with pytest.raises(GitopsTkError) as caught:
        history(request_, start().views(NOW))
    assert caught.value.code == code


def test_what_has_just_come_leaves_room_for_when_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    made = start().commit(NOW, {path("dev"): values("v2")})
    _, newest, _ = text(result("a", told(made))).splitlines()
    assert newest.startswith("2026-03-20 00:00:00  dev  v1      v2     0s so far")
