"""The configuration with its defaults filled in, as `config show` prints it: a gitops-tk.yaml that means the same."""

from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from gitops_tk.config import argocd, chart
from gitops_tk.config.layout import DEFAULTS
from gitops_tk.config.model import API_VERSION, Config, Environment, ImageKeys, Off, key_parts
from gitops_tk.config.policy import Gates
from gitops_tk.model import durations


def to_builtins(config: Config) -> dict[str, Any]:
    """The configuration under the keys of the file."""
    services: dict[str, dict[str, Any]] = {
        name: {"images": _images(images)} for name, images in config.services.items()
    }
    for name, keys in config.travelling.items():
        services.setdefault(name, {})["promotion"] = {"keys": list(keys)}
    return {
        "apiVersion": API_VERSION,
        **({"requires": config.requires} if config.requires else {}),
        "environments": [_environment(env) for env in config.environments],
        "layout": {
            **{key: config.layout.templates.get(key) for key in DEFAULTS},
            **({"chart": chart.to_builtins(config.chart)} if config.chart else {}),
        },
        "images": _images(config.images),
        "services": services,
        "promotion": {"keys": config.promotion.keys},
        "forge": _given(config.forge),
        "skeleton": _given(config.skeleton),
        "validate": {
            "crds": [path for path, _ in config.validate.crds],
            "off": [_off(one) for one in config.validate.off],
        },
        "verify": {"off": [_off(one) for one in config.verify]},
        **({"argocd": argocd.to_builtins(config.argocd)} if config.argocd else {}),
    }


def _environment(env: Environment) -> dict[str, Any]:
    policy = env.policy
    more = {
        "protected": list(policy.protected),
        "accepts": None if policy.accepts is None else list(policy.accepts),
        "override": list(policy.override),
        "gates": _gates(policy.gates),
    }
    always = {"name": env.name, "path": env.path, "from": list(env.from_), "publish": env.publish}
    return {**always, **({"push-now": True} if env.push_now else {}), **_given(more)}


def _gates(gates: Gates) -> dict[str, Any]:
    from gitops_tk.config.windows import written

    found = {
        "soak": None if gates.soak is None else durations.exact(gates.soak),
        "freeze": [
            {"reason": one.reason, "from": written(one.start), "to": written(one.end), "timezone": one.timezone}
            for one in gates.freeze
        ],
        "order": gates.order or None,
        "healthy": gates.healthy or None,
        "commands": [
            {"name": one.name, "run": list(one.run), "timeout": durations.exact(one.timeout)} for one in gates.commands
        ],
        "approvals": gates.approvals,
    }
    return _given(found)


def _off(one: Off) -> dict[str, Any]:
    shown = {"rule": one.rule, "reason": one.reason, "services": one.services, "environments": one.environments}
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in shown.items() if value is not None
    }


def _given(written: Struct | dict[str, Any]) -> dict[str, Any]:
    if isinstance(written, Struct):
        written = dict(zip(written.__struct_encode_fields__, astuple(written), strict=True))
    kept = {key: _given(value) if isinstance(value, Struct) else value for key, value in written.items()}
    return {key: value for key, value in kept.items() if value not in (None, {}, [])}


def _images(images: dict[str, ImageKeys]) -> dict[str, dict[str, str | None]]:
    # A part that is not kept says so, or it would be taken for one that is kept where it usually is.
    return {
        name: {"reference": keys.reference}
        if keys.reference
        else {part: key for part, key in key_parts(keys).items() if part != "reference"}
        for name, keys in images.items()
    }
