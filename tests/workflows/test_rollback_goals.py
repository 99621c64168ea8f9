"""rollback --to: a tag, a digest, a build, a source commit or a commit that ran before; and promote --tag."""

import pytest
from tests.support.rollbacks import CONFIG, DIGEST, NOW, PROD, back, held, image, refused, tag, timeline

from gitops_tk.errors import RefusedByPolicy
from gitops_tk.workflows import promote


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("v1", "v1"),
        ("v2", "v2"),
        (DIGEST, "v2"),
        ("57", "v2"),
        ("4f2a91c", "v2"),
        ("4f2a91c00d", "v2"),
        ("0" * 40, "v1"),
        ("4f2a91", None),
        ("v9", None),
        ("beefbeef", None),
        (DIGEST.replace("a", "b"), None),
        ("5", None),
    ],
)
def test_a_goal_is_a_tag_a_digest_a_build_a_source_commit_or_a_commit(to: str, expected: str | None) -> None:
    more = f"  digest: {DIGEST}\n  build: 57\n  revision: 4f2a91c00d\n"
    made = timeline().commit("2026-03-02T00:00:00", image("a", "v2", more=more))
    made.commit("2026-03-03T00:00:00", image("a", "v3"))
    if expected is None:
        assert refused("never-ran", made, to=to).hint
        return
    back(made, to=to)
    assert tag(made) == expected
    assert (DIGEST in made.files[PROD.format("a")].decode()) == (expected == "v2")
    assert back(made, to=to).changeset.operations == ()


def test_the_beginning_of_several_commits_is_told() -> None:
    refused("ambiguous-commit", timeline(tags=("v2",)), to="0000000")


def test_a_tag_wins_over_a_build_of_the_same_name() -> None:
    made = timeline(tags=("57",)).commit("2026-03-05T00:00:00", image("a", "v4", more="  build: 57\n"))
    made.commit("2026-03-06T00:00:00", image("a", "v5"))
    back(made, to="57")
    assert tag(made) == "57"


def test_an_image_that_is_blocked_may_come_back_when_it_is_asked_for() -> None:
    made = timeline(tags=("v2", "v3"))
    back(made)
    back(made, to="v3")
    assert tag(made) == "v3"
    assert ([one.tag for one in held(made).images], held(made).restored[0].tag) == (["v2"], "v3")


def test_a_tag_to_promote_is_found_behind_what_nobody_could_read_and_where_the_layout_was_another() -> None:
    made = timeline(services=("a",)).commit("2026-03-02T00:00:00", image("a", "v2", "dev"))
    made.commit("2026-03-03T00:00:00", image("a", "v3", "dev", "image: twice\n"))
    moved: dict[str, bytes | None] = {f"apps/a/{env}.yaml": b"image: {tag: v4}\n" for env in ("dev", "staging", "prod")}
    layout = "layout: {values: 'apps/{service}/{env}.yaml'}\n"
    made.commit("2026-03-04T00:00:00", {**moved, "gitops-tk.yaml": (CONFIG.format(publish="push") + layout).encode()})
    request = promote.PromoteRequest(source="dev", target="staging", services=("a",), tag="v2", allow_older=True)
    made.apply(NOW, promote.plan(request, made.views(NOW), None))
    assert made.files["apps/a/staging.yaml"] == b"image: {tag: v2}\n"


def test_what_was_left_is_promoted_no_further() -> None:
    made = timeline(services=("a",)).commit("2026-03-02T00:00:00", image("a", "v2", "staging"))
    hold: dict[str, bytes | None] = {".gitops-tk/holds/staging/a.yaml": b"reason: it leaks\nimages: [{tag: v2}]\n"}
    made.commit("2026-03-03T00:00:00", image("a", "v1", "staging") | hold)
    request = promote.PromoteRequest(source="staging", target="prod", services=("a",), tag="v2")
    with pytest.raises(RefusedByPolicy) as caught:
        promote.plan(request, made.views(NOW), None)
    assert caught.value.code == "held"
