"""The gitops-tk.yaml of a repository that was there before."""

import re
from collections.abc import Sequence

from gitops_tk.config.model import API_VERSION
from gitops_tk.values.quote import double, scalar
from gitops_tk.workflows.adopting.charts import Placement
from gitops_tk.workflows.adopting.choice import Choice
from gitops_tk.workflows.adopting.environments import Environment
from gitops_tk.workflows.adopting.findings import counted
from gitops_tk.workflows.adopting.images import Images, Keys

# A template that YAML reads as it is: a brace at its beginning would open a map.
_PLAIN = re.compile(r"[A-Za-z.][A-Za-z0-9._/{}-]*")
_HEAD = "# Written by gitops-tk adopt from what the repository held; docs/configuration.md says what else it may say."
_WIDTH = 32


def written(choice: Choice, shared: Placement, chart: Placement, images: Images, forge: str | None) -> bytes:
    """The file's text.

    Args:
        forge: the forge's kind; None to tell it from the remote.
    """
    lines = [_HEAD, f"apiVersion: {API_VERSION}", _noted("environments:", "in promotion order")]
    for one in choice.environments:
        lines += _environment(one, alone=len(choice.environments) == 1)
    lines += [
        "layout:",
        _noted(f"  chart: {_template(chart.template)}", None if chart.found else "no chart is there yet"),
        _noted(f"  values: {_template(choice.template)}", counted(len(choice.files), "file")),
        _noted(f"  shared: {_template(shared.template)}", None if shared.found else "no values that services share"),
    ]
    if images.default:
        lines += ["images:", *_image(images.default, images, 2)]
    if images.own:
        lines.append("services:")
        for service, keys in sorted(images.own.items()):
            lines += [f"  {scalar(service)}:", "    images:", *_image(keys, images, 6)]
    lines += ["forge:", f"  kind: {forge}"] if forge else [_noted("forge: {}", "told from the remote")]
    return ("\n".join(lines) + "\n").encode()


def _environment(one: Environment, *, alone: bool) -> Sequence[str]:
    lines = [f"  - name: {scalar(one.name)}"]
    if one.path != one.name:
        lines.append(_noted(f"    path: {scalar(one.path)}", "what {env} is in paths"))
    if one.from_ is not None:
        lines.append(_noted(f"    from: [{', '.join(map(scalar, one.from_))}]", "where promotions come from"))
    if one.last and not alone:
        lines.append(_noted("    publish: pull-request", "changes are proposed, not pushed"))
    return lines


def _image(keys: Keys, images: Images, indent: int) -> list[str]:
    space = " " * indent
    if keys.is_reference:
        return [f"{space}default:", f"{space}  reference: {_key(keys.key)}"]
    digest = keys.digest if keys in images.pinned else None
    note = None if digest else "no values hold one; name the key if the chart reads one"
    lines = [f"{space}default:", f"{space}  tag: {_key(keys.key)}", _noted(f"{space}  digest: {_key(digest)}", note)]
    for part in ("build", "revision"):
        lines.append(f"{space}  {part}: {_key(keys.notes and f'{keys.notes}.{part}')}")
    return lines


def _noted(line: str, note: str | None) -> str:
    if note is None:
        return line
    return f"{line:<{_WIDTH}} # {note}" if len(line) < _WIDTH else f"{line}   # {note}"


def _template(text: str | None) -> str:
    return "null" if text is None else text if _PLAIN.fullmatch(text) else double(text)


def _key(text: str | None) -> str:
    return "null" if text is None else scalar(text, flow=True)
