"""What reading gitops-tk.yaml takes grows with its size, and not with the square of it."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from gitops_tk.config.load import parse

_SOME = 100

Written = Callable[[int], str]


def _chain(count: int) -> str:
    return "".join(f"  - name: env-{at}\n" for at in range(count))


def _tree(count: int) -> str:
    return "".join(f"  - name: env-{at}\n    from: [{f'env-{at // 2}' if at else ''}]\n" for at in range(count))


def _upwards(count: int) -> str:
    sources = [f"[env-{at + 1}]" for at in range(count - 1)] + ["[]"]
    return "".join(f"  - name: env-{at}\n    from: {one}\n" for at, one in enumerate(sources))


def _with_layout(values: str, shared: str) -> Written:
    return lambda count: f"{_chain(count)}layout: {{values: '{values}', shared: '{shared}'}}\n"


def _with_overrides(count: int) -> str:
    services = "".join(
        f"  s-{at}: {{images: {{default: {{tag: app{at}.tag}}}}, promotion: {{keys: ['log{at}.*']}}}}\n"
        for at in range(count)
    )
    return _chain(count).replace("\n", "\n    protected: ['replicas*']\n") + f"services:\n{services}"


@pytest.mark.parametrize(
    "written",
    [
        _chain,
        _tree,
        _upwards,
        _with_layout("{env}/{service}/values.yaml", "{env}/shared.yaml"),
        _with_layout("deploy/{env}-{service}.yaml", "deploy/{env}.yaml"),
        _with_layout("deploy/{service}.{env}.yaml", "shared/{env}.yaml"),
        _with_overrides,
    ],
)
def test_twice_the_environments_take_twice_the_work(written: Written) -> None:
    assert _calls(written(2 * _SOME)) < 2.5 * _calls(written(_SOME))


def _calls(written: str) -> int:
    data = f"apiVersion: gitops-tk/v1\nenvironments:\n{written}".encode()
    count = 0

    def counted(_frame: FrameType, event: str, _value: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        parse(data)
    finally:
        sys.setprofile(before)
    return count
