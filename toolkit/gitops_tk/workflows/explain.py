"""explain: why a promotion is or is not allowed, and until when: every rule and every gate with its answer."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from gitops_tk.config.chart import PublishedChart
from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import ChartError, RefusedByPolicy
from gitops_tk.model import names
from gitops_tk.model.changes import Answer, Gate
from gitops_tk.model.image import Image
from gitops_tk.model.result import Result
from gitops_tk.policy.gates import Arrival, earliest, timestamp
from gitops_tk.policy.holds import until_end
from gitops_tk.policy.order import older_by
from gitops_tk.values.image import read_image
from gitops_tk.workflows import chart_pins
from gitops_tk.workflows.chart_copies import carries, diverged
from gitops_tk.workflows.gating.gates import Judge, arrival
from gitops_tk.workflows.layers import Layers, read_layers, require
from gitops_tk.workflows.promote import check_order
from gitops_tk.workflows.views import Views


def explain(views: Views, source: str, target: str, service: str, judge: Judge | None = None) -> Result:
    """All rules and gates that a promotion of one service meets, with their answers.

    Raises:
        UsageError: an environment is not there, or both are the same.
        MissingFile: the service is not there, or not in one of the environments.
    """
    config = load(views.snapshot)
    environments = config.environment(source), config.environment(target)
    pairs = [(names.service(service), environment.name) for environment in environments]
    layers = read_layers(views.snapshot, config, pairs, holds=True)
    for pair, environment in zip(pairs, environments, strict=True):
        require(layers[pair], views.snapshot, config, environment)
    there, here = (layers[pair] for pair in pairs)
    images = _coming(config, there, here)
    pin = _pin(views, config.chart, there, here) if config.chart else None
    one = arrival(config, service, target, [source], images, pin.version if pin else "")
    rules = [
        _from(config, *environments, one),
        _image(there, one, config),
        *_older(config, here, one),
        *_hold(here, there, one, views.now),
        *([one.answer(*pin.answer)] if pin else _chart(views, config, environments, one)),
    ]
    publish = environments[1].publish
    judged = (judge or Judge()).judge(views, config, environments[1], [one], "push")[service]
    gates = [*rules, *judged.answers]
    closed = [*(rule for rule in rules if rule.closed), *judged.closed]
    until = earliest(environments[1].policy.gates, closed, views.now)
    details: dict[str, Any] = {
        "allowed": not closed,
        "until": None if until is None else timestamp(until),
        "publish": publish,
    }
    return Result(command="explain", outcome="unchanged", gates=tuple(gates), details=details)


def _chart(views: Views, config: Config, environments: tuple[Environment, Environment], one: Arrival) -> Sequence[Gate]:
    if not config.layout.chart_per_environment:
        return ()
    source, target = environments
    charts = carries(views, config, source, target, [one.service])
    for error in diverged(views, source, list(charts.values())).values():
        return (one.answer(error.code, "refused", error.message),)
    said = f"the chart of {source.name} comes along" if charts else f"{target.name} has the chart of {source.name}"
    return (one.answer("chart-diverged", "passed", said),)


class _Pin(Struct, frozen=True):
    """The version of a published chart that comes along, or none, and what is said of it: the gate, its answer, why."""

    version: str
    answer: tuple[str, Answer, str]


def _pin(views: Views, chart: PublishedChart, there: Layers, here: Layers) -> _Pin:
    try:
        pin = chart_pins.promoted(chart, there, here)
    except ChartError as error:
        return _Pin("", (error.code, "refused", error.message))
    if pin is None:
        return _Pin("", ("chart-diverged", "passed", f"{here.env} has the chart of {there.env}"))
    undone = chart_pins.diverged(views, chart, there, here, pin)
    if undone is not None:
        return _Pin(pin.wanted, (undone.code, "refused", undone.message))
    return _Pin(pin.wanted, ("chart-diverged", "passed", f"the chart of {there.env} comes along: {pin.wanted}"))


def _coming(config: Config, there: Layers, here: Layers) -> dict[str, Image]:
    found = {}
    for name, keys in config.image_keys(there.service).items():
        image = read_image(there.merged, keys)
        if image is not None and image.version and image != read_image(here.merged, keys):
            found[name] = image
    return found


def _from(config: Config, source: Environment, target: Environment, one: Arrival) -> Gate:
    try:
        check_order(config, source, target)
    except RefusedByPolicy as error:
        return one.answer("from", "refused", f"{error.message}: {error.hint}")
    return one.answer("from", "passed", f"{target.name} is promoted from {source.name}")


def _image(there: Layers, one: Arrival, config: Config) -> Gate:
    if one.images:
        return one.answer("image", "passed", f"{there.env} holds {one.version}")
    held = [read_image(there.merged, keys) for keys in config.image_keys(there.service).values()]
    if any(image is not None and image.version for image in held):
        return one.answer("image", "passed", f"{one.env} has the image of {there.env} already")
    return one.answer("image", "refused", f"{one.service} has no image in {there.env} yet")


def _older(config: Config, here: Layers, one: Arrival) -> list[Gate]:
    reasons = []
    for name, image in one.images.items():
        current = read_image(here.merged, config.image_keys(here.service)[name])
        reasons += [reason] if current is not None and (reason := older_by(current, image)) else []
    if not one.images:
        return []
    answer: Answer = "refused" if reasons else "passed"
    return [one.answer("older-build", answer, "; ".join(reasons) or "it is no older build")]


def _hold(here: Layers, there: Layers, one: Arrival, now: float) -> Sequence[Gate]:
    blocks = here.hold is not None and here.hold.blocks(one.images, now)
    left = there.hold is not None and there.hold.names(one.images, now)
    hold = here.hold if blocks else there.hold if left else None
    if hold is None:
        return [one.answer("hold", "passed", f"{one.service} is not held in {one.env}")]
    said = f"{one.service} is held in {here.env if blocks else there.env}: {hold.shown}"
    if not hold.until:
        return [one.answer("hold", "refused", said)]
    return [one.answer("hold", "waiting", said, until_end(hold.until))]
