"""Which of two images is the older build."""

import pytest

from gitops_tk.model.image import Image
from gitops_tk.policy.order import newer_by_build, older_by


@pytest.mark.parametrize(
    ("current", "wanted", "older"),
    [
        (Image(tag="v1.3.0", build=9), Image(tag="v1.2.0", build=10), False),
        (Image(tag="v1.2.0", build=10), Image(tag="v1.3.0", build=9), True),
        (Image(tag="v1.2.0", build=9), Image(tag="v1.1.0", build=9), False),
        (Image(tag="v1.3.0"), Image(tag="v1.2.9"), True),
        (Image(tag="1.10.0"), Image(tag="1.9.0"), True),
        (Image(tag="1.9.0"), Image(tag="v1.10.0"), False),
        (Image(tag="v1.3.0", build=9), Image(tag="v1.2.9"), True),
        (Image(tag="v1.3.0"), Image(tag="v1.2.9", build=1), True),
        (Image(tag="v1.3.0"), Image(tag="v1.3.0"), False),
        (Image(tag="v1.3.0"), Image(tag="v1.2.0-rc.1"), False),
        (Image(tag="v1.3.0-rc.1"), Image(tag="v1.2.0"), False),
        (Image(tag="main-20261101"), Image(tag="main-20261030"), False),
        (Image(tag="1.10"), Image(tag="1.9"), False),
        (Image(tag="v1.2.3.4"), Image(tag="v1.2.3.3"), False),
        (Image(), Image(tag="v1.0.0"), False),
    ],
)
def test_build_numbers_decide_and_else_release_versions_do(current: Image, wanted: Image, older: bool) -> None:
    assert (older_by(current, wanted) is not None) == older


def test_the_reason_names_both_builds() -> None:
    assert older_by(Image(tag="b", build=10), Image(tag="a", build=9)) == "build 9 is older than build 10"
    assert older_by(Image(tag="v2.0.0"), Image(tag="v1.0.0")) == "v1.0.0 is older than v2.0.0"


def test_only_build_numbers_let_a_newer_image_go_on_over_a_third_one() -> None:
    assert newer_by_build(Image(build=9), Image(build=10))
    assert not newer_by_build(Image(build=10), Image(build=10))
    assert not newer_by_build(Image(tag="v1.0.0"), Image(tag="v2.0.0"))
    assert not newer_by_build(Image(build=9), Image(tag="v2.0.0"))
    assert not newer_by_build(Image(tag="v1.0.0"), Image(build=10))
