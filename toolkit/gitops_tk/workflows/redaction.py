"""Values as they may be shown, in messages, changes and diffs: what looks secret is hidden, as evidence hides it."""

from collections.abc import Iterable
from typing import Any

from gitops_tk.charts.masks import Mask, revealed
from gitops_tk.model.changes import Change
from gitops_tk.values.edit import Edit
from gitops_tk.values.keys import KeyPath, Selector, format_key
from gitops_tk.values.splice import DELETE
from gitops_tk.workflows.layers import Layers


def masked(path: KeyPath, *values: Any) -> tuple[Any, ...]:
    """What a key held and holds, fit to be shown; the whole key tells: `db.password`, `env[name=TOKEN].value`."""
    mask = Mask()
    return tuple(revealed(_found(mask.value("", _nested(path, value)), path)) for value in values)


def key_change(kind: str, layers: Layers, edit: Edit, current: Any) -> Change:
    """The reason for an edit of a service's values, with what looks secret hidden.

    Args:
        layers: the service's values in the environment.
        current: what the key holds now; None or DELETE where it is not there.
    """
    before, after = masked(edit.path, *(None if one is DELETE else one for one in (current, edit.value)))
    return Change(
        kind=kind,
        service=layers.service,
        env=layers.env,
        file=layers.own_path,
        key=format_key(edit.path),
        from_=before,
        to=after,
    )


class MaskedFiles:
    """Files' texts before they are compared, masked so that every line that differs still does; see `revealed`.

    Args:
        paths: the files that are masked; what others hold is shown.
    """

    def __init__(self, paths: Iterable[str | None]) -> None:
        self._paths = set(paths)
        self._mask = Mask()

    def __call__(self, path: str, text: str) -> str:
        """A file's text, with a mark in place of each secret."""
        return self._mask.text(text) if path in self._paths else text


def _nested(path: KeyPath, value: Any) -> Any:
    for step in reversed(path):
        if isinstance(step, str):
            value = {step: value}
        elif isinstance(step, Selector) and isinstance(value, dict):
            value = [{step.key: step.value, **value}]
        else:
            value = [value]
    return value


def _found(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data[step if isinstance(step, str) else 0]
    return data
